"""Windows over the keys, for local attention.

Keys are counted by place: the number of real keys before a key. So padding on either
side moves no window.

Shapes: `B` batch, `T` queries, `S` keys.
"""

from keras import ops


def key_places(memory, dtype="float32"):
    """Count the real keys.

    Args:
        memory: A `Memory` of S keys.
        dtype: Str. The type of the numbers, float32 or wider.

    Returns:
        `(places, count)`: the place of each key, shape `(B, S)`, and the number of
        real keys, shape `(B, 1)`. The place of padding means nothing.
    """
    real = ops.ones_like(memory.value[:, :, 0], dtype=dtype)
    if memory.mask is not None:
        real = real * ops.cast(memory.mask, dtype)
    return ops.cumsum(real, axis=1) - 1.0, ops.sum(real, axis=1, keepdims=True)


def query_places(query, start, query_mask=None):
    """Count the real queries, as steps of a sequence.

    Args:
        query: Shape `(B, T, D)`.
        start: Integers, shape `(B, 1)`: the place of the first real query.
        query_mask: Boolean, shape `(B, T)`, or `None`.

    Returns:
        `(places, after)` in int32: the place of each query, shape `(B, T)`, and the
        place of the first query to come, shape `(B, 1)`.
    """
    real = ops.ones_like(query[:, :, 0], dtype="int32")
    if query_mask is not None:
        real = real * ops.cast(query_mask, "int32")
    start = ops.cast(start, "int32")
    places = start + ops.cumsum(real, axis=1) - real
    return places, start + ops.sum(real, axis=1, keepdims=True)


def fade(distance, window_size):
    """Give the factor by which a weight fades with the distance from the centre.

    Args:
        distance: Any shape, in keys.
        window_size: Keys on either side; twice the standard deviation.

    Returns:
        Shape of `distance`: 1 at 0, and exp(-2) at `window_size`.

    Reference:
        [Luong et al., 2015](https://arxiv.org/abs/1508.04025), equation 10.
    """
    deviation = window_size / 2
    return ops.exp(-ops.square(distance / deviation) / 2)
