import errno
import json
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

from nmt.config import Config
from nmt.corpora.corpora import Corpus
from nmt.corpora.parallel import ParallelText
from nmt.errors import UserError
from nmt.files import lock_folder
from nmt.training import training
from nmt.translation.translator import Translator

ANIMALS = ("dog", "cat", "bird", "fish", "cow", "duck")
VERBS = ("runs", "sleeps", "eats", "sings")
PAIRS = [
    (f"the {animal} {verb}", f"{verb} {animal} the")
    for animal in ANIMALS
    for verb in VERBS
]
CONFIG = Config().replace(
    vocabulary_size=60,
    embedding_size=8,
    units=8,
    attention_units=8,
    dropout=0.2,
    epochs=3,
    batch_tokens=40,
    warmup_steps=3,
    sampling_alpha=0.1,
)


def corpus(pairs=PAIRS):
    text = ParallelText(*zip(*pairs, strict=True))
    few = ParallelText(*zip(*pairs[:5], strict=True))
    splits = {"train": text, "validation": few}
    return Corpus("tiny", "a", "b", "raw", splits)


def run(out, config=CONFIG, pairs=PAIRS, picture_of=None):
    lines = []
    history = training.train(
        corpus(pairs), config, out, report=lines.append, picture_of=picture_of
    )
    return history, lines


def weights(out):
    return Translator.load(out).model.get_weights()


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


@pytest.fixture(scope="module")
def hurried(tmp_path_factory):
    """A training after a try that failed, with time for one epoch, and its picture."""
    out = tmp_path_factory.mktemp("hurried") / "model"
    with pytest.raises(UserError, match="cannot make a vocabulary of 8 pieces"):
        run(out, CONFIG.replace(vocabulary_size=8))
    config = CONFIG.replace(epochs=50, max_minutes=1e-6)
    return out, *run(out, config, picture_of="the cow flies")


def test_it_learns_and_keeps_what_it_learnt(whole):
    out, history, lines = whole
    assert [row["epoch"] for row in history] == [1, 2, 3]
    assert history[-1]["validation_loss"] < history[0]["validation_loss"]
    assert json.loads((out / "history.json").read_text()) == history
    assert len(lines) == 5
    assert lines[0] == "tiny, pairs: train 24, validation 5; 60 pieces"
    assert "BLEU" in lines[1]
    assert lines[-1].startswith("Finished after 3 epochs")
    assert {path.name for path in out.iterdir()} == {
        "config.json",
        "history.json",
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


def test_other_settings_or_another_text_are_refused(whole):
    before = {path: path.read_bytes() for path in whole[0].iterdir()}
    with pytest.raises(UserError, match="units is 8 there and 9 now"):
        run(whole[0], CONFIG.replace(units=9))
    with pytest.raises(UserError, match="was begun on another text"):
        run(whole[0], pairs=PAIRS[1:])
    assert {path: path.read_bytes() for path in whole[0].iterdir()} == before


def test_a_first_try_that_failed_does_not_bar_the_next(hurried):
    out, history, lines = hurried
    assert lines[0] == "tiny, pairs: train 24, validation 5; 60 pieces"
    assert len(history) == 1
    assert json.loads((out / "history.json").read_text()) == history


def copied(folder, out):
    for path in folder.iterdir():
        (out / path.name).write_bytes(path.read_bytes())


def test_a_broken_state_is_told(whole, tmp_path):
    copied(whole[0], tmp_path)
    state = (whole[0] / "training_state.npz").read_bytes()
    middle = len(state) // 2
    flipped = state[:middle] + bytes([state[middle] ^ 255]) + state[middle + 1 :]
    for content in (b"", b"no archive", state[:middle], flipped):
        (tmp_path / "training_state.npz").write_bytes(content)
        with pytest.raises(UserError, match="training_state.npz is broken"):
            run(tmp_path)


@pytest.mark.parametrize("name", ["config.json", "training_state.npz"])
def test_a_model_that_has_lost_a_file_is_not_trained_over(whole, tmp_path, name):
    copied(whole[0], tmp_path)
    (tmp_path / name).unlink()
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(UserError, match=f"its {name} is gone. Choose another --out"):
        run(tmp_path)
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


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


def test_a_validation_sentence_that_is_too_long_is_told_before_the_training(tmp_path):
    long = corpus()
    long.splits["validation"] = ParallelText(("dog " * 2000,), ("dog",))
    with pytest.raises(UserError, match="A line has .* It begins: 'dog dog"):
        training.train(long, CONFIG, tmp_path / "model")


def test_an_empty_part_is_told(tmp_path):
    empty = corpus()
    empty.splits["validation"] = ParallelText((), ())
    with pytest.raises(UserError, match="The validation part of tiny is empty"):
        training.train(empty, CONFIG, tmp_path / "model")
    assert not (tmp_path / "model").exists()


def test_it_stops_when_time_is_up_or_nothing_is_gained(hurried, tmp_path):
    assert len(hurried[1]) == 1
    # Without learning no epoch is better than the first.
    still = CONFIG.replace(epochs=50, learning_rate=0.0, patience=2)
    history, lines = run(tmp_path / "gain", still)
    assert len(history) == 3
    assert lines[-2].startswith("Stopped: 2 epochs without a better BLEU")


def test_deterministic_training_gives_the_same_bits_in_two_processes(tmp_path):
    program = textwrap.dedent(
        """
        import hashlib, sys
        from tests.training.test_training import CONFIG, run
        from nmt.translation.translator import Translator
        run(sys.argv[1], CONFIG.replace(deterministic=True, epochs=2))
        translator = Translator.load(sys.argv[1])
        digest = hashlib.sha256()
        for weight in translator.model.get_weights():
            digest.update(weight.tobytes())
        found = translator(["the dog eats", "the cow sings"], beam_size=2)
        print(digest.hexdigest(), [(one.text, one.score) for one in found])
        """
    )
    told = [
        subprocess.run(
            [sys.executable, "-c", program, str(tmp_path / name)],
            capture_output=True,
            text=True,
            check=True,
            cwd=Path(__file__).parents[2],
        ).stdout
        for name in ("one", "two")
    ]
    assert told[0] == told[1].replace("two", "one")
    assert len(told[0].split()[-1]) > 3
