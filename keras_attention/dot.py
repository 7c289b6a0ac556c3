"""Multiplicative attention."""

import math

import keras
from keras import ops

from keras_attention.base import ScoreAttention, check_positive_int
from keras_attention.scores import additive_scores, dot_scores


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
        ValueError: If `dropout` is not in [0, 1), query and key differ in size, or a
            shape does not fit.

    Example:
        ```python
        context = ScaledDotProductAttention()(x, x, use_causal_mask=True)
        ```

    Reference:
        [Vaswani et al., 2017](https://arxiv.org/abs/1706.03762), section 3.2.1,
        equation 1.
    """

    def build(self, query_shape, value_shape, key_shape=None):
        super().build(query_shape, value_shape, key_shape)
        _check_equal_sizes(query_shape, value_shape, key_shape, "Project one of them.")

    def project_query(self, query):
        # Scaled before the product: in float16 the product could overflow.
        return query * (1.0 / math.sqrt(query.shape[-1]))

    def score(self, query, key):
        return dot_scores(query, key)


@keras.saving.register_keras_serializable(package="keras_attention")
class LuongAttention(ScoreAttention):
    """Attends by an inner product, plain, through a matrix, or by a hidden layer.

    dot: query · key; general: query · W key; concat: v · tanh(W [query; key])

    The global attention of Luong. `dot` has no weights and wants queries and keys of
    one size; `general` lets the sizes differ; `concat` is additive attention without a
    bias.

    Shapes: `B` batch, `T` queries, `S` keys, `Dq`/`Dk`/`Dv` feature sizes.

    Args:
        score: `"dot"`, `"general"` or `"concat"`.
        units: Positive int. Size of the hidden layer of `concat`, given for it alone.
        use_scale: Bool. Whether scores are multiplied by one learned factor, which
            starts at 1.
        kernel_initializer: Initializer of the weights.
        dropout: Float in [0, 1). Share of weights set to 0 in training.
        seed: Int or `None`. Seed of the dropout.
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
        ValueError: If `score` is none of the three, `units` is missing for `concat` or
            given for another, `dropout` is not in [0, 1), query and key differ in size
            for `dot`, or a shape does not fit.

    Example:
        ```python
        attention = LuongAttention(score="general")
        context, weights = attention(
            decoder_outputs, encoder_states, return_attention_scores=True
        )
        ```

    Reference:
        [Luong et al., 2015](https://arxiv.org/abs/1508.04025), section 3.1, equations
        7 and 8.
    """

    def __init__(
        self,
        score="dot",
        units=None,
        use_scale=False,
        kernel_initializer="glorot_uniform",
        dropout=0.0,
        seed=None,
        **kwargs,
    ):
        super().__init__(dropout=dropout, seed=seed, **kwargs)
        if score not in ("dot", "general", "concat"):
            raise ValueError(
                "`score` must be 'dot', 'general' or 'concat'. "
                f"Received: score={score!r}."
            )
        if score == "concat":
            check_positive_int("units", units)
        elif units is not None:
            raise ValueError(
                "`units` must be None unless score='concat'. "
                f"Received: score={score!r}, units={units!r}."
            )
        # `score` itself is the method; the argument keeps its name in the config.
        self.score_name = score
        self.units = units
        self.use_scale = use_scale
        self.kernel_initializer = keras.initializers.get(kernel_initializer)

    def build(self, query_shape, value_shape, key_shape=None):
        super().build(query_shape, value_shape, key_shape)
        query_size, key_size = query_shape[-1], (key_shape or value_shape)[-1]
        if self.score_name == "dot":
            _check_equal_sizes(
                query_shape, value_shape, key_shape, "Use score='general'."
            )
        elif self.score_name == "general":
            self.kernel = self._kernel("kernel", (key_size, query_size))
        else:
            self.query_kernel = self._kernel("query_kernel", (query_size, self.units))
            self.key_kernel = self._kernel("key_kernel", (key_size, self.units))
            self.vector = self._kernel("vector", (self.units, 1))
        self.scale = None
        if self.use_scale:
            self.scale = self.add_weight(name="scale", shape=(), initializer="ones")

    def project_query(self, query):
        if self.score_name == "concat":
            query = ops.matmul(query, ops.cast(self.query_kernel, query.dtype))
        return query

    def project_key(self, key):
        if self.score_name == "general":
            key = ops.matmul(key, ops.cast(self.kernel, key.dtype))
        elif self.score_name == "concat":
            key = ops.matmul(key, ops.cast(self.key_kernel, key.dtype))
        return key

    def score(self, query, key):
        if self.score_name == "concat":
            vector = ops.cast(self.vector, query.dtype)[:, 0]
            scores = additive_scores(query, key, vector)
        else:
            scores = dot_scores(query, key)
        if self.scale is not None:
            scores = scores * ops.cast(self.scale, scores.dtype)
        return scores

    def get_config(self):
        return {
            **super().get_config(),
            "score": self.score_name,
            "units": self.units,
            "use_scale": self.use_scale,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
        }

    def _kernel(self, name, shape):
        # A copy each: one initializer used twice gives the same numbers twice.
        initializer = self.kernel_initializer.clone()
        return self.add_weight(name=name, shape=shape, initializer=initializer)


def _check_equal_sizes(query_shape, value_shape, key_shape, mend):
    key_shape = key_shape or value_shape
    if query_shape[-1] != key_shape[-1]:
        raise ValueError(
            "`query` and `key` must have one size (last axis). Received: "
            f"query_shape={tuple(query_shape)}, key_shape={tuple(key_shape)}. {mend}"
        )
