"""How layers make their weights: numbers of their own, from any initializer."""

import json

import keras
import numpy as np
import pytest
from helpers import DQ, U, array
from keras import ops

import keras_attention as ka
from keras_attention.core.building import add_projection, initializer_for

SHAPES = (None, None, DQ), (None, None, DQ)

# Each layer, and the shapes to build it for: several weights of one size.
LAYERS = {
    "additive": (lambda **kw: ka.BahdanauAttention(U, **kw), SHAPES),
    "general": (
        lambda **kw: ka.LuongAttention("general", window="predictive", **kw),
        SHAPES,
    ),
    "concat": (lambda **kw: ka.LuongAttention("concat", U, **kw), SHAPES),
    "location": (lambda **kw: ka.LocationSensitiveAttention(U, U, 1, **kw), SHAPES),
    "coverage": (lambda **kw: ka.CoverageAttention(U, **kw), SHAPES),
    "multi-head": (lambda **kw: ka.MultiHeadAttention(1, DQ, **kw), SHAPES),
    "pooling": (lambda **kw: ka.AttentionPooling(DQ, hops=DQ, **kw), SHAPES[:1]),
    "hierarchical": (
        lambda **kw: ka.HierarchicalAttention(DQ, **kw),
        [(None, None, None, DQ)],
    ),
}
every_layer = pytest.mark.parametrize("name", LAYERS)


def built(name, **arguments):
    make, shapes = LAYERS[name]
    layer = make(**arguments)
    layer.build(*shapes)
    return layer


@every_layer
@pytest.mark.parametrize("seed", [3, -1, 2**40])
def test_a_seed_gives_each_weight_numbers_of_its_own(name, seed):
    initializer = keras.initializers.RandomNormal(seed=seed)
    layer, again = (built(name, kernel_initializer=initializer) for _ in range(2))
    drawn = [array(each.value).ravel() for each in layer.weights]
    drawn = [each for each in drawn if each.std() > 0]
    assert len(drawn) > 1
    for index, some in enumerate(drawn):
        for other in drawn[:index]:
            size = min(some.size, other.size)
            assert np.abs(some[:size] - other[:size]).min() > 0
    # The same seed and layer: the same numbers.
    for some, other in zip(layer.weights, again.weights, strict=True):
        np.testing.assert_array_equal(array(some.value), array(other.value))


@every_layer
def test_another_seed_gives_other_numbers(name):
    layers = [
        built(name, kernel_initializer=keras.initializers.RandomNormal(seed=seed))
        for seed in (3, 4)
    ]
    first, second = (array(layer.weights[0].value) for layer in layers)
    assert np.abs(first - second).min() > 0


@every_layer
@pytest.mark.parametrize("seed", [None, "generator"])
def test_without_a_fixed_seed_no_two_weights_are_alike(name, seed):
    seed = keras.random.SeedGenerator(3) if seed else None
    initializer = keras.initializers.RandomNormal(seed=seed)
    layer = built(name, kernel_initializer=initializer)
    drawn = [array(each.value).ravel() for each in layer.weights]
    first, second = [each for each in drawn if each.std() > 0][:2]
    size = min(first.size, second.size)
    assert np.abs(first[:size] - second[:size]).min() > 0


@keras.saving.register_keras_serializable("tests")
def halves(shape, dtype=None):
    return 0.5 * ops.ones(shape, dtype)


@every_layer
def test_an_initializer_may_be_a_plain_function_that_a_file_keeps(name):
    layer = built(name, kernel_initializer=halves)
    assert (array(layer.weights[0].value) == 0.5).all()
    text = json.dumps(keras.saving.serialize_keras_object(layer))
    again = keras.saving.deserialize_keras_object(json.loads(text))
    assert again.kernel_initializer is halves
    assert again.get_config() == layer.get_config()


@every_layer
def test_an_initializer_may_be_a_function_without_a_name(name):
    layer = built(name, kernel_initializer=lambda shape, dtype=None: halves(shape))
    assert (array(layer.weights[0].value) == 0.5).all()


def test_biases_and_positions_take_functions_too():
    layer = ka.MultiHeadAttention(1, DQ, bias_initializer=halves)
    layer.build(*SHAPES)
    assert (array(layer.query_bias.value) == 0.5).all()
    layer = ka.PositionEmbedding(5, initializer=halves)
    layer.build((None, 5, DQ))
    assert (array(layer.weights[0].value) == 0.5).all()


class Plain(keras.initializers.Initializer):
    """An initializer of one's own without a configuration."""

    def __init__(self, value):
        self.value = value

    def __call__(self, shape, dtype=None):
        return self.value * ops.ones(shape, dtype)


def test_an_initializer_without_a_seed_is_used_as_it_is():
    for initializer in (Plain(2.0), halves, keras.initializers.Constant(2.0)):
        assert initializer_for(initializer, "kernel") is initializer
    layer = built("additive", kernel_initializer=Plain(2.0))
    assert (array(layer.query_kernel.value) == 2).all()


def test_a_projection_starts_like_the_matrix_that_it_is():
    seen = []

    def remember(shape, dtype=None):
        seen.append(tuple(shape))
        return ops.zeros(shape, dtype)

    layer = keras.layers.Layer()
    layer.kernel_initializer = remember
    layer.bias_initializer, layer.use_bias = halves, True
    kernel, bias = add_projection(layer, "query", (DQ,), (2, 3))
    assert seen == [(DQ, 6)]
    assert (tuple(kernel.shape), tuple(bias.shape)) == ((DQ, 2, 3), (2, 3))
    assert (kernel.name, bias.name) == ("query_kernel", "query_bias")
    layer.use_bias = False
    assert add_projection(layer, "key", (DQ,), (2, 3))[1] is None
