"""Keras RNN cells: their checks, their states, their steps."""

import functools
import inspect
import random

import keras

from keras_attention.recurrent.gates import gates_of, join_inputs


def check_cells(cells):
    """Raise `ValueError` if an object is no cell with flat states, or comes twice."""
    for cell in cells:
        if isinstance(cell, keras.layers.RNN):
            name = f"{type(cell).__name__}Cell"
            mend = f"`keras.layers.{name}`" if hasattr(keras.layers, name) else "a cell"
            raise ValueError(
                "`cell` must be a Keras RNN cell, or a list of them, which does one "
                f"step. Received: {cell!r}, a layer over all steps. Pass {mend}."
            )
        sizes = getattr(cell, "state_size", None)
        flat = sizes if isinstance(sizes, (list, tuple)) else [sizes]
        is_cell = isinstance(cell, keras.layers.Layer)
        if not is_cell or not all(isinstance(size, int) for size in flat):
            raise ValueError(
                "`cell` must be a Keras RNN cell, or a list of them, with `state_size` "
                f"an int or a list of ints. Received: {cell!r} with "
                f"state_size={sizes!r}. Pass the cells of a stack as a list, and "
                "`keras.layers.GRUCell`, say, in place of a layer over all steps."
            )
    if not cells or len({id(cell) for cell in cells}) < len(cells):
        raise ValueError(
            "`cell` must be a Keras RNN cell, or a list that holds each cell once: a "
            f"cell has one set of weights. Received: cell={cells!r}."
        )


def check_context_cell(cell, context_cell):
    """Raise `ValueError` if the states of two cells differ in their sizes."""
    first, second = state_sizes(cell), state_sizes(context_cell)
    if first != second:
        raise ValueError(
            "`context_cell` must have states of the (first) cell's sizes. "
            f"Received: state sizes {first} of cell, {second} of context_cell."
        )


def all_cells(cells, context_cell):
    """List the cells of a stack, and the context cell if there is one."""
    return [*cells, *([] if context_cell is None else [context_cell])]


def state_sizes(cell):
    """List the sizes of the states of a cell."""
    sizes = cell.state_size
    return list(sizes) if isinstance(sizes, (list, tuple)) else [sizes]


def output_size(cell):
    """Tell the size of the output of a cell."""
    return getattr(cell, "output_size", None) or state_sizes(cell)[0]


def copy_cell(cell):
    """Make a cell of the same configuration, with weights and dropout of its own."""
    config = _with_other_seeds(cell.get_config())
    config["name"] = f"{config.get('name', 'cell')}_context"
    return type(cell).from_config(config)


def _with_other_seeds(config):
    """Change every int `seed` of a configuration, those of its initializers too."""
    if type(config) in (list, tuple):
        return type(config)(map(_with_other_seeds, config))
    if not isinstance(config, dict):
        return config
    return {
        name: random.Random(value).getrandbits(31)
        if name == "seed" and isinstance(value, int)
        else _with_other_seeds(value)
        for name, value in config.items()
    }


def cells_with_dropout(cells):
    """List the cells that draw dropout masks, and those inside a stack or a wrapper."""
    inner = [part for cell in cells for part in cell._flatten_layers()]
    return list(filter(_has_dropout, inner))


def _has_dropout(cell):
    """Tell whether a cell draws dropout masks; one that does not say how much does."""
    shares = [getattr(cell, name, 1) for name in ("dropout", "recurrent_dropout")]
    return hasattr(cell, "get_dropout_mask") and any(shares)


def reset_dropout(cells):
    """Let cells that have dropout draw new masks at the next step."""
    for cell in cells:
        cell.reset_dropout_mask()
        cell.reset_recurrent_dropout_mask()


def in_parts(cell, dtype):
    """Give a cell for the steps of a layer with this type: in parts, if it can be."""
    return gates_of(cell, dtype) or _WholeCell(cell)


class _WholeCell:
    """A cell that takes its inputs whole, with what `gates_of` gives a cell."""

    def __init__(self, cell):
        self.cell = cell

    def project(self, sequence):
        return sequence

    def advance(self, x, more, states, training):
        call = getattr(self.cell.call, "__func__", self.cell.call)
        arguments = {"training": training} if _takes_training(call) else {}
        # A cell of one state takes and gives a tensor or a list of one; both are right.
        output, new_state = self.cell(join_inputs(x, more), list(states), **arguments)
        if not isinstance(new_state, (list, tuple)):
            new_state = [new_state]
        return output, list(new_state)


@functools.lru_cache
def _takes_training(call):
    return "training" in inspect.signature(call).parameters


def advance_all(cells, inputs, more, states, training):
    """Do one step of cells in parts that are stacked; `more` is for the first.

    Gives the output of the last, and all states.
    """
    new_states = []
    for cell, state in zip(cells, states, strict=True):
        inputs, state = cell.advance(inputs, more, state, training)
        new_states.append(state)
        more = None
    return inputs, new_states
