"""The layer that a `position` argument means."""

from keras_attention.positions.bias import AlibiBias, PositionBias, RelativePositionBias
from keras_attention.positions.rotary import RotaryEmbedding


def position_layer(position, num_heads, key_dim, dtype):
    """Give the `RotaryEmbedding` or `PositionBias` that a `position` argument means.

    `None` for `None`; `ValueError` if it is no such thing, or made for other sizes. The
    dtype is that of a layer given by name.
    """
    if position is None:
        return None
    layer = position
    if position == "rotary":
        layer = RotaryEmbedding(name="rotary", dtype=dtype)
    elif position == "alibi":
        layer = AlibiBias(num_heads, name="alibi", dtype=dtype)
    elif position == "relative":
        layer = RelativePositionBias(num_heads, name="relative", dtype=dtype)
    if not isinstance(layer, (RotaryEmbedding, PositionBias)):
        raise ValueError(
            "`position` must be 'rotary', 'alibi', 'relative', a RotaryEmbedding, a "
            "PositionBias such as AlibiBias, or None. "
            f"Received: position={position!r}."
        )
    if isinstance(layer, RotaryEmbedding) and key_dim % 2:
        raise ValueError(
            "`key_dim` must be even with rotary positions. "
            f"Received: key_dim={key_dim}."
        )
    if isinstance(layer, PositionBias) and layer.num_heads != num_heads:
        raise ValueError(
            "`position` must have the `num_heads` of the attention. Received: "
            f"position.num_heads={layer.num_heads}, num_heads={num_heads}."
        )
    return layer
