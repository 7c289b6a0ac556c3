"""A training that goes on: with what may change, and refused where something may not.

Broken and forged states are here too: they are what a training cannot go on from.
"""

import io
import json
import os
import zipfile

import numpy as np
import pytest
import tensorflow as tf
from tiny_training import CONFIG, PAIRS, corpus, restore, run

from nmt.config import Config
from nmt.errors import UserError
from nmt.training.checkpoint import fingerprint
from nmt.training.learner import Learner
from nmt.training.loop import Loop
from nmt.training.resuming import check_folder

STEPS = 4  # of an epoch
NEW = {"epochs": 4, "learning_rate": 1e-3, "clip_norm": 0.5, "patience": 9}
ELSEWHERE = {"name": "moved", "files": ("/moved/text",)}


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture(scope="module")
def diverged(tmp_path_factory):
    """A training whose loss is not finite from the second step of epoch 2 on."""
    out = tmp_path_factory.mktemp("diverged") / "model"
    learn = Learner.learn

    def overflow(self, batch):
        loss = learn(self, batch)
        return loss if self.optimizer.iterations < STEPS + 2 else loss * np.inf

    with pytest.MonkeyPatch.context() as patch, pytest.raises(UserError) as error:
        patch.setattr(Learner, "learn", overflow)
        run(out)
    return out, str(error.value), contents(out)


@pytest.fixture(scope="module")
def resumed(diverged):
    """The same training, gone on with other numbers and with a text that was moved."""
    return diverged[0], *run(diverged[0], CONFIG.replace(**NEW, **ELSEWHERE))


def test_a_training_that_diverges_says_since_when_and_keeps_the_last_good_state(
    diverged,
):
    out, told, files = diverged
    assert f"has diverged: since step {STEPS + 2} the loss is no finite number" in told
    assert "smaller --learning-rate (it is 0.003)" in told and "--clip-norm" in told
    assert "The same command then goes on after epoch 1, whose state is kept." in told
    assert len(json.loads(files["history.json"])) == 1


def test_what_may_change_changes_when_a_training_goes_on(diverged, resumed):
    out, history, lines = resumed
    assert lines[0] == f"Going on after epoch 1 of {out}."
    assert lines[1:5] == [
        "From here on --epochs is 4 (3 before); the learning rate follows.",
        "From here on --patience is 9 (6 before).",
        "From here on --learning-rate is 0.001 (0.003 before).",
        "From here on --clip-norm is 0.5 (1.0 before).",
    ]
    assert history[:1] == json.loads(diverged[2]["history.json"])
    assert len(history) == 4
    assert Config.load(out / "config.json") == CONFIG.replace(**NEW, **ELSEWHERE)


def test_a_finished_training_goes_on_when_more_is_wanted(resumed, monkeypatch):
    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(Loop, "_run_epoch", stop)
    out, before = resumed[0], contents(resumed[0])
    fewer = CONFIG.replace(**NEW | {"epochs": 2}, **ELSEWHERE)
    assert run(out, fewer)[1][0].endswith("nothing is left to do.")
    with pytest.raises(KeyboardInterrupt):
        run(out, CONFIG.replace(**NEW | {"epochs": 5}, **ELSEWHERE))
    # Killed here, it goes on: the state no longer says that it is finished.
    with pytest.raises(KeyboardInterrupt):
        run(out, CONFIG.replace(**NEW | {"epochs": 5}, **ELSEWHERE))
    for name, content in before.items():
        (out / name).write_bytes(content)


@pytest.mark.parametrize("left", ["the history before", "a pipe"])
def test_a_history_that_a_kill_left_behind_the_state_is_written_anew(resumed, left):
    out, history, _ = resumed
    path = out / "history.json"
    path.unlink()
    if left == "a pipe":  # never opened: that would wait for ever
        os.mkfifo(path)
    else:
        path.write_text(json.dumps(history[:-1], indent=2) + "\n", "utf-8")
    _, lines = run(out, CONFIG.replace(**NEW, **ELSEWHERE))
    assert lines[0].endswith("nothing is left to do.")
    assert json.loads(path.read_text("utf-8")) == history


def test_other_settings_or_another_text_are_refused(resumed):
    before = contents(resumed[0])
    with pytest.raises(
        UserError, match="--units is 8 there and 9 now .its weights are made for that"
    ) as error:
        run(resumed[0], CONFIG.replace(units=9, epochs=9))
    assert "only --epochs, --max-minutes, --patience, --learn" in str(error.value)
    with pytest.raises(UserError, match="--seed is 1 there and 2 now .what it learnt"):
        run(resumed[0], CONFIG.replace(seed=2))
    with pytest.raises(UserError, match="was begun on another text"):
        run(resumed[0], pairs=PAIRS[1:])
    assert contents(resumed[0]) == before


def copied(folder, out):
    for path in folder.iterdir():
        (out / path.name).write_bytes(path.read_bytes())


def test_a_broken_state_is_told_and_the_model_left_alone(resumed, tmp_path):
    copied(resumed[0], tmp_path)
    state = (resumed[0] / "training_state.npz").read_bytes()
    middle = len(state) // 2
    flipped = state[:middle] + bytes([state[middle] ^ 255]) + state[middle + 1 :]
    for content in (b"", b"no archive", state[:middle], flipped):
        (tmp_path / "training_state.npz").write_bytes(content)
        with pytest.raises(
            UserError, match="training_state.npz is broken .*: this tra"
        ):
            run(tmp_path, CONFIG.replace(epochs=9))
    assert (tmp_path / "model.weights.h5").exists()


@pytest.fixture(scope="module")
def variables():
    return Learner(CONFIG, 60).variables()


