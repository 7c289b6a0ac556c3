"""How fast a training is, in target pieces a second."""

import time

import keras


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
        self._before = int(self.learner.pieces)

    def on_train_batch_end(self, batch, logs=None):
        """Note when the last step ended: what follows is not learning."""
        self._last = time.monotonic()

    def on_epoch_end(self, epoch, logs=None):
        """Give the speed and the learning rate of the epoch's end."""
        logs["pieces_per_second"] = self.pieces_per_second()
        logs["learning_rate"] = float(self.learner.optimizer.learning_rate)

    def pieces_per_second(self):
        """Return the speed since the epoch began, or went on."""
        learnt = int(self.learner.pieces) - self._before
        return round(learnt / max(self._last - self._began, 1e-9), 1)
