"""Positions: how steps are counted, and codes that are added to a sequence."""

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

from keras_attention import PositionalEncoding
from keras_attention.positions.encoding import PositionEmbedding

D = 7  # odd: the last pair has a sine alone


def reference(length, size, start=0, max_wavelength=10_000.0):
    """One number at a time, in float64."""
    codes = np.zeros((length, size))
    for step in range(length):
        for column in range(size):
            pair = column - column % 2
            angle = (start + step) / max_wavelength ** (pair / size)
            codes[step, column] = (np.sin, np.cos)[column % 2](angle)
    return codes


def codes(length, size, start=0, **arguments):
    zeros = np.zeros((1, length, size), "float32")
    return array(PositionalEncoding(**arguments)(zeros, start=start))[0]


def test_it_keeps_the_contract():
    inputs = np.random.default_rng(0).normal(size=(B, T, D)).astype("float32")
    check_layer(PositionalEncoding, {"max_wavelength": 500.0}, {"inputs": inputs})


@given(
    shape=st.sampled_from([(1, 1), (3, 7), (11, 2), (11, 8)]),
    start=st.integers(0, 300),
    max_wavelength=st.floats(1, 1e6),
)
def test_it_equals_the_formula(shape, start, max_wavelength):
    computed = codes(*shape, start, max_wavelength=max_wavelength)
    expected = reference(*shape, start, max_wavelength)
    # An angle of 300 radians is itself rounded to 2e-5.
    np.testing.assert_allclose(computed, expected, atol=1e-4)


def test_codes_are_added_to_the_input():
    inputs = np.random.default_rng(0).normal(size=(B, T, D)).astype("float32")
    assert_close(PositionalEncoding()(inputs), inputs + codes(T, D))


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_low_precision_rounds_the_sum_once_and_nothing_before(dtype):
    length = 3000
    inputs = np.random.default_rng(0).normal(size=(1, length, 8)).astype("float32")
    inputs = array(keras.ops.cast(inputs, dtype))
    low = PositionalEncoding(dtype=dtype)(inputs)
    exact = PositionalEncoding(dtype="float32")(inputs)
    np.testing.assert_array_equal(array(low), array(keras.ops.cast(exact, dtype)))


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
@pytest.mark.parametrize("position", [0, 1, 300, 301, 4095])
def test_a_position_is_right_wherever_it_is(position, dtype):
    layer = PositionalEncoding(dtype=dtype)
    code = array(layer(np.zeros((1, 1, 8), "float32"), start=position))[0]
    # An angle of 4095 radians is itself rounded, by up to 4095 / 2^23.
    rounding = {"float32": 0, "float16": 2**-11, "bfloat16": 2**-8}[dtype]
    np.testing.assert_allclose(
        code, reference(1, 8, position), rtol=0, atol=rounding + 5e-4
    )


def test_bfloat16_tells_far_neighbours_apart():
    far = array(PositionalEncoding(dtype="bfloat16")(np.zeros((1, 302, 8), "float32")))
    assert np.abs(far[0, 300] - far[0, 301]).max() > 0.5


@pytest.mark.skipif(keras.backend.backend() == "jax", reason="float64 is off there")
def test_float64_is_computed_in_float64():
    output = PositionalEncoding(dtype="float64")(np.zeros((1, 50, 8)))
    assert_close(array(output)[0], reference(50, 8), "float64")


@pytest.mark.parametrize("start", [4, np.int64(4), keras.ops.array(4, "int32")])
def test_one_step_at_a_start_is_that_row_of_the_whole(start):
    np.testing.assert_array_equal(codes(1, D, start)[0], codes(9, D)[4])


def test_the_start_may_be_a_tensor_in_compiled_code_and_in_a_model():
    inputs = np.zeros((B, T, D), "float32")
    layer = PositionalEncoding()
    expected = layer(inputs, start=4)
    start = keras.ops.array(4, "int32")
    for xla in (False, True):
        run = compiled(layer, xla=xla)
        assert_close(run({"inputs": inputs, "start": start}), expected)
    symbolic = keras.Input((None, D)), keras.Input(batch_shape=(), dtype="int32")
    model = keras.Model(symbolic, PositionalEncoding()(symbolic[0], start=symbolic[1]))
    assert_close(model([keras.ops.array(inputs), start]), expected)


def test_the_mask_passes_through():
    tokens = np.array([[3, 4, 0], [5, 0, 0]])
    embedded = keras.layers.Embedding(7, D, mask_zero=True)(tokens)
    mask = keras.src.backend.get_keras_mask(PositionalEncoding()(embedded))
    np.testing.assert_array_equal(array(mask), tokens != 0)


def test_embeddings_may_be_scaled_before():
    # Keras announces this product as a sparse tensor.
    tokens = keras.Input((None,), dtype="int32")
    embedding = keras.layers.Embedding(7, D)
    model = keras.Model(tokens, PositionalEncoding()(embedding(tokens) * D**0.5))
    batch = np.array([[3, 4, 0], [5, 0, 0]])
    assert_close(model(batch), array(embedding(batch)) * D**0.5 + codes(T, D))


