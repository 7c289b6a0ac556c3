"""Additive attention, and the score that it shares with other layers."""

from typing import Any

import keras
from keras import ops

from keras_attention.annotations import Initializer, Shape, Tensor
from keras_attention.chunked import AdditiveTerm
from keras_attention.core import (
    add_kernel,
    additive_scores,
    check_bool,
    check_features,
    check_int,
    project,
)
from keras_attention.layers.base import AttentionLayer
from keras_attention.layers.score_attention import ScoreAttention


class AdditiveScorer(AttentionLayer):
    """Gives a layer the additive score: a class to inherit from beside the layer's.

    score = v · tanh(W_query query + W_key key + b)

    The layer has `units`, `None` where it does not use the score, and
    `kernel_initializer`; it may have a bias b and normalise v.
    """

    units: Any
    kernel_initializer: Any
    use_bias = False
    normalize = False

    def build(
        self, query_shape: Shape, value_shape: Shape, key_shape: Shape | None = None
    ) -> None:
        super().build(query_shape, value_shape, key_shape)
        if self.units is None:
            return
        query_size, key_size = query_shape[-1], (key_shape or value_shape)[-1]
        self.query_kernel = add_kernel(self, "query_kernel", (query_size, self.units))
        self.key_kernel = add_kernel(self, "key_kernel", (key_size, self.units))
        self.vector = add_kernel(self, "vector", (self.units, 1))
        self.gain = self.bias = None
        if self.normalize:
            start = keras.initializers.Constant(self.units**-0.5)
            self.gain = self.add_weight(name="gain", shape=(), initializer=start)
        if self.use_bias:
            self.bias = self.add_weight(
                name="bias", shape=(self.units,), initializer="zeros"
            )

    def check_shapes(
        self, query_shape: Shape, value_shape: Shape, key_shape: Shape | None = None
    ) -> None:
        super().check_shapes(query_shape, value_shape, key_shape)
        if hasattr(self, "query_kernel"):
            check_features(query_shape, self.query_kernel.shape[0])
            check_features(key_shape or value_shape, self.key_kernel.shape[0])

    def project_query(self, query: Tensor) -> Tensor:
        return project(query, self.query_kernel)

    def project_key(self, key: Tensor) -> Tensor:
        return project(key, self.key_kernel, self.bias)

    def score_vector(self, dtype: str) -> Tensor:
        """Give the vector v, shape `(units,)`; it is normalised in float32 at least."""
        vector = ops.squeeze(self.vector, axis=-1)
        if self.gain is not None:
            wide = keras.backend.result_type(vector.dtype, "float32")
            vector = ops.normalize(ops.cast(vector, wide)) * ops.cast(self.gain, wide)
        return ops.cast(vector, dtype)

    def score(self, query: Tensor, key: Tensor) -> Tensor:
        return additive_scores(query, key, self.score_vector(query.dtype))

    def score_terms(self, query: Tensor, key: Tensor) -> list[Any]:
        vector = self.score_vector(query.dtype)
        return [(AdditiveTerm(), (query[:, None], key[:, None], vector))]

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "units": self.units,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
        }


@keras.saving.register_keras_serializable(package="keras_attention")
class BahdanauAttention(AdditiveScorer, ScoreAttention):
    """Attends by a small network that compares each query with each key.

    score = v · tanh(W_query query + W_key key + b)

    The additive attention of RNN translation. Query and key are projected, so their
    sizes may differ; `keras.layers.AdditiveAttention` has no projections, wants equal
    sizes, and is another function. W_key has the only bias: one for each side would be
    one too many.

    With `normalize` the vector v is g · v / ||v||: its gain g is learned apart from
    its direction, and starts at sqrt(1 / units), so that scores start small at any
    size.

    Args:
        units: Positive int. Size of the hidden layer, and so of v.
        normalize: Bool. Whether v is normalised and has a learned gain.
        use_bias: Bool. Whether the hidden layer has a bias.
        kernel_initializer: Initializer of W_query, W_key and v.
        dropout, seed, chunk_size, **kwargs: As for `ScoreAttention`.

    Raises:
        ValueError: If `units` is not a positive int, or as for `ScoreAttention`.

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
        self.normalize = check_bool("normalize", normalize)
        self.use_bias = check_bool("use_bias", use_bias)
        self.kernel_initializer = keras.initializers.get(kernel_initializer)

    @property
    def length(self) -> Tensor | None:
        """The former name of `gain`."""
        return self.gain

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "normalize": self.normalize,
            "use_bias": self.use_bias,
        }
