"""The weights that are kept: those of the best epoch."""

import keras

from nmt.training.checkpoint import save_weights
from nmt.training.schedule import merit


class BestWeights(keras.callbacks.Callback):
    """Saves the averages of the weights after each epoch that is the best so far.

    Args:
        learner: `Learner`.
        progress: `Progress`.
        out: Path of the folder.
    """

    def __init__(self, learner, progress, out):
        super().__init__()
        self.learner, self.progress, self.out = learner, progress, out

    def on_epoch_end(self, epoch, logs=None):
        """Save, if the last epoch is the best."""
        *before, last = self.progress.history
        if all(merit(last) > merit(row) for row in before):
            self.learner.with_averages(self._save)

    def _save(self):
        save_weights(self.out, self.learner.model)
