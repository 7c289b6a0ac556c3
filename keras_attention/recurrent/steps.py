"""The steps of `AttentionRNN`, in each order, and what comes after them."""

from typing import Literal, TypeAlias, get_args

import keras
from keras import ops

from keras_attention.core import check_int, hide_padding, last_step, run_loop
from keras_attention.recurrent.cells import (
    advance_all,
    all_cells,
    cells_with_dropout,
    in_parts,
    output_size,
    reset_dropout,
    state_sizes,
)
from keras_attention.recurrent.memories import as_list, draw_noise, noise_of_step
from keras_attention.recurrent.states import States, arrange_states

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


def check_attentional(units, activation):
    """Give the size of the attentional vector; `ValueError` if it does not fit."""
    if units is not None:
        return check_int("attentional_units", units)
    if activation != "tanh":
        raise ValueError(
            "`attentional_activation` must be left out without "
            "`attentional_units`: there is no attentional vector. Received: "
            f"attentional_activation={activation!r}."
        )
    return None


def query_size(order, cells):
    """Tell the size of what is a query in this order."""
    return output_size(cells[-1]) if order == "current" else state_sizes(cells[0])[0]


def run_layer(layer, start, training, return_weights):
    """Do all steps of an `AttentionRNN`, and attend after the loop where that can wait.

    Gives `(output, weights, states)`: shape `(B, T, D)`, or `(B, D)` of the last step
    alone, a list of shapes `(B, T, S)` or `(B, H, T, S)`, which counts with
    `return_weights` alone, and the flat list of the last states.
    """
    _, mask, memories, (_, _, remembered) = start
    # No step depends on an attention before it.
    late = layer.order == "current" and not layer.input_feeding and not any(remembered)
    outputs, weights, states = run_steps(layer, start, training, late, return_weights)
    if not layer.return_sequences and not (late and return_weights):
        outputs = last_step(outputs, mask)[:, None]
        mask = None if mask is None else ops.any(mask, axis=1, keepdims=True)
    if late:
        if training:
            memories = draw_noise(as_list(layer.attention), memories, outputs)
        context, weights, _ = attend(layer, outputs, memories, remembered, mask)
        outputs = concatenate(context, outputs)
    if layer.attentional is not None and not layer.input_feeding:
        outputs = layer.attentional(outputs)
    outputs = hide_padding(outputs, mask)
    if not layer.return_sequences:
        outputs = last_step(outputs, mask)
    return outputs, weights, states


def run_steps(layer, start, training, late, return_weights):
    """Do the loop, with the cells alone if `late`; gives what `run_layer` gives."""
    sequence, mask, memories, first = start
    if training and not late:
        memories = draw_noise(as_list(layer.attention), memories, sequence)
    cells = _cells_of(layer)
    sequence = cells[0].project(sequence)
    sequences = [sequence, *[x.noise for x in memories if x.noise is not None]]

    def step(rows, states):
        inputs, *noise = rows
        states = keras.tree.pack_sequence_as(first, list(states))
        weights = []
        if late:
            output, own = advance_all(cells[:-1], inputs, None, states.cells, training)
            outputs = [ops.cast(output, layer.compute_dtype)]
            states = states._replace(cells=own)
        else:
            now = noise_of_step(memories, noise)
            outputs, weights, states = run_step(
                layer, cells, inputs, states, now, training
            )
        outputs += weights if return_weights else []
        return outputs, keras.tree.flatten(states)

    states = keras.tree.flatten(first)
    dropping = cells_with_dropout(all_cells(layer.cells, layer.context_cell))
    try:
        if training and dropping:
            # Cells draw their dropout in the first step and keep it. Were that step
            # inside the loop, the masks would belong to the loop.
            step([each[:, 0] for each in sequences], states)
        outputs, states = run_loop(step, sequences, states, mask)
    finally:  # those of a call that failed are not for the next
        reset_dropout(dropping)
    # Context and output of all steps are concatenated at once.
    parts = 1 if late or layer.input_feeding else 2
    outputs, weights = outputs[:parts], outputs[parts:]
    # B T S as it is, B T H S to B H T S.
    return (
        concatenate(*outputs),
        [ops.moveaxis(each, 1, -2) for each in weights],
        states,
    )


