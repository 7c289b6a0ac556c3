"""The keys and values of steps that were decoded already."""

from typing import NamedTuple

from keras import ops

from keras_attention.annotations import Tensor
from keras_attention.core import fits
from keras_attention.positions import concrete_int


class Cache(NamedTuple):
    """Keys and values of the steps so far, with room for those to come.

    A plain tuple of tensors of fixed shapes, so that it can be the state of a compiled
    loop. A search that reorders its rows reorders `key`, `value` and `mask` along axis
    0; `length` is one number for all.

    Attributes:
        key: Projected keys, shape `(B, G, L, D)` for G heads of keys and L places.
        value: Projected values, shape `(B, G, L, Dv)`.
        mask: Boolean, shape `(B, L)`. `False` at padding and at places still free.
        length: int32, shape `()`. Number of places taken.

    Example:
        ```python
        layer = MultiHeadAttention(2, 4)
        layer(x, x, use_causal_mask=True)  # builds it
        cache = layer.empty_cache(batch_size=2, max_length=8)
        output, cache = layer(x[:, :1], x[:, :1], cache=cache)
        ```
    """

    key: Tensor
    value: Tensor
    mask: Tensor
    length: Tensor


def new_cache(batch_size, max_length, dtype, heads, key_dim, value_dim):
    """Make a cache that holds nothing, of L places and G heads."""
    return Cache(
        key=ops.zeros((batch_size, heads, max_length, key_dim), dtype),
        value=ops.zeros((batch_size, heads, max_length, value_dim), dtype),
        mask=ops.zeros((batch_size, max_length), "bool"),
        length=ops.zeros((), "int32"),
    )


def check_cache(cache, query_shape, value_shape, heads, key_dim, value_dim):
    """Check that a cache belongs to a layer and that the new steps fit into it.

    Takes the shapes `(B, T, Dq)` and `(B, T, Dv)` of the new steps, and what the layer
    makes its caches of. Gives a `Cache`: a model read from a file passes a plain tuple.
    """
    batch = query_shape[0]
    if not isinstance(cache, (tuple, list)) or len(cache) != 4:
        raise ValueError(
            "`cache` must be what `empty_cache` or the last call returned. "
            f"Received: an object of type {type(cache).__name__}."
        )
    cache = Cache(*cache)
    length = cache.key.shape[2] if len(cache.key.shape) == 4 else None
    for name, tensor, expected in (
        ("key", cache.key, (batch, heads, length, key_dim)),
        ("value", cache.value, (batch, heads, length, value_dim)),
        ("mask", cache.mask, (batch, length)),
        ("length", cache.length, ()),
    ):
        if len(tensor.shape) != len(expected) or not all(
            fits(*pair) for pair in zip(tensor.shape, expected, strict=True)
        ):
            raise ValueError(
                f"`cache.{name}` must have shape {expected} here. "
                f"Received: cache.{name}.shape={tuple(tensor.shape)}. "
                "Make it by `empty_cache` of the same layer, for the same batch size."
            )
    steps = value_shape[1]
    if not fits(steps, query_shape[1]):
        raise ValueError(
            "`query` and `value` must have one length (axis 1) with a cache: each call "
            "adds the steps of its queries. Received: "
            f"query_shape={tuple(query_shape)}, value_shape={tuple(value_shape)}."
        )
    taken = concrete_int(cache.length)
    known = all(isinstance(each, int) for each in (taken, length, steps))
    if known and taken + steps > length:
        raise ValueError(
            f"`cache` must have room for the new steps. Received: a cache with {taken} "
            f"of {length} places taken, and {steps} new steps. Make it with a "
            "greater `max_length`."
        )
    return cache


def append_steps(cache, key, value, mask):
    """Put new steps after those in a cache. What finds no more room is dropped.

    Takes keys `(B, G, T, D)`, values `(B, G, T, Dv)` and a mask `(B, T)` or `None`.
    """
    if key.shape[2] == 0:
        return cache
    if mask is None:
        mask = ops.ones((ops.shape(key)[0], ops.shape(key)[2]), "bool")
    length = ops.cast(cache.length, "int32")
    # The new step that belongs to each place. Chosen place by place, and not written as
    # a slice: that has no gradient on TensorFlow, and moves the start of a slice that
    # does not fit, over what is there.
    steps = ops.arange(0, ops.shape(cache.key)[2], dtype="int32") - length
    count = ops.shape(key)[2]
    fresh = ops.logical_and(steps >= 0, steps < count)
    steps = ops.clip(steps, 0, count - 1)

    def placed(new, old, axis):
        # One step alone is broadcast.
        if not isinstance(new.shape[axis], int) or new.shape[axis] > 1:
            new = ops.take(new, steps, axis=axis)
        ending = [1] * (len(old.shape) - axis - 1)
        return ops.where(ops.reshape(fresh, (-1, *ending)), new, old)

    return Cache(
        key=placed(key, cache.key, 2),
        value=placed(value, cache.value, 2),
        mask=placed(ops.cast(mask, "bool"), cache.mask, 1),
        length=length + count,
    )
