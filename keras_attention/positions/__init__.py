"""Positions of steps: added to a sequence, as rotations, or as biases of scores."""

from keras_attention.positions.bias import AlibiBias, PositionBias, RelativePositionBias
from keras_attention.positions.by_name import position_layer
from keras_attention.positions.encoding import PositionalEncoding, PositionEmbedding
from keras_attention.positions.rotary import (
    RotaryEmbedding,
    rotate_halves,
    split_pairs,
)
from keras_attention.positions.steps import concrete_int, step_positions

__all__ = [
    "AlibiBias",
    "PositionBias",
    "PositionEmbedding",
    "PositionalEncoding",
    "RelativePositionBias",
    "RotaryEmbedding",
    "concrete_int",
    "position_layer",
    "rotate_halves",
    "split_pairs",
    "step_positions",
]
