"""Position codes."""

import keras
import numpy as np
from keras import ops

from keras_attention.base import as_dense


@keras.saving.register_keras_serializable(package="keras_attention")
class PositionalEncoding(keras.layers.Layer):
    """Adds sinusoids that tell each step its place.

    code(p, 2i) = sin(p / max_wavelength^(2i / D)); code(p, 2i + 1) = cos(the same)

    Even columns hold sines, odd columns cosines. No weights, so any length will do.
    Positions, angles and the sum are computed in float32 at least, whatever the
    layer's precision: bfloat16 cannot tell position 300 from 301. The mask of the input
    passes through.

    Shapes: `B` batch, `T` steps, `D` feature size.

    Args:
        max_wavelength: Positive number. Longest wavelength, divided by 2 pi.
        **kwargs: Arguments of `keras.layers.Layer`, such as `name` and `dtype`.

    Call arguments:
        inputs: Shape `(B, T, D)`, such as embeddings.
        start: Int or scalar integer tensor. Position of the first step, such as the
            number of steps decoded already.

    Returns:
        Shape `(B, T, D)`.

    Raises:
        ValueError: If `max_wavelength` is not positive, the input is not of rank 3, its
            size is not known, or `start` is not a scalar integer.

    Example:
        ```python
        x = keras.layers.Embedding(8000, 512, mask_zero=True)(tokens)
        x = PositionalEncoding()(x)
        ```

    Reference:
        [Vaswani et al., 2017](https://arxiv.org/abs/1706.03762), section 3.5.
    """

    def __init__(self, max_wavelength=10_000.0, **kwargs):
        super().__init__(**kwargs)
        if (
            isinstance(max_wavelength, bool)
            or not isinstance(max_wavelength, (int, float))
            or not 0 < max_wavelength < float("inf")
        ):
            raise ValueError(
                "`max_wavelength` must be a positive number. "
                f"Received: max_wavelength={max_wavelength!r}."
            )
        self.max_wavelength = max_wavelength
        self.supports_masking = True

    def build(self, inputs_shape):
        if len(inputs_shape) != 3 or inputs_shape[-1] is None:
            raise ValueError(
                "`inputs` must have shape (B, T, D) with a known size D. "
                f"Received: inputs_shape={tuple(inputs_shape)}."
            )
        self.built = True

    def call(self, inputs, start=0):
        _check_start(start)
        dtype = keras.backend.result_type(inputs.dtype, "float32")
        size = inputs.shape[-1]
        # Counted as integers: floats lose count in low precision.
        positions = ops.arange(ops.shape(inputs)[1], dtype="int32")
        positions = positions + ops.cast(start, "int32")
        exponents = np.arange(0, size, 2) / size
        rates = ops.convert_to_tensor(float(self.max_wavelength) ** -exponents, dtype)
        angles = ops.cast(positions, dtype)[:, None] * rates  # T ceil(D/2)
        codes = ops.stack([ops.sin(angles), ops.cos(angles)], axis=-1)
        codes = ops.reshape(codes, (-1, 2 * len(exponents)))[:, :size]  # T D
        return ops.cast(as_dense(inputs, dtype) + codes, self.compute_dtype)

    def get_config(self):
        return {**super().get_config(), "max_wavelength": self.max_wavelength}


def _check_start(start):
    if isinstance(start, int):
        return
    dtype = keras.backend.standardize_dtype(getattr(start, "dtype", "float32"))
    if "int" not in dtype or len(start.shape) != 0:
        raise ValueError(
            "`start` must be an int or a scalar integer tensor. "
            f"Received: start={start!r}."
        )
