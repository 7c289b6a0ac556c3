"""One step of a decoder: in which order its cells step and ask.

Each function takes the cells, the input `(B, Dx)`, the list of states of each cell, and
`ask`, which turns a query `(B, Dq)` into a context `(B, Dc)` and whatever else comes of
asking. Each gives output `(B, Ds)`, context, that, and the new states.
"""

from typing import Literal, TypeAlias, get_args

from keras import ops

from keras_attention.recurrent_cells import run_cell, run_cells

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


def step_previous(cells, inputs, states, ask, training):
    """Ask with the state before the step; the context is an input of the step."""
    context, asked = ask(states[0][0])
    inputs = ops.concatenate([inputs, context], axis=-1)
    output, states = run_cells(cells, inputs, states, training)
    return output, context, asked, states


def step_current(cells, inputs, states, ask, training):
    """Step, then ask with the output."""
    output, states = run_cells(cells, inputs, states, training)
    context, asked = ask(output)
    return output, context, asked, states


def step_conditional(cells, context_cell, inputs, states, ask, training):
    """Step, ask with the state, and step a second cell on the context."""
    _, first = run_cell(cells[0], inputs, states[0], training)
    context, asked = ask(first[0])
    output, first = run_cell(context_cell, context, first, training)
    output, others = run_cells(cells[1:], output, states[1:], training)
    return output, context, asked, [first, *others]
