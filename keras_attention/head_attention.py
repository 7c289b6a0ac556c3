"""Attention of several heads by inner products, all at once or in chunks.

Shapes: `B` batch, `T` queries, `S` keys, `H` heads, `G` heads of keys and values, each
of which serves `H / G` neighbouring heads of queries.
"""

from typing import Any, NamedTuple

import keras
from keras import ops

from keras_attention.chunked import chunked_dot_attention, chunked_dot_statistics
from keras_attention.chunks import four_axes
from keras_attention.heads import multiply_heads
from keras_attention.layer_checks import fits
from keras_attention.position import relative_positions
from keras_attention.position_bias import AlibiBias, RelativePositionBias
from keras_attention.weights import masked_softmax


class Visibility(NamedTuple):
    """Which query may look at which key, and what is added to the scores.

    Attributes:
        query_mask: Boolean, shape `(B, T)`, or `None`.
        key_mask: Boolean, shape `(B, S)`, or `None`.
        attention_mask: Boolean, `(T, S)`, `(B, T, S)`, `(B, H, T, S)`, or `None`.
        bias: Added to the scores, shapes as of `attention_mask`, or `None`.
        causal: Bool. Whether a query sees no key after it.
        window: Int or `None`. How far away a key may be.
        offset: The key at which query 0 stands: an int, a scalar int32 tensor, or one
            for each sequence, shape `(B, 1)`.
        position: A `PositionBias`, or `None`.
    """

    query_mask: Any = None
    key_mask: Any = None
    attention_mask: Any = None
    bias: Any = None
    causal: bool = False
    window: Any = None
    offset: Any = 0
    position: Any = None

    def spread(self, sizes):
        """Give mask and bias four axes, and hide what has a bias of minus infinity.

        Args:
            sizes: Tuple `(B, H, T, S)` of ints, `None` where not known.

        Returns:
            `Visibility` with mask and bias broadcastable to `(B, H, T, S)`.

        Raises:
            ValueError: If a shape does not fit.
        """
        mask, bias = self.attention_mask, self.bias
        if mask is not None:
            mask = ops.cast(_spread("attention_mask", mask, sizes), "bool")
        if bias is not None:
            bias = _spread("attention_bias", bias, sizes)
            shown = ops.not_equal(bias, float("-inf"))
            # Minus infinity itself would give a row of nothing else NaN.
            bias = ops.where(shown, bias, ops.zeros_like(bias))
            mask = shown if mask is None else ops.logical_and(mask, shown)
        return self._replace(attention_mask=mask, bias=bias)


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


def _spread(name, pairs, sizes):
    """Give a mask or a bias on pairs all four axes, 1 where one was missing.

    Args:
        name: The argument's name, for the message.
        pairs: Shape `(T, S)`, `(B, T, S)` or `(B, H, T, S)`; any axis may be 1.
        sizes: Tuple `(B, H, T, S)` of ints, `None` where not known.

    Returns:
        Broadcastable to `(B, H, T, S)`.

    Raises:
        ValueError: If the shape is none of these.
    """
    shape = tuple(pairs.shape)
    axes = {2: (2, 3), 3: (0, 2, 3), 4: (0, 1, 2, 3)}.get(len(shape))
    if axes is None or not all(
        fits(size, 1) or fits(size, sizes[axis])
        for size, axis in zip(shape, axes, strict=True)
    ):
        raise ValueError(
            f"`{name}` must have shape (T, S), (B, T, S) or (B, H, T, S), where "
            f"(B, H, T, S)={tuple(sizes)} and any axis may be 1. "
            f"Received: {name}.shape={shape}. A query of one step leaves T out."
        )
    return four_axes(pairs)
