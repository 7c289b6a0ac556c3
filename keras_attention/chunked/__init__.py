"""The same attention in chunks, in little memory, with a gradient of its own."""

from keras_attention.chunked.attend import (
    chunked_additive_attention,
    chunked_additive_statistics,
    chunked_dot_attention,
    chunked_dot_statistics,
)
from keras_attention.chunked.masks import Visibility
from keras_attention.chunked.queries import attend_by_queries, describe_by_queries
from keras_attention.chunked.statistics import AttentionStatistics

__all__ = [
    "AttentionStatistics",
    "Visibility",
    "attend_by_queries",
    "chunked_additive_attention",
    "chunked_additive_statistics",
    "chunked_dot_attention",
    "chunked_dot_statistics",
    "describe_by_queries",
]