def run_step(layer, cells, inputs, states, memories, training, shared=False):
    """Do one step with inputs of shape `(B, Dx)`, or `(B * K, Dx)` if `shared`.

    `cells` are the layer's in parts, the context cell last; `inputs` a row of what the
    first of them projected, or not. Gives `(outputs, weights, states)`: a list of
    shapes `(B, D)` to be concatenated, one of shapes `(B, S)` or `(B, H, S)`, and the
    next `States`. `shared`: K rows attend to each memory.
    """
    *cells, context_cell = cells
    own, fed, attentions = states
    more = fed[0] if fed else None

    def attend_once(query):
        # Not cut out by `[:, 0]`, of which TensorFlow's gradient is a copy.
        queries = _group(query, memories) if shared else ops.expand_dims(query, 1)
        context, weights, after = attend(layer, queries, memories, attentions)
        if shared:
            return _flat(context), [_flat(each) for each in weights], after
        weights = [ops.squeeze(each, axis=-2) for each in weights]
        return ops.squeeze(context, axis=1), weights, after

    if layer.order == "previous":
        context, weights, attentions = attend_once(own[0][0])
        output, own = advance_all(cells, inputs, context, own, training)
    elif layer.order == "current":
        output, own = advance_all(cells, inputs, more, own, training)
        context, weights, attentions = attend_once(output)
    else:
        _, first = cells[0].advance(inputs, None, own[0], training)
        context, weights, attentions = attend_once(first[0])
        output, first = context_cell.advance(context, None, first, training)
        output, others = advance_all(cells[1:], output, None, own[1:], training)
        own = [first, *others]
    outputs = [context, ops.cast(output, context.dtype)]
    if layer.input_feeding:
        output = concatenate(*outputs)
        if layer.attentional is not None:
            output = layer.attentional(output)
        outputs = fed = [output]
    return outputs, weights, States(own, list(fed), attentions)


def run_one_step(layer, inputs, memories, states):
    """Do the one step of `AttentionRNN.step`: the output, weights, and flat states."""
    states = arrange_states(layer, memories, states)
    outputs, weights, states = run_step(
        layer, _cells_of(layer), inputs, states, memories, training=False, shared=True
    )
    output = concatenate(*outputs)
    if layer.attentional is not None and not layer.input_feeding:
        output = layer.attentional(output)
    return output, weights, keras.tree.flatten(states)


def _cells_of(layer):
    """List the cells in parts; the last is the context cell, or `None`."""
    cells = [in_parts(cell, layer.compute_dtype) for cell in layer.cells]
    context_cell = layer.context_cell
    if context_cell is not None:
        context_cell = in_parts(context_cell, layer.compute_dtype)
    return [*cells, context_cell]


def _group(rows, memories):
    """Give the rows `(B * K, D)` of `B` memories an axis for each: `(B, K, D)`."""
    batch = ops.shape(memories[0].value)[0]
    return ops.reshape(rows, (batch, -1, rows.shape[-1]))


def _flat(groups):
    """Undo `_group` for `(B, K, D)`, or `(B, H, K, S)` of heads: `(B * K, H, S)`."""
    heads = list(groups.shape[1:-2])
    if heads:
        groups = ops.moveaxis(groups, 1, 2)
    return ops.reshape(groups, (-1, *heads, ops.shape(groups)[-1]))


def attend(layer, query, memories, states, query_mask=None):
    """Attend with each attention of a layer, to queries of shape `(B, T, Dq)`.

    Gives `(context, weights, states)`: all contexts concatenated, shape `(B, T, Dc)`,
    and lists of the weights and of the states of each.
    """
    # A cell or an attention may have a type of its own.
    query = ops.cast(query, layer.compute_dtype)
    each = zip(as_list(layer.attention), memories, states, strict=True)
    found = [
        attention.attend(query, memory, state, query_mask=query_mask)
        for attention, memory, state in each
    ]
    contexts, weights, states = zip(*found, strict=True)
    contexts = [ops.cast(context, query.dtype) for context in contexts]
    context = concatenate(*contexts)
    weights = [ops.cast(each, query.dtype) for each in weights]
    return context, weights, [list(state) for state in states]


def concatenate(*outputs):
    """Give [context; output], in this order: Luong's [c_t; h_t] (equation 5)."""
    return outputs[0] if len(outputs) == 1 else ops.concatenate(outputs, axis=-1)
