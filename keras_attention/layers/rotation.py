"""Heads of queries and keys that are turned by their positions."""

from typing import Any, NamedTuple

from keras_attention.core import split_heads
from keras_attention.positions import (
    RotaryEmbedding,
    rotate_halves,
    split_pairs,
    step_positions,
)


class Rotation(NamedTuple):
    """A rotation of some steps, made once for all that have the same positions.

    Attributes:
        layer: A `RotaryEmbedding`.
        positions: Of the steps, int32, shape `(T,)` or `(B, 1, T)`.
        factors: Their cos and sin; `None` if the layer has a `rotate` of its own.
    """

    layer: Any
    positions: Any
    factors: Any


def make_rotation(layer, length, start, size, dtype):
    """Make the `Rotation` of T steps from `start`; `None` if `layer` is not rotary."""
    if not isinstance(layer, RotaryEmbedding):
        return None
    positions = step_positions(length, start)[..., None, :]  # 1 T, or B 1 T
    factors = None
    if type(layer).rotate is RotaryEmbedding.rotate:
        factors = layer.factors(positions, size, dtype)
    return Rotation(layer, positions, factors)


def split_and_turn(tensor, kernel, bias, rotation):
    """Project to heads, as `split_heads`, and turn them.

    Columns of a head are ordered by `split_pairs`, which changes no inner product of
    queries and keys, unless the layer has a `rotate` of its own.
    """
    if rotation is None:
        return split_heads(tensor, kernel, bias)
    if rotation.factors is None:
        heads = split_heads(tensor, kernel, bias)
        return rotation.layer.rotate(heads, rotation.positions)
    if tensor.shape[1] == 1:  # one step: it has less columns to order than the kernel
        heads = split_pairs(split_heads(tensor, kernel, bias))
    else:
        bias = None if bias is None else split_pairs(bias)
        heads = split_heads(tensor, split_pairs(kernel), bias)
    return rotate_halves(heads, rotation.factors)
