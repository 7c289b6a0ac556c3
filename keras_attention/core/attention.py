"""Attention as a function, without a layer: scores, weights, context."""

import math

from keras import ops

from keras_attention.annotations import Tensor
from keras_attention.core.checks import fits
from keras_attention.core.scores import dot_scores
from keras_attention.core.softmax import masked_softmax


def scaled_dot_product_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    mask: Tensor | None = None,
    scale: float | None = None,
) -> tuple[Tensor, Tensor, Tensor]:
    """Attend by inner products, and show each stage.

    scores = scale · query · keyᵀ; weights = softmax(scores); context = weights · value

    The arithmetic alone: for models take `ScaledDotProductAttention`, which has masks
    for each side, cleans padding, and saves memory. The axes before the last two, such
    as batch and heads, are the same in all arguments, and there may be none.

    Args:
        query: Shape `(..., T, D)`, or `(..., D)` for one query, which gives results
            without the axis T.
        key: Shape `(..., S, D)`.
        value: Shape `(..., S, Dv)`.
        mask: Boolean, broadcastable to the scores; `True` = attend. Default: all.
        scale: Number. Default: 1 / sqrt(D); 1.0 for plain inner products.

    Returns:
        scores: Shape `(..., T, S)`: scaled, before mask and softmax.
        weights: Shape `(..., T, S)`, in float32 or wider; each row sums to 1, or to 0
            if all is hidden.
        context: Shape `(..., T, Dv)`.

    Raises:
        ValueError: If the axes do not fit, or `mask` holds floats.

    Example:
        ```python
        words = keras.random.normal((6, 16))  # six words, each attends to all
        scores, weights, context = scaled_dot_product_attention(words, words, words)
        ```

    Reference:
        [Vaswani et al., 2017](https://arxiv.org/abs/1706.03762), section 3.2.1,
        equation 1.
    """
    query, key, value = map(ops.convert_to_tensor, (query, key, value))
    shapes = tuple(query.shape), tuple(key.shape), tuple(value.shape)
    one_query = len(query.shape) == len(key.shape) - 1
    if (
        len(key.shape) < 2
        or len(query.shape) + one_query != len(key.shape)
        or len(value.shape) != len(key.shape)
        or not fits(query.shape[-1], key.shape[-1])
        or not fits(value.shape[-2], key.shape[-2])
    ):
        raise ValueError(
            "`query`, `key` and `value` must have shapes (..., T, D), or (..., D) for "
            "one query, (..., S, D) and (..., S, Dv). "
            f"Received: {', '.join(map(str, shapes))}."
        )
    if one_query:
        query = query[..., None, :]
    # The query is scaled, not the scores: in float16 these could be infinite before.
    scale = 1.0 / math.sqrt(key.shape[-1]) if scale is None else scale
    query = ops.multiply(query, scale)
    scores = dot_scores(query, key)
    if one_query and mask is not None:
        mask = ops.expand_dims(mask, -2)
    weights = masked_softmax(scores, mask)
    context = ops.matmul(ops.cast(weights, value.dtype), value)
    if one_query:
        scores, weights, context = (x[..., 0, :] for x in (scores, weights, context))
    return scores, weights, context
