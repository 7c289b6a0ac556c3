"""The losses of a training's steps, and the end of one whose numbers overflow."""

import math

import keras

from nmt.errors import UserError
from nmt.training.checkpoint import read_progress

STEPS_READ = 20
"""Steps whose losses are read at once: to read each would wait for each."""


class Losses(keras.callbacks.Callback):
    """Sums the losses of an epoch, and ends a training that has diverged.

    Args:
        learner: `Learner`.
        progress: `Progress`, whose `loss` is the sum.
        settings: `TrainingConfig`.
        out: Path of the folder; `None` for a worker that has none.
        text: The `fingerprint` of the text that is trained on.
    """

    def __init__(self, learner, progress, settings, out, text):
        super().__init__()
        self.learner, self.progress, self.settings = learner, progress, settings
        self.out, self.text = out, text
        self.last = None
        self._unread = []

    def add(self, loss):
        """Take the loss of a step, a scalar tensor, to be read later."""
        self._unread.append(loss)

    def on_train_batch_end(self, batch, logs=None):
        """Read the losses now and then."""
        if batch % STEPS_READ == 0:
            self.read()

    def on_epoch_end(self, epoch, logs=None):
        """Give the mean loss of the epoch."""
        self.check()
        logs["loss"] = self.progress.loss / self.progress.batch

    def check(self):
        """Refuse numbers that are not finite, in whatever the training changes.

        Raises:
            UserError: If there is one.
        """
        self.read()
        if not self.learner.is_finite():
            raise self.diverged("a weight or a moment of Adam")

    def diverged(self, what, step=None):
        """Return the error that ends a training whose numbers have overflowed.

        Args:
            what: What is no finite number.
            step: Int, since which step. Default: the last.
        """
        step = self.progress.steps if step is None else step
        norm = self.settings.clip_norm or "none"
        if self.out is None:
            return UserError(f"the training has diverged: {what} is no finite number.")
        kept = read_progress(self.out, self.text)
        then = (
            f"The same command then goes on {kept.place()}, whose state is kept."
            if kept
            else "Nothing was saved yet."
        )
        return UserError(
            f"the training in {self.out} has diverged: since step {step} {what} is no "
            "finite number. Give a smaller --learning-rate (it is "
            f"{self.settings.learning_rate}) or a smaller --clip-norm above 0 (it is "
            f"{norm}). {then}"
        )

    def read(self):
        """Read the losses that were not read yet.

        Raises:
            UserError: If one is not finite.
        """
        first = self.progress.steps - len(self._unread) + 1
        values = [float(loss) for loss in self._unread]
        self._unread.clear()
        for step, value in enumerate(values, first):
            if not math.isfinite(value):
                raise self.diverged("the loss", step)
            self.last = value
            # One by one, so that the sum is the same wherever a training went on.
            self.progress.loss += value
