"""Scores and masks to attention weights."""

import keras
from keras import ops

from keras_attention.annotations import Tensor
from keras_attention.core.checks import check_mask


def masked_softmax(scores: Tensor, mask: Tensor | None = None) -> Tensor:
    """Turn scores into weights that are exactly 0 at hidden keys.

    Args:
        scores: Shape `(..., T, S)`, finite where the mask is `True`.
        mask: Boolean, broadcastable to `scores`; `True` = attend. Default: all.

    Returns:
        Weights of the shape of `scores`, in float32 or wider; each row sums to 1, or,
        with gradient 0, to 0 if its query may attend to nothing.

    Raises:
        ValueError: If `mask` holds floats.

    Example:
        ```python
        scores = keras.ops.array([[0.5, 0.5, 9.0], [1.0, 2.0, 3.0]])
        mask = [[True, True, False], [False, False, False]]
        weights = masked_softmax(scores, mask)  # [[0.5, 0.5, 0], [0, 0, 0]]
        ```
    """
    check_mask("mask", mask)
    dtype = keras.backend.result_type(scores.dtype, "float32")
    scores = ops.cast(scores, dtype)
    if mask is not None:
        # The most negative finite number: an added constant fails in float16, and
        # minus infinity gives NaN gradients in rows that are hidden whole.
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
