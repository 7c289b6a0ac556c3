"""What a training measures, for other programs: lines of JSON, and TensorBoard."""

import json
import math

import keras
import numpy as np
import tensorflow as tf

from nmt.translation import errors_of_the_system

LOG_FILE = "log.jsonl"
STEPS_NOTED = 100
"""Steps after which a line is written."""


class Log(keras.callbacks.Callback):
    """Writes what is measured, every so many steps and after each epoch.

    A training that goes on appends: steps that it takes again come twice.

    Args:
        learner: `Learner`.
        progress: `Progress`.
        losses: `Losses`.
        speed: `Speed`.
        out: Path of the folder.
        board: Path of a log folder for TensorBoard; `None` for none.
    """

    def __init__(self, learner, progress, losses, speed, out, board=None):
        super().__init__()
        self.learner, self.progress = learner, progress
        self.losses, self.speed = losses, speed
        self.path, self.board = out / LOG_FILE, board
        self._writer = None

    def on_train_begin(self, logs=None):
        """Begin a new line, in case a kill has cut the last one off."""
        if self.path.is_file() and self.path.read_bytes()[-1:] not in (b"", b"\n"):
            self._append("\n")
        if self.board is not None:
            with errors_of_the_system(self.board):
                self._writer = tf.summary.create_file_writer(str(self.board))

    def on_train_batch_end(self, batch, logs=None):
        """Write the measures of a step, now and then."""
        if self.progress.steps % STEPS_NOTED:
            return
        self.losses.read()
        values = {
            "loss": self.losses.last,
            "learning_rate": float(np.asarray(self.learner.optimizer.learning_rate)),
            "gradient_norm": float(self.learner.gradient_norm),
            "pieces_per_second": self.speed.pieces_per_second(),
        }
        self._note(len(self.progress.history) + 1, values, "step")

    def on_epoch_end(self, epoch, logs=None):
        """Write the measures of an epoch."""
        self._note(epoch + 1, logs, "epoch")

    def on_train_end(self, logs=None):
        """Close the file of TensorBoard."""
        if self._writer is not None:
            self._writer.close()

    def _note(self, epoch, values, kind):
        progress = self.progress
        place = {"epoch": epoch, "step": progress.steps}
        seconds = round(progress.seconds, 1)
        # A step of float16 may overflow, and is then left out; JSON has no infinity.
        values = {name: _finite(value) for name, value in values.items()}
        row = {"kind": kind, **place, "seconds": seconds, **values}
        self._append(json.dumps(row) + "\n")
        if self._writer is not None:
            with errors_of_the_system(self.board):
                with self._writer.as_default(progress.steps):
                    for name, value in values.items():
                        if isinstance(value, float):  # and not those of each worker
                            _write_scalar(f"{kind}/{name}", value)
                self._writer.flush()

    def _append(self, text):
        with open(self.path, "a", encoding="utf-8") as file:
            file.write(text)


def _write_scalar(name, value):
    """Write a number as `tf.summary.scalar` does, which needs TensorBoard itself."""
    metadata = tf.compat.v1.SummaryMetadata()
    metadata.plugin_data.plugin_name = "scalars"
    tf.summary.write(name, tf.constant(value, tf.float32), metadata=metadata)


def _finite(value):
    return None if isinstance(value, float) and not math.isfinite(value) else value
