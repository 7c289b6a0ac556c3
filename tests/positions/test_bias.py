"""Positions as biases on scores."""

import math

import keras
import numpy as np
import pytest
from helpers import (
    B,
    S,
    T,
    array,
    assert_close,
    compiled,
    gradients,
    randomise,
    run_example,
)

from keras_attention import MultiHeadAttention
from keras_attention.positions.bias import AlibiBias, RelativePositionBias
from keras_attention.positions.steps import relative_positions

H = 3
POSITIONS = [0, 1, 300, 301, 4095]
LAYERS = {"alibi": AlibiBias, "relative": RelativePositionBias}
every_layer = pytest.mark.parametrize("make", LAYERS.values(), ids=LAYERS)


def scores(dtype="float32"):
    return np.random.default_rng(0).normal(size=(B, H, T, S)).astype(dtype)


def built(make, **arguments):
    layer = make(H, **arguments)
    layer.build((None, H, None, None))
    return randomise(layer)


def distances(start=0):
    return np.arange(S) - np.arange(T)[:, None] - start


def t5_bucket(relative, num_buckets, max_distance, bidirectional):
    """The bucket of one distance by the formula of T5's program."""
    bucket = 0
    if bidirectional:
        num_buckets //= 2
        bucket = num_buckets if relative > 0 else 0
        distance = abs(relative)
    else:
        distance = max(-relative, 0)
    exact = num_buckets // 2
    if distance < exact:
        return bucket + distance
    share = math.log(distance / exact) / math.log(max_distance / exact)
    steps = share * (num_buckets - exact)
    # At the border of two ranges the logarithm may be short by its last bits.
    return bucket + min(exact + int(steps + 1e-9), num_buckets - 1)


@every_layer
def test_scores_of_a_model_with_open_lengths_get_the_bias(make, tmp_path):
    keras.utils.clear_session(free_memory=False)
    inputs = keras.Input((H, None, None))
    model = keras.Model(inputs, make(H)(inputs))
    randomise(model)
    expected = array(model.layers[-1].bias(relative_positions(T, S))) + scores()
    assert_close(model(scores()), expected)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(again(scores()), model(scores()))


@pytest.mark.parametrize(
    "layer",
    [
        AlibiBias(5, name="some", dtype="mixed_bfloat16"),
        RelativePositionBias(
            5, 8, max_distance=20, bidirectional=False, name="some", dtype="float16"
        ),
    ],
    ids=LAYERS,
)
def test_every_argument_survives(layer):
    again = keras.saving.deserialize_keras_object(
        keras.saving.serialize_keras_object(layer)
    )
    assert type(again) is type(layer)
    assert again.get_config() == layer.get_config()
    for name in ("num_heads", "num_buckets", "max_distance", "bidirectional"):
        assert getattr(again, name, None) == getattr(layer, name, None)
    assert (again.name, again.dtype_policy.name) == ("some", layer.dtype_policy.name)


@pytest.mark.parametrize(
    "heads, exponents",
    [
        (1, [8]),
        (2, [4, 8]),
        (3, [4, 8, 2]),
        (6, [2, 4, 6, 8, 1, 3]),
        (8, [1, 2, 3, 4, 5, 6, 7, 8]),
        (12, [1, 2, 3, 4, 5, 6, 7, 8, 0.5, 1.5, 2.5, 3.5]),
    ],
)
def test_slopes_are_those_of_the_paper(heads, exponents):
    np.testing.assert_allclose(AlibiBias(heads).slopes, 2.0 ** -np.array(exponents))


@pytest.mark.parametrize("start", [0, 4])
def test_alibi_equals_the_formula(start):
    expected = -np.abs(distances(start)) * AlibiBias(H).slopes[:, None, None]
    assert_close(AlibiBias(H)(scores(), start=start), (scores() + expected).astype("f"))


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
@pytest.mark.parametrize("position", POSITIONS)
def test_alibi_is_right_wherever_it_is(position, dtype):
    output = AlibiBias(H, dtype=dtype)(
        np.zeros((1, H, 1, S), "float32"), start=position
    )
    expected = -np.abs(np.arange(S) - position) * AlibiBias(H).slopes[:, None, None]
    expected = keras.ops.cast(expected.astype("float32"), dtype)  # one rounding
    np.testing.assert_array_equal(array(output)[0], array(expected))


@pytest.mark.parametrize(
    "num_buckets, max_distance, bidirectional",
    [(32, 128, True), (32, 128, False), (4, 3, True), (2, 9, False), (7, 50, False)],
)
def test_buckets_are_those_of_t5(num_buckets, max_distance, bidirectional):
    layer = RelativePositionBias(H, num_buckets, max_distance, bidirectional)
    relative = np.arange(-300, 301)
    options = num_buckets, max_distance, bidirectional
    np.testing.assert_array_equal(
        array(layer.bucket(relative)), [t5_bucket(each, *options) for each in relative]
    )


