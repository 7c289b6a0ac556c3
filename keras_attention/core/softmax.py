"""Scores and masks to attention weights."""

import keras
from keras import ops


def masked_softmax(scores, mask=None):
    """Turn scores into weights that are exactly 0 where nothing may be seen.

    The softmax runs in float32 at least. A row in which every key is hidden gets
    weights 0, with gradient 0, instead of weights that are spread evenly.

    Args:
        scores: Shape `(..., T, S)`.
        mask: Boolean, broadcastable to `scores`; `True` = may look.

    Returns:
        Weights of the shape of `scores`, in float32 or wider; each row sums to 1, or
        to 0 if it may see nothing.
    """
    dtype = keras.backend.result_type(scores.dtype, "float32")
    scores = ops.cast(scores, dtype)
    if mask is not None:
        # The most negative finite number: an added constant fails in float16, and
        # minus infinity gives NaN gradients in rows that see nothing.
        lowest = ops.cast(-3.0e38, dtype)
        scores = ops.where(mask, scores, lowest)
    if scores.shape[-1] == 1:
        # 1 with gradient 0: Keras' softmax warns of an axis of size 1, and ones that
        # do not depend on the scores would leave weights without any gradient.
        weights = ops.exp(scores - scores)
    else:
        weights = ops.softmax(scores, axis=-1)
    if mask is not None:
        weights = ops.where(mask, weights, ops.zeros_like(weights))
    return weights
