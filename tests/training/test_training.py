import errno
import json
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import keras
import numpy as np
import pytest
from tiny_training import CONFIG, PAIRS, corpus, run, weights

from nmt.config import Config, CorpusConfig
from nmt.corpora import from_files
from nmt.corpora.parallel import ParallelText
from nmt.errors import UserError
from nmt.files import lock_folder
from nmt.training import chief, training
from nmt.translation import check_text_files
from nmt.translation.translator import Translator


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    out = tmp_path_factory.mktemp("whole") / "model"
    return out, *run(out)


@pytest.fixture(scope="module")
def resumed(tmp_path_factory):
    """The same training, killed after its second epoch and resumed, with pictures."""
    out = tmp_path_factory.mktemp("resumed") / "model"

    class Killed(Exception):
        pass

    def report(line):
        if line.startswith("epoch   2"):
            raise Killed

    with pytest.raises(Killed):
        training.train(corpus(), CONFIG, out, report=report, picture_of="")
    return out, *run(out, picture_of="")


GREEK = str.maketrans("abcdefghiklmnoprstuwy", "αβψδεφγηικλμνοπρστυωξ")


def too_large(*_):
    raise MemoryError


@pytest.fixture(scope="module")
def hurried(tmp_path_factory):
    """A training after a try that failed, with time for one epoch, and its picture."""
    out = tmp_path_factory.mktemp("hurried") / "model"
    with pytest.raises(UserError, match="cannot make a vocabulary of 8 pieces"):
        run(out, CONFIG.replace(vocabulary_size=8))
    greek = [(one.translate(GREEK), other) for one, other in PAIRS]
    with pytest.MonkeyPatch.context() as patch, pytest.raises(MemoryError):
        patch.setattr(chief, "Learner", too_large)
        run(out, CONFIG.replace(units=16), greek)
    assert (out / "vocabulary.model").exists()
    config = CONFIG.replace(epochs=50, max_minutes=1e-6)
    return out, *run(out, config, picture_of="the cow flies")


def test_it_learns_and_keeps_what_it_learnt(whole):
    out, history, lines = whole
    assert [row["epoch"] for row in history] == [1, 2, 3]
    assert history[-1]["validation_loss"] < history[0]["validation_loss"]
    assert json.loads((out / "history.json").read_text()) == history
    assert len(lines) == 5
    assert lines[0] == "tiny a-b, pairs: train 24, validation 5; 60 pieces"
    told = r"  BLEU [\d.]+  [\d,]+ pieces/s"
    assert all(re.search(rf"{told}  [\d.]+ min left$", line) for line in lines[1:3])
    assert re.search(rf"{told}$", lines[3])
    assert lines[-1].startswith("Finished after 3 epochs")
    assert {path.name for path in out.iterdir()} == {
        "checksums.json",
        "config.json",
        "history.json",
        "log.jsonl",
        "model.weights.h5",
        "training_state.npz",
        "vocabulary.model",
    }


def check_same_end(one, other):
    for row, same in zip(one[1], other[1], strict=True):
        assert row["train_loss"] == pytest.approx(same["train_loss"], rel=1e-4)
    for weight, same in zip(weights(one[0]), weights(other[0]), strict=True):
        np.testing.assert_allclose(weight, same, rtol=1e-3, atol=1e-4)


def test_a_training_that_was_killed_goes_on_to_the_same_end(whole, resumed):
    assert resumed[2][0].startswith("Going on after epoch 2")
    check_same_end(resumed, whole)


def test_a_finished_training_says_so_and_changes_nothing(whole):
    before = {path: path.read_bytes() for path in whole[0].iterdir()}
    history, lines = run(whole[0])
    assert lines == [
        f"The training in {whole[0]} was finished before; nothing is left to do."
    ]
    assert history == whole[1]
    assert {path: path.read_bytes() for path in whole[0].iterdir()} == before


def test_pictures_are_drawn_after_each_epoch_and_change_nothing(whole, resumed):
    out = resumed[0]
    pictures = {path.name for path in (out / "pictures").iterdir()}
    assert pictures >= {"index.html", *(f"epoch-00{n}.svg" for n in (1, 2, 3))}
    page = (out / "pictures" / "index.html").read_text("utf-8")
    assert all(f'"label":"{epoch}"' in page for epoch in (1, 2, 3))
    # The translation of the first validation sentence was forced.
    assert all(f'"text":"{word}"' in page for word in " ".join(PAIRS[0]).split())
    check_same_end(resumed, whole)


def test_pictures_can_be_of_another_sentence(hurried):
    page = (hurried[0] / "pictures" / "index.html").read_text("utf-8")
    assert '"text":"flies"' in page


def test_a_sentence_too_long_to_be_drawn_is_refused_before_an_epoch(tmp_path):
    with pytest.raises(UserError, match="to draw has .* pieces.* at most 1024 are"):
        run(tmp_path / "out", picture_of="the cow flies " * 500)
    with pytest.raises(UserError, match=r"to draw is blank: got '\\u200b'. Give a sen"):
        run(tmp_path / "blank", picture_of="\u200b")
    assert not (tmp_path / "out/history.json").exists()


def test_a_first_try_that_failed_does_not_bar_the_next(hurried):
    # It had other units and, as if the file had been replaced, another text.
    out, history, lines = hurried
    vocabulary = Translator.load(out).vocabulary
    pieces = "".join(vocabulary.pieces(range(len(vocabulary))))
    assert "d" in pieces and not set(map(ord, pieces)) & set(GREEK.values())
    assert json.loads((out / "config.json").read_text())["model"]["units"] == 8
    assert lines[0] == "tiny a-b, pairs: train 24, validation 5; 60 pieces"
    assert len(history) == 1
    assert json.loads((out / "history.json").read_text()) == history


