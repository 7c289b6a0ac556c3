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
        **kwargs: Arguments of `ScoreAttention`: `dropout`, `seed`, `chunk_size`, and
            those of `keras.layers.Layer`.

    Raises:
        ValueError: If query and key differ in size, or as for `ScoreAttention`.

    Example:
        ```python
        context = ScaledDotProductAttention()(x, x, use_causal_mask=True)
        ```

    Reference:
        [Vaswani et al., 2017](https://arxiv.org/abs/1706.03762), section 3.2.1,
        equation 1.
    """

    def check_shapes(
        self, query_shape: Shape, value_shape: Shape, key_shape: Shape | None = None
    ) -> None:
        super().check_shapes(query_shape, value_shape, key_shape)
        check_equal_sizes(query_shape, value_shape, key_shape, "Project one of them.")

    def project_query(self, query: Tensor) -> Tensor:
        # Scaled before the product: in float16 the product could overflow.
        return query * (1.0 / math.sqrt(query.shape[-1]))

    def score(self, query: Tensor, key: Tensor) -> Tensor:
        return dot_scores(query, key)

    def score_terms(self, query: Tensor, key: Tensor) -> list[Any]:
        return [(DotTerm(), (query[:, None], key[:, None]))]
