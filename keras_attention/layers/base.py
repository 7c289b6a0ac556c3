"""What the attention layers share."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import keras
from keras import ops

from keras_attention.annotations import Shape, Tensor
from keras_attention.core import (
    as_dense,
    causal_mask,
    check_attention_shapes,
    check_mask,
    hide_padding,
)


class Memory(NamedTuple):
    """A sequence made ready to be attended to, by `prepare`.

    Attributes:
        key: Projected keys, shape `(B, S, …)`, or `(B, H, S, D)` for H heads.
        value: Values, shape `(B, S, Dv)`, or `(B, H, S, Dv)` for H heads.
        mask: Boolean, shape `(B, S)`, `True` = may look; `None` if all may be seen.
        dropout: Factors on the weights, drawn once for all steps of a sequence and
            broadcastable to the weights of one step; `None` without dropout.
        noise: What `draw_noise` drew, shape `(B, T, N)`, a row for each query; `None`
            if nothing was drawn.

    Example:
        ```python
        attention = ScaledDotProductAttention()
        attention(query, value)  # builds it
        memory = attention.prepare(value, value_mask=mask)
        context, weights, _ = attention.attend(query, memory)
        ```
    """

    key: Tensor
    value: Tensor
    mask: Tensor | None = None
    dropout: Tensor | None = None
    noise: Tensor | None = None


class AttentionLayer(keras.layers.Layer):
    """Holds what every attention layer shares; `AttentionRNN` relies on no more.

    A subclass writes `prepare`, which makes a sequence ready once, and `attend`, which
    asks it. `call` is the two in a row, for all queries.

    Args:
        dropout: Float in [0, 1). Share of weights set to 0 in training.
        seed: Int or `None`. Seed of the dropout.
        **kwargs: Arguments of `keras.layers.Layer`, such as `name` and `dtype`.

    Raises:
        ValueError: If `dropout` is not in [0, 1).
    """

    def __init__(
        self, dropout: float = 0.0, seed: int | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        if not isinstance(dropout, (int, float)) or not 0 <= dropout < 1:
            raise ValueError(
                "`dropout` must be a number of at least 0 and less than 1. "
                f"Received: dropout={dropout!r}."
            )
        self.dropout = dropout
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed) if dropout else None
        self.supports_masking = True

    def build(
        self, query_shape: Shape, value_shape: Shape, key_shape: Shape | None = None
    ) -> None:
        check_attention_shapes(query_shape, value_shape, key_shape)
        self.built = True

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
    ) -> Tensor | tuple[Tensor, Tensor]:
        memory = self.prepare(value, key, value_mask=value_mask, key_mask=key_mask)
        return self._call_prepared(
            query,
            memory,
            query_mask=query_mask,
            attention_mask=attention_mask,
            use_causal_mask=use_causal_mask,
            return_attention_scores=return_attention_scores,
            training=training,
        )

    def _call_prepared(
        self,
        query: Tensor,
        memory: Memory,
        state: Sequence[Tensor] = (),
        *,
        query_mask: Tensor | None,
        attention_mask: Tensor | None,
        use_causal_mask: bool,
        return_attention_scores: bool,
        training: bool,
    ) -> Tensor | tuple[Tensor, Tensor]:
        """Do what `call` does, with a prepared memory and perhaps a first state."""
        one_step = len(query.shape) == 2
        query, query_mask, attention_mask = self._read_queries(
            query, query_mask, attention_mask
        )
        sizes = {"B": query.shape[0], "T": query.shape[1], "S": memory.value.shape[1]}
        check_mask("attention_mask", attention_mask, "(T, S)", "(B, T, S)", **sizes)
        masks = {"query_mask": query_mask, "attention_mask": attention_mask}
        if self._saves_memory() and not return_attention_scores:
            context = self._attend_in_chunks(query, memory, use_causal_mask, **masks)
            return context[:, 0] if one_step else context
        if use_causal_mask:
            causal = causal_mask(ops.shape(query)[1], ops.shape(memory.value)[1])
            masks["attention_mask"] = _both(causal, attention_mask)
        context, weights, _ = self.attend(
            query, memory, state, **masks, training=training
        )
        if one_step:
            context, weights = context[:, 0], ops.squeeze(weights, axis=-2)
        return (context, weights) if return_attention_scores else context

    def initial_state(self, memory: Memory) -> list[Tensor]:
        """Give what the attention remembers before the first step.

        Args:
            memory: A `Memory`.

        Returns:
            A list of tensors of shape `(B, …)`; empty for an attention that forgets.
        """
        return []

    def draw_noise(self, memory: Memory, length: int | Tensor) -> Tensor | None:
        """Draw, before a loop over steps, random numbers that each step needs anew.

        In training `AttentionRNN` puts them into the memory that a step attends to:
        random numbers drawn inside a compiled loop would belong to the loop.

        Args:
            memory: A `Memory`.
            length: Int or scalar tensor, the number of steps T.

        Returns:
            Shape `(B, T, N)`, of which step t gets row t as `memory.noise`, shape
            `(B, 1, N)`; `None`, as here, for an attention that needs none.
        """
        return None

    def weights_shape(
        self, query_shape: Shape, value_shape: Shape
    ) -> tuple[int | None, ...]:
        """Tell the shape of the weights for inputs of these shapes."""
        return (*query_shape[:-1], value_shape[1])

    def context_size(self, query_shape: Shape, value_shape: Shape) -> int | None:
        """Tell the size of the context vectors for inputs of these shapes."""
        return value_shape[-1]

    def compute_mask(self, query: Tensor, mask: Tensor | None = None) -> Tensor | None:
        return mask

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "dropout": self.dropout, "seed": self.seed}

    def _read_queries(self, query, query_mask, *pairs):
        """Cast queries, give those of one step an axis of time, set padding to 0.

        Args:
            query: Shape `(B, T, Dq)`, or `(B, Dq)` for one step.
            query_mask: Boolean, shape `(B, T)`, or `(B,)` for one step, or `None`.
            *pairs: Each of shape `(…, T, S)`, or `(…, S)` for one step, or `None`.

        Returns:
            `(query, query_mask, *pairs)`, all with the axis `T`.
        """
        query = as_dense(query, self.compute_dtype)
        if len(query.shape) == 2:
            query = query[:, None, :]
            query_mask = _expand(query_mask, -1)
            pairs = tuple(_expand(each, -2) for each in pairs)
        batch, length, _ = query.shape
        check_mask("query_mask", query_mask, "(B, T)", B=batch, T=length)
        return hide_padding(query, query_mask), query_mask, *pairs

    def _clean(self, value, key, value_mask, key_mask):
        """Cast to the compute dtype, join the masks, and set padding to 0.

        Returns:
            `(value, key, mask)`.
        """
        value = as_dense(value, self.compute_dtype)
        sizes = {"B": value.shape[0], "S": value.shape[1]}
        check_mask("value_mask", value_mask, "(B, S)", **sizes)
        check_mask("key_mask", key_mask, "(B, S)", **sizes)
        mask = _both(value_mask, key_mask)
        value = hide_padding(value, mask)
        if key is None:
            return value, value, mask
        return value, hide_padding(as_dense(key, self.compute_dtype), mask), mask

    def _saves_memory(self):
        """Tell whether a call that wants no weights goes by `_attend_in_chunks`."""
        return False

    def _draw_dropout(self, ones):
        """Draw factors for the weights of all steps to come; `None` if no dropout."""
        if not self.dropout:
            return None
        return keras.random.dropout(ones, self.dropout, seed=self.seed_generator)

    def _draw_dropout_of_keys(self, value):
        """Draw factors of shape `(B, 1, S)` for the weights on values `(B, S, Dv)`."""
        return self._draw_dropout(ops.ones_like(value[:, None, :, 0]))

    def _drop(self, weights, memory, training):
        """Apply the factors that were drawn, or draw some for each query."""
        if memory.dropout is not None:
            return weights * memory.dropout
        if training and self.dropout:
            return keras.random.dropout(weights, self.dropout, seed=self.seed_generator)
        return weights

    def _mix(self, weights, memory, training):
        """Add up the values by their weights, some of them dropped: the context."""
        return ops.matmul(self._drop(weights, memory, training), memory.value)


def _both(first, second):
    masks = [ops.cast(mask, "bool") for mask in (first, second) if mask is not None]
    if len(masks) == 2:
        return ops.logical_and(*masks)
    return masks[0] if masks else None


def _expand(tensor, axis):
    return None if tensor is None else ops.expand_dims(tensor, axis)
