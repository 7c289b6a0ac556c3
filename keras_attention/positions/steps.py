"""How steps are counted, and what positions are to queries, keys and waves."""

import keras
import numpy as np
from keras import ops


def step_positions(length, start=0):
    """Count T steps from `start`: int32, shape `(T,)`.

    With a start for each sequence, shape `(B, 1)`, the shape is `(B, T)`.
    """
    # Counted as integers: floats lose count in low precision.
    # The 0 is spelled out, here as elsewhere: without it jax2onnx cannot export.
    return ops.arange(0, length, dtype="int32") + ops.cast(start, "int32")


def relative_positions(query_length, key_length, start=0):
    """Tell how far each key is after each query, `(T, S)`; negative before it.

    With a start for each sequence, as for `step_positions`, the shape is `(B, T, S)`.
    """
    query = step_positions(query_length, start)
    return step_positions(key_length) - query[..., None]


def wave_angles(positions, size, max_wavelength, dtype):
    """Turn positions into angles, `p / max_wavelength^(2i / D)`, for `size` D.

    One for each pair of columns: the result has one more axis, of ceil(D / 2).
    """
    rates = float(max_wavelength) ** -(np.arange(0, size, 2) / size)
    return ops.cast(positions, dtype)[..., None] * ops.convert_to_tensor(rates, dtype)


def concrete_int(value):
    """Give a scalar integer as an int, or `None` where its value is not known yet."""
    if isinstance(value, keras.KerasTensor):
        return None
    try:
        return int(ops.convert_to_numpy(value))
    except (NotImplementedError, TypeError):  # a tensor being traced
        return None


def check_start(start):
    """Raise `ValueError` if `start` is neither an int nor a scalar integer tensor."""
    if isinstance(start, int):
        return
    dtype = keras.backend.standardize_dtype(getattr(start, "dtype", "float32"))
    if "int" not in dtype or len(start.shape) != 0:
        raise ValueError(
            "`start` must be an int or a scalar integer tensor. "
            f"Received: start={start!r}."
        )