def test_the_direction_of_buckets_is_a_bool():
    with pytest.raises(ValueError, match="`bidirectional` must be a bool"):
        RelativePositionBias(H, bidirectional="yes")


def test_buckets_widen_and_the_last_one_is_open():
    layer = RelativePositionBias(H, 8, max_distance=16, bidirectional=False)
    buckets = array(layer.bucket(-np.arange(10_000)))
    assert (np.diff(buckets) >= 0).all()
    assert set(buckets) == set(range(8))
    widths = np.bincount(buckets)
    assert (np.diff(widths) >= 0).all()
    assert (buckets[16:] == 7).all()
    assert (array(layer.bucket(np.arange(10))) == 0).all()


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
@pytest.mark.parametrize("position", POSITIONS)
def test_a_relative_bias_is_right_wherever_it_is(position, dtype):
    policy = dtype if dtype == "float32" else f"mixed_{dtype}"
    layer = built(RelativePositionBias, dtype=policy)
    output = layer(np.zeros((1, H, 1, S), "float32"), start=position)
    table = array(layer.table.value)
    buckets = [t5_bucket(s - position, 32, 128, True) for s in range(S)]
    expected = keras.ops.cast(table[buckets].T, dtype)  # one rounding
    np.testing.assert_array_equal(array(output)[0, :, 0], array(expected))


@every_layer
def test_each_sequence_may_start_at_a_place_of_its_own(make):
    layer = built(make)
    starts = np.array([[0], [40]], "int32")
    bias = array(layer.bias(relative_positions(T, S, starts)))
    assert bias.shape == (2, H, T, S)
    for row, start in enumerate((0, 40)):
        assert_close(bias[row], layer.bias(relative_positions(T, S, start)))


@every_layer
def test_the_start_may_be_a_tensor_in_compiled_code(make):
    layer = built(make)
    expected = array(layer(scores(), start=40))
    for xla in (False, True):
        run = compiled(layer, xla=xla)
        start = keras.ops.array(40, "int32")
        assert_close(run({"scores": scores(), "start": start}), expected)


def test_the_table_gets_the_gradient_of_its_cells():
    layer = built(RelativePositionBias)
    of_inputs, (of_table,) = gradients(layer, {"scores": scores()})
    expected = np.zeros((32, H))
    for (_, head, t, s), gradient in np.ndenumerate(2 * array(layer(scores()))):
        expected[t5_bucket(s - t, 32, 128, True), head] += gradient
    assert_close(of_table, expected.astype("float32"))


def test_a_table_starts_without_a_preference():
    layer = RelativePositionBias(H)
    assert_close(layer(scores()), scores())


@every_layer
@pytest.mark.parametrize("heads", [0, -1, 1.5, True, None, "8"])
def test_a_number_of_heads_must_be_a_positive_int(make, heads):
    with pytest.raises(ValueError, match="`num_heads` must be a positive int"):
        make(heads)


@every_layer
@pytest.mark.parametrize("shape", [(B, T, S), (B, H + 1, T, S), (B, T, H, 1, S)])
def test_scores_of_another_shape_are_refused(make, shape):
    with pytest.raises(ValueError, match=r"`scores` must have shape \(B, H, T, S\)"):
        make(H).build(shape)


@every_layer
@pytest.mark.parametrize("start", [1.0, np.array([1, 2]), np.float32(1), "1", None])
def test_a_start_must_be_one_integer(make, start):
    with pytest.raises(ValueError, match="`start` must be an int or a scalar integer"):
        make(H)(scores(), start=start)


@pytest.mark.parametrize("name", ["num_buckets", "max_distance"])
@pytest.mark.parametrize("value", [0, -2, 1.5, "4", True, None])
def test_sizes_must_be_positive_ints(name, value):
    with pytest.raises(ValueError, match=f"`{name}` must be a positive int"):
        RelativePositionBias(H, **{name: value})


@pytest.mark.parametrize("buckets, both", [(1, False), (2, True), (3, True), (5, True)])
def test_too_few_or_odd_buckets_are_refused(buckets, both):
    with pytest.raises(ValueError, match="`num_buckets` must be at least 2, and even"):
        RelativePositionBias(H, buckets, bidirectional=both)


@pytest.mark.parametrize("distance, both", [(8, True), (16, False), (1, True)])
def test_a_greatest_distance_below_the_exact_buckets_is_refused(distance, both):
    with pytest.raises(ValueError, match="`max_distance` must be more than (8|16)"):
        RelativePositionBias(H, 32, distance, bidirectional=both)


@every_layer
def test_the_example_runs(make):
    x = np.random.default_rng(0).normal(size=(B, T, 7)).astype("float32")
    names = run_example(make, x=x, MultiHeadAttention=MultiHeadAttention)
    assert names["x"].shape == (B, T, 7)
