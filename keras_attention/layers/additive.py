"""Additive attention."""

from typing import Any

import keras
from keras import ops

from keras_attention.annotations import Initializer, Shape, Tensor
from keras_attention.chunked import AdditiveTerm
from keras_attention.core import (
    add_kernel,
    additive_scores,
    check_int,
    project,
)
from keras_attention.layers.score_attention import ScoreAttention


@keras.saving.register_keras_serializable(package="keras_attention")
class BahdanauAttention(ScoreAttention):
    """Attends by a small network that compares each query with each key.

    score = v · tanh(W_query query + W_key key)

    The additive attention of RNN translation. Query and key are projected, so their
    sizes may differ; `keras.layers.AdditiveAttention` has no projections, wants equal
    sizes, and is another function. W_key has the only bias: one for each side would be
    one too many.

    With `normalize` the vector v is g · v / ||v||: its length g is learned apart from
    its direction, and starts at sqrt(1 / units), so that scores start small at any
    size.

    Shapes: `B` batch, `T` queries, `S` keys, `Dq`/`Dk`/`Dv` feature sizes.

    Args:
        units: Positive int. Size of the hidden layer, the length of v.
        normalize: Bool. Whether v is normalised and its length learned apart.
        use_bias: Bool. Whether the hidden layer has a bias.
        kernel_initializer: Initializer of W_query, W_key and v.
        dropout: Float in [0, 1). Share of weights set to 0 in training.
        seed: Int or `None`. Seed of the dropout.
        chunk_size: Positive int or `None`. How many queries and keys are computed at a
            time, in memory that grows with T + S, or, where weights are asked for, with
            them; the numbers are the same. `None`: all. Goes without dropout.
        **kwargs: Arguments of `keras.layers.Layer`, such as `name` and `dtype`.

    Call arguments:
        query: Shape `(B, T, Dq)`, or `(B, Dq)` for one step, such as a decoder state.
        value: Shape `(B, S, Dv)`, such as encoder outputs.
        key: Shape `(B, S, Dk)`; `value` if left out.
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
        ValueError: If `units` or `chunk_size` is not a positive int, `dropout` is not
            in [0, 1) or is combined with `chunk_size`, or a shape does not fit.

    Example:
        ```python
        attention = BahdanauAttention(units=128)
        context, weights = attention(
            decoder_state, encoder_states, value_mask=mask, return_attention_scores=True
        )
        ```

    Reference:
        [Bahdanau et al., 2015](https://arxiv.org/abs/1409.0473), section 3.1 and
        appendix A.1.2; `normalize`: [Salimans and Kingma,
        2016](https://arxiv.org/abs/1602.07868), equation 2, as used by [Raffel et al.,
        2017](https://arxiv.org/abs/1704.00784), section 2.4.
    """

    def __init__(
        self,
        units: int,
        normalize: bool = False,
        use_bias: bool = True,
        kernel_initializer: Initializer = "glorot_uniform",
        dropout: float = 0.0,
        seed: int | None = None,
        chunk_size: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(dropout=dropout, seed=seed, chunk_size=chunk_size, **kwargs)
        self.units = check_int("units", units)
        self.normalize = normalize
        self.use_bias = use_bias
        self.kernel_initializer = keras.initializers.get(kernel_initializer)

    def build(
        self, query_shape: Shape, value_shape: Shape, key_shape: Shape | None = None
    ) -> None:
        super().build(query_shape, value_shape, key_shape)
        key_size = (key_shape or value_shape)[-1]
        self.query_kernel = add_kernel(
            self, "query_kernel", (query_shape[-1], self.units)
        )
        self.key_kernel = add_kernel(self, "key_kernel", (key_size, self.units))
        self.vector = add_kernel(self, "vector", (self.units, 1))
        self.length = None
        if self.normalize:
            start = keras.initializers.Constant(self.units**-0.5)
            self.length = self.add_weight(name="length", shape=(), initializer=start)
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(
                name="bias", shape=(self.units,), initializer="zeros"
            )

    def project_query(self, query: Tensor) -> Tensor:
        return project(query, self.query_kernel)

    def project_key(self, key: Tensor) -> Tensor:
        key = project(key, self.key_kernel)
        return key if self.bias is None else key + ops.cast(self.bias, key.dtype)

    def score(self, query: Tensor, key: Tensor) -> Tensor:
        return additive_scores(query, key, self.score_vector(query.dtype))

    def score_vector(self, dtype: str) -> Tensor:
        """Give the vector v of the score, normalised if asked.

        Args:
            dtype: Of the result. The norm itself is taken in float32.

        Returns:
            Shape `(units,)`.
        """
        vector = self.vector[:, 0]
        if self.length is not None:
            vector = ops.normalize(ops.cast(vector, "float32"))
            vector = vector * ops.cast(self.length, "float32")
        return ops.cast(vector, dtype)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "units": self.units,
            "normalize": self.normalize,
            "use_bias": self.use_bias,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
        }

    def score_terms(self, query: Tensor, key: Tensor) -> list[Any]:
        vector = self.score_vector(query.dtype)
        return [(AdditiveTerm(), (query[:, None], key[:, None], vector))]
