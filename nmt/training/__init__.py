"""Training: epochs, loss, learning rate, checkpoints."""

from nmt.training.training import PICTURES_FOLDER, train

__all__ = ["PICTURES_FOLDER", "train"]
