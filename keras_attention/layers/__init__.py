"""The attention layers, a file each; most derive from `AttentionLayer`."""

from keras_attention.layers.additive import BahdanauAttention
from keras_attention.layers.base import AttentionLayer
from keras_attention.layers.cache import Cache
from keras_attention.layers.coverage import CoverageAttention, coverage_loss
from keras_attention.layers.dot import ScaledDotProductAttention
from keras_attention.layers.feedback import FeedbackAttention
from keras_attention.layers.hierarchical import HierarchicalAttention
from keras_attention.layers.location import LocationSensitiveAttention
from keras_attention.layers.luong import LuongAttention
from keras_attention.layers.memory import Memory
from keras_attention.layers.monotonic import MonotonicAttention
from keras_attention.layers.multi_head import MultiHeadAttention
from keras_attention.layers.pooling import AttentionPooling
from keras_attention.layers.score_attention import ScoreAttention

__all__ = [
    "AttentionLayer",
    "AttentionPooling",
    "BahdanauAttention",
    "Cache",
    "CoverageAttention",
    "FeedbackAttention",
    "HierarchicalAttention",
    "LocationSensitiveAttention",
    "LuongAttention",
    "Memory",
    "MonotonicAttention",
    "MultiHeadAttention",
    "ScaledDotProductAttention",
    "ScoreAttention",
    "coverage_loss",
]
