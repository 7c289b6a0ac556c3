"""What attentions share whose weights depend on the weights before."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from keras_attention.annotations import Initializer, Shape, Tensor
from keras_attention.core import (
    add_kernel,
    additive_scores,
    check_positive_int,
    combine_masks,
    masked_softmax,
    project,
    run_loop,
)
from keras_attention.layers.base import AttentionLayer, Memory


class FeedbackAttention(AttentionLayer):
    """Attends to one query after the other and feeds the weights back.

    The state is one tensor of shape `(B, S)` in float32. A query that may see nothing
    leaves it as it is.

    A subclass writes `prepare`, `read_queries`, `weigh`, and, unless the weights
    themselves are the next state, `remember`; and `initial_state`, unless that is 0.

    Args:
        **kwargs: Arguments of `AttentionLayer`.
    """

    @property
    def state_dtype(self) -> str:
        """The type of the state and of the loop's weights: float32, or float64."""
        return keras.backend.result_type(self.compute_dtype, "float32")

    def initial_state(self, memory: Memory) -> list[Tensor]:
        """Give the state before the first query.

        Args:
            memory: A `Memory` from `prepare`.

        Returns:
            A list of one tensor of shape `(B, S)` in float32.
        """
        return [ops.zeros_like(memory.value[:, :, 0], dtype=self.state_dtype)]

    def attend(
        self,
        query: Tensor,
        memory: Memory,
        state: Sequence[Tensor] = (),
        query_mask: Tensor | None = None,
        attention_mask: Tensor | None = None,
        training: bool = False,
    ) -> tuple[Tensor, Tensor, list[Tensor]]:
        """Attend to a prepared memory, one query after the other.

        One call for T queries gives what T calls give for one query each, each with
        the state of the last.

        Args:
            query: Shape `(B, T, Dq)`.
            memory: A `Memory` from `prepare`.
            state: What `initial_state` or the last call gave; the first if left out.
            query_mask: Boolean, shape `(B, T)`, or `None`. A query at `False` leaves
                the state as it is.
            attention_mask: Boolean, shape `(T, S)`, `(B, T, S)`, or `None`.
            training: Bool. Whether random numbers are drawn for each query, where
                `prepare` did not draw them.

        Returns:
            `(context, weights, state)`: shapes `(B, T, Dv)`, `(B, T, S)`, a list of
            one tensor of shape `(B, S)`.
        """
        (first,) = list(state) or self.initial_state(memory)
        rows = self.read_queries(ops.cast(query, self.compute_dtype), memory, training)
        batch, keys = ops.shape(memory.value)[:2]
        mask = ops.ones((batch, ops.shape(query)[1], keys), "bool")
        given = combine_masks(query_mask, memory.mask, attention_mask)
        if given is not None:
            mask = ops.logical_and(mask, given)

        def step(now, states):
            (row, seen), (previous,) = now, states
            seen = seen > 0.5
            weights = ops.cast(
                self.weigh(row, seen, previous, memory), self.state_dtype
            )
            after = self.remember(previous, weights)
            any_seen = ops.any(seen, axis=-1, keepdims=True)
            return [weights], [ops.where(any_seen, after, previous)]

        first = ops.cast(first, self.state_dtype)
        (weights,), state = run_loop(step, [rows, mask], [first])
        weights = ops.cast(weights, self.compute_dtype)
        return self._mix(weights, memory, training), weights, state

    def read_queries(self, query: Tensor, memory: Memory, training: bool) -> Tensor:
        """Do for all queries at once what does not depend on the state.

        Args:
            query: Shape `(B, T, Dq)`.
            memory: A `Memory`.
            training: Bool.

        Returns:
            Shape `(B, T, D)`; a row of it, of shape `(B, D)`, goes to `weigh`.
        """
        raise TypeError("`read_queries` must be written by a subclass.")

    def weigh(
        self, row: Tensor, mask: Tensor, previous: Tensor, memory: Memory
    ) -> Tensor:
        """Give the weights of one query.

        Args:
            row: Of `read_queries`, shape `(B, D)`.
            mask: Boolean, shape `(B, S)`.
            previous: The state, shape `(B, S)` in float32.
            memory: A `Memory`.

        Returns:
            Shape `(B, S)` in float32, 0 where the mask is `False`.
        """
        raise TypeError("`weigh` must be written by a subclass.")

    def remember(self, previous: Tensor, weights: Tensor) -> Tensor:
        """Give the state after a step; `previous` and all are of shape `(B, S)`."""
        return weights


class AdditiveFeedbackAttention(FeedbackAttention):
    """Scores like Bahdanau's attention, with features of what was looked at before.

    score = v · tanh(W_query query + W_key key + features(state) + b)

    A subclass writes `features`, and adds its weights in `build`.

    Args:
        units: Positive int. Size of the hidden layer, the length of v.
        use_bias: Bool. Whether the hidden layer has a bias.
        kernel_initializer: Initializer of all kernels.
        **kwargs: Arguments of `AttentionLayer`.

    Raises:
        ValueError: If `units` is not a positive int.
    """

    def __init__(
        self,
        units: int,
        use_bias: bool = True,
        kernel_initializer: Initializer = "glorot_uniform",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.units = check_positive_int("units", units)
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
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(
                name="bias", shape=(self.units,), initializer="zeros"
            )

    def prepare(
        self,
        value: Tensor,
        key: Tensor | None = None,
        value_mask: Tensor | None = None,
        key_mask: Tensor | None = None,
        draw_dropout: bool = False,
    ) -> Memory:
        """Make a sequence ready to be attended to: clean it, project its keys.

        Args:
            value: Shape `(B, S, Dv)`.
            key: Shape `(B, S, Dk)`; `value` if left out.
            value_mask: Boolean, shape `(B, S)`, or `None`.
            key_mask: Boolean, shape `(B, S)`, or `None`.
            draw_dropout: Bool. Whether to draw one dropout mask for all steps to
                come, as a loop over steps must.

        Returns:
            A `Memory` for `attend`.
        """
        value, key, mask = self._clean(value, key, value_mask, key_mask)
        key = project(key, self.key_kernel)
        if self.bias is not None:
            key = key + ops.cast(self.bias, key.dtype)
        dropout = self._draw_dropout_of_keys(value) if draw_dropout else None
        return Memory(key, value, mask, dropout)

    def read_queries(self, query: Tensor, memory: Memory, training: bool) -> Tensor:
        return project(query, self.query_kernel)

    def weigh(
        self, row: Tensor, mask: Tensor, previous: Tensor, memory: Memory
    ) -> Tensor:
        key = memory.key + ops.cast(self.features(previous), memory.key.dtype)
        vector = ops.cast(self.vector, key.dtype)[:, 0]
        scores = additive_scores(row[:, None], key, vector)
        return ops.cast(masked_softmax(scores, mask[:, None])[:, 0], "float32")

    def features(self, state: Tensor) -> Tensor:
        """Describe what was looked at before, for every key.

        Args:
            state: Shape `(B, S)` in float32.

        Returns:
            Shape `(B, S, units)`.
        """
        raise TypeError("`features` must be written by a subclass.")

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "units": self.units,
            "use_bias": self.use_bias,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
        }
