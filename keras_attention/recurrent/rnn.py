"""A recurrent layer that attends at every step."""

from collections.abc import Callable, Sequence
from typing import Any, Self

import keras

from keras_attention.annotations import Shape, Tensor
from keras_attention.core import build_once, check_bool
from keras_attention.layers import AttentionLayer, Memory
from keras_attention.recurrent.cells import (
    all_cells,
    check_cells,
    check_context_cell,
    copy_cell,
    output_size,
)
from keras_attention.recurrent.memories import (
    as_list,
    check_attention,
    is_several,
    memory_shapes,
    prepare_memories,
)
from keras_attention.recurrent.start import begin, begin_symbolic, check_sequence_shape
from keras_attention.recurrent.states import first_states
from keras_attention.recurrent.steps import (
    Order,
    check_attentional,
    check_order,
    query_size,
    run_layer,
    run_one_step,
)


@keras.saving.register_keras_serializable(package="keras_attention")
class AttentionRNN(keras.layers.Layer):
    """Runs any Keras RNN cell over a sequence and attends to a memory at every step.

    previous: c_t = attend(s_{t-1}); s_t = cell([x_t; c_t], s_{t-1})
    current: s_t = cell(x_t, s_{t-1}); c_t = attend(output_t)
    conditional: s' = cell(x_t, s_{t-1}); c_t = attend(s'); s_t = context_cell(c_t, s')

    The decoder of a translation model, say. The memory is projected once, outside the
    loop. One step at a time (a call with one time step and the states handed on) gives
    the same numbers as the whole sequence at once. In the order "current" without input
    feeding no step depends on an attention before it: all queries attend at once after
    the loop.

    Several attentions have the same queries and their contexts are concatenated: with
    one memory, or with one each, as when translating from two languages at once.

    A limit comes from Keras: a model with one attention layer in two `AttentionRNN` is
    saved but does not load.

    Shapes: `B` batch, `T` steps, `S` memory steps, `Dx` input size, `Dv` memory size,
    `Dc` context size (the sum of all), `Ds` size of the cell's output.

    Args:
        cell: A Keras RNN cell, or a list of cells that are stacked. Of a stack the
            first state of the first cell is the query; in the order "current" the
            output of the last cell.
        attention: An attention layer of this package, or a list of different ones.
        order: `"previous"`, `"current"` or `"conditional"`.
        context_cell: The cell that takes the context, for `"conditional"` alone, with
            states of the (first) cell's sizes. If left out, a cell made from the
            (first) cell's configuration.
        attentional_units: Positive int or `None`. If given, the output is the
            attentional vector activation(W [context; output]) of this size; otherwise
            it is [context; output], the output being the cell's.
        input_feeding: Bool. Whether the output of step t-1 is an input of step t, for
            `"current"` alone; the other orders feed the context already.
        return_sequences: Bool. Whether to return every step or the last alone.
        attentional_activation: Activation of the attentional vector, for
            `attentional_units` alone. `None` for a linear one.
        **kwargs: Arguments of `keras.layers.Layer`, such as `name` and `dtype`.

    Call arguments:
        sequence: Shape `(B, T, Dx)`. A padding mask that it carries goes on to the
            output, if that is a sequence.
        memory: What to attend to: shape `(B, S, Dv)`, or what `prepare` gave. For a
            list of attentions one memory for all, or a list with one for each.
        initial_state: List of tensors, shape `(B, …)`: the states of the cells, such as
            an encoder's last states, or all that `return_state` gave. If left out,
            what cells and attentions begin with.
        sequence_mask: Boolean, shape `(B, T)`. A step at `False` keeps the states, and
            its output and weights are 0.
        memory_mask: Boolean, shape `(B, S)`. For a list of memories a list, with a mask
            or `None` for each.
        return_attention_scores, return_state: Bool. Whether to return these too.
        training: Bool. Whether dropout and noise act. Dropout masks are drawn once per
            sequence, noise for every step.

    Returns:
        output: Shape `(B, T, attentional_units)` or `(B, T, Dc + Ds)`; without the
            axis `T` if not `return_sequences`.
        weights: Shape `(B, T, S)`, or `(B, H, T, S)` for an attention of H heads; a
            list for a list of attentions. Only if `return_attention_scores`.
        *states: Each of shape `(B, …)`, only if `return_state`: those of the cells,
            the output if it is fed back, those of each attention in its own type.

    Raises:
        ValueError: If an argument is not as told above, or a shape does not fit.

    Example:
        ```python
        decoder = AttentionRNN(keras.layers.GRUCell(512), BahdanauAttention(256))
        outputs, weights = decoder(
            target, memory=states, memory_mask=mask, return_attention_scores=True
        )
        ```

    Reference:
        "previous": [Bahdanau et al., 2015](https://arxiv.org/abs/1409.0473), appendix
        A.2.2; "current": [Luong et al., 2015](https://arxiv.org/abs/1508.04025),
        sections 3 (equation 5) and 3.3; "conditional":
        [Sennrich et al., 2017](https://arxiv.org/abs/1703.04357), section 2; a memory
        for each attention: [Zoph & Knight, 2016](https://arxiv.org/abs/1601.00710),
        section 4.
    """

    def __init__(
        self,
        cell: keras.layers.Layer | Sequence[keras.layers.Layer],
        attention: AttentionLayer | Sequence[AttentionLayer],
        order: Order = "previous",
        context_cell: keras.layers.Layer | None = None,
        attentional_units: int | None = None,
        input_feeding: bool = False,
        return_sequences: bool = True,
        attentional_activation: str | Callable[[Tensor], Tensor] | None = "tanh",
        **kwargs: Any,
    ) -> None:
        # Keras would cast a float32 state of the attention to the compute dtype.
        super().__init__(autocast=False, **kwargs)
        self.input_feeding = check_bool("input_feeding", input_feeding)
        check_order(order, input_feeding, context_cell)
        check_attention(attention)
        self.cells = list(cell) if isinstance(cell, (list, tuple)) else [cell]
        check_cells(all_cells(self.cells, context_cell))
        self.attention = list(attention) if is_several(attention) else attention
        self.order = order
        if order == "conditional" and context_cell is None:
            context_cell = copy_cell(self.cells[0])
        if context_cell is not None:
            check_context_cell(self.cells[0], context_cell)
        self.context_cell = context_cell
        self.attentional_units = check_attentional(
            attentional_units, attentional_activation
        )
        self.attentional_activation = keras.activations.get(attentional_activation)
        self.return_sequences = check_bool("return_sequences", return_sequences)
        self.supports_masking = True

    def build(
        self,
        sequence_shape: Shape,
        memory_shape: Shape | Sequence[Shape],
        initial_state_shape: Sequence[Shape] | None = None,
    ) -> None:
        check_sequence_shape(sequence_shape)
        memories = memory_shapes(self.attention, memory_shape)
        batch, _, size = sequence_shape
        self.input_size = size
        query_shape = (batch, None, query_size(self.order, self.cells))
        for attention, shape in zip(as_list(self.attention), memories, strict=True):
            build_once(attention, query_shape, shape)
        context_size, self.output_size = self._sizes(memories)
        self.attentional = None
        if self.attentional_units is not None:
            self.attentional = keras.layers.Dense(
                self.attentional_units,
                activation=self.attentional_activation,
                use_bias=False,
                name="attentional",
                dtype=self.dtype_policy,
            )
            self.attentional.build((batch, self.output_size))
            self.output_size = self.attentional_units
        if self.order == "previous":
            size += context_size
        elif self.input_feeding:
            size += self.output_size
        for index, cell in enumerate(self.cells):
            build_once(cell, (batch, size))
            size = output_size(cell)
            if index == 0 and self.context_cell is not None:
                build_once(self.context_cell, (batch, context_size))
                size = output_size(self.context_cell)

    def call(
        self,
        sequence: Tensor,
        memory: Tensor | Memory | Sequence[Tensor] | Sequence[Memory],
        initial_state: Sequence[Tensor] | None = None,
        sequence_mask: Tensor | None = None,
        memory_mask: Tensor | Sequence[Tensor | None] | None = None,
        return_attention_scores: bool = False,
        return_state: bool = False,
        training: bool = False,
    ) -> Tensor | tuple[Any, ...]:
        start = begin(
            self, sequence, memory, initial_state, sequence_mask, memory_mask, training
        )
        output, weights, states = run_layer(
            self, start, training, return_attention_scores
        )
        return self._results(
            output, weights, states, return_attention_scores, return_state
        )

    def compute_output_spec(
        self,
        *inputs: Any,
        return_attention_scores: bool = False,
        return_state: bool = False,
        training: bool = False,
        **named_inputs: Any,
    ) -> Any:
        sequence, values, states = begin_symbolic(self, *inputs, **named_inputs)
        batch, length, _ = sequence.shape
        shapes = [self._output_shape(batch, length, self.output_size)]
        query_shape = (batch, length, query_size(self.order, self.cells))
        for attention, value in zip(as_list(self.attention), values, strict=True):
            # Prepared values may have heads, (B, H, S, Dv), and another size.
            value_shape = (batch, value.shape[-2], None)
            shapes.append(attention.weights_shape(query_shape, value_shape))
        output, *weights = [keras.KerasTensor(x, self.compute_dtype) for x in shapes]
        return self._results(
            output, weights, states, return_attention_scores, return_state
        )

    def compute_output_shape(
        self,
        sequence_shape: Shape,
        memory_shape: Shape | Sequence[Shape],
        initial_state_shape: Sequence[Shape] | None = None,
    ) -> Shape:
        _, joined_size = self._sizes(memory_shapes(self.attention, memory_shape))
        size = self.attentional_units or joined_size
        return self._output_shape(sequence_shape[0], sequence_shape[1], size)

    def compute_mask(
        self, sequence: Tensor, mask: Tensor | None = None
    ) -> Tensor | None:
        # Of several outputs Keras gives it to the first, and none to the others.
        return mask if self.return_sequences else None

    def prepare(
        self,
        memory: Tensor | Sequence[Tensor],
        memory_mask: Tensor | Sequence[Tensor | None] | None = None,
    ) -> Memory | list[Memory]:
        """Project a memory once, for many calls of one step each.

        For calls on tensors, such as those of a search, of a layer that is built;
        inside a functional model pass the memory itself. `memory` and `memory_mask` are
        as in a call, but a mask that Keras attached to the memory is not read. Gives a
        `Memory`, or a list of one for each of a list of attentions, to be passed as
        `memory`.

        Raises:
            ValueError: If the layer is not built, or the memory is symbolic.
        """
        symbolic = any(isinstance(x, keras.KerasTensor) for x in as_list(memory))
        if not self.built or symbolic:
            raise ValueError(
                "`memory` must be a tensor, and the layer must be built. Received: "
                f"memory={memory!r}, built={self.built}. Call the layer first, or pass "
                "the memory to the call as it is."
            )
        memories = prepare_memories(self.attention, memory, memory_mask)
        return memories if is_several(self.attention) else memories[0]

    def initial_states(
        self,
        memory: Memory | Sequence[Memory],
        given: Sequence[Tensor] | None = None,
    ) -> list[Tensor]:
        """List all states before the first step, as `return_state` lists them after.

        `memory` is what `prepare` gave, and `given` as `initial_state` in a call.

        Raises:
            ValueError: If `given` holds neither number of tensors.
        """
        memories = prepare_memories(self.attention, memory)
        return keras.tree.flatten(first_states(self, memories, given))

    def step(
        self,
        inputs: Tensor,
        memory: Memory | Sequence[Memory],
        states: Sequence[Tensor],
    ) -> tuple[Tensor, Any, list[Tensor]]:
        """Do one step outside training, for a loop of one's own, such as a search.

        Without the checks and the loop of a call, whose numbers it gives. Several rows
        may attend to each memory, as the hypotheses of a beam search do: rows `b * K`
        to `b * K + K - 1` of `B * K` to memory `b`, where no attention has a state.

        Args:
            inputs: Shape `(B, Dx)`, or `(B * K, Dx)`, of the layer's compute type.
            memory: What `prepare` gave.
            states: List of all states, what `initial_states` or the last step gave.

        Returns:
            output: Shape `(B, D)`.
            weights: Shape `(B, S)`, or `(B, H, S)` for an attention of H heads; a list
                for a list of attentions.
            states: The next states.

        Raises:
            ValueError: If `states` holds another number of tensors.

        Example:
            ```python
            memory = decoder.prepare(encoded, mask)
            states = decoder.initial_states(memory, [encoder_state])
            output, weights, states = decoder.step(embedded, memory, states)
            ```
        """
        output, weights, states = run_one_step(
            self, inputs, as_list(memory), list(states)
        )
        return output, weights if is_several(self.attention) else weights[0], states

    def get_config(self) -> dict[str, Any]:
        serialize = keras.saving.serialize_keras_object
        return {
            **super().get_config(),
            "cell": serialize(self.cells if len(self.cells) > 1 else self.cells[0]),
            "attention": serialize(self.attention),
            "order": self.order,
            "context_cell": serialize(self.context_cell),
            "attentional_units": self.attentional_units,
            "input_feeding": self.input_feeding,
            "return_sequences": self.return_sequences,
            "attentional_activation": keras.activations.serialize(
                self.attentional_activation
            ),
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        config = dict(config)
        for name in ("cell", "attention", "context_cell"):
            config[name] = keras.saving.deserialize_keras_object(config.get(name))
        return cls(**config)

    def _sizes(self, memory_shapes):
        """Tell the size of all contexts, and of contexts and output concatenated."""
        query_shape = (None, None, query_size(self.order, self.cells))
        pairs = zip(as_list(self.attention), memory_shapes, strict=True)
        size = sum(each.context_size(query_shape, shape) for each, shape in pairs)
        last = self.context_cell if len(self.cells) == 1 else None
        return size, size + output_size(last or self.cells[-1])

    def _output_shape(self, batch, length, size):
        return (batch, length, size) if self.return_sequences else (batch, size)

    def _results(self, output, weights, states, return_weights, return_state):
        results = [output]
        if return_weights:
            results.append(weights if is_several(self.attention) else weights[0])
        if return_state:
            results += states
        return tuple(results) if len(results) > 1 else output
