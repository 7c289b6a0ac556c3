"""A loop over time steps, on `keras.layers.RNN`."""

import keras
from keras import ops


class LoopCell:
    """A step function in the shape that `keras.layers.RNN` asks of a cell.

    It closes over the memory, which so is no state of the loop. The outputs of a step
    travel side by side in one tensor; `sizes` tells where to cut.
    """

    state_size = ()

    def __init__(self, step, compute_dtype, masked):
        self.step = step
        self.compute_dtype = compute_dtype
        self.masked = masked
        self.sizes = None

    def __call__(self, inputs, states):
        return self.call(inputs, states)

    def call(self, inputs, states):
        if self.masked:
            inputs, keep = inputs[:, :-1], inputs[:, -1:] > 0.5
        outputs, new_states = self.step(inputs, states)
        if self.masked:
            outputs = [
                ops.where(keep, output, ops.zeros_like(output)) for output in outputs
            ]
            new_states = [
                ops.where(keep, new, old)
                for new, old in zip(new_states, states, strict=True)
            ]
        self.sizes = [output.shape[-1] for output in outputs]
        joined = outputs[0] if len(outputs) == 1 else ops.concatenate(outputs, axis=-1)
        return joined, new_states


def run_loop(step, sequence, states, mask):
    """Run `step` over axis 1 of `sequence`.

    Returns:
        The outputs of the steps, each of shape `(B, T, …)`, and the last states.
    """
    if mask is not None:
        # As one more feature: the loop's own mask needs output sizes that are known.
        mask = ops.cast(mask, sequence.dtype)[:, :, None]
        sequence = ops.concatenate([sequence, mask], axis=-1)
    dtype = keras.backend.standardize_dtype(sequence.dtype)
    cell = LoopCell(step, dtype, mask is not None)
    states = [ops.cast(state, dtype) for state in states]
    if sequence.shape[1] == 1:
        joined, states = cell(sequence[:, 0], states)
        joined = joined[:, None]
    else:
        loop = keras.layers.RNN(
            cell, return_sequences=True, return_state=True, dtype=dtype
        )
        joined, *states = loop(sequence, initial_state=states)
    if len(cell.sizes) == 1:
        return [joined], list(states)
    first = cell.sizes[0]
    batch, length = ops.shape(joined)[0], ops.shape(joined)[1]
    # The reshape tells the size, which a slice of an unknown number of weights loses.
    output = ops.reshape(joined[:, :, :first], (batch, length, first))
    return [output, joined[:, :, first:]], list(states)


def last_step(outputs, mask):
    """Take the last step that is not masked; 0 where every step is."""
    if mask is None:
        return outputs[:, -1]
    mask = ops.cast(mask, "bool")
    positions = ops.where(mask, ops.arange(ops.shape(mask)[1]), -1)
    is_last = ops.logical_and(
        mask, ops.equal(positions, ops.max(positions, axis=1, keepdims=True))
    )
    return ops.sum(outputs * ops.cast(is_last, outputs.dtype)[:, :, None], axis=1)
