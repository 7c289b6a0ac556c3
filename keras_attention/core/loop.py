"""A loop over time steps, on `keras.layers.RNN`."""

import math

import keras
from keras import ops


class LoopCell:
    """A step function in the shape that `keras.layers.RNN` asks of a cell.

    It closes over the memory, which so is no state of the loop. The output of a step
    and its weights travel side by side in one tensor; `size` and `heads` tell how to
    take it apart. A state keeps the type and the shape that it began with.
    """

    state_size = ()

    def __init__(self, step, masked):
        self.step = step
        self.masked = masked
        self.size = None
        self.heads = []

    def __call__(self, inputs, states):
        return self.call(inputs, states)

    def call(self, inputs, states):
        keep = None
        if self.masked:
            inputs, keep = inputs[:, :-1], inputs[:, -1] > 0.5
        output, weights, new_states = self.step(inputs, states)
        self.size = output.shape[-1]
        self.heads = [tuple(each.shape[1:-2]) for each in weights]  # () or (H,)
        parts = [output]
        for each in weights:
            flat = ops.reshape(each, (ops.shape(each)[0], -1))
            parts.append(ops.cast(flat, output.dtype))
        joined = ops.concatenate(parts, axis=-1) if weights else output
        if keep is not None:
            joined = _where(keep, joined, ops.zeros_like(joined))
        new_states = [
            _carry(keep, new, old) for new, old in zip(new_states, states, strict=True)
        ]
        return joined, new_states


def run_loop(step, sequence, states, mask, lengths):
    """Run `step` over axis 1 of a sequence.

    Args:
        step: A function of a row `(B, Dx)` and the list of states, which gives an
            output `(B, D)`, a list of weights `(B, 1, S)` or `(B, H, 1, S)`, and the
            next states.
        sequence: Shape `(B, T, Dx)`.
        states: List of tensors, shape `(B, …)`.
        mask: Boolean, shape `(B, T)`, or `None`. A step at `False` gives 0 and keeps
            the states.
        lengths: List of ints or scalar tensors, the S of all weights that `step` gives.

    Returns:
        `(outputs, weights, states)`: shape `(B, T, D)`, a list of tensors of shape
        `(B, T, S)` or `(B, H, T, S)`, and the last states.
    """
    if mask is not None:
        # As one more feature: the loop's own mask needs output sizes that are known.
        mask = ops.cast(mask, sequence.dtype)[:, :, None]
        sequence = ops.concatenate([sequence, mask], axis=-1)
    cell = LoopCell(step, mask is not None)
    if sequence.shape[1] == 1:
        joined, states = cell(sequence[:, 0], states)
        joined = joined[:, None]
    else:
        loop = keras.layers.RNN(cell, return_sequences=True)
        # Its loop and not its call, which would cast all states to one type.
        _, joined, states = loop.inner_loop(sequence, list(states), mask=None)
    outputs, weights = _take_apart(joined, cell, lengths)
    return outputs, weights, list(states)


def last_step(outputs, mask):
    """Take the last step that is not masked; 0 where every step is."""
    if mask is None:
        return outputs[:, -1]
    mask = ops.cast(mask, "bool")
    positions = ops.where(mask, ops.arange(0, ops.shape(mask)[1]), -1)
    is_last = ops.logical_and(
        mask, ops.equal(positions, ops.max(positions, axis=1, keepdims=True))
    )
    return ops.sum(outputs * ops.cast(is_last, outputs.dtype)[:, :, None], axis=1)


def _take_apart(joined, cell, lengths):
    """Undo what the cell has put side by side."""
    if not lengths:
        return joined, []
    batch, steps = ops.shape(joined)[0], ops.shape(joined)[1]
    # Each reshape tells a size, which a slice of an unknown number of columns loses.
    outputs = ops.reshape(joined[:, :, : cell.size], (batch, steps, cell.size))
    weights, start = [], cell.size
    for heads, length in zip(cell.heads, lengths, strict=True):
        end = start + math.prod(heads) * length
        part = ops.reshape(joined[:, :, start:end], (batch, steps, *heads, length))
        weights.append(ops.swapaxes(part, 1, 2) if heads else part)
        start = end
    return outputs, weights


def _carry(keep, new, old):
    """Give a state the type and shape of the one before it, or that one where masked.

    A loop refuses a state that changes either, and a step may lose a known size.
    """
    new = ops.cast(new, old.dtype)
    if tuple(new.shape) != tuple(old.shape):
        new = ops.reshape(new, ops.shape(old))
    return new if keep is None else _where(keep, new, old)


def _where(keep, new, old):
    keep = ops.reshape(keep, (-1, *[1] * (len(new.shape) - 1)))
    return ops.where(keep, new, old)
