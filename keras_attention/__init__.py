"""Attention layers for Keras 3.

Masks are boolean everywhere, and `True` means: may look. A query that may see nothing
gets weights 0 and context 0.
"""

from keras_attention.additive import BahdanauAttention
from keras_attention.alignment import alignment_error_rate, hard_links, parse_links
from keras_attention.cache import Cache
from keras_attention.callback import AttentionCallback, EpochPictures
from keras_attention.chunked_statistics import AttentionStatistics
from keras_attention.coverage import CoverageAttention, coverage_loss
from keras_attention.describe import describe_attention
from keras_attention.diagnostics import (
    attention_concentration,
    attention_coverage,
    attention_diagnostics,
    attention_entropy,
)
from keras_attention.dot import ScaledDotProductAttention
from keras_attention.grid import plot_attention_heads
from keras_attention.hierarchical import HierarchicalAttention
from keras_attention.location import LocationSensitiveAttention
from keras_attention.look import plot_model_attention, view_model_attention
from keras_attention.luong import LuongAttention
from keras_attention.masks import causal_mask, combine_masks, local_mask, padding_mask
from keras_attention.memory import Memory
from keras_attention.merge import merge_links, merge_pieces, merge_spans, word_spans
from keras_attention.monotonic import MonotonicAttention
from keras_attention.multi_head import MultiHeadAttention
from keras_attention.plot import plot_attention, plot_attention_difference, save_figure
from keras_attention.pooling import AttentionPooling
from keras_attention.position import PositionalEncoding, PositionEmbedding
from keras_attention.position_bias import AlibiBias, RelativePositionBias
from keras_attention.record import record_attention
from keras_attention.recurrent import AttentionRNN
from keras_attention.rotary import RotaryEmbedding
from keras_attention.score_attention import ScoreAttention
from keras_attention.selection import drop_special
from keras_attention.terminal import attention_text
from keras_attention.view import AttentionView, attention_view
from keras_attention.view_html import attention_page

__version__ = "0.1.0"

__all__ = [
    "AlibiBias",
    "AttentionCallback",
    "AttentionPooling",
    "AttentionRNN",
    "AttentionStatistics",
    "AttentionView",
    "BahdanauAttention",
    "Cache",
    "CoverageAttention",
    "EpochPictures",
    "HierarchicalAttention",
    "LocationSensitiveAttention",
    "LuongAttention",
    "Memory",
    "MonotonicAttention",
    "MultiHeadAttention",
    "PositionEmbedding",
    "PositionalEncoding",
    "RelativePositionBias",
    "RotaryEmbedding",
    "ScaledDotProductAttention",
    "ScoreAttention",
    "alignment_error_rate",
    "attention_concentration",
    "attention_coverage",
    "attention_diagnostics",
    "attention_entropy",
    "attention_page",
    "attention_text",
    "attention_view",
    "causal_mask",
    "combine_masks",
    "coverage_loss",
    "describe_attention",
    "drop_special",
    "hard_links",
    "local_mask",
    "merge_links",
    "merge_pieces",
    "merge_spans",
    "padding_mask",
    "parse_links",
    "plot_attention",
    "plot_attention_difference",
    "plot_attention_heads",
    "plot_model_attention",
    "record_attention",
    "save_figure",
    "view_model_attention",
    "word_spans",
]
