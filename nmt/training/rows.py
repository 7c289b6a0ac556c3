"""The history of a training: a row for each epoch, and when there are enough."""

import keras

from nmt.training.schedule import is_over


class EpochRows(keras.callbacks.Callback):
    """Closes an epoch: its row is added to the history, and the next one is begun.

    Args:
        progress: `Progress`.
        settings: `TrainingConfig`.
    """

    def __init__(self, progress, settings):
        super().__init__()
        self.progress, self.settings = progress, settings

    def on_epoch_end(self, epoch, logs=None):
        """Add the row, and end the training if this was the last one."""
        progress = self.progress
        row = {
            "epoch": epoch + 1,
            "steps": progress.steps,
            "train_loss": logs["loss"],
            "validation_loss": logs["val_loss"],
            "validation_bleu": logs["val_bleu"],
            "seconds": round(progress.seconds, 1),
        }
        progress.history.append(row)
        progress.batch, progress.loss = 0, 0.0
        if progress.finished or is_over(self.settings, progress):
            progress.finished = self.model.stop_training = True
