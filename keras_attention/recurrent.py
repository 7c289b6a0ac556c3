"""Recurrent layers that attend at every step."""

import keras
from keras import ops

from keras_attention.base import Memory, check_attention_shapes, check_positive_int
from keras_attention.cells import (
    build_once,
    check_cell,
    copy_cell,
    has_dropout,
    output_size,
    run_cell,
    state_sizes,
)
from keras_attention.loop import last_step, run_loop

ORDERS = ("previous", "current", "conditional")


@keras.saving.register_keras_serializable(package="keras_attention")
class AttentionRNN(keras.layers.Layer):
    """Runs any Keras RNN cell over a sequence and attends to a memory at every step.

    previous: c_t = attend(s_{t-1}); s_t = cell([x_t; c_t], s_{t-1})
    current: s_t = cell(x_t, s_{t-1}); c_t = attend(output_t)
    conditional: s' = cell(x_t, s_{t-1}); c_t = attend(s'); s_t = context_cell(c_t, s')

    The decoder of a translation model, say. The memory and its mask are arguments of
    the call and are projected once, outside the loop. One step at a time (a call with
    one time step and the states handed on) gives the same numbers as the whole
    sequence at once. In the order "current" without input feeding no step depends on
    an attention before it, so all queries are asked at once after the loop.

    Shapes: `B` batch, `T` steps, `S` memory steps, `Dx` input size, `Dv` memory size,
    `Dc` context size, `Ds` size of the cell's output.

    Args:
        cell: A Keras RNN cell, or a list of cells that are stacked. Of a stack the
            first cell asks, with its first state; in the order "current" the output of
            the last cell does.
        attention: An attention layer of this package.
        order: `"previous"`, `"current"` or `"conditional"`.
        context_cell: The cell that takes the context, for `"conditional"` alone. Its
            states must have the sizes of the (first) cell's. If left out, a cell made
            from the (first) cell's configuration.
        attentional_units: Positive int or `None`. If given, the output is the
            attentional vector tanh(W [context; output]) of this size; otherwise it is
            the context and the cell's output side by side.
        input_feeding: Bool. Whether the output of step t-1 is an input of step t, for
            `"current"` alone; the other orders feed the context already.
        return_sequences: Bool. Whether to return every step or the last alone.
        **kwargs: Arguments of `keras.layers.Layer`, such as `name` and `dtype`.

    Call arguments:
        sequence: Shape `(B, T, Dx)`.
        memory: What to attend to: shape `(B, S, Dv)`, or what `prepare` gave.
        initial_state: List of tensors, shape `(B, …)`: either the states of the cells,
            such as an encoder's last states, or all that `return_state` gave. Zeros if
            left out.
        sequence_mask: Boolean, shape `(B, T)`. A step at `False` keeps the states, and
            its output and weights are 0.
        memory_mask: Boolean, shape `(B, S)`. Memory at `False` is never looked at.
        return_attention_scores: Bool. Whether to return the weights too.
        return_state: Bool. Whether to return the states too.
        training: Bool. Whether dropout acts; a mask is drawn once per sequence.

    Returns:
        output: Shape `(B, T, attentional_units)` or `(B, T, Dc + Ds)`; without the
            axis `T` if not `return_sequences`.
        weights: Shape `(B, T, S)`, or `(B, H, T, S)` for an attention of H heads, only
            if `return_attention_scores`.
        *states: Each of shape `(B, …)`, only if `return_state`.

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
        [Sennrich et al., 2017](https://arxiv.org/abs/1703.04357), section 4.
    """

    def __init__(
        self,
        cell,
        attention,
        order="previous",
        context_cell=None,
        attentional_units=None,
        input_feeding=False,
        return_sequences=True,
        **kwargs,
    ):
        super().__init__(**kwargs)
        if order not in ORDERS:
            raise ValueError(
                "`order` must be 'previous', 'current' or 'conditional'. "
                f"Received: order={order!r}."
            )
        if input_feeding and order != "current":
            raise ValueError(
                "`input_feeding` must be False unless order='current': the other "
                "orders feed the context already. "
                f"Received: order={order!r}, input_feeding={input_feeding!r}."
            )
        if context_cell is not None and order != "conditional":
            raise ValueError(
                "`context_cell` must be None unless order='conditional'. "
                f"Received: order={order!r}, context_cell={context_cell!r}."
            )
        if attentional_units is not None:
            check_positive_int("attentional_units", attentional_units)
        self.cells = list(cell) if isinstance(cell, (list, tuple)) else [cell]
        for each in [*self.cells, *([context_cell] if context_cell else [])]:
            check_cell(each)
        if not hasattr(attention, "attend"):
            raise ValueError(
                "`attention` must be an attention layer of this package. "
                f"Received: attention={attention!r}."
            )
        self.attention = attention
        self.order = order
        if order == "conditional" and context_cell is None:
            context_cell = copy_cell(self.cells[0])
        self.context_cell = context_cell
        self.attentional_units = attentional_units
        self.input_feeding = input_feeding
        self.return_sequences = return_sequences
        self.supports_masking = True
        # Keras does not compile its recurrent layers with XLA on TensorFlow either.
        self.supports_jit = False

    def build(self, sequence_shape, memory_shape, initial_state_shape=None):
        if len(sequence_shape) != 3 or sequence_shape[-1] is None:
            raise ValueError(
                "`sequence` must have shape (B, T, Dx) with a known size. "
                f"Received: sequence_shape={tuple(sequence_shape)}."
            )
        if isinstance(memory_shape, Memory):
            raise ValueError(
                "`memory` must be a tensor of shape (B, S, Dv) in the first call. "
                "Received: a prepared memory. Call the layer, or `build`, before."
            )
        check_attention_shapes((None, 1), memory_shape)
        batch = sequence_shape[0]
        query_size = (
            output_size(self.cells[-1])
            if self.order == "current"
            else state_sizes(self.cells[0])[0]
        )
        query_shape = (batch, None, query_size)
        build_once(self.attention, query_shape, tuple(memory_shape))
        self._context_size = self.attention.context_size(query_shape, memory_shape)
        self._output_size = output_size(self.cells[-1]) + self._context_size
        self.attentional = None
        if self.attentional_units is not None:
            self.attentional = keras.layers.Dense(
                self.attentional_units,
                activation="tanh",
                use_bias=False,
                name="attentional",
                dtype=self.dtype_policy,
            )
            self.attentional.build((batch, self._output_size))
            self._output_size = self.attentional_units
        size = sequence_shape[-1]
        if self.order == "previous":
            size += self._context_size
        elif self.input_feeding:
            size += self._output_size
        for index, cell in enumerate(self.cells):
            build_once(cell, (batch, size))
            size = output_size(cell)
            if index == 0 and self.context_cell is not None:
                self._check_context_cell()
                build_once(self.context_cell, (batch, self._context_size))
                size = output_size(self.context_cell)
        self.built = True

    def call(
        self,
        sequence,
        memory,
        initial_state=None,
        sequence_mask=None,
        memory_mask=None,
        return_attention_scores=False,
        return_state=False,
        training=False,
    ):
        if not isinstance(memory, Memory):
            memory = self.attention.prepare(
                memory, value_mask=memory_mask, draw_dropout=training
            )
        states = self.initial_states(memory, initial_state)
        ask_later = self._asks_later(memory)
        if training and any(has_dropout(cell) for cell in self._all_cells()):
            # Cells draw their dropout in the first step and keep it. Were that step
            # inside the loop, the masks would belong to the loop.
            self._step(sequence[:, 0], states, memory, training, ask=not ask_later)
        heads = []

        def step(inputs, states):
            output, weights, new_states = self._step(
                inputs, states, memory, training, ask=not ask_later
            )
            if weights is None:
                return [output], new_states
            heads[:] = weights.shape[1:-2]
            weights = ops.reshape(weights, (ops.shape(weights)[0], -1))
            return [output, weights], new_states

        outputs, states = run_loop(step, sequence, states, sequence_mask)
        self._reset_cell_dropout()
        if ask_later:
            outputs, weights = self._ask_all(outputs[0], memory, sequence_mask)
        else:
            outputs, weights = outputs
            if self.attentional is not None and not self.input_feeding:
                outputs = self.attentional(outputs)
            if heads:
                batch, length = ops.shape(weights)[0], ops.shape(weights)[1]
                weights = ops.reshape(weights, (batch, length, heads[0], -1))
                weights = ops.transpose(weights, (0, 2, 1, 3))  # B H T S
        if not self.return_sequences:
            outputs = last_step(outputs, sequence_mask)
        results = [outputs]
        if return_attention_scores:
            results.append(weights)
        if return_state:
            results.extend(states)
        return results[0] if len(results) == 1 else tuple(results)

    def prepare(self, memory, memory_mask=None):
        """Project a memory once, for many calls of one step each.

        The layer must be built. The result is for calls on tensors, such as those of
        a search; inside a functional model pass the memory itself.

        Args:
            memory: Shape `(B, S, Dv)`.
            memory_mask: Boolean, shape `(B, S)`, or `None`.

        Returns:
            A `Memory`, to be passed as `memory`.

        Raises:
            ValueError: If the layer is not built, or the memory is symbolic.
        """
        if not self.built or isinstance(memory, keras.KerasTensor):
            raise ValueError(
                "`memory` must be a tensor, and the layer must be built. Received: "
                f"memory={memory!r}, built={self.built}. Call the layer first, or pass "
                "the memory to the call as it is."
            )
        return self.attention.prepare(memory, value_mask=memory_mask)

    def initial_states(self, memory, given=None):
        """List all states before the first step, as `return_state` lists them after.

        Args:
            memory: A `Memory` from `prepare`.
            given: List of tensors, shape `(B, …)`: the states of the cells, or all
                states; zeros if `None`.

        Returns:
            List of tensors, shape `(B, …)`.

        Raises:
            ValueError: If `given` holds neither number of tensors.
        """
        sizes = [size for cell in self.cells for size in state_sizes(cell)]
        cells = len(sizes)
        if self.input_feeding:
            sizes.append(self._output_size)
        batch_size = ops.shape(memory.value)[0]
        states = [ops.zeros((batch_size, size), self.compute_dtype) for size in sizes]
        states += self.attention.initial_state(memory)
        if given is None:
            return states
        given = list(given) if isinstance(given, (list, tuple)) else [given]
        if len(given) not in (cells, len(states)):
            raise ValueError(
                f"`initial_state` must hold {cells} cell states, or all {len(states)} "
                f"that `return_state` gives. Received: {len(given)} tensors."
            )
        return [*given, *states[len(given) :]]

    def compute_mask(self, sequence, mask=None):
        return None

    def get_config(self):
        serialize = keras.saving.serialize_keras_object
        cells = [serialize(cell) for cell in self.cells]
        return {
            **super().get_config(),
            "cell": cells if len(cells) > 1 else cells[0],
            "attention": serialize(self.attention),
            "order": self.order,
            "context_cell": serialize(self.context_cell) if self.context_cell else None,
            "attentional_units": self.attentional_units,
            "input_feeding": self.input_feeding,
            "return_sequences": self.return_sequences,
        }

    @classmethod
    def from_config(cls, config):
        deserialize = keras.saving.deserialize_keras_object
        config = dict(config)
        cells = config["cell"]
        config["cell"] = (
            [deserialize(cell) for cell in cells]
            if isinstance(cells, list)
            else deserialize(cells)
        )
        config["attention"] = deserialize(config["attention"])
        if config["context_cell"] is not None:
            config["context_cell"] = deserialize(config["context_cell"])
        return cls(**config)

    def _step(self, inputs, states, memory, training, ask):
        """Do one step: (B, Dx) and flat states to output, weights, new states."""
        cell_states, fed, attention_state = self._split(states)
        weights = context = None
        if self.order == "previous":
            context, weights, attention_state = self._ask(
                cell_states[0][0], memory, attention_state
            )
            inputs = ops.concatenate([inputs, context], axis=-1)
        elif self.input_feeding:
            inputs = ops.concatenate([inputs, *fed], axis=-1)
        new_states = []
        output = inputs
        pairs = zip(self.cells, cell_states, strict=True)
        for index, (cell, state) in enumerate(pairs):
            output, state = run_cell(cell, output, state, training)
            if index == 0 and self.order == "conditional":
                context, weights, attention_state = self._ask(
                    state[0], memory, attention_state
                )
                output, state = run_cell(self.context_cell, context, state, training)
            new_states.extend(state)
        if ask and self.order == "current":
            context, weights, attention_state = self._ask(
                output, memory, attention_state
            )
        if ask:
            # The context first: Luong's [c_t; h_t] (equation 5).
            output = ops.concatenate([context, output], axis=-1)
        if self.input_feeding:
            if self.attentional is not None:
                output = self.attentional(output)
            new_states.append(output)
        return output, weights, [*new_states, *attention_state]

    def _ask(self, query, memory, state):
        context, weights, state = self.attention.attend(query[:, None], memory, state)
        return context[:, 0], weights, state

    def _ask_all(self, outputs, memory, sequence_mask):
        context, weights, _ = self.attention.attend(
            outputs, memory, query_mask=sequence_mask
        )
        outputs = ops.concatenate([context, outputs], axis=-1)
        if self.attentional is not None:
            outputs = self.attentional(outputs)
        if sequence_mask is not None:
            keep = ops.cast(sequence_mask, "bool")[:, :, None]
            outputs = ops.where(keep, outputs, ops.zeros_like(outputs))
        return outputs, weights

    def _asks_later(self, memory):
        stateless = not self.attention.initial_state(memory)
        return self.order == "current" and not self.input_feeding and stateless

    def _split(self, states):
        """Split flat states into those of each cell, the fed output, the rest."""
        states, cell_states = list(states), []
        for cell in self.cells:
            count = len(state_sizes(cell))
            cell_states.append(states[:count])
            states = states[count:]
        fed = 1 if self.input_feeding else 0
        return cell_states, states[:fed], states[fed:]

    def _check_context_cell(self):
        first, second = state_sizes(self.cells[0]), state_sizes(self.context_cell)
        if first != second:
            raise ValueError(
                "`context_cell` must have states of the (first) cell's sizes. "
                f"Received: state sizes {first} of cell, {second} of context_cell."
            )

    def _reset_cell_dropout(self):
        for cell in self._all_cells():
            if has_dropout(cell):
                cell.reset_dropout_mask()
                cell.reset_recurrent_dropout_mask()

    def _all_cells(self):
        return [*self.cells, *([self.context_cell] if self.context_cell else [])]
