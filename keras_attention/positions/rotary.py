"""Positions as rotations of queries and keys."""

from typing import Any

import keras
from keras import ops

from keras_attention.annotations import Shape, Tensor
from keras_attention.core import as_dense, check_number
from keras_attention.positions.steps import check_start, step_positions, wave_angles


@keras.saving.register_keras_serializable(package="keras_attention")
class RotaryEmbedding(keras.layers.Layer):
    """Turns each pair of columns by an angle that grows with the position.

    (a, b) at position p → (a cos w - b sin w, a sin w + b cos w),
    w = p / max_wavelength^(2i / D), for columns (a, b) = (2i, 2i + 1)

    For queries and keys, before their inner product, into which positions then enter by
    the offset from one to the other alone. Pairs are neighbouring columns, as in the
    paper; kernels of models that pair column i with column i + D/2 (GPT-NeoX, Llama as
    converted for Hugging Face) have to be reordered. No weights, so any length will do.
    Positions, angles and the rotation are computed in float32 at least, whatever the
    layer's precision.

    `MultiHeadAttention(position="rotary")` applies it to its own queries and keys.

    Shapes: `T` steps, `D` feature size, even.

    Args:
        max_wavelength: Positive number. Longest wavelength, divided by 2 pi.
        **kwargs: Arguments of `keras.layers.Layer`, such as `name` and `dtype`.

    Call arguments:
        inputs: Shape `(…, T, D)`, such as `(B, T, D)` or, with heads, `(B, H, T, D)`.
        start: Int or scalar integer tensor. Position of the first step, such as the
            number of steps decoded already.

    Returns:
        Shape `(…, T, D)`.

    Raises:
        ValueError: If `max_wavelength` is not positive, the input has less than two
            axes, its size is odd or not known, or `start` is not a scalar integer.

    Example:
        ```python
        rotary = RotaryEmbedding()
        scores = keras.ops.einsum("btd,bsd->bts", rotary(query), rotary(key))
        ```

    Reference:
        [Su et al., 2021](https://arxiv.org/abs/2104.09864), section 3.4.2, equation 34.
    """

    def __init__(self, max_wavelength: float = 10_000.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.max_wavelength = check_number("max_wavelength", max_wavelength, above=0)
        self.supports_masking = True

    def build(self, inputs_shape: Shape) -> None:
        if len(inputs_shape) < 2 or inputs_shape[-1] is None or inputs_shape[-1] % 2:
            raise ValueError(
                "`inputs` must have shape (…, T, D) with a known, even size D. "
                f"Received: inputs_shape={tuple(inputs_shape)}."
            )

    def call(self, inputs: Tensor, start: int | Tensor = 0) -> Tensor:
        check_start(start)
        inputs = as_dense(inputs, self.compute_dtype)
        return self.rotate(inputs, step_positions(ops.shape(inputs)[-2], start))

    def rotate(self, inputs: Tensor, positions: Tensor) -> Tensor:
        """Turn `(…, T, D)` by given positions, integers broadcastable to `(…, T)`."""
        cos, sin = self.factors(positions, inputs.shape[-1], inputs.dtype)
        wide = ops.cast(inputs, cos.dtype)
        first, second = _turn(wide[..., 0::2], wide[..., 1::2], cos, sin)
        turned = ops.stack([first, second], axis=-1)
        return ops.cast(ops.reshape(turned, ops.shape(inputs)), inputs.dtype)

    def factors(
        self, positions: Tensor, size: int, dtype: str
    ) -> tuple[Tensor, Tensor]:
        """Give cos and sin, `(…, T, D / 2)` each, for `size` columns of this type."""
        dtype = keras.backend.result_type(dtype, "float32")
        angles = wave_angles(positions, size, self.max_wavelength, dtype)
        return ops.cos(angles), ops.sin(angles)

    def compute_output_shape(self, inputs_shape: Shape) -> Shape:
        return tuple(inputs_shape)

    def compute_output_spec(self, inputs: Tensor, start: int | Tensor = 0) -> Tensor:
        check_start(start)
        return keras.KerasTensor(inputs.shape, self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "max_wavelength": self.max_wavelength}


def split_pairs(columns):
    """Order the columns `(…, D)` so that the first of all pairs come first.

    Halves are cut out of a tensor several times as fast as every second column.
    """
    *axes, size = columns.shape
    pairs = ops.reshape(columns, (*ops.shape(columns)[: len(axes)], size // 2, 2))
    return ops.reshape(ops.swapaxes(pairs, -1, -2), ops.shape(columns))


def rotate_halves(inputs, factors):
    """Turn `(…, T, D)`, its columns ordered by `split_pairs`, by cos and sin."""
    cos, sin = factors
    # Split, not sliced: the gradient of that is a concatenation.
    first, second = ops.split(ops.cast(inputs, cos.dtype), 2, axis=-1)
    turned = ops.concatenate(_turn(first, second, cos, sin), axis=-1)
    return ops.cast(turned, inputs.dtype)


def _turn(first, second, cos, sin):
    return first * cos - second * sin, first * sin + second * cos
