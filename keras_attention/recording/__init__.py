"""The weights of a model while it runs, and pictures drawn from them."""

from keras_attention.recording.callback import AttentionCallback, EpochPictures
from keras_attention.recording.plot_model import (
    plot_model_attention,
    view_model_attention,
)
from keras_attention.recording.record import AttentionRecord, record_attention

__all__ = [
    "AttentionCallback",
    "AttentionRecord",
    "EpochPictures",
    "plot_model_attention",
    "record_attention",
    "view_model_attention",
]
