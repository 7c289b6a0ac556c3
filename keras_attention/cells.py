"""What `AttentionRNN` asks of Keras RNN cells."""

import inspect


def build_once(layer, *shapes):
    """Build a layer unless it is built, as one loaded from a file is."""
    if not layer.built:
        layer.build(*shapes)


def run_cell(cell, inputs, state, training):
    """Do one step.

    Args:
        cell: A Keras RNN cell.
        inputs: Shape `(B, D)`.
        state: List of tensors, shape `(B, …)`.
        training: Bool. Passed on to cells that take it.

    Returns:
        `(output, state)`: shape `(B, Ds)`, and a list of tensors.
    """
    arguments = {}
    if "training" in inspect.signature(cell.call).parameters:
        arguments["training"] = training
    # A cell of one state takes and gives a tensor or a list of one; both are right.
    output, new_state = cell(inputs, list(state), **arguments)
    if not isinstance(new_state, (list, tuple)):
        new_state = [new_state]
    return output, list(new_state)


def state_sizes(cell):
    """List the sizes of the states of a cell."""
    sizes = cell.state_size
    return list(sizes) if isinstance(sizes, (list, tuple)) else [sizes]


def output_size(cell):
    """Tell the size of the output of a cell."""
    return getattr(cell, "output_size", None) or state_sizes(cell)[0]


def has_dropout(cell):
    """Tell whether a cell keeps dropout masks, as Keras' own cells do."""
    return hasattr(cell, "get_dropout_mask")


def copy_cell(cell):
    """Make a cell of the same configuration, with weights of its own."""
    config = cell.get_config()
    config["name"] = f"{config.get('name', 'cell')}_context"
    return type(cell).from_config(config)


def check_cell(cell):
    """Raise `ValueError` if an object is no cell with flat states."""
    sizes = getattr(cell, "state_size", None)
    flat = sizes if isinstance(sizes, (list, tuple)) else [sizes]
    if not callable(cell) or not all(isinstance(size, int) for size in flat):
        raise ValueError(
            "`cell` must be a Keras RNN cell, or a list of them, with `state_size` an "
            "int or a list of ints. "
            f"Received: {cell!r} with state_size={sizes!r}. "
            "Pass the cells of a stack as a list."
        )
