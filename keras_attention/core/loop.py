"""A loop over time steps, on `keras.layers.RNN`."""

import keras
from keras import ops


class LoopCell:
    """A step function in the form that `keras.layers.RNN` expects of a cell.

    It closes over the memory, which so is no state of the loop. Keras loops over one
    tensor: the rows of several sequences are concatenated, and split again here by
    their `sizes`. If `masked`, the last of them is the mask.
    """

    state_size = ()

    def __init__(self, step, sizes, masked):
        self.step = step
        self.sizes = sizes
        self.masked = masked

    def __call__(self, inputs, states):
        return self.call(inputs, states)

    def call(self, inputs, states):
        return self.run(_split_columns(inputs, self.sizes), states)

    def run(self, rows, states):
        if not self.masked:
            outputs, new_states = self.step(rows, states)
            keep = None
        else:
            outputs, new_states = self.step(rows[:-1], states)
            keep = rows[-1][:, 0] > 0.5
            outputs = [_where(keep, each, ops.zeros_like(each)) for each in outputs]
        carried = zip(new_states, states, strict=True)
        return list(outputs), [_carry(keep, new, old) for new, old in carried]


def run_loop(step, sequences, states, mask=None):
    """Run `step` over axis 1 of sequences `(B, T, D)`, each with a D of its own.

    `step` takes a list with a row `(B, D)` of each sequence, in the type of the first,
    and a list of states `(B, …)`. It gives a list of outputs `(B, …)`, and the next
    states, which are cast to the type and shape of those before. A step at `False` of
    `mask`, shape `(B, T)`, gives 0 and keeps the states.

    Gives the outputs, `(B, T, …)`, and the last states, each as a list.
    """
    if mask is not None:
        # As one more feature: the loop's own mask needs output sizes that are known.
        sequences = [*sequences, mask[:, :, None]]
    sequences = [ops.cast(each, sequences[0].dtype) for each in sequences]
    sizes = [ops.shape(each)[-1] for each in sequences]
    cell = LoopCell(step, sizes, mask is not None)
    length = sequences[0].shape[1]
    if length == 1:
        outputs, states = cell.run([each[:, 0] for each in sequences], states)
        return [each[:, None] for each in outputs], states
    if length == 0:
        rows = [ops.sum(each, axis=1) for each in sequences]
        return [each[:, None][:, :0] for each in cell.run(rows, states)[0]], states
    joined = sequences[0]
    if len(sequences) > 1:
        joined = ops.concatenate(sequences, axis=-1)
    # With a name: without one, Keras would count it among the user's own layers.
    loop = keras.layers.RNN(cell, return_sequences=True, name="attention_loop")
    # Its loop and not its call, which would cast all states to one type.
    _, outputs, states = loop.inner_loop(joined, list(states), mask=None)
    return list(outputs), list(states)


def last_step(outputs, mask):
    """Take the last step that is not masked; 0 where every step is."""
    if mask is None:
        return outputs[:, -1]
    mask = ops.cast(mask, "bool")
    places = ops.arange(0, ops.shape(mask)[1], dtype="int32")
    positions = ops.where(mask, places, -1)
    is_last = ops.logical_and(
        mask, ops.equal(positions, ops.max(positions, axis=1, keepdims=True))
    )
    return ops.sum(outputs * ops.cast(is_last, outputs.dtype)[:, :, None], axis=1)


def _split_columns(joined, sizes):
    """Split a tensor `(B, D)` into tensors of these sizes."""
    if len(sizes) == 1:
        return [joined]
    rows, start = [], 0
    for size in sizes:
        row = joined[:, start : start + size]
        if row.shape[1] is None and isinstance(size, int):
            # A slice of an unknown number of columns loses its known size.
            row = ops.reshape(row, (ops.shape(row)[0], size))
        rows.append(row)
        start = start + size
    return rows


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
