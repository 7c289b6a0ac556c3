"""The states of `AttentionRNN`, in groups: of each cell, the fed output, attentions.

A group is a list of tensors of shape `(B, …)`. Outside, in loops and calls, all states
are one flat list.
"""

import keras
from keras import ops

from keras_attention.core import fits
from keras_attention.recurrent.cells import state_sizes


def first_states(cells, fed_size, attentions, memories, dtype):
    """List the states before the first step, in groups.

    Args:
        cells: List of Keras RNN cells.
        fed_size: Int. Size of the output that is fed back; `None` if none is.
        attentions: List of attention layers.
        memories: List of a `Memory` for each attention.
        dtype: The type of all but the states of attentions, which have their own.

    Returns:
        A list of groups, one for each cell, one for the fed output (it may be empty),
        and one for each attention.
    """
    batch = ops.shape(memories[0].value)[0]
    sizes = [state_sizes(cell) for cell in cells]
    sizes.append([] if fed_size is None else [fed_size])
    groups = [[ops.zeros((batch, size), dtype) for size in group] for group in sizes]
    for attention, memory in zip(attentions, memories, strict=True):
        groups.append(list(attention.initial_state(memory)))
    return groups


def start_with(given, groups, cell_count):
    """List the states of all groups, with the tensors given in place of the first.

    Args:
        given: List of tensors, in place of the states of the cells or of all states;
            `None` for none. Each is cast to the type of the one it replaces.
        groups: What `first_states` gave.
        cell_count: Int. Number of cells.

    Returns:
        A flat list of tensors.

    Raises:
        ValueError: If the number of tensors is another, or one has another shape.
    """
    states = join(groups)
    if given is None:
        return states
    given = list(given) if isinstance(given, (list, tuple)) else [given]
    of_cells = len(join(groups[:cell_count]))
    if len(given) not in (of_cells, len(states)):
        raise ValueError(
            f"`initial_state` must hold {of_cells} cell states, or all {len(states)} "
            f"that `return_state` gives. Received: {len(given)} tensors."
        )
    replaced = zip(given, states[: len(given)], strict=True)
    given = [ops.cast(tensor, own.dtype) for tensor, own in replaced]
    for number, (tensor, own) in enumerate(zip(given, states, strict=False)):
        shape, wanted = tuple(tensor.shape), tuple(own.shape)
        if len(shape) != len(wanted) or not all(map(fits, shape, wanted)):
            raise ValueError(
                f"`initial_state[{number}]` must have shape {wanted}. "
                f"Received: shape {shape}."
            )
    return [*given, *states[len(given) :]]


def join(groups):
    """Put groups of states into one flat list."""
    return [state for group in groups for state in group]


def split(states, groups):
    """Put a flat list of states into groups of the lengths of these."""
    states, split = list(states), []
    for group in groups:
        split.append(states[: len(group)])
        states = states[len(group) :]
    return split


class Described(keras.Operation):
    """A function, for `compute_output_spec`: what it gives for symbolic tensors."""

    def __init__(self, function, name):
        super().__init__(name=name)
        self.call = function
