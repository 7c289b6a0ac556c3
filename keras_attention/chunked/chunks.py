"""Chunks: consecutive positions of an axis, cut so that all are of one size.

All chunks of an axis have one size, as loops and compilers want it. Where the length is
no multiple of that, the last chunk begins early and repeats positions of the one before
it, which are then hidden.
"""

from typing import Any, NamedTuple

import keras
from keras import ops


class Chunk(NamedTuple):
    """Consecutive positions of one axis: ints, or scalar tensors.

    `fresh` is the first position that no earlier chunk holds, `None` if it is `start`.
    `is_whole` tells that the chunk is known to hold the whole axis: no need to cut.
    """

    start: Any
    size: Any
    fresh: Any = None
    is_whole: bool = False

    @classmethod
    def whole(cls, length):
        """Give the chunk that holds all of an axis."""
        return cls(0, length, is_whole=True)


def fit_chunk_size(chunk_size, length):
    """Give the size that chunks of an axis can have: `chunk_size`, or else `length`.

    On JAX a length is unknown only where shapes alone are computed, or where a model
    is exported for any length. Sizes of arrays cannot be computed there, so the whole
    axis makes one chunk.
    """
    unknown = keras.backend.backend() == "jax" and not isinstance(length, int)
    return length if unknown else chunk_size


def count_chunks(length, chunk_size):
    """Count the chunks of an axis; a tensor if its length is one."""
    if chunk_size is length:
        return min(length, 1) if isinstance(length, int) else 1
    return (length + chunk_size - 1) // chunk_size


def cut(index, length, chunk_size, repeat=True):
    """Give a `Chunk` of an axis, of `min(chunk_size, length)` positions.

    With `repeat` positions that the chunk before holds too count again.
    """
    if chunk_size is length:
        return Chunk.whole(length)
    size = least(chunk_size, length)
    first = index * chunk_size
    start = least(first, length - size)
    even = isinstance(length, int) and length % max(size, 1) == 0
    return Chunk(start, size, None if repeat or even else first)


def positions(chunk):
    """List the positions of a chunk, as int32."""
    return chunk.start + ops.arange(0, chunk.size, dtype="int32")


def take(tensor, axes):
    """Take chunks out of a tensor; `axes` is a dict from axis to `Chunk`.

    An axis of size 1, which is any number of equal ones, is left as it is.
    """
    axes = _long_axes(tensor, axes)
    if not axes:
        return tensor
    shape = list(ops.shape(tensor))
    for axis, chunk in axes.items():
        shape[axis] = chunk.size
    return ops.slice(tensor, _starts(tensor, axes), shape)


def put(tensor, update, axes):
    """Set chunks of a tensor; `axes` as in `take`."""
    axes = _long_axes(tensor, axes)
    return ops.slice_update(tensor, _starts(tensor, axes), update) if axes else update


def add(tensor, update, axes):
    """Add to chunks of a tensor; `axes` as in `take`."""
    return put(tensor, take(tensor, axes) + update, axes)


def loop(lower, upper, body, state):
    """Run `state = body(index, state)` for every index, strictly one after the other.

    The state is a tuple of tensors. TensorFlow begins up to ten steps of a loop at
    once, as far as they do not wait for the state, and would hold the blocks of all of
    them. Here they wait.
    """
    if keras.backend.backend() != "tensorflow":
        return ops.fori_loop(lower, upper, body, state)

    def step(index, state):
        state = body(index, state)
        for tensor in state:
            index = index + _zero_after(tensor)
        return index + 1, state

    return ops.while_loop(lambda index, state: index < upper, step, (lower, state))[1]


def zeros_after(tensor, like, dtype):
    """Make zeros of the shape of `like`, but not before `tensor` is there.

    TensorFlow would make them as soon as it can tell their shape, and hold them from
    the forward pass on.
    """
    if keras.backend.backend() != "tensorflow":
        return ops.zeros_like(like, dtype=dtype)
    return ops.broadcast_to(ops.cast(_zero_after(tensor), dtype), ops.shape(like))


def least(first, second):
    """The smaller of two numbers; an int if both are."""
    if isinstance(first, int) and isinstance(second, int):
        return min(first, second)
    return ops.minimum(first, second)


def greatest(first, second):
    """The larger of two numbers; an int if both are."""
    if isinstance(first, int) and isinstance(second, int):
        return max(first, second)
    return ops.maximum(first, second)


def _zero_after(tensor):
    """Give 0, an int32, that is not there before the tensor."""
    first = ops.reshape(tensor, (-1,))[:1]
    return ops.minimum(ops.sum(ops.cast(first > 0, "int32")), 0)


def _long_axes(tensor, axes):
    return {
        axis: chunk
        for axis, chunk in axes.items()
        if tensor.shape[axis] != 1 and not chunk.is_whole
    }


def _starts(tensor, axes):
    return [
        axes[axis].start if axis in axes else 0 for axis in range(len(tensor.shape))
    ]
