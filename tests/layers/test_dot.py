"""Scaled dot-product attention."""

import keras
import numpy as np
import pytest
from helpers import (
    DQ,
    DV,
    B,
    S,
    T,
    array,
    arrays,
    assert_close,
    attention_inputs,
    check_empty,
    check_layer,
    reference_attention,
    run_example,
)
from hypothesis import given
from hypothesis import strategies as st

from keras_attention import ScaledDotProductAttention


def value_mask():
    mask = np.ones((B, S), bool)
    mask[0, 3:] = False
    return mask


def check_equal(layer, inputs, expected, **call):
    outputs = arrays(layer(**inputs, **call, return_attention_scores=True))
    for some, other in zip(outputs, expected, strict=True):
        assert_close(some, np.asarray(other, "float32"))


def test_no_example_query_or_key_gives_zeros():
    check_empty(ScaledDotProductAttention)


def products(query, key):
    return np.einsum("btd,bsd->bts", query, key, dtype="float64")


@pytest.mark.parametrize("query_shape", [(B, T, DQ), (B, DQ)])
def test_scaled_attention_keeps_the_contract(query_shape):
    inputs = attention_inputs() | {"value_mask": value_mask()}
    inputs["query"] = np.ones(query_shape, "float32")
    arguments = {"dropout": 0.1, "seed": 5, "chunk_size": None}
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


@pytest.mark.parametrize(
    "shapes", [((B, T, DQ), (B, S, DV)), ((B, DQ), (B, S, DQ), (B, S, DV))]
)
def test_inner_products_need_one_size(shapes):
    message = r"`query` and `key` must have one size \(last axis\)"
    with pytest.raises(ValueError, match=message):
        ScaledDotProductAttention().build(*shapes)


def test_the_scaled_example_runs():
    x = np.ones((B, T, DQ), "float32")
    assert run_example(ScaledDotProductAttention, x=x)["context"].shape == (B, T, DQ)
