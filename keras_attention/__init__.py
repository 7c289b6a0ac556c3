"""Attention layers for Keras 3.

Masks are boolean everywhere, and `True` means: may look. A query that may see nothing
gets weights 0 and context 0.
"""

from keras_attention.additive import BahdanauAttention
from keras_attention.alignment import (
    alignment_error_rate,
    attention_concentration,
    attention_coverage,
    attention_entropy,
    hard_links,
    merge_pieces,
    merge_spans,
    word_spans,
)
from keras_attention.base import Memory, ScoreAttention
from keras_attention.dot import LuongAttention, ScaledDotProductAttention
from keras_attention.masks import (
    causal_mask,
    combine_masks,
    local_mask,
    padding_mask,
)
from keras_attention.multi_head import MultiHeadAttention
from keras_attention.plot import (
    describe_attention,
    plot_attention,
    plot_attention_heads,
    save_figure,
)
from keras_attention.position import PositionalEncoding
from keras_attention.recurrent import AttentionRNN

__version__ = "0.1.0"

__all__ = [
    "AttentionRNN",
    "BahdanauAttention",
    "LuongAttention",
    "Memory",
    "MultiHeadAttention",
    "PositionalEncoding",
    "ScaledDotProductAttention",
    "ScoreAttention",
    "alignment_error_rate",
    "attention_concentration",
    "attention_coverage",
    "attention_entropy",
    "causal_mask",
    "combine_masks",
    "describe_attention",
    "hard_links",
    "local_mask",
    "merge_pieces",
    "merge_spans",
    "padding_mask",
    "plot_attention",
    "plot_attention_heads",
    "save_figure",
    "word_spans",
]
