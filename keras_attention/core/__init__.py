"""Arithmetic that layers share: projections, scores, masks, the softmax; checks."""

from keras_attention.core.building import (
    add_kernel,
    add_projection,
    build_once,
    initializer_for,
)
from keras_attention.core.checks import (
    check_attention_shapes,
    check_chunk_size,
    check_equal_sizes,
    check_head_mask,
    check_mask,
    check_number,
    check_positive_int,
    check_window,
    fits,
)
from keras_attention.core.loop import last_step, run_loop
from keras_attention.core.masks import (
    causal_mask,
    combine_masks,
    four_axes,
    hide_padding,
    local_mask,
    padding_mask,
)
from keras_attention.core.projections import (
    as_dense,
    check_features,
    join_heads,
    project,
    split_heads,
)
from keras_attention.core.scores import (
    additive_scores,
    dot_scores,
    multiply_heads,
    sum_heads,
)
from keras_attention.core.softmax import masked_softmax

__all__ = [
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
    "check_positive_int",
    "check_window",
    "combine_masks",
    "dot_scores",
    "fits",
    "four_axes",
    "hide_padding",
    "initializer_for",
    "join_heads",
    "last_step",
    "local_mask",
    "masked_softmax",
    "multiply_heads",
    "padding_mask",
    "project",
    "run_loop",
    "split_heads",
    "sum_heads",
]
