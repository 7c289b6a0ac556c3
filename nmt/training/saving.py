"""When the state of a training is saved: after each epoch, and inside it."""

import time

import keras

from nmt.training.checkpoint import save_state


class SaveState(keras.callbacks.Callback):
    """Saves the state after each epoch, every few minutes, and where it is stopped.

    Args:
        learner: `Learner`.
        progress: `Progress`.
        settings: `TrainingConfig`.
        out: Path of the folder.
        text: The `fingerprint` of the text that is trained on.
        check: Function that raises where a number of the state is not finite.
    """

    def __init__(self, learner, progress, settings, out, text, check):
        super().__init__()
        self.learner, self.progress, self.check = learner, progress, check
        self.seconds = 60 * settings.save_minutes
        self.out, self.text = out, text
        self._saved = time.monotonic()

    def on_train_batch_end(self, batch, logs=None):
        """Save, if the last time is long ago and the epoch goes on."""
        if self.progress.finished:
            return
        if 0 < self.seconds <= time.monotonic() - self._saved:
            self._save_inside()

    def on_epoch_end(self, epoch, logs=None):
        """Save."""
        self._save()

    def on_train_end(self, logs=None):
        """Save what a callback stopped inside an epoch."""
        if self.progress.batch:
            self._save_inside()

    def _save_inside(self):
        self.check()
        self._save()

    def _save(self):
        save_state(self.out, self.learner.variables(), self.text, self.progress)
        self._saved = time.monotonic()
