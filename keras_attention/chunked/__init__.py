"""The same attention in chunks, in little memory, with a gradient of its own."""

from keras_attention.chunked.attend import attend, describe
from keras_attention.chunked.queries import (
    attend_by_queries,
    describe_by_queries,
    hide_infinite,
)
from keras_attention.chunked.statistics import AttentionStatistics
from keras_attention.chunked.terms import AdditiveTerm, DotTerm
from keras_attention.chunked.visibility import Visibility

__all__ = [
    "AdditiveTerm",
    "AttentionStatistics",
    "DotTerm",
    "Visibility",
    "attend",
    "attend_by_queries",
    "describe",
    "describe_by_queries",
    "hide_infinite",
]
