"""The steps of `AttentionRNN`, in each order, and what comes after them."""

from typing import Literal, TypeAlias, get_args

from keras import ops

from keras_attention.core import fits, run_loop
from keras_attention.recurrent.cells import (
    has_dropout,
    output_size,
    reset_dropout,
    run_cell,
    run_cells,
    state_sizes,
)
from keras_attention.recurrent.memories import (
    as_list,
    attend_all,
    draw_noise,
    noise_of_step,
)
from keras_attention.recurrent.states import join, split

Order: TypeAlias = Literal["previous", "current", "conditional"]
ORDERS = get_args(Order)


def check_order(order, input_feeding, context_cell):
    """Raise `ValueError` for an unknown order, or arguments that it does not take."""
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


def check_sequence(sequence, size):
    """Raise `ValueError` unless a sequence has shape `(B, T, size)`, and steps."""
    shape = tuple(sequence.shape)
    if len(shape) != 3 or shape[1] == 0 or not fits(shape[2], size):
        raise ValueError(
            f"`sequence` must have shape (B, T, {size}) and at least one step. "
            f"Received: sequence.shape={shape}."
        )


def query_size(order, cells):
    """Tell the size of what is a query in this order."""
    return output_size(cells[-1]) if order == "current" else state_sizes(cells[0])[0]


def run_steps(
    layer,
    sequence,
    mask,
    memories,
    groups,
    states,
    training,
    attend_now,
    return_weights,
):
    """Do all steps.

    Args:
        layer: An `AttentionRNN`.
        sequence: Shape `(B, T, Dx)`.
        mask: Boolean, shape `(B, T)`, or `None`.
        memories: List of a `Memory` for each attention.
        groups: The states, in groups; of the tensors their number alone counts.
        states: The flat list of the first states.
        training: Bool.
        attend_now: Bool. Whether to attend, or to step the cells alone.
        return_weights: Bool.

    Returns:
        `(outputs, weights, states)`: shape `(B, T, D)`, a list of shapes `(B, T, S)` or
        `(B, H, T, S)`, empty unless `return_weights`, and the last states.
    """
    if training and attend_now:
        memories = draw_noise(as_list(layer.attention), memories, _length(sequence))
    sequences = [sequence]
    sequences += [each.noise for each in memories if each.noise is not None]

    def step(rows, states):
        inputs, *noise = rows
        now = noise_of_step(memories, noise)
        states = split(states, groups)
        output, weights, states = run_step(
            layer, inputs, states, now, training, attend_now
        )
        return [output, *(weights if return_weights else [])], states

    cells = [*layer.cells, *([layer.context_cell] if layer.context_cell else [])]
    if training and any(has_dropout(cell) for cell in cells):
        # Cells draw their dropout in the first step and keep it. Were that step
        # inside the loop, the masks would belong to the loop.
        step([each[:, 0] for each in sequences], states)
    (outputs, *weights), states = run_loop(step, sequences, states, mask)
    reset_dropout(cells)
    # B T S as it is, B T H S to B H T S.
    return outputs, [ops.moveaxis(each, 1, -2) for each in weights], states


def attend_after_loop(layer, outputs, memories, mask, training):
    """Attend with all outputs of the cells at once.

    Args:
        layer: An `AttentionRNN`.
        outputs: Shape `(B, T, Ds)`.
        memories: List of a `Memory` for each attention.
        mask: Boolean, shape `(B, T)`, or `None`.
        training: Bool.

    Returns:
        `(outputs, weights)`: shape `(B, T, Dc + Ds)`, a list of weights.
    """
    if training:
        memories = draw_noise(as_list(layer.attention), memories, _length(outputs))
    states: list[list] = [[]] * len(memories)
    context, weights, _ = attend(layer, outputs, memories, states, mask)
    return concatenate(context, outputs), weights


def run_step(layer, inputs, groups, memories, training, attend_now):
    """Do one step.

    Args:
        layer: An `AttentionRNN`.
        inputs: Shape `(B, Dx)`.
        groups: The states, in groups.
        memories: List of a `Memory` for each attention.
        training: Bool.
        attend_now: Bool. Whether to attend, or to step the cells alone.

    Returns:
        `(output, weights, states)`: shape `(B, D)`, a list of shapes `(B, S)` or
        `(B, H, S)`, empty unless `attend_now`, and the flat list of the next states.
    """
    count = len(layer.cells)
    cell_states, fed, attention_states = (
        groups[:count],
        groups[count],
        groups[count + 1 :],
    )
    if layer.input_feeding:
        inputs = ops.concatenate([inputs, *fed], axis=-1)

    def attend_once(query):
        context, weights, states = attend(
            layer, query[:, None], memories, attention_states
        )
        return context[:, 0], ([each[..., 0, :] for each in weights], states)

    if not attend_now:
        output, states = run_cells(layer.cells, inputs, cell_states, training)
        return ops.cast(output, layer.compute_dtype), [], join(states)
    arguments = (inputs, cell_states, attend_once, training)
    if layer.order == "previous":
        result = step_previous(layer.cells, *arguments)
    elif layer.order == "current":
        result = step_current(layer.cells, *arguments)
    else:
        result = step_conditional(layer.cells, layer.context_cell, *arguments)
    output, context, (weights, attention_states), states = result
    output = concatenate(context, output)
    if layer.input_feeding:
        if layer.attentional is not None:
            output = layer.attentional(output)
        fed = [output]
    return output, weights, join([*states, fed, *attention_states])


def attend(layer, query, memories, states, query_mask=None):
    """Attend with all attentions of a layer, as `attend_all` does."""
    # A cell may have a type of its own.
    query = ops.cast(query, layer.compute_dtype)
    return attend_all(as_list(layer.attention), query, memories, states, query_mask)


def concatenate(context, output):
    """Give [context; output], in this order: Luong's [c_t; h_t] (equation 5)."""
    return ops.concatenate([context, ops.cast(output, context.dtype)], axis=-1)


def _length(sequence):
    return ops.shape(sequence)[1]


def step_previous(cells, inputs, states, attend, training):
    """Attend with the state before the step; the context is an input of the step."""
    context, found = attend(states[0][0])
    inputs = ops.concatenate([inputs, context], axis=-1)
    output, states = run_cells(cells, inputs, states, training)
    return output, context, found, states


def step_current(cells, inputs, states, attend, training):
    """Step, then attend with the output."""
    output, states = run_cells(cells, inputs, states, training)
    context, found = attend(output)
    return output, context, found, states


def step_conditional(cells, context_cell, inputs, states, attend, training):
    """Step, attend with the state, and step a second cell on the context."""
    _, first = run_cell(cells[0], inputs, states[0], training)
    context, found = attend(first[0])
    output, first = run_cell(context_cell, context, first, training)
    output, others = run_cells(cells[1:], output, states[1:], training)
    return output, context, found, [first, *others]
