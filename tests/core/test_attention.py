"""Attention as a function, against NumPy in float64 and against the layers."""

import keras
import numpy as np
import pytest
from helpers import DQ, DV, B, S, T, array, assert_close, run_example

import keras_attention as ka


def random(*shape):
    return np.random.default_rng(shape).normal(size=shape).astype("float32")


def reference(query, key, value, mask, scale):
    scores = scale * np.einsum("...td,...sd->...ts", query, key, dtype="float64")
    powers = np.exp(scores - scores.max(-1, keepdims=True)) * mask
    weights = powers / np.maximum(powers.sum(-1, keepdims=True), 1e-300)
    return scores, weights, weights @ value.astype("float64")


@pytest.mark.parametrize("lead", [(), (B,), (B, 3)])
def test_scores_weights_and_context_equal_the_formula(lead):
    query, key, value = random(*lead, T, DQ), random(*lead, S, DQ), random(*lead, S, DV)
    mask = np.arange(S) < np.arange(T)[:, None]  # the first query attends to nothing
    found = ka.scaled_dot_product_attention(query, key, value, mask)
    expected = reference(query, key, value, mask, DQ**-0.5)
    for one, other in zip(found, expected, strict=True):
        assert_close(one, other.astype("float32"))
    for each in found[1:]:
        assert not array(each)[..., 0, :].any()


def test_without_a_mask_and_a_scale_of_one_these_are_inner_products():
    words = random(S, DQ)
    scores, weights, context = ka.scaled_dot_product_attention(
        words, words, words, scale=1.0
    )
    assert_close(scores, words @ words.T)
    assert_close(array(weights).sum(-1), np.ones(S, "float32"))
    assert_close(context, array(weights) @ words)


def test_one_query_needs_no_axis_of_its_own():
    query, key, value = random(B, DQ), random(B, S, DQ), random(B, S, DV)
    mask = np.array([True] * 3 + [False] * (S - 3))
    one = ka.scaled_dot_product_attention(query, key, value, mask)
    many = ka.scaled_dot_product_attention(query[:, None], key, value, mask)
    for found, expected in zip(one, many, strict=True):
        assert_close(found, array(expected)[:, 0])
    alone = ka.scaled_dot_product_attention(query[0], key[0], value[0], mask)
    assert_close(alone[2], array(one[2])[0])


def test_it_is_what_the_layer_does():
    query, value = random(B, T, DQ), random(B, S, DQ)
    layer = ka.ScaledDotProductAttention()
    context, weights = layer(query, value, return_attention_scores=True)
    found = ka.scaled_dot_product_attention(query, value, value)
    assert_close(found[1], weights)
    assert_close(found[2], context)


@pytest.mark.parametrize(
    "shapes",
    [
        [(T, DQ), (S, DQ + 1), (S, DV)],
        [(T, DQ), (S, DQ), (S + 1, DV)],
        [(T, DQ), (S, DQ), (DV,)],
        [(DQ,), (DQ,), (DV,)],
        [(B, T, DQ), (S, DQ), (S, DV)],
    ],
)
def test_shapes_that_do_not_fit_are_told(shapes):
    with pytest.raises(ValueError, match=r"must have shapes \(\.\.\., T, D\)"):
        ka.scaled_dot_product_attention(*map(keras.ops.ones, shapes))


@pytest.mark.parametrize(
    "name", ["scaled_dot_product_attention", "dot_scores", "additive_scores"]
)
def test_the_example_runs(name):
    run_example(getattr(ka, name))


def test_products_beyond_float16_are_scaled_before_they_overflow():
    words = keras.ops.full((3, 64), 40.0, "float16")
    scores, weights, _ = ka.scaled_dot_product_attention(words, words, words)
    assert array(scores).tolist() == [[12800.0] * 3] * 3
    assert_close(weights, np.full((3, 3), 1 / 3), "float16")
