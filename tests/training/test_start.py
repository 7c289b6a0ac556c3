"""A training that starts from another model: what it takes over, and goes on with."""

import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import keras
import numpy as np
import pytest
from tiny_training import PAIRS, corpus, weights

from nmt.config import Config
from nmt.errors import UserError
from nmt.text import Vocabulary
from nmt.training import training
from nmt.training.checkpoint import Progress, fingerprint, save_state
from nmt.training.learner import Learner
from nmt.training.loop import Loop
from nmt.training.resuming import check_folder
from nmt.training.start import Start, take_over, tell_start
from nmt.translation.folder import read_checksums
from nmt.translation.translator import Translator

MODEL = Path(__file__).parents[1] / "data" / "before_rooms" / "nmt_model"
SETTINGS = Config.load(MODEL / "config.json").replace(
    epochs=1,
    batch_tokens=40,
    precision="float32",
    **{"name": "tiny", "source": "a", "target": "b", "files": ()},  # as `corpus` is
)
TEXT = fingerprint(corpus())


class Stop(keras.callbacks.Callback):
    """Stops after the first step."""

    def on_train_batch_end(self, batch, logs=None):
        self.model.stop_training = True


def tune(out, config=SETTINGS, start=MODEL, callbacks=()):
    lines = []
    training.train(
        corpus(), config, out, lines.append, callbacks=callbacks, start=start
    )
    return lines


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture(scope="module")
def tuned(tmp_path_factory):
    """A training from a copy of the model, stopped, gone on with once it was gone."""
    folder = tmp_path_factory.mktemp("tuned")
    shutil.copytree(MODEL, folder / "model")
    before = contents(folder / "model")
    still = SETTINGS.replace(learning_rate=0.0)
    lines = [tune(folder / "out", still, folder / "model", [Stop()])]
    assert contents(folder / "model") == before
    shutil.rmtree(folder / "model")
    lines.append(tune(folder / "out", still, folder / "model"))
    return folder / "out", still, lines


def test_it_starts_from_the_weights_and_the_pieces_of_the_model(tuned):
    out, _, _ = tuned
    assert (out / "vocabulary.model").read_bytes() == (
        MODEL / "vocabulary.model"
    ).read_bytes()
    # Nothing is learnt at a rate of 0, and the average is that of what stays.
    for weight, theirs in zip(weights(out), weights(MODEL), strict=True):
        np.testing.assert_allclose(weight, theirs, rtol=1e-6, atol=1e-7)


def test_it_goes_on_when_the_model_is_gone(tuned):
    out, _, (begun, resumed) = tuned
    assert begun[1].startswith("Starts from the model in ")
    assert resumed[0] == f"Going on after batch 1 of epoch 1 of {out}."
    assert not any("Starts from" in line for line in resumed)
    assert json.loads((out / "history.json").read_text())[0]["epoch"] == 1


def test_it_tells_of_other_languages_and_of_characters_without_a_piece(tuned):
    begun = tuned[2][0]
    assert begun[2] == (
        "That model translates en to es, raw text; this text is a to b, raw text."
    )
    vocabulary, config = Vocabulary.load(MODEL / "vocabulary.model"), SETTINGS
    told = tell_start(
        Start(MODEL, True),
        SimpleNamespace(config=config),
        config,
        vocabulary,
        len(vocabulary) - 7,
        ["Ωβ is new", "and Ω too"],
    )
    assert list(told) == [
        f"Starts from the model in {MODEL}; 7 pieces are unknown to it and begin new.",
        "2 characters of this text are in no piece: Ω β. --new-vocabulary learns "
        "pieces that have them.",
    ]


def test_a_training_goes_on_from_what_it_was_started_from_alone(tuned, tmp_path):
    out, config, _ = tuned
    before = contents(out)
    shutil.copytree(MODEL, tmp_path / "other")
    (tmp_path / "other" / "model.weights.h5").write_bytes(b"other weights")
    for start, mend in (
        (None, "was started from a model. Give --from"),
        (Start(tmp_path / "other"), "from another model than .*other is now"),
        (Start(MODEL, True), "whose vocabulary is chosen. Leave out --new-vocabulary"),
    ):
        with pytest.raises(UserError, match=mend):
            check_folder(out, config, TEXT, start)
    check_folder(out, config, TEXT, Start(MODEL))
    assert contents(out) == before


def test_a_training_with_new_weights_does_not_go_on_from_a_model(tuned, tmp_path):
    out, config, _ = tuned
    shutil.copytree(out, tmp_path / "out")
    sums = json.loads((out / "checksums.json").read_text())
    del sums["start"]
    (tmp_path / "out" / "checksums.json").write_text(json.dumps(sums))
    with pytest.raises(UserError, match="was started from no model. Leave --from out"):
        check_folder(tmp_path / "out", config, TEXT, Start(MODEL))


