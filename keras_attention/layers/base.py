"""The contract of all attention layers."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from keras_attention.annotations import Shape, Tensor
from keras_attention.chunked import AttentionStatistics, Visibility
from keras_attention.core import (
    causal_mask,
    check_attention_shapes,
    check_int,
    check_mask,
    check_number,
    join_masks,
    multiply,
    read_memory,
    read_queries,
)
from keras_attention.layers.memory import Memory
from keras_attention.layers.symbolic import attention_spec


class AttentionLayer(keras.layers.Layer):
    """Lets queries attend to keys: the contract that all attention layers keep.

    weights = how much each query attends to each key; context = weights · value

    `prepare` projects the keys of a sequence once; `attend` attends to them, for any
    number of queries, and hands on what the attention has to remember. A call is the
    two in a row, for all queries. Nothing is kept on the layer itself.

    A query that may attend to nothing gets weights 0 and context 0. What padding holds,
    NaN included, reaches neither outputs nor gradients.

    A subclass writes `attend`, and `project_key` or `prepare`; `context_size` and
    `weights_shape` too, if its outputs have other shapes than those below. Weights are
    made in `build`: a symbolic call is told from shapes and runs none of these. For a
    score function `ScoreAttention` is the shorter way.

    Shapes: `B` batch, `T` queries, `S` keys, `Dq`/`Dk`/`Dv` feature sizes.

    Args:
        dropout: Float in [0, 1). Share of weights set to 0 in training.
        seed: Int or `None`. Seed of the dropout.
        **kwargs: Arguments of `keras.layers.Layer`, such as `name` and `dtype`.

    Call arguments (masks are boolean, `True` = attend):
        query: Shape `(B, T, Dq)`, or `(B, Dq)` for one step, such as a decoder state.
        value: Shape `(B, S, Dv)`, such as encoder outputs.
        key: Shape `(B, S, Dk)`; `value` if left out.
        query_mask: Shape `(B, T)`, or `(B,)` for one step. `False` gives context 0.
        value_mask: Shape `(B, S)`. Keys at `False` get weight 0.
        key_mask: As `value_mask`; where both are given both must allow.
        attention_mask: Shape `(T, S)` or `(B, T, S)`; for a query of one step `(B, S)`.
        use_causal_mask: Bool. Whether query t attends to keys 0 to t alone.
        return_attention_scores: Bool. Whether to return the weights too, after the
            softmax and before dropout (the name is Keras').
        training: Bool. Whether dropout acts.

    Returns:
        context: Shape `(B, T, Dv)`, or `(B, Dv)` for one step.
        weights: Shape `(B, T, S)`, or `(B, S)` for one step, only if
            `return_attention_scores`. Rows sum to 1, or to 0 where all is hidden.

    Raises:
        ValueError: If `dropout` is not in [0, 1), `seed` is not an int, a switch such
            as `use_bias` is not a bool, a mask holds floats, a shape has the wrong
            rank, or sizes that belong together differ.

    Example:
        ```python
        class MeanAttention(AttentionLayer):
            def attend(self, query, memory, state=(), query_mask=None,
                       attention_mask=None, training=False):
                pairs = query[:, :, :1] + memory.key[:, None, :, 0]  # B T S
                mask = combine_masks(query_mask, memory.mask, attention_mask)
                weights = masked_softmax(0 * pairs, mask)
                return keras.ops.matmul(weights, memory.value), weights, list(state)
        ```
    """

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        if is_overridden(cls, "call", since="compute_output_spec"):
            # Another call may give other outputs: Keras finds them out by tracing it.
            cls.compute_output_spec = keras.Operation.compute_output_spec  # type: ignore[method-assign]

    def __init__(
        self, dropout: float = 0.0, seed: int | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.dropout = check_number("dropout", dropout, least=0, below=1)
        self.seed = None if seed is None else check_int("seed", seed, least=0)
        self.seed_generator = keras.random.SeedGenerator(self.seed) if dropout else None
        self.supports_masking = True

    def build(
        self, query_shape: Shape, value_shape: Shape, key_shape: Shape | None = None
    ) -> None:
        self.check_shapes(query_shape, value_shape, key_shape)

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
        self.check_shapes(query.shape, value.shape, None if key is None else key.shape)
        memory = self.prepare(value, key, value_mask=value_mask, key_mask=key_mask)
        masks = query_mask, attention_mask
        return self._call_prepared(
            query, memory, masks, use_causal_mask, return_attention_scores, training
        )

    def _call_prepared(
        self, query, memory, masks, causal, return_weights, training, state=()
    ):
        """Do what `call` does, with a prepared memory and perhaps a first state."""
        one_step = len(query.shape) == 2
        query, query_mask, attention_mask = self._read_queries(query, memory, *masks)
        if self._saves_memory() and not return_weights:
            visible = Visibility(query_mask, memory.mask, attention_mask, causal=causal)
            context = self._attend_in_chunks(query, memory, visible.with_four_axes())
            return context[:, 0] if one_step else context
        if causal:
            mask = causal_mask(ops.shape(query)[1], ops.shape(memory.value)[1])
            attention_mask = join_masks(mask, attention_mask)
        context, weights, _ = self.attend(
            query, memory, state, query_mask, attention_mask, training
        )
        if one_step:
            context, weights = context[:, 0], ops.squeeze(weights, axis=-2)
        return (context, weights) if return_weights else context

    def prepare(
        self,
        value: Tensor,
        key: Tensor | None = None,
        value_mask: Tensor | None = None,
        key_mask: Tensor | None = None,
        draw_dropout: bool = False,
    ) -> Memory:
        """Project the keys of a sequence once, for any number of queries.

        The layer must be built; the arguments are those of a call, but masks that Keras
        attached to tensors are not read. A loop over steps sets `draw_dropout`, for one
        dropout mask for all steps to come.
        """
        value, key, mask = self._clean(value, key, value_mask, key_mask)
        memory = Memory(self.project_key(key), value, mask)
        return self.with_dropout(memory) if draw_dropout else memory

    def with_dropout(self, memory: Memory) -> Memory:
        """Draw, if the layer has dropout, one mask for all steps to come."""
        if not self.dropout:
            return memory
        ones = ops.ones_like(memory.value[:, None, :, 0])  # B 1 S
        return memory._replace(dropout=self._dropped(ones))

    def project_key(self, key: Tensor) -> Tensor:
        """Project keys, shape `(B, S, Dk)`; as they are unless overridden."""
        return key

    def initial_state(self, memory: Memory) -> list[Tensor]:
        """Give what is remembered before the first query, tensors `(B, …)`."""
        return []

    def draw_noise(self, memory: Memory, length: int | Tensor) -> Tensor | None:
        """Draw `(B, T, N)` random numbers before a loop over T steps, `None` if none.

        In training `AttentionRNN` gives step t row t, as `memory.noise`: numbers drawn
        inside a compiled loop would belong to the loop.
        """
        return None

    def attend(
        self,
        query: Tensor,
        memory: Memory,
        state: Sequence[Tensor] = (),
        query_mask: Tensor | None = None,
        attention_mask: Tensor | None = None,
        training: bool = False,
    ) -> tuple[Tensor, Tensor, list[Tensor]]:
        """Attend to a prepared memory: `(context, weights, state)`.

        Queries `(B, T, Dq)` get contexts `(B, T, Dv)` and weights `(B, T, S)`. `state`
        is what `initial_state` or the last call gave, the first if left out, and keeps
        its types and shapes; a query at `False` of `query_mask` leaves it as it is (a
        place of `MultiHeadAttention` moves on: padding has one too). So T calls for one
        query each give what one call for T queries gives.

        Masks are `(B, T)`, and `(T, S)` or `(B, T, S)`. Queries are finite at `False`
        of `query_mask` too, as a call makes them. In `training` random numbers are
        drawn for each query, where `prepare` did not draw them.
        """
        raise TypeError(
            "`attend` must be written by a subclass of AttentionLayer. "
            f"Received: a {type(self).__name__} without it."
        )

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
        """Describe the weights without holding them, for a layer that is built.

        Takes the arguments of a call with queries `(B, T, Dq)`, but reads no mask that
        Keras attached to a tensor, and works in chunks of `chunk_size`, or of 128.
        Gives `AttentionStatistics` without a gradient, heads on axis 1; `ValueError` if
        the weights are not a softmax over all keys.
        """
        raise ValueError(
            f"{type(self).__name__} has no statistics: its weights are not those of a "
            "softmax over all keys. Use the weights: return_attention_scores=True."
        )

    def context_size(self, query_shape: Shape, value_shape: Shape) -> int | None:
        """Tell the size of the context vectors for inputs of these shapes."""
        return value_shape[-1]

    def weights_shape(self, query_shape: Shape, value_shape: Shape) -> Shape:
        """Tell the shape of the weights, `(B, T, S)`, or `(B, S)` for one step."""
        return (*query_shape[:-1], value_shape[1])

    def compute_output_shape(
        self, query_shape: Shape, value_shape: Shape, key_shape: Shape | None = None
    ) -> Shape:
        check_attention_shapes(query_shape, value_shape, key_shape)
        return (*query_shape[:-1], self.context_size(query_shape, value_shape))

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        return attention_spec(self, *args, **kwargs)

    def compute_mask(self, query: Tensor, mask: Tensor | None = None) -> Tensor | None:
        return mask

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "dropout": self.dropout, "seed": self.seed}

    def check_shapes(
        self, query_shape: Shape, value_shape: Shape, key_shape: Shape | None = None
    ) -> None:
        """Check the shapes of a call, also of those after the one that built it."""
        check_attention_shapes(query_shape, value_shape, key_shape)

    def _read_queries(self, query, memory, query_mask, attention_mask):
        """Cast and check queries and masks, and give them an axis of time."""
        query, query_mask, attention_mask = read_queries(
            query, query_mask, [attention_mask], self.compute_dtype
        )
        sizes = {"B": query.shape[0], "T": query.shape[1], "S": memory.value.shape[1]}
        check_mask("attention_mask", attention_mask, "(T, S)", "(B, T, S)", **sizes)
        return query, query_mask, attention_mask

    def _clean(self, value, key, value_mask, key_mask):
        if not self.built:
            raise ValueError(
                f"{type(self).__name__} must be built before `prepare`. "
                "Received: a layer without weights. Call it, or `build`, first."
            )
        return read_memory(value, key, value_mask, key_mask, self.compute_dtype)

    def _saves_memory(self):
        """Tell whether a call that wants no weights goes by `_attend_in_chunks`."""
        return False

    def _drop(self, weights, memory, training):
        """Apply the factors that were drawn, or draw some for each query."""
        if memory.dropout is not None:
            return weights * memory.dropout
        return self._dropped(weights) if training and self.dropout else weights

    def _dropped(self, weights):
        return keras.random.dropout(weights, self.dropout, seed=self.seed_generator)

    def _mix(self, weights, memory, training):
        """Add up the values by their weights, some of them dropped: the context."""
        return multiply(self._drop(weights, memory, training), memory.value)


def is_overridden(cls, name, since):
    """Tell whether a class has `name` from a later class than the one of `since`."""

    def age(attribute):
        return next(i for i, each in enumerate(cls.__mro__) if attribute in vars(each))

    return age(name) < age(since)
