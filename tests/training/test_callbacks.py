"""Callbacks of Keras in the loop: called as `fit` calls them, and stopped by them."""

import re

import h5py
import keras
import numpy as np
import pytest
from tiny_training import CONFIG, corpus, weights

import nmt
from nmt.errors import UserError
from nmt.training.learner import Learner
from nmt.training.validation import Validation

STEPS = 4  # of an epoch
OFTEN = CONFIG.replace(epochs=2, save_minutes=1e-9)


class Seen(keras.callbacks.Callback):
    """Notes what it is called with, and stops the training at a step."""

    def __init__(self, stop_at=0):
        super().__init__()
        self.called, self.stop_at = [], stop_at

    def on_train_begin(self, logs=None):
        self.called.append("begin")

    def on_epoch_begin(self, epoch, logs=None):
        self.called.append(f"epoch {epoch}")
        assert self.params["steps"] == STEPS

    def on_train_batch_end(self, batch, logs=None):
        self.called.append(batch)
        assert isinstance(logs["loss"], float)
        assert isinstance(self.model, keras.Model)
        if self.model.optimizer.iterations == self.stop_at:
            self.model.stop_training = True

    def on_epoch_end(self, epoch, logs=None):
        self.called.append(sorted(logs))

    def on_train_end(self, logs=None):
        self.called.append("end")


def run(out, *callbacks, config=OFTEN):
    lines = []
    history = nmt.train(
        corpus(), config, out, report=lines.append, callbacks=list(callbacks)
    )
    return history, lines


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    out = tmp_path_factory.mktemp("callbacks") / "model"
    seen, table = Seen(), out.parent / "log.csv"
    history, _ = run(out, seen, keras.callbacks.CSVLogger(str(table)))
    return out, history, seen, table


def test_callbacks_are_called_as_fit_calls_them(whole):
    _, history, seen, table = whole
    logs = ["learning_rate", "loss", "pieces_per_second", "val_bleu", "val_loss"]
    epoch = [0, 1, 2, 3, logs]
    assert seen.called == ["begin", "epoch 0", *epoch, "epoch 1", *epoch, "end"]
    head, *rows = table.read_text().splitlines()
    assert head == ",".join(["epoch", *logs])
    told = [float(row.split(",")[2]) for row in rows]
    np.testing.assert_allclose(told, [row["train_loss"] for row in history])


def test_the_weights_that_are_kept_hold_nothing_of_the_optimizer(whole):
    with h5py.File(whole[0] / "model.weights.h5") as file:
        assert not [name for name in file if "optimizer" in name]


def test_what_a_callback_stops_inside_an_epoch_goes_on_to_the_same_end(whole, tmp_path):
    out = tmp_path / "model"
    history, lines = run(out, Seen(stop_at=2))
    assert history == [] and not (out / "model.weights.h5").exists()
    assert lines[-1].startswith("Stopped by a callback after batch 2 of epoch 1.")
    seen = Seen(stop_at=STEPS)  # with the last batch of an epoch, which is closed
    history, lines = run(out, seen)
    assert lines[0] == f"Going on after batch 2 of epoch 1 of {out}."
    assert seen.called[:4] == ["begin", "epoch 0", 2, 3]
    assert len(history) == 1
    history, lines = run(out)
    assert lines[0] == f"Going on after epoch 1 of {out}."
    for row, same in zip(history, whole[1], strict=True):
        assert row["train_loss"] == pytest.approx(same["train_loss"], rel=1e-4)
        assert row["steps"] == same["steps"]
    for weight, same in zip(weights(out), weights(whole[0]), strict=True):
        np.testing.assert_allclose(weight, same, rtol=1e-3, atol=1e-4)


def test_an_epoch_in_which_time_is_up_is_validated_and_kept(tmp_path):
    out = tmp_path / "model"
    hurried = OFTEN.replace(max_minutes=1e-9)
    seen = Seen()
    run(out, Seen(stop_at=2))  # its state is that of the middle of an epoch
    history, lines = run(out, seen, config=hurried)
    assert lines[0] == f"Going on after batch 2 of epoch 1 of {out}."
    assert [row["steps"] for row in history] == [3]
    assert "val_bleu" in seen.called[-2] and seen.called[-1] == "end"
    assert (out / "model.weights.h5").exists()
    assert re.match(r"Time is up .* after 3 steps, in epoch 1 of \d+; ", lines[-2])
    assert lines[-2].endswith("; with more minutes it goes on.")
    assert lines[-1].startswith("Finished after 1 epoch and ")
    history, lines = run(out, config=OFTEN.replace(max_minutes=60.0))
    assert lines[0].startswith("Going on after epoch 1 ")
    assert len(history) == OFTEN.training.epochs


def test_a_kill_before_the_last_validation_does_not_end_a_training(
    tmp_path, monkeypatch
):
    def interrupt(*_):
        raise KeyboardInterrupt

    hurried = OFTEN.replace(max_minutes=1e-9)
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Validation, "on_epoch_end", interrupt)
        run(tmp_path / "model", config=hurried)
    history, _ = run(tmp_path / "model", config=hurried)
    assert len(history) == 1


def test_nan_ends_the_training_at_its_step_and_is_not_saved(tmp_path, monkeypatch):
    learn = Learner.learn

    def overflow(self, batch):
        loss = learn(self, batch)
        return loss if self.optimizer.iterations < STEPS + 2 else loss * np.nan

    monkeypatch.setattr(Learner, "learn", overflow)
    seen, config = Seen(), CONFIG.replace(save_minutes=0.0)
    with pytest.raises(UserError, match=f"since step {STEPS + 2} the loss is no fini"):
        run(tmp_path / "model", keras.callbacks.TerminateOnNaN(), seen, config=config)
    assert seen.called[-1] == 1  # the batch of the epoch that gave it


def test_what_is_no_callback_is_told(tmp_path):
    with pytest.raises(UserError, match="Callback objects; got <built-in function pri"):
        run(tmp_path / "model", print)
    assert not list(tmp_path.iterdir())


def test_tensorboard_gets_losses_and_scores(tmp_path):
    pytest.importorskip("tensorboard")
    board = keras.callbacks.TensorBoard(tmp_path / "board", update_freq=1)
    run(tmp_path / "model", board, config=CONFIG.replace(epochs=1))
    found = {
        part: next((tmp_path / "board" / part).iterdir()).read_bytes()
        for part in ("train", "validation")
    }
    assert b"epoch_loss" in found["train"] and b"batch_loss" in found["train"]
    assert b"epoch_bleu" in found["validation"]