def test_two_trainings_in_one_folder_are_refused(tmp_path):
    out = tmp_path / "model"
    with (
        lock_folder(out),
        pytest.raises(UserError, match="Another process is training in"),
    ):
        run(out)
    assert not out.exists()  # nothing was written, so nothing is left
    with lock_folder(out):  # let go by the first
        pass


def test_a_file_system_without_locks_is_trained_on(tmp_path, monkeypatch):
    def no_locks(handle, operation):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr("nmt.files.fcntl.flock", no_locks)
    with lock_folder(tmp_path / "model"):
        (tmp_path / "model" / "file").touch()
    assert (tmp_path / "model" / "file").exists()


def test_a_system_without_locks_is_trained_on(tmp_path, monkeypatch):
    monkeypatch.setattr("nmt.files.fcntl", None)
    with lock_folder(tmp_path / "model"):
        (tmp_path / "model" / "file").touch()
    with lock_folder(tmp_path / "other"):
        pass
    assert (tmp_path / "model" / "file").exists()
    assert not (tmp_path / "other").exists()


def test_a_validation_sentence_that_is_too_long_is_told_before_the_training(tmp_path):
    long = corpus()
    long.splits["validation"] = ParallelText(("dog " * 2000,), ("dog",))
    with pytest.raises(UserError, match="A line has .* It begins: 'dog dog"):
        training.train(long, CONFIG, tmp_path / "model")


def test_the_settings_say_what_was_trained_on(tmp_path):
    names = {}
    for part, pairs in (("train", PAIRS), ("validation", PAIRS[:5])):
        for side, texts in zip("ab", zip(*pairs, strict=True), strict=True):
            names[part, side] = tmp_path / f"{part}.{side}"
            names[part, side].write_text("\n".join(texts) + "\n", "utf-8")
    text = from_files(*names.values(), source="a", target="b")
    out = tmp_path / "model"
    of_another = CONFIG.replace(epochs=1, name="phrasebook", source="en", target="es")
    training.train(text, of_another, out, lambda line: None)
    files = (*map(str, names.values()), "", "")
    expected = CorpusConfig("train", "a", "b", "raw", files)
    assert Config.load(out / "config.json").corpus == expected
    check_text_files(out, Config.load(out / "config.json"), "Wait")


def test_an_empty_part_is_told(tmp_path):
    empty = corpus()
    empty.splits["validation"] = ParallelText((), ())
    with pytest.raises(UserError, match="The validation part of tiny is empty"):
        training.train(empty, CONFIG, tmp_path / "model")
    assert not (tmp_path / "model").exists()


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("strategy", "all", "strategy must be one of auto, one, .*; got 'all'"),
        ("strategy", 3, "strategy must be one of auto, one, .*Strategy; got 3"),
        ("tensorboard", 3, "tensorboard must be the path of a folder; got 3"),
        ("start", 3, "start must be the path of a folder; got 3"),
        ("out", None, "out must be the path of a folder; got None"),
        ("new_vocabulary", True, "new_vocabulary needs start, the folder of a"),
        ("callbacks", None, "callbacks must be a list of .* objects; got None"),
        (
            "callbacks",
            keras.callbacks.Callback(),
            "callbacks must be a list .*; got <",
        ),
    ],
)
def test_arguments_of_another_kind_are_refused(tmp_path, name, value, told):
    given = {"out": tmp_path / "model", name: value}
    with pytest.raises(UserError, match=f"^{told}"):
        training.train(corpus(), CONFIG, **given)
    assert not list(tmp_path.iterdir())


def test_it_stops_when_time_is_up_or_nothing_is_gained(hurried, tmp_path):
    assert len(hurried[1]) == 1
    # Without learning no epoch is better than the first.
    still = CONFIG.replace(epochs=50, learning_rate=0.0, patience=2)
    history, lines = run(tmp_path / "gain", still)
    assert len(history) == 3
    assert lines[-2].startswith("Stopped: 2 epochs without a better BLEU")


def test_deterministic_training_gives_the_same_bits_even_if_stopped_inside_epochs(
    tmp_path,
):
    program = textwrap.dedent(
        """
        import hashlib, sys
        import keras
        from tests.tiny_training import CONFIG, run
        from nmt.translation.translator import Translator

        class Stop(keras.callbacks.Callback):
            def on_train_batch_end(self, batch, logs=None):
                if self.model.optimizer.iterations in (2, 7):
                    self.model.stop_training = True

        out, *stop = sys.argv[1:]
        config = CONFIG.replace(deterministic=True, epochs=2)
        for _ in stop:
            run(out, config, callbacks=[Stop()])
        history, _ = run(out, config)
        translator = Translator.load(out)
        digest = hashlib.sha256()
        for weight in translator.model.get_weights():
            digest.update(weight.tobytes())
        found = translator(["the dog eats", "the cow sings"], beam_size=2)
        print([row["train_loss"] for row in history], history[-1]["steps"])
        print(digest.hexdigest(), [(one.text, one.score) for one in found])
        """
    )
    told = [
        subprocess.run(
            [sys.executable, "-c", program, *arguments],
            capture_output=True,
            text=True,
            check=True,
            cwd=Path(__file__).parents[2],
        ).stdout
        for arguments in ([tmp_path / "one"], [tmp_path / "two", "stop", "stop"])
    ]
    assert told[0] == told[1].replace("two", "one")
    assert len(told[0].split()[-1]) > 3
