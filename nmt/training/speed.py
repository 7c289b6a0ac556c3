"""How fast a training is, in target pieces a second."""

import time

import keras
import numpy as np


class Speed(keras.callbacks.Callback):
    """Counts the target pieces that are learnt from in a second.

    Args:
        learner: `Learner`, which counts the pieces.
    """

    def __init__(self, learner):
        super().__init__()
        self.learner = learner
        self._began = self._last = 0.0
        self._before = 0

    def on_epoch_begin(self, epoch, logs=None):
        """Begin to count."""
        self._began = self._last = time.monotonic()
        self._before = self.learner.pieces

    def on_train_batch_end(self, batch, logs=None):
        """Note when the last step ended: what follows is not learning."""
        self._last = time.monotonic()

    def on_epoch_end(self, epoch, logs=None):
        """Give the speed, of all workers, and the learning rate of the epoch's end."""
        speeds = self.learner.workers.gather(self.pieces_per_second())
        if len(speeds) > 1:
            logs["worker_pieces_per_second"] = speeds
        logs["pieces_per_second"] = round(sum(speeds), 1)
        logs["learning_rate"] = float(np.asarray(self.learner.optimizer.learning_rate))

    def pieces_per_second(self):
        """Return the speed of this worker since the epoch began, or went on."""
        learnt = self.learner.pieces - self._before
        return round(learnt / max(self._last - self._began, 1e-9), 1)
