"""Scaled dot-product attention."""

import math
from typing import Any

import keras

from keras_attention.annotations import Shape, Tensor
from keras_attention.chunked import DotTerm
from keras_attention.core import check_equal_sizes, dot_scores
from keras_attention.layers.score_attention import ScoreAttention


@keras.saving.register_keras_serializable(package="keras_attention")
class ScaledDotProductAttention(ScoreAttention):
    """Attends by inner products that keep unit variance at any size.

    score = query · key / sqrt(D)

    No weights. The inner product of D independent terms of mean 0 and variance 1 has
    mean 0 and variance D; the division brings the variance back to 1, so that the
    softmax does not become sharp with D alone.

    Shapes: `B` batch, `T` queries, `S` keys, `D` size of query and key, `Dv` of values.

    Args:
        dropout: Float in [0, 1). Share of weights set to 0 in training.
        seed: Int or `None`. Seed of the dropout.
        chunk_size: Positive int or `None`. How many queries and keys are computed at a
            time, in memory that grows with T + S, or, where weights are asked for, with
            them; the numbers are the same. `None`: all. Goes without dropout.
        **kwargs: Arguments of `keras.layers.Layer`, such as `name` and `dtype`.

    Call arguments:
        query: Shape `(B, T, D)`, or `(B, D)` for one step.
        value: Shape `(B, S, Dv)`.
        key: Shape `(B, S, D)`; `value` if left out.
        query_mask: Boolean, shape `(B, T)`, or `(B,)` for one step.
        value_mask: Boolean, shape `(B, S)`. Padding at `False` is never looked at.
        key_mask: Boolean, shape `(B, S)`.
        attention_mask: Boolean, shape `(T, S)` or `(B, T, S)`.
        use_causal_mask: Bool. Whether query t sees keys 0 to t alone.
        return_attention_scores: Bool. Whether to return the weights too.
        training: Bool. Whether dropout acts.

    Returns:
        context: Shape `(B, T, Dv)`, or `(B, Dv)` for one step.
        weights: Shape `(B, T, S)`, or `(B, S)` for one step, only if
            `return_attention_scores`.

    Raises:
        ValueError: If `dropout` is not in [0, 1) or is combined with `chunk_size`,
            `chunk_size` is not a positive int, query and key differ in size, or a shape
            does not fit.

    Example:
        ```python
        context = ScaledDotProductAttention()(x, x, use_causal_mask=True)
        ```

    Reference:
        [Vaswani et al., 2017](https://arxiv.org/abs/1706.03762), section 3.2.1,
        equation 1.
    """

    def build(
        self, query_shape: Shape, value_shape: Shape, key_shape: Shape | None = None
    ) -> None:
        super().build(query_shape, value_shape, key_shape)
        check_equal_sizes(query_shape, value_shape, key_shape, "Project one of them.")

    def project_query(self, query: Tensor) -> Tensor:
        # Scaled before the product: in float16 the product could overflow.
        return query * (1.0 / math.sqrt(query.shape[-1]))

    def score(self, query: Tensor, key: Tensor) -> Tensor:
        return dot_scores(query, key)

    def score_terms(self, query: Tensor, key: Tensor) -> list[Any]:
        return [(DotTerm(), (query[:, None], key[:, None]))]
