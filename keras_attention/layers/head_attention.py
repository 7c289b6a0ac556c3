"""Attention of several heads by inner products, all at once or in chunks.

Shapes: `B` batch, `T` queries, `S` keys, `H` heads, `G` heads of keys and values, each
of which serves `H / G` neighbouring heads of queries.
"""

import keras
from keras import ops

from keras_attention.chunked import DotTerm, attend
from keras_attention.core import masked_softmax, multiply_heads, visible_softmax


def attend_at_once(query, key, value, visible, drop):
    """Attend, holding all weights, to which `drop` applies the dropout.

    Takes scaled queries `(B, H, T, D)`, keys `(B, G, S, D)`, values `(B, G, S, Dv)` and
    a `Visibility` with four axes. Gives heads `(B, H, T, Dv)`, weights `(B, H, T, S)`,
    and, boolean and broadcastable to `(B, T, 1)`, whether a query attends to any key in
    any head; `None` if every query does.
    """
    scores = _scores(query, key, visible)
    mask, rows = _masks(query, key, visible)
    softmax = visible_softmax if rows is None else masked_softmax
    weights = ops.cast(softmax(scores, mask), value.dtype)
    heads = multiply_heads(drop(weights), value)
    return heads, weights, None if rows is None else ops.any(rows, axis=1)


def attend_without_weights(query, key, value, visible):
    """Attend as `attend_at_once`, but give no weights: `(heads, attends)`.

    Takes the fused path of the backend, where it has one. Heads of a query that attends
    to nothing are 0, or, where all heads are alike in that, finite and without meaning.
    """
    mask, rows = _masks(query, key, visible)
    if _is_fused(query, key, value, visible):
        heads = attend_fused(query, key, value, visible, mask, rows)
    else:
        weights = visible_softmax(_scores(query, key, visible), mask)
        heads = multiply_heads(ops.cast(weights, value.dtype), value)
    if rows is None:
        return heads, None
    if rows.shape[1] != 1:
        heads = ops.where(rows, heads, ops.cast(0.0, heads.dtype))
    return heads, ops.any(rows, axis=1)


def attend_fused(query, key, value, visible, mask, rows):
    """Attend by `ops.dot_product_attention`: flash attention, where the backend can.

    Where `rows`, `(B, H, T, 1)`, is `False`, the result and its gradient are finite.
    """
    if rows is not None:
        mask = ops.logical_or(mask, ops.logical_not(rows))
    # A flag, and no mask, is what flash attention takes; it counts from key 0.
    only_causal = visible.causal and rows is None and _is_zero(visible.offset)
    # The heads are on axis 2 there.
    given = [ops.transpose(each, (0, 2, 1, 3)) for each in (query, key, value)]
    heads = ops.dot_product_attention(
        *given,
        mask=None if only_causal else mask,
        scale=1.0,
        is_causal=only_causal,
    )
    return ops.transpose(heads, (0, 2, 1, 3))


def attend_in_chunks(query, key, value, visible, chunk_size):
    """Attend as `attend_at_once`, without holding the weights: `(heads, attends)`.

    The offset of the `Visibility` is a scalar.
    """
    hidden = visible.may_hide_rows()
    terms = [(DotTerm(), (query, key))]
    heads = attend(terms, value, visible, chunk_size, tell_rows=hidden)
    if not hidden:
        return heads, None
    return heads[..., :-1], ops.any(heads[..., -1:] > 0, axis=1)


def has_fused_path():
    """Tell whether `ops.dot_product_attention` is more than its single steps here.

    It is on PyTorch, and on JAX on a GPU; on a processor that of JAX takes twice the
    time of the steps, and has no float16, and on a TPU Keras gives it no mask for each
    sequence.
    """
    backend = keras.backend.backend()
    if backend != "jax":
        return backend == "torch"
    return keras.distribution.list_devices()[0].startswith(("gpu", "cuda", "rocm"))


def _is_fused(query, key, value, visible):
    """Tell whether the backend has a fused path for this.

    That of JAX wants one size for keys and values, and lengths that are known.
    """
    return (
        has_fused_path()
        and visible.bias is None
        and visible.position is None
        and key.shape[-1] == value.shape[-1]
        and all(isinstance(each.shape[2], int) for each in (query, key))
    )


def _is_zero(offset):
    return isinstance(offset, int) and offset == 0


def _masks(query, key, visible):
    """Tell which pairs are visible, and which rows, `(B, H, T, 1)`, have such a pair.

    `None`: all. The axis of the heads, and others, may be 1.
    """
    mask = visible.whole(ops.shape(query)[2], ops.shape(key)[2])
    if not visible.may_hide_rows():
        return mask, None
    return mask, ops.any(mask, axis=-1, keepdims=True)


def _scores(query, key, visible):
    """Score all pairs: shape `(B, H, T, S)`."""
    scores = multiply_heads(query, ops.transpose(key, (0, 1, 3, 2)))
    if visible.bias is None and visible.position is None:
        return scores
    scores = ops.cast(scores, keras.backend.result_type(scores.dtype, "float32"))
    return visible.add_bias(scores)
