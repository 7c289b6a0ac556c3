"""Keras' own GRU and LSTM cells in parts: the inputs of all steps in one product.

The numbers are those of the cell, from its weights. Gates are cut out together:
each cut on its own has a gradient of the size of all.
"""

from typing import Any

import keras
from keras import ops

from keras_attention.core import project


def gates_of(cell, dtype):
    """Give a cell in parts; `None` for one that is not Keras' own.

    With dropout, which is drawn for inputs and states, a cell is not taken apart, nor
    if its type is not that of the layer.
    """
    kind = _KINDS.get(type(cell))
    if kind is None or cell.compute_dtype != dtype or not kind.fits(cell):
        return None
    return None if cell.dropout or cell.recurrent_dropout else kind(cell)


class _Gates:
    """A cell in parts; its inputs are `x`, which `project` may have taken, and more."""

    step: Any  # step(own, states), with products of inputs: the output and the states

    def __init__(self, cell):
        self.cell = cell
        self.kernel, self.recurrent_kernel = (
            ops.cast(weight, cell.compute_dtype)
            for weight in (cell.kernel, cell.recurrent_kernel)
        )
        self.bias = self.recurrent_bias = None
        if cell.use_bias:
            self.read_bias(ops.cast(cell.bias, cell.compute_dtype))
        self.projected = False

    @staticmethod
    def fits(cell):
        return True

    def read_bias(self, bias):
        self.bias = bias

    def project(self, sequence):
        """Multiply the `x` of all steps, `(B, T, Dx)`; `advance` takes rows of it."""
        size = sequence.shape[-1]
        self.projected = True
        kernel, self.kernel = self.kernel[:size], self.kernel[size:]
        return project(sequence, kernel, self.bias)

    def advance(self, x, more, states, training):
        """Do one step: the output and the list of states."""
        if self.projected:
            own = x if more is None else x + ops.matmul(more, self.kernel)
        else:
            own = ops.matmul(join_inputs(x, more), self.kernel)
            own = own if self.bias is None else own + self.bias
        return self.step(own, states)


class _GRU(_Gates):
    @staticmethod
    def fits(cell):
        return cell.reset_after

    def read_bias(self, bias):
        self.bias, self.recurrent_bias = ops.unstack(bias)

    def step(self, own, states):
        (state,) = states
        past = ops.matmul(state, self.recurrent_kernel)
        if self.recurrent_bias is not None:
            past = past + self.recurrent_bias
        update, reset, candidate = ops.split(own, 3, axis=-1)
        update_past, reset_past, candidate_past = ops.split(past, 3, axis=-1)
        update = self.cell.recurrent_activation(update + update_past)
        reset = self.cell.recurrent_activation(reset + reset_past)
        candidate = self.cell.activation(candidate + reset * candidate_past)
        state = candidate + update * (state - candidate)
        return state, [state]


class _LSTM(_Gates):
    def step(self, own, states):
        (state, carry), cell = states, self.cell
        gates = own + ops.matmul(state, self.recurrent_kernel)
        inward, forget, candidate, outward = ops.split(gates, 4, axis=-1)
        kept = cell.recurrent_activation(forget) * carry
        carry = kept + cell.recurrent_activation(inward) * cell.activation(candidate)
        state = cell.recurrent_activation(outward) * cell.activation(carry)
        return state, [state, carry]


_KINDS = {keras.layers.GRUCell: _GRU, keras.layers.LSTMCell: _LSTM}


def join_inputs(x, more):
    """Give a cell's inputs in one tensor."""
    return x if more is None else ops.concatenate([x, more], axis=-1)
