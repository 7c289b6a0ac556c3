"""Training: a loop of steps; what validates, saves, logs and draws are Keras callbacks.

What waits for TensorFlow, `train` above all, is loaded when it is used.
"""

from importlib import import_module

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
    "read_cluster",
    "train",
]


_LAZY = {"PICTURES_FOLDER": "pictures", "train": "training"}


def __getattr__(name):
    if name in _LAZY:
        return getattr(import_module(f"nmt.training.{_LAZY[name]}"), name)
    raise AttributeError(f"module 'nmt.training' has no attribute {name!r}")
