"""Luong's attention."""

from collections.abc import Sequence
from typing import Any, Literal

import keras
from keras import ops

from keras_attention.annotations import Initializer, Shape, Tensor
from keras_attention.chunked import AdditiveTerm, AttentionStatistics, DotTerm
from keras_attention.core import (
    add_kernel,
    additive_scores,
    check_equal_sizes,
    check_int,
    combine_masks,
    dot_scores,
    masked_softmax,
    project,
)
from keras_attention.layers.base import Memory
from keras_attention.layers.score_attention import ScoreAttention
from keras_attention.layers.windows import fade, key_places, query_places


@keras.saving.register_keras_serializable(package="keras_attention")
class LuongAttention(ScoreAttention):
    """Attends by an inner product, plain, through a matrix, or by a hidden layer.

    dot: query · key; general: query · W key; concat: v · tanh(W [query; key])

    The attention of Luong. `dot` has no weights and wants queries and keys of one size;
    `general` lets the sizes differ; `concat` is additive attention without a bias.

    It is global unless a window is asked for. The window "monotonic" (local-m) stands
    at the place of the query: the softmax of query p runs over the keys p - D to
    p + D. The window "predictive" (local-p) stands where the query wants it, at
    p = S · sigmoid(v_p · tanh(W_p query)), and its weights fade with the distance from
    there, so that rows sum to less than 1. Keys and queries are counted from 0, and
    padding is not counted, on either side. A query whose window lies beyond the keys
    sees nothing.

    Shapes: `B` batch, `T` queries, `S` keys, `Dq`/`Dk`/`Dv` feature sizes.

    Args:
        score: `"dot"`, `"general"` or `"concat"`.
        units: Positive int. Size of the hidden layer of `concat`, given for it alone.
        use_scale: Bool. Whether scores are multiplied by one learned factor, which
            starts at 1.
        window: `None`, `"monotonic"` or `"predictive"`.
        window_size: Positive int. D, the keys on either side of a window's centre.
        kernel_initializer: Initializer of the weights.
        dropout: Float in [0, 1). Share of weights set to 0 in training.
        seed: Int or `None`. Seed of the dropout.
        chunk_size: Positive int or `None`. How many queries and keys are computed at a
            time, in memory that grows with T + S, or, where weights are asked for, with
            them; the numbers are the same. `None`: all. Goes without dropout or window.
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
        position: Int, or integers of shape `(B,)`. The place of the first query, for
            the window "monotonic" alone; 0 if left out. Give it where a sequence is
            asked one step at a time; `AttentionRNN` counts by itself.

    Returns:
        context: Shape `(B, T, Dv)`, or `(B, Dv)` for one step.
        weights: Shape `(B, T, S)`, or `(B, S)` for one step, only if
            `return_attention_scores`. Rows sum to 1, or to less with the window
            "predictive".

    Raises:
        ValueError: If `score` is none of the three, `units` is missing for `concat` or
            given for another, `window` is unknown, `window_size` is not a positive
            int, `dropout` is not in [0, 1), `chunk_size` is not a positive int or is
            combined with dropout or a window, query and key differ in size for `dot`,
            `position` is given without the window "monotonic", or a shape does not
            fit.

    Example:
        ```python
        attention = LuongAttention(score="general")
        context, weights = attention(
            decoder_outputs, encoder_states, return_attention_scores=True
        )
        ```

    Reference:
        [Luong et al., 2015](https://arxiv.org/abs/1508.04025), section 3.1, equations
        7 and 8; windows: section 3.2, equations 9 and 10.
    """

    def __init__(
        self,
        score: Literal["dot", "general", "concat"] = "dot",
        units: int | None = None,
        use_scale: bool = False,
        window: Literal["monotonic", "predictive"] | None = None,
        window_size: int = 10,
        kernel_initializer: Initializer = "glorot_uniform",
        dropout: float = 0.0,
        seed: int | None = None,
        chunk_size: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(dropout=dropout, seed=seed, chunk_size=chunk_size, **kwargs)
        if score not in ("dot", "general", "concat"):
            raise ValueError(
                "`score` must be 'dot', 'general' or 'concat'. "
                f"Received: score={score!r}."
            )
        if score == "concat":
            check_int("units", units)
        elif units is not None:
            raise ValueError(
                "`units` must be None unless score='concat'. "
                f"Received: score={score!r}, units={units!r}."
            )
        if window not in (None, "monotonic", "predictive"):
            raise ValueError(
                "`window` must be None, 'monotonic' or 'predictive'. "
                f"Received: window={window!r}."
            )
        # `score` itself is the method; the argument keeps its name in the config.
        self.score_name = score
        self.units = units
        self.use_scale = use_scale
        if window is not None and chunk_size is not None:
            raise ValueError(
                "`chunk_size` must be None with a window. Received: "
                f"chunk_size={chunk_size!r}, window={window!r}."
            )
        self.window = window
        self.window_size = check_int("window_size", window_size)
        self.kernel_initializer = keras.initializers.get(kernel_initializer)

    def build(
        self, query_shape: Shape, value_shape: Shape, key_shape: Shape | None = None
    ) -> None:
        super().build(query_shape, value_shape, key_shape)
        query_size, key_size = query_shape[-1], (key_shape or value_shape)[-1]
        if self.score_name == "dot":
            check_equal_sizes(
                query_shape, value_shape, key_shape, "Use score='general'."
            )
        elif self.score_name == "general":
            self.kernel = add_kernel(self, "kernel", (key_size, query_size))
        else:
            self.query_kernel = add_kernel(
                self, "query_kernel", (query_size, self.units)
            )
            self.key_kernel = add_kernel(self, "key_kernel", (key_size, self.units))
            self.vector = add_kernel(self, "vector", (self.units, 1))
        self.scale = None
        if self.use_scale:
            self.scale = self.add_weight(name="scale", shape=(), initializer="ones")
        if self.window == "predictive":
            self.place_kernel = add_kernel(
                self, "place_kernel", (query_size, query_size)
            )
            self.place_vector = add_kernel(self, "place_vector", (query_size, 1))

    def call(
        self,
        query: Tensor,
        value: Tensor,
        key: Tensor | None = None,
        query_mask: Tensor | None = None,
        value_mask: Tensor | None = None,
        key_mask: Tensor | None = None,
        attention_mask: Tensor | None = None,
        use_causal_mask: bool = False,
        return_attention_scores: bool = False,
        training: bool = False,
        position: int | Tensor | None = None,
    ) -> Tensor | tuple[Tensor, Tensor]:
        if position is not None and self.window != "monotonic":
            raise ValueError(
                "`position` must be None unless window='monotonic'. "
                f"Received: position={position!r}, window={self.window!r}."
            )
        memory = self.prepare(value, key, value_mask=value_mask, key_mask=key_mask)
        return self._call_prepared(
            query,
            memory,
            () if position is None else [_start(memory, position)],
            query_mask=query_mask,
            attention_mask=attention_mask,
            use_causal_mask=use_causal_mask,
            return_attention_scores=return_attention_scores,
            training=training,
        )

    def initial_state(self, memory: Memory) -> list[Tensor]:
        """Give the place of the first query, which the window "monotonic" needs.

        Args:
            memory: A `Memory` from `prepare`.

        Returns:
            A list of one int32 tensor of shape `(B, 1)`, 0; empty without that window.
        """
        if self.window != "monotonic":
            return []
        return [ops.zeros((ops.shape(memory.value)[0], 1), "int32")]

    def attend(
        self,
        query: Tensor,
        memory: Memory,
        state: Sequence[Tensor] = (),
        query_mask: Tensor | None = None,
        attention_mask: Tensor | None = None,
        training: bool = False,
    ) -> tuple[Tensor, Tensor, list[Tensor]]:
        """Attend to a prepared memory.

        Args:
            query: Shape `(B, T, Dq)`.
            memory: A `Memory` from `prepare`.
            state: What `initial_state` or the last call gave; the first if left out.
            query_mask: Boolean, shape `(B, T)`, or `None`. A query at `False` is not
                counted by the window "monotonic".
            attention_mask: Boolean, shape `(T, S)`, `(B, T, S)`, or `None`.
            training: Bool. Whether to draw dropout for each query, where `prepare`
                did not draw it.

        Returns:
            `(context, weights, state)`: shapes `(B, T, Dv)`, `(B, T, S)`, a list.
        """
        if self.window is None:
            return super().attend(
                query,
                memory,
                state,
                query_mask=query_mask,
                attention_mask=attention_mask,
                training=training,
            )
        query = ops.cast(query, self.compute_dtype)
        places, count = key_places(memory)
        if self.window == "monotonic":
            (start,) = list(state) or self.initial_state(memory)
            centre, after = query_places(query, start, query_mask)
            centre, state = ops.cast(centre, "float32"), [after]
        else:
            centre, state = count * self._predict(query), []
        distance = places[:, None, :] - centre[:, :, None]  # B T S
        mask = combine_masks(query_mask, memory.mask, attention_mask)
        near = ops.abs(distance) <= self.window_size
        mask = near if mask is None else ops.logical_and(mask, near)
        scores = self.score(self.project_query(query), memory.key)
        weights = masked_softmax(scores, mask)
        if self.window == "predictive":
            weights = weights * fade(distance, self.window_size)
        weights = ops.cast(weights, self.compute_dtype)
        return self._mix(weights, memory, training), weights, state

    def statistics(
        self,
        query: Tensor,
        value: Tensor,
        key: Tensor | None = None,
        query_mask: Tensor | None = None,
        value_mask: Tensor | None = None,
        key_mask: Tensor | None = None,
        attention_mask: Tensor | None = None,
        use_causal_mask: bool = False,
    ) -> AttentionStatistics:
        if self.window is not None:
            raise ValueError(
                "`window` must be None for statistics, which are those of a softmax "
                f"over all keys. Received: window={self.window!r}. Ask for the weights."
            )
        return super().statistics(
            query,
            value,
            key,
            query_mask=query_mask,
            value_mask=value_mask,
            key_mask=key_mask,
            attention_mask=attention_mask,
            use_causal_mask=use_causal_mask,
        )

    def project_query(self, query: Tensor) -> Tensor:
        if self.score_name == "concat":
            query = project(query, self.query_kernel)
        return query

    def project_key(self, key: Tensor) -> Tensor:
        if self.score_name == "general":
            key = project(key, self.kernel)
        elif self.score_name == "concat":
            key = project(key, self.key_kernel)
        return key

    def score(self, query: Tensor, key: Tensor) -> Tensor:
        if self.score_name == "concat":
            vector = ops.cast(self.vector, query.dtype)[:, 0]
            scores = additive_scores(query, key, vector)
        else:
            scores = dot_scores(query, key)
        if self.scale is not None:
            scores = scores * ops.cast(self.scale, scores.dtype)
        return scores

    def score_terms(self, query: Tensor, key: Tensor) -> list[Any]:
        scale = 1.0 if self.scale is None else ops.cast(self.scale, query.dtype)
        if self.score_name == "concat":
            vector = scale * ops.cast(self.vector, query.dtype)[:, 0]
            return [(AdditiveTerm(), (query[:, None], key[:, None], vector))]
        return [(DotTerm(), (scale * query[:, None], key[:, None]))]

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "score": self.score_name,
            "units": self.units,
            "use_scale": self.use_scale,
            "window": self.window,
            "window_size": self.window_size,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
        }

    def _predict(self, query):
        """Predict where to look, as a share of the keys, shape `(B, T)`: equation 9."""
        hidden = ops.tanh(project(query, self.place_kernel))
        share = project(hidden, self.place_vector)[:, :, 0]
        return ops.sigmoid(ops.cast(share, "float32"))


def _start(memory, position):
    """Give the place of the first query, shape `(B, 1)`, from an int or one each."""
    position = ops.convert_to_tensor(position, dtype="int32")
    if len(position.shape) > 1:
        raise ValueError(
            "`position` must be an int or have shape (B,). "
            f"Received: position of shape {tuple(position.shape)}."
        )
    nothing = ops.zeros_like(memory.value[:, 0, 0], dtype="int32")
    return (nothing + position)[:, None]
