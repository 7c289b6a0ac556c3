"""Codes of positions that are added to a sequence."""

from typing import Any

import keras
from keras import ops

from keras_attention.annotations import Initializer, Shape, Tensor
from keras_attention.core import as_dense, check_int, check_number
from keras_attention.positions.steps import (
    check_start,
    concrete_int,
    step_positions,
    wave_angles,
)


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

    def __init__(self, max_wavelength: float = 10_000.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.max_wavelength = check_number("max_wavelength", max_wavelength, above=0)
        self.supports_masking = True

    def build(self, inputs_shape: Shape) -> None:
        _check_sequence_shape(inputs_shape)

    def call(self, inputs: Tensor, start: int | Tensor = 0) -> Tensor:
        check_start(start)
        dtype = keras.backend.result_type(inputs.dtype, "float32")
        size = inputs.shape[-1]
        positions = step_positions(ops.shape(inputs)[1], start)
        angles = wave_angles(positions, size, self.max_wavelength, dtype)  # T ceil(D/2)
        codes = ops.stack([ops.sin(angles), ops.cos(angles)], axis=-1)
        codes = ops.reshape(codes, (-1, 2 * angles.shape[-1]))[:, :size]  # T D
        return ops.cast(as_dense(inputs, dtype) + codes, self.compute_dtype)

    def compute_output_shape(self, inputs_shape: Shape) -> Shape:
        return tuple(inputs_shape)

    def compute_output_spec(self, inputs: Tensor, start: int | Tensor = 0) -> Tensor:
        check_start(start)
        return keras.KerasTensor(inputs.shape, self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "max_wavelength": self.max_wavelength}


@keras.saving.register_keras_serializable(package="keras_attention")
class PositionEmbedding(keras.layers.Layer):
    """Adds a learned vector for each place.

    output_t = input_t + table[start + t]

    For sequences of bounded length, where the data shall say what a place means. Past
    `max_length` there is nothing to add; `PositionalEncoding` has no such end. The
    table stays in its own precision and the sum is rounded once. Call arguments,
    shapes and the mask are as for `PositionalEncoding`; where the number of steps or
    `start` is not known before compiled code runs, steps past the last place get its
    vector.

    Args:
        max_length: Positive int. Number of places.
        initializer: Initializer of the table.
        **kwargs: Arguments of `keras.layers.Layer`, such as `name` and `dtype`.

    Raises:
        ValueError: If `max_length` is not a positive int, `start` is negative, the last
            step is known to be past the last place, or as for `PositionalEncoding`.

    Example:
        ```python
        x = keras.layers.Embedding(8000, 512, mask_zero=True)(tokens)
        x = PositionEmbedding(max_length=1024)(x)
        ```

    Reference:
        [Gehring et al., 2017](https://arxiv.org/abs/1705.03122), section 3.1.
    """

    def __init__(
        self, max_length: int, initializer: Initializer = "uniform", **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.max_length = check_int("max_length", max_length)
        self.initializer = keras.initializers.get(initializer)
        self.supports_masking = True

    def build(self, inputs_shape: Shape) -> None:
        _check_sequence_shape(inputs_shape)
        self._check_places(inputs_shape[1], 0)
        self.table = self.add_weight(
            name="table",
            shape=(self.max_length, inputs_shape[-1]),
            initializer=self.initializer,
            autocast=False,
        )

    def call(self, inputs: Tensor, start: int | Tensor = 0) -> Tensor:
        check_start(start)
        self._check_places(inputs.shape[1], concrete_int(start))
        dtype = keras.backend.result_type(inputs.dtype, "float32")
        positions = step_positions(ops.shape(inputs)[1], start)
        positions = ops.clip(positions, 0, self.max_length - 1)
        codes = ops.cast(ops.take(self.table, positions, axis=0), dtype)  # T D
        return ops.cast(as_dense(inputs, dtype) + codes, self.compute_dtype)

    def compute_output_shape(self, inputs_shape: Shape) -> Shape:
        return tuple(inputs_shape)

    def compute_output_spec(self, inputs: Tensor, start: int | Tensor = 0) -> Tensor:
        check_start(start)
        self._check_places(inputs.shape[1], concrete_int(start))
        return keras.KerasTensor(inputs.shape, self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "max_length": self.max_length,
            "initializer": keras.initializers.serialize(self.initializer),
        }

    def _check_places(self, length, start):
        if start is not None and start < 0:
            raise ValueError(f"`start` must be at least 0. Received: start={start}.")
        # While JAX traces a model, an open length is neither `None` nor an int.
        known = isinstance(length, int) and start is not None
        if known and start + length > self.max_length:
            raise ValueError(
                f"`inputs` must end within `max_length`={self.max_length} places. "
                f"Received: {length} steps from start={start}. "
                "Cut the input, or make the layer with more places."
            )


def _check_sequence_shape(inputs_shape):
    if len(inputs_shape) != 3 or inputs_shape[-1] is None:
        raise ValueError(
            "`inputs` must have shape (B, T, D) with a known size D. "
            f"Received: inputs_shape={tuple(inputs_shape)}."
        )
