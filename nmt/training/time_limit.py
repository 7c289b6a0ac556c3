"""The time that a training takes, and its limit."""

import time

import keras


class TimeLimit(keras.callbacks.Callback):
    """Counts the time of a training, and ends it when its time is up.

    Args:
        progress: `Progress`, whose `seconds` are counted.
        settings: `TrainingConfig`.
    """

    def __init__(self, progress, settings):
        super().__init__()
        self.progress, self.settings = progress, settings
        self._last = 0.0

    def on_epoch_begin(self, epoch, logs=None):
        """Begin to count."""
        self._last = time.monotonic()

    def on_train_batch_end(self, batch, logs=None):
        """End the training if its time is up; what it learnt is then validated."""
        self._count()
        limit = self.settings.max_minutes
        if 0 < limit <= self.progress.seconds / 60:
            self.progress.finished = self.model.stop_training = True

    def on_epoch_end(self, epoch, logs=None):
        """Count the validation too."""
        self._count()

    def _count(self):
        now = time.monotonic()
        self.progress.seconds += now - self._last
        self._last = now