def test_the_gradient_passes_through_unchanged():
    inputs = np.random.default_rng(0).normal(size=(B, T, D)).astype("float32")
    layer = PositionalEncoding()
    layer.build(inputs.shape)
    assert_close(gradients(layer, {"inputs": inputs})[0]["inputs"], 2 * layer(inputs))


def test_a_learned_code_keeps_the_contract():
    inputs = np.random.default_rng(0).normal(size=(B, T, D)).astype("float32")
    arguments = {
        "max_length": 400,
        "initializer": keras.initializers.RandomNormal(stddev=0.5, seed=3),
    }
    check_layer(PositionEmbedding, arguments, {"inputs": inputs})


def embedding(max_length=4096, size=8, **arguments):
    layer = PositionEmbedding(max_length, **arguments)
    layer.build((None, None, size))
    return layer


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
@pytest.mark.parametrize("position", [0, 1, 300, 301, 4095])
def test_a_learned_code_is_the_row_of_its_position(position, dtype):
    layer = embedding(dtype=f"mixed_{dtype}" if dtype != "float32" else dtype)
    inputs = np.random.default_rng(0).normal(size=(1, 1, 8)).astype("float32")
    inputs = array(keras.ops.cast(inputs, dtype))
    expected = inputs[0, 0] + array(layer.table.value)[position]
    output = layer(inputs, start=keras.ops.array(position, "int32"))
    np.testing.assert_array_equal(
        array(output)[0, 0], array(keras.ops.cast(expected, dtype))
    )


def test_learned_codes_start_where_they_are_told():
    layer = embedding(9, D)
    zeros = np.zeros((B, 9, D), "float32")
    whole = array(layer(zeros))
    np.testing.assert_array_equal(layer(zeros[:, :T], start=4), whole[:, 4 : 4 + T])
    run = compiled(layer, xla=True)
    start = keras.ops.array(4, "int32")
    np.testing.assert_array_equal(
        run({"inputs": zeros[:, :T], "start": start}), whole[:, 4 : 4 + T]
    )


def test_learned_codes_past_the_end_are_refused_where_the_end_is_known():
    layer = embedding(5, D)
    zeros = np.zeros((B, T, D), "float32")
    layer(zeros, start=2)
    for start in (3, keras.ops.array(3, "int32")):
        with pytest.raises(ValueError, match="`inputs` must end within `max_length`=5"):
            layer(zeros, start=start)
    with pytest.raises(ValueError, match="`inputs` must end within `max_length`=2"):
        PositionEmbedding(2)(zeros)
    with pytest.raises(ValueError, match="`start` must be at least 0"):
        layer(zeros, start=-1)


@pytest.mark.skipif(keras.backend.backend() == "numpy", reason="nothing is compiled")
def test_learned_codes_past_the_end_are_the_last_one_in_compiled_code():
    layer = embedding(5, D)
    zeros = np.zeros((1, 4, D), "float32")
    run = compiled(layer)({"inputs": zeros, "start": keras.ops.array(3, "int32")})
    np.testing.assert_array_equal(run[0], array(layer.table.value)[[3, 4, 4, 4]])


def test_the_gradient_reaches_the_rows_that_were_used():
    inputs = np.random.default_rng(0).normal(size=(B, T, D)).astype("float32")
    layer = embedding(T + 1, D)
    of_inputs, (of_table,) = gradients(layer, {"inputs": inputs})
    output = array(layer(inputs))
    assert_close(of_inputs["inputs"], 2 * output)
    assert_close(of_table[:T], 2 * output.sum(0))
    assert (of_table[T] == 0).all()


@pytest.mark.parametrize("length", [0, -1, 1.5, True, None, "8"])
def test_a_number_of_places_must_be_a_positive_int(length):
    with pytest.raises(ValueError, match="`max_length` must be a positive int"):
        PositionEmbedding(length)


@pytest.mark.parametrize("value", [0, -1.0, True, "long", float("inf"), None])
def test_a_wavelength_must_be_positive(value):
    with pytest.raises(ValueError, match="`max_wavelength` must be a positive number"):
        PositionalEncoding(max_wavelength=value)


LAYERS = [PositionalEncoding, lambda: PositionEmbedding(9)]


@pytest.mark.parametrize("make", LAYERS)
@pytest.mark.parametrize("shape", [(B, D), (B, T, D, 1), (B, T, None)])
def test_an_input_of_another_shape_is_refused(make, shape):
    with pytest.raises(ValueError, match=r"`inputs` must have shape \(B, T, D\)"):
        make().build(shape)


@pytest.mark.parametrize("make", LAYERS)
@pytest.mark.parametrize("start", [1.0, np.array([1, 2]), np.float32(1), "1", None])
def test_a_start_must_be_one_integer(make, start):
    with pytest.raises(ValueError, match="`start` must be an int or a scalar integer"):
        make()(np.zeros((B, T, D), "float32"), start=start)


@pytest.mark.parametrize("layer", [PositionalEncoding, PositionEmbedding])
def test_the_example_runs(layer):
    tokens = np.array([[3, 4, 0]])
    assert run_example(layer, tokens=tokens)["x"].shape == (1, 3, 512)
