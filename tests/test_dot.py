"""Multiplicative attention."""

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
    randomise,
    reference_additive,
    reference_attention,
    run_example,
)
from hypothesis import given
from hypothesis import strategies as st

from keras_attention import LuongAttention, ScaledDotProductAttention

NAMES = ("query", "value", "key")


def value_mask():
    mask = np.ones((B, S), bool)
    mask[0, 3:] = False
    return mask


def check_equal(layer, inputs, expected, **call):
    outputs = arrays(layer(**inputs, **call, return_attention_scores=True))
    for some, other in zip(outputs, expected, strict=True):
        assert_close(some, np.asarray(other, "float32"))


def products(query, key):
    return np.einsum("btd,bsd->bts", query, key, dtype="float64")


# ---- scaled dot product


@pytest.mark.parametrize("query_shape", [(B, T, DQ), (B, DQ)])
def test_scaled_attention_keeps_the_contract(query_shape):
    inputs = attention_inputs() | {"value_mask": value_mask()}
    inputs["query"] = np.ones(query_shape, "float32")
    arguments = {"dropout": 0.1, "seed": 5}
    flags = {"return_attention_scores": True}
    check_layer(ScaledDotProductAttention, arguments, inputs, flags)


@given(st.integers(0, 100), st.booleans())
def test_scaled_attention_equals_the_formula(seed, masked):
    inputs = attention_inputs(seed)
    mask = value_mask() if masked else None
    scores = products(inputs["query"], inputs["key"]) / np.sqrt(DQ)
    pairs = mask[:, None] if masked else None
    expected = reference_attention(scores, inputs["value"], pairs)
    check_equal(ScaledDotProductAttention(), inputs, expected, value_mask=mask)


def test_scaled_attention_equals_that_of_keras_on_smaller_queries():
    inputs, mask = attention_inputs(), value_mask()
    listed = [inputs["query"] / np.float32(np.sqrt(DQ)), inputs["value"], inputs["key"]]
    theirs = keras.layers.Attention()
    for causal in (False, True):
        expected = theirs(
            listed,
            mask=[None, mask],
            use_causal_mask=causal,
            return_attention_scores=True,
        )
        check_equal(
            ScaledDotProductAttention(),
            inputs,
            arrays(expected),
            value_mask=mask,
            use_causal_mask=causal,
        )


def test_scaled_scores_keep_their_spread_at_any_size():
    random = np.random.default_rng(0)
    for size in (4, 256):
        query, key = random.normal(size=(2, 100, 50, size)).astype("float32")
        layer = ScaledDotProductAttention()
        scores = array(layer.score(layer.project_query(query), key))
        assert abs(scores.std() - 1) < 0.1


def test_scaled_scores_do_not_overflow_in_half_precision():
    # Unscaled, the products of 40 and 50 over 64 features would exceed 65504.
    query = np.full((1, 1, 64), 40.0, "float32")
    key = np.full((1, 2, 64), 50.0, "float32")
    layer = ScaledDotProductAttention(dtype="float16")
    np.testing.assert_allclose(array(layer(query, key)), np.full((1, 1, 64), 50.0))


def test_the_scaled_example_runs():
    x = np.ones((B, T, DQ), "float32")
    assert run_example(ScaledDotProductAttention, x=x)["context"].shape == (B, T, DQ)


# ---- Luong's scores

