"""Positions as rotations."""

import keras
import numpy as np
import pytest
from helpers import (
    B,
    T,
    array,
    assert_close,
    check_layer,
    compiled,
    gradients,
    run_example,
)
from hypothesis import given
from hypothesis import strategies as st

from keras_attention.positions.rotary import (
    RotaryEmbedding,
    rotate_halves,
    split_pairs,
)

H, D = 3, 8


def reference(inputs, positions, max_wavelength=10_000.0):
    """Each pair of columns as a complex number, multiplied by one of length 1."""
    inputs = np.asarray(inputs, "float64")
    size = inputs.shape[-1]
    rates = max_wavelength ** (-2.0 * np.arange(size // 2) / size)
    factors = np.exp(1j * np.asarray(positions)[:, None] * rates)
    turned = (inputs[..., 0::2] + 1j * inputs[..., 1::2]) * factors
    return np.stack([turned.real, turned.imag], axis=-1).reshape(inputs.shape)


def draw(*shape):
    return np.random.default_rng(0).normal(size=shape).astype("float32")


@pytest.mark.parametrize("shape", [(B, T, D), (B, H, T, D)])
def test_it_keeps_the_contract(shape):
    check_layer(RotaryEmbedding, {"max_wavelength": 500.0}, {"inputs": draw(*shape)})


@given(
    shape=st.sampled_from([(1, 2), (5, 2), (2, 3, 8), (2, 3, 5, 6)]),
    start=st.integers(0, 300),
    max_wavelength=st.floats(1, 1e6),
)
def test_it_equals_the_formula(shape, start, max_wavelength):
    inputs = draw(*shape)
    output = array(RotaryEmbedding(max_wavelength)(inputs, start=start))
    positions = start + np.arange(shape[-2])
    expected = reference(inputs, positions, max_wavelength)
    # An angle of 300 radians is itself rounded to 2e-5.
    np.testing.assert_allclose(output, expected, atol=3e-4)


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
@pytest.mark.parametrize("position", [0, 1, 300, 301, 4095])
def test_a_position_is_right_wherever_it_is(position, dtype):
    inputs = array(keras.ops.cast(draw(1, 1, D), dtype))
    output = array(RotaryEmbedding(dtype=dtype)(inputs, start=position))
    # An angle of 4095 radians is itself rounded, by up to 4095 / 2^23.
    rounding = {"float32": 0, "float16": 2**-11, "bfloat16": 2**-8}[dtype]
    np.testing.assert_allclose(
        output,
        reference(inputs, [position]),
        rtol=rounding,
        atol=5e-4 * np.abs(inputs).max(),
    )


@given(
    places=st.tuples(st.integers(0, 500), st.integers(0, 500)),
    shift=st.integers(0, 500),
)
def test_inner_products_depend_on_the_distance_alone(places, shift):
    layer = RotaryEmbedding()

    def product(*positions):
        query, key = (
            array(layer(inputs, start=position))
            for inputs, position in zip(draw(2, 1, 1, D), positions, strict=True)
        )
        return np.sum(query * key, axis=-1)

    near, far = product(*places), product(*(place + shift for place in places))
    np.testing.assert_allclose(near, far, atol=2e-3)


@pytest.mark.skipif(keras.backend.backend() == "jax", reason="float64 is off there")
def test_float64_is_computed_in_float64():
    inputs = np.random.default_rng(0).normal(size=(B, 50, D))
    output = RotaryEmbedding(dtype="float64")(inputs)
    assert_close(output, reference(inputs, np.arange(50)), "float64")


def test_the_start_may_be_a_tensor_in_compiled_code():
    inputs = draw(B, T, D)
    layer = RotaryEmbedding()
    whole = array(layer(np.concatenate([np.zeros((B, 4, D), "float32"), inputs], 1)))
    for xla in (False, True):
        run = compiled(layer, xla=xla)
        start = keras.ops.array(4, "int32")
        assert_close(run({"inputs": inputs, "start": start}), whole[:, 4:])


def test_each_sequence_may_have_positions_of_its_own():
    inputs = draw(B, H, T, D)
    positions = np.array([[0, 1, 2], [7, 9, 3]])
    output = array(RotaryEmbedding().rotate(inputs, positions[:, None]))
    for row, places in enumerate(positions):
        assert_close(output[row], reference(inputs[row], places).astype("float32"))


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_columns_in_halves_are_turned_as_neighbours_are(dtype):
    inputs = keras.ops.cast(draw(B, H, T, D), dtype)
    layer, positions = RotaryEmbedding(dtype=dtype), np.arange(T)
    factors = layer.factors(positions, D, dtype)
    turned = rotate_halves(split_pairs(inputs), factors)
    expected = split_pairs(layer.rotate(inputs, positions))
    np.testing.assert_array_equal(array(turned), array(expected))
    order = array(split_pairs(keras.ops.arange(D)))
    assert order.tolist() == [0, 2, 4, 6, 1, 3, 5, 7]


def test_the_gradient_is_turned_back():
    inputs = draw(B, T, D)
    layer = RotaryEmbedding()
    layer.build(inputs.shape)
    # A rotation changes no length: the sum of squares has gradient 2 x.
    assert_close(gradients(layer, {"inputs": inputs})[0]["inputs"], 2 * inputs)


@pytest.mark.parametrize("value", [0, -1.0, True, "long", float("inf"), None])
def test_a_wavelength_must_be_positive(value):
    with pytest.raises(ValueError, match="`max_wavelength` must be a positive number"):
        RotaryEmbedding(max_wavelength=value)


@pytest.mark.parametrize("shape", [(8,), (B, T, 7), (B, T, None)])
def test_an_input_of_another_shape_is_refused(shape):
    with pytest.raises(ValueError, match=r"`inputs` must have shape \(…, T, D\)"):
        RotaryEmbedding().build(shape)


@pytest.mark.parametrize("start", [1.0, np.array([1, 2]), np.float32(1), "1", None])
def test_a_start_must_be_one_integer(start):
    with pytest.raises(ValueError, match="`start` must be an int or a scalar integer"):
        RotaryEmbedding()(draw(B, T, D), start=start)


def test_the_example_runs():
    names = {"query": draw(B, T, D), "key": draw(B, 5, D)}
    assert run_example(RotaryEmbedding, **names)["scores"].shape == (B, T, 5)