def test_a_folder_whose_first_state_is_not_written_yet_notes_its_start(tuned, tmp_path):
    out, config, _ = tuned
    shutil.copytree(out, tmp_path / "out")
    for name in ("training_state.npz", "history.json"):
        (tmp_path / "out" / name).unlink()
    check_folder(tmp_path / "out", config, TEXT, Start(MODEL))
    with pytest.raises(UserError, match="without the state of its training"):
        check_folder(tmp_path / "out", config, TEXT)


@pytest.mark.parametrize("start", [{}, {"new_vocabulary": 1}, [], None])
def test_a_forged_note_of_the_start_is_told(tmp_path, start):
    sums = {"text": None, "text_files": {}, "model_files": {}, "start": start}
    (tmp_path / "checksums.json").write_text(json.dumps(sums))
    with pytest.raises(UserError, match="checksums.json is broken"):
        read_checksums(tmp_path)


def test_what_a_model_is_made_of_must_be_that_of_its_start(tmp_path):
    for option, value in (("units", 9), ("num_heads", 2), ("position", "alibi")):
        flag = option.replace("_", "-")
        with pytest.raises(UserError, match=f"--{flag} is .* and {value!r} now"):
            tune(tmp_path / "out", SETTINGS.replace(**{option: value}))
    with pytest.raises(UserError, match="its pieces are kept. Give --new-vocabulary"):
        tune(tmp_path / "out", SETTINGS.replace(vocabulary_size=61))
    with pytest.raises(UserError, match="--from and --out are one folder"):
        tune(MODEL)
    with pytest.raises(UserError, match="There is no folder .*none. Expected a folder"):
        tune(tmp_path / "out", start=tmp_path / "none")
    assert not (tmp_path / "out").exists()
    fits = SETTINGS.replace(dropout=0.3, word_dropout=0.1, recurrent_dropout=0.2)
    check_folder(tmp_path, fits, TEXT, Start(MODEL))
    check_folder(tmp_path, fits.replace(vocabulary_size=61), TEXT, Start(MODEL, True))


def test_pieces_that_both_vocabularies_have_are_taken_over():
    origin = Translator.load(MODEL)
    lines = [line for pair in PAIRS for line in pair] + ["some Ω too"] * 9
    vocabulary = Vocabulary.train(lines, 50)
    dropped = SETTINGS.replace(word_dropout=0.1, recurrent_dropout=0.2)
    learner = Learner(dropped, len(vocabulary))
    before = [np.asarray(weight).copy() for weight in learner.model.weights]
    known = take_over(learner, vocabulary, origin)

    theirs = origin.vocabulary.pieces(range(len(origin.vocabulary)))
    ours = vocabulary.pieces(range(len(vocabulary)))
    both = set(ours) & set(theirs)
    assert 4 < known == len(both) < len(ours)
    compared = 0
    for weight, old, new in zip(
        learner.model.weights, origin.model.weights, before, strict=True
    ):
        weight, old = np.asarray(weight), np.asarray(old)
        if len(ours) not in weight.shape:
            np.testing.assert_array_equal(weight, old)
            continue
        compared += 1
        for i, piece in enumerate(ours):
            row = old[theirs.index(piece)] if piece in both else new[i]
            np.testing.assert_array_equal(weight[i], row)
    assert compared == 3
    for average, weight in zip(
        learner.averages, learner.model.trainable_variables, strict=True
    ):
        np.testing.assert_array_equal(average, weight)


def test_a_new_vocabulary_is_learnt_from_the_new_text(tmp_path, monkeypatch):
    class Stopped(Exception):
        pass

    def stop(self):
        save_state(tmp_path / "out", [], TEXT, Progress())
        raise Stopped

    monkeypatch.setattr(Loop, "run", stop)
    config, lines = SETTINGS.replace(vocabulary_size=50), []
    with pytest.raises(Stopped):
        training.train(
            corpus(),
            config,
            tmp_path / "out",
            lines.append,
            start=MODEL,
            new_vocabulary=True,
        )
    assert lines[0].endswith("; 50 pieces")
    assert "pieces are unknown to it and begin new" in lines[1]
    vocabulary = Vocabulary.load(tmp_path / "out" / "vocabulary.model")
    assert len(vocabulary) == 50
    sums = json.loads((tmp_path / "out" / "checksums.json").read_text())
    assert sums["start"]["new_vocabulary"] is True
    with pytest.raises(UserError, match="Give --new-vocabulary, or choose another"):
        check_folder(tmp_path / "out", config, TEXT, Start(MODEL))
