"""Attention layers for Keras 3.

Masks are boolean everywhere; `True` = attend. A query that may attend to nothing gets
weights 0 and context 0.
"""

from keras_attention.analysis import (
    alignment_error_rate,
    attention_concentration,
    attention_coverage,
    attention_diagnostics,
    attention_entropy,
    drop_special,
    hard_links,
    merge_links,
    merge_pieces,
    merge_spans,
    parse_links,
    word_spans,
)
from keras_attention.chunked import AttentionStatistics
from keras_attention.core import (
    causal_mask,
    combine_masks,
    local_mask,
    masked_softmax,
    padding_mask,
)
from keras_attention.layers import (
    AttentionLayer,
    AttentionPooling,
    BahdanauAttention,
    Cache,
    CoverageAttention,
    FeedbackAttention,
    HierarchicalAttention,
    LocationSensitiveAttention,
    LuongAttention,
    Memory,
    MonotonicAttention,
    MultiHeadAttention,
    ScaledDotProductAttention,
    ScoreAttention,
    coverage_loss,
)
from keras_attention.page import AttentionView, attention_page, attention_view
from keras_attention.plots import (
    attention_text,
    describe_attention,
    plot_attention,
    plot_attention_difference,
    plot_attention_heads,
    save_figure,
)
from keras_attention.positions import (
    AlibiBias,
    PositionalEncoding,
    PositionBias,
    PositionEmbedding,
    RelativePositionBias,
    RotaryEmbedding,
)
from keras_attention.recording import (
    AttentionCallback,
    EpochPictures,
    plot_model_attention,
    record_attention,
    view_model_attention,
)
from keras_attention.recurrent import AttentionRNN

__version__ = "0.1.0"

__all__ = [
    "AlibiBias",
    "AttentionCallback",
    "AttentionLayer",
    "AttentionPooling",
    "AttentionRNN",
    "AttentionStatistics",
    "AttentionView",
    "BahdanauAttention",
    "Cache",
    "CoverageAttention",
    "EpochPictures",
    "FeedbackAttention",
    "HierarchicalAttention",
    "LocationSensitiveAttention",
    "LuongAttention",
    "Memory",
    "MonotonicAttention",
    "MultiHeadAttention",
    "PositionBias",
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
    "masked_softmax",
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
