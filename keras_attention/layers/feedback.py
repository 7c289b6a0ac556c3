"""What attentions share whose weights depend on the weights before."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from keras_attention.annotations import Initializer, Tensor
from keras_attention.core import (
    check_bool,
    check_int,
    combine_masks,
    masked_softmax,
    run_loop,
)
from keras_attention.layers.additive import AdditiveScorer
from keras_attention.layers.base import AttentionLayer
from keras_attention.layers.memory import Memory


class FeedbackAttention(AttentionLayer):
    """Attends to keys for one query after the other, and feeds the weights back.

    The state is one tensor of shape `(B, S)` in `state_dtype`. A query that may attend
    to nothing leaves it as it is.

    A subclass writes `read_queries`, `weigh`, and, unless the weights themselves are
    the next state, `remember`; and `initial_state`, unless that is 0.

    Args:
        **kwargs: Arguments of `AttentionLayer`.

    Example:
        ```python
        class Restless(FeedbackAttention):
            def read_queries(self, query, memory, training):
                key = keras.ops.transpose(memory.key, (0, 2, 1))
                return keras.ops.matmul(query, key)

            def weigh(self, row, mask, previous, memory):
                return masked_softmax(row - 9 * previous, mask)
        ```
    """

    @property
    def state_dtype(self) -> str:
        """The type of the state and of the loop's weights: float32, or float64."""
        return keras.backend.result_type(self.compute_dtype, "float32")

    def initial_state(self, memory: Memory) -> list[Tensor]:
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
        (first,) = list(state) or self.initial_state(memory)
        first = ops.cast(first, self.state_dtype)
        shape = (*ops.shape(query)[:2], ops.shape(memory.value)[1])  # B T S
        if 0 in [each for each in shape if isinstance(each, int)]:
            weights = ops.zeros(shape, self.compute_dtype)
            return self._mix(weights, memory, training), weights, [first]
        rows = self.read_queries(ops.cast(query, self.compute_dtype), memory, training)
        wide = keras.backend.result_type(rows.dtype, self.compute_dtype)
        rows = ops.cast(rows, wide)
        mask = ops.ones(shape, "bool")
        given = combine_masks(query_mask, memory.mask, attention_mask)
        if given is not None:
            mask = ops.logical_and(mask, given)

        def step(now, states):
            (row, seen), (previous,) = now, states
            seen = seen > 0.5
            weights = self.weigh(row, seen, previous, memory)
            weights = ops.cast(weights, self.state_dtype)
            after = self.remember(previous, weights)
            any_seen = ops.any(seen, axis=-1, keepdims=True)
            return [weights], [ops.where(any_seen, after, previous)]

        (weights,), state = run_loop(step, [rows, mask], [first])
        weights = ops.cast(weights, self.compute_dtype)
        return self._mix(weights, memory, training), weights, state

    def read_queries(self, query: Tensor, memory: Memory, training: bool) -> Tensor:
        """Do for all queries, `(B, T, Dq)`, at once what does not depend on the state.

        Gives shape `(B, T, D)`; each row of it, shape `(B, D)`, goes to `weigh`.
        """
        raise TypeError("`read_queries` must be written by a subclass.")

    def weigh(
        self, row: Tensor, mask: Tensor, previous: Tensor, memory: Memory
    ) -> Tensor:
        """Give the weights of one query, shape `(B, S)`, 0 where the mask is `False`.

        Args:
            row: Of `read_queries`, shape `(B, D)`.
            mask: Boolean, shape `(B, S)`.
            previous: The state, shape `(B, S)` in `state_dtype`.
            memory: A `Memory`.
        """
        raise TypeError("`weigh` must be written by a subclass.")

    def remember(self, previous: Tensor, weights: Tensor) -> Tensor:
        """Give the state after a step; `previous` and all are of shape `(B, S)`."""
        return weights


class AdditiveFeedbackAttention(AdditiveScorer, FeedbackAttention):
    """Scores like Bahdanau's attention, with features of the weights before.

    score = v · tanh(W_query query + W_key key + features(state) + b)

    A subclass writes `features`, and adds its weights in `build`.
    """

    def __init__(
        self,
        units: int,
        use_bias: bool = True,
        kernel_initializer: Initializer = "glorot_uniform",
        dropout: float = 0.0,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(dropout=dropout, seed=seed, **kwargs)
        self.units = check_int("units", units)
        self.use_bias = check_bool("use_bias", use_bias)
        self.kernel_initializer = keras.initializers.get(kernel_initializer)

    def read_queries(self, query: Tensor, memory: Memory, training: bool) -> Tensor:
        return self.project_query(query)

    def weigh(
        self, row: Tensor, mask: Tensor, previous: Tensor, memory: Memory
    ) -> Tensor:
        key = memory.key + ops.cast(self.features(previous), memory.key.dtype)
        scores = self.score(row[:, None], key)
        return masked_softmax(scores, mask[:, None])[:, 0]

    def features(self, state: Tensor) -> Tensor:
        """Describe the state, shape `(B, S)`, for each key: shape `(B, S, units)`."""
        raise TypeError("`features` must be written by a subclass.")

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "use_bias": self.use_bias}
