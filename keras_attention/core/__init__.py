"""Arithmetic that layers share: projections, scores, masks, the softmax; checks."""

from keras_attention.core.attention import scaled_dot_product_attention
from keras_attention.core.building import (
    add_kernel,
    add_projection,
    build_once,
    initializer_for,
)
from keras_attention.core.checks import (
    check_attention_shapes,
    check_bool,
    check_chunk_size,
    check_equal_sizes,
    check_features,
    check_head_mask,
    check_int,
    check_mask,
    check_number,
    fits,
)
from keras_attention.core.heads import (
    join_heads,
    multiply_heads,
    split_heads,
    sum_heads,
)
from keras_attention.core.loop import last_step, run_loop
from keras_attention.core.masks import (
    causal_mask,
    combine_masks,
    four_axes,
    hide_padding,
    join_masks,
    local_mask,
    padding_mask,
    read_memory,
    read_queries,
)
from keras_attention.core.projections import as_dense, multiply, project
from keras_attention.core.scores import additive_scores, dot_scores
from keras_attention.core.softmax import (
    LOWEST,
    masked_softmax,
    softmax,
)
from keras_attention.core.visible_softmax import visible_softmax

__all__ = [
    "LOWEST",
    "scaled_dot_product_attention",
    "add_kernel",
    "add_projection",
    "additive_scores",
    "as_dense",
    "build_once",
    "causal_mask",
    "check_attention_shapes",
    "check_chunk_size",
    "check_equal_sizes",
    "check_features",
    "check_head_mask",
    "check_mask",
    "check_number",
    "check_bool",
    "check_int",
    "combine_masks",
    "dot_scores",
    "fits",
    "four_axes",
    "hide_padding",
    "initializer_for",
    "join_heads",
    "join_masks",
    "last_step",
    "local_mask",
    "masked_softmax",
    "multiply",
    "multiply_heads",
    "padding_mask",
    "project",
    "read_memory",
    "read_queries",
    "run_loop",
    "softmax",
    "split_heads",
    "sum_heads",
    "visible_softmax",
]
