"""Training: a loop of steps; all else is a Keras callback in a file of its own.

`train` is loaded when it is used: it waits for TensorFlow.
"""

from nmt.training.checkpoint import HISTORY_FILE, fingerprint
from nmt.training.cluster import read_cluster
from nmt.training.resuming import check_folder
from nmt.training.start import Start

__all__ = [
    "HISTORY_FILE",
    "PICTURES_FOLDER",
    "Start",
    "check_folder",
    "fingerprint",
    "make_strategy",
    "read_cluster",
    "train",
]


def __getattr__(name):
    if name == "PICTURES_FOLDER":
        from nmt.training.pictures import PICTURES_FOLDER

        return PICTURES_FOLDER
    if name == "make_strategy":
        from nmt.training.workers import make_strategy

        return make_strategy
    if name == "train":
        from nmt.training.training import train

        return train
    raise AttributeError(f"module 'nmt.training' has no attribute {name!r}")
