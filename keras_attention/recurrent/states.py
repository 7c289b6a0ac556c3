"""The states of `AttentionRNN`, each a tensor of shape `(B, …)`."""

from typing import NamedTuple

import keras
from keras import ops

from keras_attention.core import fits
from keras_attention.recurrent.cells import state_sizes
from keras_attention.recurrent.memories import as_list


class States(NamedTuple):
    """All states, by what they belong to; in loops and calls they are a flat list."""

    cells: list[list]  # of each cell
    fed: list  # the output that is fed back, if it is
    attentions: list[list]  # of each attention


def first_states(layer, memories, given=None):
    """Give the `States` before the first step of an `AttentionRNN`.

    `given` holds tensors in place of the states of the cells, or of all, and they are
    cast to the types of those. The states of attentions have types of their own.
    """
    batch = ops.shape(memories[0].value)[0]
    cells = [_first_of_cell(cell, batch, layer.compute_dtype) for cell in layer.cells]
    fed = []
    if layer.input_feeding:
        fed = [ops.zeros((batch, layer.output_size), layer.compute_dtype)]
    pairs = zip(as_list(layer.attention), memories, strict=True)
    attentions = [list(attention.initial_state(memory)) for attention, memory in pairs]
    states = States(cells, fed, attentions)
    return states if given is None else _replace_first(states, given)


def _first_of_cell(cell, batch, dtype):
    """Give what a cell begins with: its own first states, or 0."""
    sizes = state_sizes(cell)
    if not hasattr(cell, "get_initial_state"):
        return [ops.zeros((batch, size), dtype) for size in sizes]
    states = keras.tree.flatten(cell.get_initial_state(batch_size=batch))
    shapes = [tuple(state.shape) for state in states]
    if len(shapes) != len(sizes) or not all(
        len(shape) == 2 and fits(shape[1], size)
        for shape, size in zip(shapes, sizes, strict=True)
    ):
        raise ValueError(
            f"`get_initial_state` of the cell {cell.name!r} must give states of shapes "
            f"{[('B', size) for size in sizes]}. Received: {shapes}."
        )
    return [
        ops.reshape(ops.cast(state, dtype), (batch, size))
        for state, size in zip(states, sizes, strict=True)
    ]


def arrange_states(layer, memories, flat):
    """Put the flat list of all states into `States`."""
    pairs = zip(as_list(layer.attention), memories, strict=True)
    cells = [state_sizes(cell) for cell in layer.cells]
    remembered = [list(attention.initial_state(memory)) for attention, memory in pairs]
    pattern = States(cells, [layer.output_size] * layer.input_feeding, remembered)
    count = len(keras.tree.flatten(pattern))
    if len(flat) != count:
        raise ValueError(
            f"`states` must hold all {count} states, as `initial_states` lists them. "
            f"Received: {len(flat)} tensors."
        )
    return keras.tree.pack_sequence_as(pattern, list(flat))


def _replace_first(states, given):
    flat = keras.tree.flatten(states)
    given = list(given) if isinstance(given, (list, tuple)) else [given]
    of_cells = len(keras.tree.flatten(states.cells))
    if len(given) not in (of_cells, len(flat)):
        raise ValueError(
            f"`initial_state` must hold {of_cells} cell states, or all {len(flat)} "
            f"that `return_state` gives. Received: {len(given)} tensors."
        )
    for number, (tensor, own) in enumerate(zip(given, flat, strict=False)):
        tensor = ops.cast(tensor, own.dtype)
        shape, wanted = tuple(tensor.shape), tuple(own.shape)
        if len(shape) != len(wanted) or not all(map(fits, shape, wanted)):
            raise ValueError(
                f"`initial_state[{number}]` must have shape {wanted}. "
                f"Received: shape {shape}."
            )
        flat[number] = tensor
    return keras.tree.pack_sequence_as(states, flat)