def forged(state, **changes):
    """The bytes of a state with other members, or other values in its progress."""
    with np.load(io.BytesIO(state)) as archive:
        arrays = dict(archive)
    progress = json.loads(bytes(arrays["meta"])) | changes.pop("progress", {})
    meta = changes.pop("meta", json.dumps(progress)).encode()
    arrays |= {"meta": np.frombuffer(meta, np.uint8), **changes}
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"meta": "[1]"}, "is broken"),
        ({"meta": "[" * 100_000}, "is broken"),
        ({"progress": {"history": [{"epoch": 1}]}}, "is broken .'validation_bleu'"),
        ({"progress": {"history": 3}}, "its progress is none of a training"),
        ({"progress": {"steps": "many"}}, "its progress is none of a training"),
        ({"progress": {"seconds": float("nan")}}, "its progress is none of a training"),
        ({"progress": {"finished": 1}}, "its progress is none of a training"),
        ({"progress": {"parts": -1}}, "its progress is none of a training"),
        ({"progress": {"more": 1}}, "is broken"),
        ({"array_1": np.zeros((2, 3), "float32")}, "array_1 has shape"),
        ({"array_1": np.zeros(10**6, "float32")}, "array_1 is too large"),
        ({"array_1": np.array(["a"])}, "array_1 has shape .1,. and type <U1"),
    ],
)
def test_a_forged_state_is_told_and_nothing_of_it_taken(
    diverged, variables, tmp_path, change, reason
):
    before = [np.asarray(variable).copy() for variable in variables]
    state = forged(diverged[2]["training_state.npz"], **change)
    with pytest.raises(UserError, match=reason):
        restore(tmp_path, variables, state)
    for variable, value in zip(variables, before, strict=True):
        np.testing.assert_array_equal(variable, value)


def test_a_state_with_numbers_that_are_not_finite_is_told(
    diverged, variables, tmp_path
):
    state = diverged[2]["training_state.npz"]
    with np.load(io.BytesIO(state)) as archive:
        array = archive["array_0"] * np.nan
    with pytest.raises(UserError, match="array_0 has numbers that are not finite"):
        restore(tmp_path, variables, forged(state, array_0=array))


def test_a_state_that_unpacks_to_more_than_it_can_be_is_not_unpacked(tmp_path):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("meta.npy", bytes(2**27))
    with pytest.raises(UserError, match="its progress is too long"):
        restore(tmp_path, [], file.getvalue())


@pytest.mark.parametrize(
    "name",
    ["config.json", "vocabulary.model", "model.weights.h5", "training_state.npz"],
)
def test_a_model_that_has_lost_a_file_is_not_trained_over(resumed, tmp_path, name):
    copied(resumed[0], tmp_path)
    (tmp_path / name).unlink()
    before = contents(tmp_path)
    with pytest.raises(UserError, match=f"its {name} is gone. Choose another --out"):
        run(tmp_path)
    assert contents(tmp_path) == before


@pytest.mark.parametrize("name", ["vocabulary.model", "model.weights.h5"])
def test_a_training_does_not_go_on_beside_a_damaged_file(resumed, tmp_path, name):
    copied(resumed[0], tmp_path)
    (tmp_path / name).write_bytes(b"damaged")
    with pytest.raises(UserError, match=f"{name} is damaged or of another model"):
        run(tmp_path, CONFIG.replace(epochs=9))


def test_a_model_without_its_state_is_not_trained_over(diverged, tmp_path):
    for name in ("config.json", "vocabulary.model", "model.weights.h5"):
        (tmp_path / name).write_bytes(diverged[2][name])
    text = fingerprint(corpus())
    with pytest.raises(UserError, match="a model without the state of its training"):
        check_folder(tmp_path, CONFIG, text)  # as one that was published
    (tmp_path / "checksums.json").write_bytes(diverged[2]["checksums.json"])
    check_folder(tmp_path, CONFIG, text)  # killed before its first state was written
    for config, other in ((CONFIG.replace(units=9), text), (CONFIG, "0")):
        with pytest.raises(UserError, match="without the state of its training"):
            check_folder(tmp_path, config, other)


@pytest.mark.parametrize(
    "what", ["a weight or a moment of Adam", "the validation loss"]
)
def test_weights_and_validation_are_finite_or_the_training_stops(
    tmp_path, monkeypatch, what
):
    monkeypatch.setattr(Learner, "learn", lambda *_: tf.constant(1.0))
    if what.startswith("a weight"):
        monkeypatch.setattr(Learner, "is_finite", lambda _: False)
    monkeypatch.setattr(Learner, "validation_loss", lambda *_: float("inf"))
    with pytest.raises(UserError, match=f"since step {STEPS} {what} is no") as told:
        run(tmp_path)
    assert "Nothing was saved yet." in str(told.value)
    assert not (tmp_path / "history.json").exists()


def test_all_numbers_that_a_state_has_must_be_finite():
    learner = Learner(CONFIG, 60)
    assert learner.is_finite()
    floats = [
        variable
        for variable in learner.variables()
        if np.asarray(variable).dtype.kind == "f"
    ]
    # Weights, averages, and two moments of each; the learning rate.
    assert len(floats) == 4 * len(learner.averages) + 1
    for variable in floats:
        before = np.asarray(variable).copy()
        variable.assign(before * np.nan)
        assert not learner.is_finite()
        variable.assign(before)
    assert learner.is_finite()


def test_what_killed_processes_were_writing_is_removed(resumed):
    out = resumed[0]
    (out / "pictures").mkdir()
    left = [out / ".partial-4194999-x", out / "pictures/.partial-4194999-y"]
    for path in left:
        path.touch()
    run(out, CONFIG.replace(**NEW, **ELSEWHERE))
    assert not any(path.exists() for path in left)
    (out / "pictures").rmdir()