KINDS = {
    "dot": {"score": "dot", "units": None},
    "general": {"score": "general", "units": None},
    "concat": {"score": "concat", "units": U},
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("use_scale", [False, True])
def test_luong_attention_keeps_the_contract(kind, use_scale):
    key_size = DQ if kind == "dot" else 17
    inputs = attention_inputs(key_size=key_size) | {"value_mask": value_mask()}
    arguments = KINDS[kind] | {
        "use_scale": use_scale,
        "kernel_initializer": keras.initializers.HeNormal(seed=3),
        "dropout": 0.1,
        "seed": 5,
    }
    flags = {"return_attention_scores": True}
    check_layer(LuongAttention, arguments, inputs, flags)


def luong_scores(layer, query, key):
    """Equation 8 of the paper, in float64, with the layer's weights."""
    weights = {weight.name: array(weight).astype("float64") for weight in layer.weights}
    if layer.score_name == "dot":
        scores = products(query, key)
    elif layer.score_name == "general":
        scores = np.einsum("btd,ed,bse->bts", query, weights["kernel"], key)
    else:
        # W [query; key] is the sum of one product for each half of W.
        scores = reference_additive(
            query @ weights["query_kernel"],
            key @ weights["key_kernel"],
            weights["vector"][:, 0],
        )
    return scores * weights.get("scale", 1)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("use_scale", [False, True])
@pytest.mark.parametrize("masked", [False, True])
def test_luong_attention_equals_the_formula(kind, use_scale, masked):
    inputs = attention_inputs(key_size=DQ if kind == "dot" else 17)
    layer = LuongAttention(**KINDS[kind], use_scale=use_scale)
    layer(**inputs)
    randomise(layer)
    mask = value_mask() if masked else None
    expected = reference_attention(
        luong_scores(layer, inputs["query"], inputs["key"]),
        inputs["value"],
        mask[:, None] if masked else None,
    )
    check_equal(layer, inputs, expected, value_mask=mask)


def test_plain_and_scaled_dot_equal_those_of_keras():
    inputs, mask = attention_inputs(), value_mask()
    listed = [inputs[name] for name in NAMES]
    for use_scale in (False, True):
        ours, theirs = (
            make(use_scale=use_scale)
            for make in (LuongAttention, keras.layers.Attention)
        )
        ours.build(*[each.shape for each in listed])
        theirs.build([each.shape for each in listed])
        theirs.set_weights(randomise(ours).get_weights())
        expected = theirs(listed, mask=[None, mask], return_attention_scores=True)
        check_equal(ours, inputs, arrays(expected), value_mask=mask)


def test_concat_scores_equal_those_of_keras_when_projections_change_nothing():
    inputs = attention_inputs()
    listed = [inputs[name] for name in NAMES]
    ours = LuongAttention("concat", DQ)
    ours.build(*[each.shape for each in listed])
    ours.set_weights([np.eye(DQ), np.eye(DQ), np.ones((DQ, 1))])
    theirs = keras.layers.Attention(score_mode="concat")
    theirs.build([each.shape for each in listed])
    theirs.set_weights([np.ones(())])
    check_equal(ours, inputs, arrays(theirs(listed, return_attention_scores=True)))


@pytest.mark.parametrize(
    ("arguments", "shapes"),
    [
        ({}, {}),
        ({"use_scale": True}, {"scale": ()}),
        ({"score": "general"}, {"kernel": (DV, DQ)}),
        (
            {"score": "concat", "units": U},
            {"query_kernel": (DQ, U), "key_kernel": (DV, U), "vector": (U, 1)},
        ),
    ],
)
def test_each_score_has_its_own_weights(arguments, shapes):
    layer = LuongAttention(**arguments)
    value_size = DV if arguments.get("score") else DQ
    layer.build((B, T, DQ), (B, S, value_size))
    assert {weight.name: tuple(weight.shape) for weight in layer.weights} == shapes


def test_the_learned_scale_starts_at_one():
    inputs = attention_inputs()
    assert_close(LuongAttention(use_scale=True)(**inputs), LuongAttention()(**inputs))


@pytest.mark.parametrize("score", ["cosine", None, 1])
def test_a_score_must_be_known(score):
    message = "`score` must be 'dot', 'general' or 'concat'. Received: score="
    with pytest.raises(ValueError, match=message):
        LuongAttention(score)


@pytest.mark.parametrize("units", [0, None, 1.5, True])
def test_units_must_be_given_for_concat(units):
    with pytest.raises(ValueError, match="`units` must be a positive int"):
        LuongAttention("concat", units)


@pytest.mark.parametrize("score", ["dot", "general"])
def test_units_must_not_be_given_for_other_scores(score):
    with pytest.raises(ValueError, match="`units` must be None unless score='concat'"):
        LuongAttention(score, units=U)


@pytest.mark.parametrize("make", [LuongAttention, ScaledDotProductAttention])
@pytest.mark.parametrize(
    "shapes", [((B, T, DQ), (B, S, DV)), ((B, DQ), (B, S, DQ), (B, S, DV))]
)
def test_inner_products_need_one_size(make, shapes):
    message = r"`query` and `key` must have one size \(last axis\)"
    with pytest.raises(ValueError, match=message):
        make().build(*shapes)


def test_the_luong_example_runs():
    left = run_example(
        LuongAttention,
        decoder_outputs=attention_inputs()["query"],
        encoder_states=attention_inputs()["value"],
    )
    assert left["context"].shape == (B, T, DV)
    assert left["weights"].shape == (B, T, S)
