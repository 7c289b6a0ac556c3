"""Windows over the keys, for local attention.

Keys are counted by place: the number of real keys before a key. So padding on either
side moves no window.

Shapes: `B` batch, `T` queries, `S` keys.
"""

from keras import ops


def key_places(memory, dtype="float32"):
    """Count the real keys of a `Memory`, in a type of float32 or wider.

    Gives the place of each key, shape `(B, S)`, which at padding means nothing, and the
    number of real keys, shape `(B, 1)`.
    """
    real = ops.ones_like(memory.value[:, :, 0], dtype=dtype)
    if memory.mask is not None:
        real = real * ops.cast(memory.mask, dtype)
    return ops.cumsum(real, axis=1) - 1.0, ops.sum(real, axis=1, keepdims=True)


def query_places(query, start, query_mask=None):
    """Count the real queries, as steps of a sequence, from `start`, shape `(B, 1)`.

    Gives, in int32, the place of each query, shape `(B, T)`, and that of the first
    query to come, shape `(B, 1)`.
    """
    real = ops.ones_like(query[:, :, 0], dtype="int32")
    if query_mask is not None:
        real = real * ops.cast(query_mask, "int32")
    start = ops.cast(start, "int32")
    places = start + ops.cumsum(real, axis=1) - real
    return places, start + ops.sum(real, axis=1, keepdims=True)


def fade(distance, window_size):
    """Give the factor of a weight at a distance from the centre, in keys.

    1 at 0, and exp(-2) at `window_size`, which is twice the standard deviation.

    Reference:
        [Luong et al., 2015](https://arxiv.org/abs/1508.04025), equation 10.
    """
    deviation = window_size / 2
    return ops.exp(-ops.square(distance / deviation) / 2)
