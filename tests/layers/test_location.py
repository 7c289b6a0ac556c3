"""Location-sensitive attention."""

import keras
import numpy as np
import pytest
from helpers import (
    DQ,
    DV,
    B,
    S,
    T,
    U,
    array,
    arrays,
    assert_close,
    attention_inputs,
    check_layer,
    compiled,
    randomise,
    reference_attention,
    run_example,
)

from keras_attention.layers.location import LocationSensitiveAttention


def value_mask():
    mask = np.ones((B, S), bool)
    mask[0, 3:] = False
    return mask


def test_it_keeps_the_contract():
    inputs = attention_inputs(key_size=17) | {"value_mask": value_mask()}
    arguments = {
        "units": U,
        "filters": 3,
        "kernel_size": 5,
        "cumulative": True,
        "use_bias": False,
        "kernel_initializer": keras.initializers.HeNormal(seed=3),
        "dropout": 0.1,
        "seed": 5,
    }
    flags = {"return_attention_scores": True}
    check_layer(LocationSensitiveAttention, arguments, inputs, flags)


def reference(layer, inputs, mask):
    """Equations 8 and 9, step by step in float64, with the layer's weights."""
    weights = {weight.name: array(weight).astype("float64") for weight in layer.weights}
    filters = weights["location_filters"][:, 0]  # kernel_size, filters
    reach = len(filters) // 2
    key = inputs["key"] @ weights["key_kernel"] + weights.get("bias", 0)
    state, rows = np.zeros((B, S)), []
    for query in inputs["query"].swapaxes(0, 1):
        padded = np.pad(state, ((0, 0), (reach, reach)))
        found = sum(
            padded[:, place : place + S, None] * filters[place]
            for place in range(len(filters))
        )
        hidden = (query @ weights["query_kernel"])[:, None] + key
        hidden = np.tanh(hidden + found @ weights["location_kernel"])
        scores = hidden @ weights["vector"][:, 0]
        _, row = reference_attention(scores[:, None], inputs["value"], mask)
        rows.append(row)
        state = row[:, 0] + (state if layer.cumulative else 0)
    weights = np.concatenate(rows, axis=1)
    return weights @ inputs["value"].astype("float64"), weights


@pytest.mark.parametrize("cumulative", [False, True])
@pytest.mark.parametrize(("use_bias", "masked"), [(False, True), (True, False)])
def test_it_equals_the_formula(cumulative, use_bias, masked):
    layer = LocationSensitiveAttention(
        U, filters=3, kernel_size=3, cumulative=cumulative, use_bias=use_bias
    )
    layer.build((B, T, DQ), (B, S, DV), (B, S, 17))
    randomise(layer)
    mask = value_mask() if masked else np.ones((B, S), bool)
    run = compiled(layer, return_attention_scores=True)
    for seed in range(5):
        inputs = attention_inputs(seed, key_size=17)
        found = run(inputs | {"value_mask": mask})
        expected = reference(layer, inputs, mask[:, None])
        for some, other in zip(arrays(found), expected, strict=True):
            assert_close(some, other.astype("float32"))


@pytest.mark.skipif(keras.backend.backend() == "jax", reason="float64 is off there")
def test_under_float64_it_equals_the_formula_in_float64():
    layer = LocationSensitiveAttention(
        U, filters=3, kernel_size=3, cumulative=True, dtype="float64"
    )
    layer.build((B, T, DQ), (B, S, DV), (B, S, 17))
    randomise(layer)
    inputs = attention_inputs(key_size=17)
    inputs = {name: x.astype("float64") for name, x in inputs.items()}
    found = layer(**inputs, return_attention_scores=True)
    expected = reference(layer, inputs, np.ones((B, 1, S), bool))
    for some, other in zip(arrays(found), expected, strict=True):
        assert_close(some, other, "float64")


def test_equal_keys_are_told_apart_by_the_weights_before():
    # The filters move the weights before on by one key, where the score is high.
    layer = LocationSensitiveAttention(1, filters=1, kernel_size=3, use_bias=False)
    layer.build((1, 3, 1), (1, 4, 1))
    filters = np.reshape([1.0, 0.0, 0.0], (3, 1, 1))
    one = np.ones((1, 1))
    by_name = {
        "query_kernel": 0 * one,
        "key_kernel": one,
        "vector": 50 * one,
        "location_filters": filters,
        "location_kernel": 3 * one,
    }
    layer.set_weights([by_name[weight.name] for weight in layer.weights])
    # The first key alone is other than the rest: the first step attends to it.
    value = np.reshape([1.0, 0.0, 0.0, 0.0], (1, 4, 1)).astype("float32")
    hidden = np.ones((1, 3, 4), bool)
    hidden[:, 1:, 0] = False
    _, weights = arrays(
        layer(
            np.zeros((1, 3, 1), "float32"),
            value,
            attention_mask=hidden,
            return_attention_scores=True,
        )
    )
    assert_close(weights[0], np.eye(4, dtype="float32")[:3])


def test_without_filters_that_act_it_is_additive_attention():
    inputs = attention_inputs()
    layer = LocationSensitiveAttention(U, filters=3, kernel_size=3)
    layer.build(*(x.shape for x in inputs.values()))
    randomise(layer)
    layer.location_kernel.assign(np.zeros((3, U)))
    _, weights = arrays(layer(**inputs, return_attention_scores=True))
    backwards = inputs | {"query": inputs["query"][:, ::-1]}
    _, reversed_ = arrays(layer(**backwards, return_attention_scores=True))
    assert_close(reversed_[:, ::-1], weights)


def test_its_weights_have_the_sizes_of_the_formula():
    layer = LocationSensitiveAttention(U, filters=3, kernel_size=5)
    layer.build((B, T, DQ), (B, S, DV))
    assert {weight.name: tuple(weight.shape) for weight in layer.weights} == {
        "query_kernel": (DQ, U),
        "key_kernel": (DV, U),
        "vector": (U, 1),
        "bias": (U,),
        "location_filters": (5, 1, 3),
        "location_kernel": (3, U),
    }


@pytest.mark.parametrize("name", ["units", "filters", "kernel_size"])
@pytest.mark.parametrize("size", [0, 1.5, None, True])
def test_sizes_must_be_positive_ints(name, size):
    with pytest.raises(ValueError, match=f"`{name}` must be a positive int. Received"):
        LocationSensitiveAttention(**{"units": U, name: size})


def test_the_kernel_must_be_of_odd_size():
    with pytest.raises(ValueError, match="`kernel_size` must be odd.*kernel_size=4"):
        LocationSensitiveAttention(U, kernel_size=4)


def test_dropout_must_be_a_share():
    with pytest.raises(ValueError, match="`dropout` must be a number"):
        LocationSensitiveAttention(U, dropout=1)


def test_the_example_runs():
    left = run_example(
        LocationSensitiveAttention,
        decoder_states=attention_inputs()["query"],
        encoder_states=attention_inputs()["value"],
        mask=value_mask(),
    )
    assert_close(left["step_context"][:, 0], left["context"][:, -1])
