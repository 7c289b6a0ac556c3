"""Luong's attention."""

from collections.abc import Sequence
from typing import Any, Literal

import keras
import numpy as np
from keras import ops

from keras_attention.annotations import Initializer, Shape, Tensor
from keras_attention.chunked import AdditiveTerm, AttentionStatistics, DotTerm
from keras_attention.core import (
    add_kernel,
    check_bool,
    check_equal_sizes,
    check_features,
    check_int,
    combine_masks,
    dot_scores,
    fits,
    project,
)
from keras_attention.layers.additive import AdditiveScorer
from keras_attention.layers.memory import Memory
from keras_attention.layers.score_attention import ScoreAttention
from keras_attention.layers.windows import fade, key_places, query_places


@keras.saving.register_keras_serializable(package="keras_attention")
class LuongAttention(AdditiveScorer, ScoreAttention):
    """Attends by an inner product, plain, through a matrix, or by a hidden layer.

    dot: query · key; general: query · W key; concat: v · tanh(W [query; key])

    `dot` has no weights and wants queries and keys of one size; `general` lets the
    sizes differ; `concat` is additive attention without a bias.

    Without a window every query attends to all keys. The window "monotonic" (local-m)
    is centred at the place of the query: query p attends to the keys p - D to p + D.
    The window "predictive" (local-p) is centred at p = S · sigmoid(v_p · tanh(W_p
    query)), and its weights fade with the distance from there, so that rows sum to less
    than 1. Keys and queries are counted from 0, and padding is not counted, on either
    side. A query whose window lies beyond the keys gets weights 0.

    Args:
        score: `"dot"`, `"general"` or `"concat"`.
        units: Positive int. Size of the hidden layer of `concat`, given for it alone.
        use_scale: Bool. Whether scores are multiplied by one learned factor, which
            starts at 1.
        window: `None`, `"monotonic"` or `"predictive"`.
        window_size: Positive int. D, the keys on either side of a window's centre.
        kernel_initializer: Initializer of the weights.
        dropout, seed, **kwargs: As for `ScoreAttention`.
        chunk_size: As for `ScoreAttention`; `None` with a window.

    Call arguments, besides those of `ScoreAttention`:
        position: Int, or integers of shape `(B,)`. The place of the first query, for
            the window "monotonic" alone; 0 if left out. Give it where the queries of
            a sequence come one at a time; `AttentionRNN` counts by itself.

    Raises:
        ValueError: If an argument is not as told above, query and key differ in size
            for `dot`, `position` is given without the window "monotonic", or as for
            `ScoreAttention`.

    Example:
        ```python
        attention = LuongAttention(score="general")
        context, weights = attention(
            decoder_outputs, encoder_states, return_attention_scores=True
        )
        ```

    Reference:
        [Luong et al., 2015](https://arxiv.org/abs/1508.04025), section 3.1 with
        equation 7; windows: section 3.2, equations 9 and 10.
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
            units = check_int("units", units)
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
        if window is not None and chunk_size is not None:
            raise ValueError(
                "`chunk_size` must be None with a window. Received: "
                f"chunk_size={chunk_size!r}, window={window!r}."
            )
        # `score` itself is the method; the argument keeps its name in the config.
        self.score_name = score
        self.units = units
        self.use_scale = check_bool("use_scale", use_scale)
        self.window = window
        self.window_size = check_int("window_size", window_size)
        self.kernel_initializer = keras.initializers.get(kernel_initializer)

    def build(
        self, query_shape: Shape, value_shape: Shape, key_shape: Shape | None = None
    ) -> None:
        super().build(query_shape, value_shape, key_shape)
        size, key_size = query_shape[-1], (key_shape or value_shape)[-1]
        if self.score_name == "general":
            self.kernel = add_kernel(self, "kernel", (key_size, size))
        self.scale = None
        if self.use_scale:
            self.scale = self.add_weight(name="scale", shape=(), initializer="ones")
        if self.window == "predictive":
            self.place_kernel = add_kernel(self, "place_kernel", (size, size))
            self.place_vector = add_kernel(self, "place_vector", (size, 1))

    def check_shapes(
        self, query_shape: Shape, value_shape: Shape, key_shape: Shape | None = None
    ) -> None:
        super().check_shapes(query_shape, value_shape, key_shape)
        if self.score_name == "dot":
            mend = "Use score='general'."
            check_equal_sizes(query_shape, value_shape, key_shape, mend)
        elif hasattr(self, "kernel"):
            check_features(key_shape or value_shape, self.kernel.shape[0])
            check_features(query_shape, self.kernel.shape[1])
        if hasattr(self, "place_kernel"):
            check_features(query_shape, self.place_kernel.shape[0])

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
        self._check_position(query, position)
        self.check_shapes(query.shape, value.shape, None if key is None else key.shape)
        memory = self.prepare(value, key, value_mask=value_mask, key_mask=key_mask)
        return self._call_prepared(
            query,
            memory,
            (query_mask, attention_mask),
            use_causal_mask,
            return_attention_scores,
            training,
            state=() if position is None else [_start(memory, position)],
        )

    def compute_output_spec(
        self, query: Tensor, *args: Any, position: Any = None, **kwargs: Any
    ) -> Tensor | tuple[Tensor, Tensor]:
        self._check_position(query, position)
        return super().compute_output_spec(query, *args, **kwargs)

    def initial_state(self, memory: Memory) -> list[Tensor]:
        # The place of the first query.
        return [_start(memory, 0)] if self.window == "monotonic" else []

    def attend(
        self,
        query: Tensor,
        memory: Memory,
        state: Sequence[Tensor] = (),
        query_mask: Tensor | None = None,
        attention_mask: Tensor | None = None,
        training: bool = False,
    ) -> tuple[Tensor, Tensor, list[Tensor]]:
        if self.window is None:
            masks = {"query_mask": query_mask, "attention_mask": attention_mask}
            return super().attend(query, memory, state, **masks, training=training)
        query = ops.cast(query, self.compute_dtype)
        dtype = keras.backend.result_type(self.compute_dtype, "float32")
        places, count = key_places(memory, dtype)
        if self.window == "monotonic":
            (start,) = list(state) or self.initial_state(memory)
            centre, after = query_places(query, start, query_mask)
            centre, state = ops.cast(centre, dtype), [after]
        else:
            centre, state = count * self._predict(query, dtype), []
        distance = places[:, None, :] - centre[:, :, None]  # B T S
        mask = combine_masks(query_mask, memory.mask, attention_mask)
        near = ops.abs(distance) <= self.window_size
        mask = near if mask is None else ops.logical_and(mask, near)
        weights = self._weigh(self.project_query(query), memory.key, mask)
        if self.window == "predictive":
            weights = weights * fade(distance, self.window_size)
        weights = ops.cast(weights, self.compute_dtype)
        return self._mix(weights, memory, training), weights, state

    def statistics(self, *args: Any, **kwargs: Any) -> AttentionStatistics:
        if self.window is not None:
            raise ValueError(
                "`window` must be None for statistics, which are those of a softmax "
                f"over all keys. Received: window={self.window!r}. Use the weights."
            )
        return super().statistics(*args, **kwargs)

    def _saves_memory(self):
        return self.window is None and super()._saves_memory()

    def project_query(self, query: Tensor) -> Tensor:
        return super().project_query(query) if self.score_name == "concat" else query

    def project_key(self, key: Tensor) -> Tensor:
        if self.score_name == "general":
            return project(key, self.kernel)
        return super().project_key(key) if self.score_name == "concat" else key

    def score(self, query: Tensor, key: Tensor) -> Tensor:
        if self.score_name == "concat":
            scores = super().score(query, key)
        else:
            # Not scaled down by their size: too large for float16.
            if keras.backend.standardize_dtype(query.dtype) == "float16":
                query, key = ops.cast(query, "float32"), ops.cast(key, "float32")
            scores = dot_scores(query, key)
        if self.scale is not None:
            scores = scores * ops.cast(self.scale, scores.dtype)
        return scores

    def score_terms(self, query: Tensor, key: Tensor) -> list[Any]:
        scale = 1.0 if self.scale is None else ops.cast(self.scale, query.dtype)
        if self.score_name == "concat":
            vector = scale * self.score_vector(query.dtype)
            return [(AdditiveTerm(), (query[:, None], key[:, None], vector))]
        return [(DotTerm(), (scale * query[:, None], key[:, None]))]

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "score": self.score_name,
            "use_scale": self.use_scale,
            "window": self.window,
            "window_size": self.window_size,
        }

    def _check_position(self, query, position):
        if position is None:
            return
        if self.window != "monotonic":
            raise ValueError(
                "`position` must be None unless window='monotonic'. "
                f"Received: position={position!r}, window={self.window!r}."
            )
        given = position if hasattr(position, "shape") else np.array(position)
        shape, batch = tuple(given.shape), query.shape[0]
        if "int" not in str(given.dtype):
            raise ValueError(
                "`position` must be an int or integers. "
                f"Received: position of type {given.dtype}."
            )
        if len(shape) > 1 or not all(fits(size, batch) for size in shape):
            raise ValueError(
                "`position` must be an int or have shape (B,). "
                f"Received: position of shape {shape}."
            )

    def _predict(self, query, dtype):
        """Predict the centre, as a share of the keys, shape `(B, T)`: equation 9."""
        hidden = ops.tanh(project(query, self.place_kernel))
        share = project(hidden, self.place_vector)[:, :, 0]
        return ops.sigmoid(ops.cast(share, dtype))


def _start(memory, position):
    """Give the place of the first query, shape `(B, 1)`, from an int or one each."""
    first = ops.zeros((ops.shape(memory.value)[0],), "int32")
    return (first + ops.convert_to_tensor(position, dtype="int32"))[:, None]
