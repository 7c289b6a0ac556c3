"""Attention of several heads by inner products, all at once or in chunks.

Shapes: `B` batch, `T` queries, `S` keys, `H` heads, `G` heads of keys and values, each
of which serves `H / G` neighbouring heads of queries.
"""

import keras
from keras import ops

from keras_attention.chunked import DotTerm, attend
from keras_attention.core import masked_softmax, multiply_heads


def attend_at_once(query, key, value, visible, drop):
    """Attend, holding all weights, to which `drop` applies the dropout.

    Takes scaled queries `(B, H, T, D)`, keys `(B, G, S, D)`, values `(B, G, S, Dv)` and
    a `Visibility` with four axes. Gives heads `(B, H, T, Dv)`, weights `(B, H, T, S)`,
    and, boolean and broadcastable to `(B, T, 1)`, whether a query attends to any key in
    any head; `None` if nothing is hidden.
    """
    scores = multiply_heads(query, ops.transpose(key, (0, 1, 3, 2)))
    if visible.bias is not None or visible.position is not None:
        scores = ops.cast(scores, keras.backend.result_type(scores.dtype, "float32"))
        scores = visible.add_bias(scores)
    mask = visible.whole(ops.shape(query)[2], ops.shape(key)[2])
    weights = ops.cast(masked_softmax(scores, mask), value.dtype)
    heads = multiply_heads(drop(weights), value)
    attends = None if mask is None else ops.any(mask, axis=(1, 3))[:, :, None]
    return heads, weights, attends


def attend_in_chunks(query, key, value, visible, chunk_size):
    """Attend as `attend_at_once`, without holding the weights: `(heads, attends)`.

    The offset of the `Visibility` is a scalar.
    """
    masks = visible.query_mask, visible.key_mask, visible.attention_mask
    hidden = *masks, visible.window  # causal hides not all: there is the first key
    all_attend = all(mask is None for mask in hidden)
    if not all_attend:
        # A column of ones gives the sum of the weights, 0 where all is hidden.
        value = ops.concatenate([value, ops.ones_like(value[..., :1])], axis=-1)
    heads = attend([(DotTerm(), (query, key))], value, visible, chunk_size)
    if all_attend:
        return heads, None
    return heads[..., :-1], ops.any(heads[..., -1:] > 0, axis=1)
