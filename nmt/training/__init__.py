"""Training: epochs, loss, learning rate, checkpoints.

`train` is loaded when it is used: it waits for TensorFlow.
"""

from nmt.training.checkpoint import HISTORY_FILE, fingerprint
from nmt.training.resuming import check_folder

__all__ = [
    "HISTORY_FILE",
    "PICTURES_FOLDER",
    "check_folder",
    "fingerprint",
    "train",
]


def __getattr__(name):
    if name in ("PICTURES_FOLDER", "train"):
        from nmt.training import training

        return getattr(training, name)
    raise AttributeError(f"module 'nmt.training' has no attribute {name!r}")
