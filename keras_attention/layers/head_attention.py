"""Attention of several heads by inner products, all at once or in chunks.

Shapes: `B` batch, `T` queries, `S` keys, `H` heads, `G` heads of keys and values, each
of which serves `H / G` neighbouring heads of queries.
"""

import keras
from keras import ops

from keras_attention.chunked import chunked_dot_attention, chunked_dot_statistics
from keras_attention.core import four_axes, masked_softmax, multiply_heads
from keras_attention.positions import (
    AlibiBias,
    RelativePositionBias,
    relative_positions,
)


def attend_at_once(query, key, value, visible, drop):
    """Attend, holding all weights.

    Args:
        query: Shape `(B, H, T, D)`, scaled already.
        key: Shape `(B, G, S, D)`.
        value: Shape `(B, G, S, Dv)`.
        visible: A `Visibility` that was spread.
        drop: Function of the weights that applies the dropout.

    Returns:
        `(heads, weights, sees)`: shapes `(B, H, T, Dv)`, `(B, H, T, S)`, and, boolean
        and broadcastable to `(B, T, 1)`, whether a query sees any key in any head;
        `None` if nothing is hidden.
    """
    scores = multiply_heads(query, ops.transpose(key, (0, 1, 3, 2)))
    masks, biases = [], []
    if visible.query_mask is not None:
        masks.append(ops.cast(visible.query_mask, "bool")[:, None, :, None])
    if visible.key_mask is not None:
        masks.append(ops.cast(visible.key_mask, "bool")[:, None, None, :])
    if visible.attention_mask is not None:
        masks.append(visible.attention_mask)
    if visible.bias is not None:
        biases.append(visible.bias)
    if visible.causal or visible.window is not None or visible.position is not None:
        relative = relative_positions(
            ops.shape(query)[2], ops.shape(key)[2], visible.offset
        )
        if visible.position is not None:
            biases.append(visible.position.bias(relative))
        relative = four_axes(relative)
        if visible.causal:
            masks.append(relative <= 0)
        if visible.window is not None:
            masks.append(ops.abs(relative) <= visible.window)
    if biases:
        scores = ops.cast(scores, keras.backend.result_type(scores.dtype, "float32"))
    for bias in biases:
        scores = scores + ops.cast(bias, scores.dtype)
    mask = None
    for each in masks:
        mask = each if mask is None else ops.logical_and(mask, each)
    weights = ops.cast(masked_softmax(scores, mask), value.dtype)
    heads = multiply_heads(drop(weights), value)
    sees = None if mask is None else ops.any(mask, axis=(1, 3))[:, :, None]
    return heads, weights, sees


def attend_in_chunks(query, key, value, visible, chunk_size):
    """Attend without holding the weights.

    Args:
        query: Shape `(B, H, T, D)`, scaled already.
        key: Shape `(B, G, S, D)`.
        value: Shape `(B, G, S, Dv)`.
        visible: A `Visibility` that was spread, its offset a scalar.
        chunk_size: Positive int.

    Returns:
        `(heads, sees)`, as `attend_at_once`.
    """
    hidden = (
        visible.query_mask,
        visible.key_mask,
        visible.attention_mask,
        visible.window,
    )
    all_see = all(mask is None for mask in hidden)  # causal: the first key at least
    if not all_see:
        # A column of ones gives the sum of the weights, 0 where nothing is seen.
        value = ops.concatenate([value, ops.ones_like(value[..., :1])], axis=-1)
    options = _chunk_options(query, visible, chunk_size)
    heads = chunked_dot_attention(query, key, value, **options)
    if all_see:
        return heads, None
    return heads[..., :-1], ops.any(heads[..., -1:] > 0, axis=1)


def describe_in_chunks(query, key, visible, chunk_size):
    """Describe the weights without holding them.

    Args:
        query: Shape `(B, H, T, D)`, scaled already.
        key: Shape `(B, G, S, D)`.
        visible: A `Visibility` that was spread, its offset a scalar.
        chunk_size: Positive int.

    Returns:
        `AttentionStatistics` of shapes `(B, H, T)`, `(B, H, T)` and `(B, H, S)`.
    """
    options = _chunk_options(query, visible, chunk_size)
    return chunked_dot_statistics(query, key, **options)


def _chunk_options(query, visible, chunk_size):
    """Give `Visibility` as the keywords that the chunked functions take."""
    position, relative = visible.position, None
    if isinstance(position, RelativePositionBias):
        dtype = keras.backend.result_type(query.dtype, "float32")
        relative = ops.cast(position.table, dtype), position.bucket
    return {
        "chunk_size": chunk_size,
        "query_mask": visible.query_mask,
        "key_mask": visible.key_mask,
        "attention_mask": visible.attention_mask,
        "bias": visible.bias,
        "causal": visible.causal,
        "window": visible.window,
        "offset": visible.offset,
        "slopes": position.slopes if isinstance(position, AlibiBias) else None,
        "relative": relative,
    }
