"""Attention layers for Keras 3.

Masks are boolean everywhere; `True` = attend. A query that may attend to nothing gets
weights 0 and context 0.
"""

from typing import TYPE_CHECKING, Any

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
    additive_scores,
    causal_mask,
    combine_masks,
    dot_scores,
    local_mask,
    masked_softmax,
    padding_mask,
    scaled_dot_product_attention,
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
from keras_attention.positions import (
    AlibiBias,
    PositionalEncoding,
    PositionBias,
    PositionEmbedding,
    RelativePositionBias,
    RotaryEmbedding,
)
from keras_attention.recurrent import AttentionRNN

if TYPE_CHECKING:
    from keras_attention.page import AttentionView, attention_page, attention_view
    from keras_attention.plots import (
        attention_text,
        describe_attention,
        plot_attention,
        plot_attention_difference,
        plot_attention_heads,
        save_figure,
    )
    from keras_attention.recording import (
        AttentionCallback,
        AttentionRecord,
        EpochPictures,
        plot_model_attention,
        record_attention,
        view_model_attention,
    )

__version__ = "0.1.0"

__all__ = [
    "AlibiBias",
    "AttentionCallback",
    "AttentionLayer",
    "AttentionPooling",
    "AttentionRNN",
    "AttentionRecord",
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
    "additive_scores",
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
    "dot_scores",
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
    "scaled_dot_product_attention",
    "view_model_attention",
    "word_spans",
]


def __getattr__(name: str) -> Any:
    """Import what draws and records when it is first used: layers start sooner."""
    if name not in (*__all__, "page", "plots", "recording"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import keras_attention.page as page
    import keras_attention.plots as plots
    import keras_attention.recording as recording

    rooms = {"page": page, "plots": plots, "recording": recording}
    return {**vars(page), **vars(plots), **vars(recording), **rooms}[name]
