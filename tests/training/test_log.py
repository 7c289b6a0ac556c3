"""What a training measures: lines of JSON, and what TensorBoard shows."""

import errno
import json
import os

import pytest
import tensorflow as tf
from tiny_training import CONFIG, corpus

import nmt
from nmt.training import log

STEPS = 4  # of an epoch


@pytest.fixture(scope="module")
def logged(tmp_path_factory):
    """A training that notes every third step, gone on after a line that was cut off."""
    folder = tmp_path_factory.mktemp("logged")

    class Killed(Exception):
        pass

    def killed(line):
        if line.startswith("epoch   1"):
            raise Killed

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(log, "STEPS_NOTED", 3)
        for report in (killed, lambda line: None):
            try:
                history = nmt.train(
                    corpus(),
                    CONFIG.replace(epochs=2),
                    folder / "model",
                    report,
                    tensorboard=folder / "board",
                )
            except Killed:
                with open(folder / "model" / "log.jsonl", "a") as file:
                    file.write('{"kind": "st')
    return folder, history


def test_a_line_tells_of_a_step_or_an_epoch(logged):
    folder, history = logged
    lines = (folder / "model" / "log.jsonl").read_text("utf-8").splitlines()
    assert lines.pop(2) == '{"kind": "st'
    rows = [json.loads(line) for line in lines]
    assert [(row["kind"], row["epoch"], row["step"]) for row in rows] == [
        *(("step", 1, 3), ("epoch", 1, STEPS)),
        *(("step", 2, 6), ("epoch", 2, 2 * STEPS)),
    ]
    for row in rows[::2]:
        assert row["loss"] > 0 and row["gradient_norm"] > 0
        assert 0 < row["learning_rate"] <= CONFIG.training.learning_rate
        assert row["pieces_per_second"] > 0
    for row, told in zip(rows[1::2], history, strict=True):
        assert row["loss"] == told["train_loss"]
        assert row["val_loss"] == told["validation_loss"]
        assert row["val_bleu"] == told["validation_bleu"]
        assert row["pieces_per_second"] > 0


def test_tensorboard_can_show_the_same_and_a_picture(logged):
    found = {}
    for path in (logged[0] / "board").iterdir():
        for record in tf.data.TFRecordDataset(str(path)).as_numpy_iterator():
            event = tf.compat.v1.Event.FromString(record)
            for value in event.summary.value:
                found.setdefault(value.tag, []).append((event.step, value))
    steps = {name: sorted(dict(values)) for name, values in found.items()}
    for name in ("loss", "learning_rate", "gradient_norm", "pieces_per_second"):
        assert steps[f"step/{name}"] == [3, 6]
    for name in ("loss", "val_loss", "val_bleu", "learning_rate"):
        assert steps[f"epoch/{name}"] == [STEPS, 2 * STEPS]
    value = dict(found["epoch/val_loss"])[2 * STEPS]
    assert value.metadata.plugin_data.plugin_name == "scalars"
    told = logged[1][1]["validation_loss"]
    assert tf.make_ndarray(value.tensor) == pytest.approx(told)
    assert steps["attention"] == [1, 2]


def test_a_full_disk_under_tensorboard_is_told_as_the_system_does(
    tmp_path, monkeypatch
):
    def write(name, *_, **__):
        reason = os.strerror(errno.ENOSPC)
        raise tf.errors.ResourceExhaustedError(None, None, f"{name}; {reason}")

    monkeypatch.setattr(tf.summary, "write", write)
    with pytest.raises(OSError, match="No space left") as caught:
        nmt.train(
            corpus(),
            CONFIG,
            tmp_path / "model",
            lambda line: None,
            tensorboard=tmp_path / "board",
        )
    assert caught.value.errno == errno.ENOSPC
    assert caught.value.filename == str(tmp_path / "board")
