"""Scores and masks to attention weights."""

import keras
from keras import ops

from keras_attention.annotations import Tensor
from keras_attention.core.checks import check_mask

# Finite: with minus infinity a row that attends to nothing would make NaN.
LOWEST = -3.0e38


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
    if mask is None:
        return softmax(scores)
    # The most negative finite number: an added constant fails in float16, and minus
    # infinity gives NaN gradients in rows that are hidden whole.
    weights = softmax(ops.where(mask, scores, ops.cast(LOWEST, dtype)))
    return ops.where(mask, weights, ops.cast(0.0, dtype))


def softmax(scores: Tensor) -> Tensor:
    """Give the softmax over the last axis, of any size."""
    if scores.shape[-1] == 1:
        # 1 with gradient 0: Keras' softmax warns of an axis of size 1, and ones that
        # do not depend on the scores would leave weights without any gradient.
        return ops.exp(scores - scores)
    return ops.softmax(scores, axis=-1)
