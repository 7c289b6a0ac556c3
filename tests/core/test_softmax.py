"""Scores and masks to weights."""

import keras
import numpy as np
import pytest
from helpers import (
    DV,
    B,
    S,
    T,
    array,
    assert_close,
    gradients,
    reference_attention,
    tolerance,
)
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays as drawn_arrays
from keras import ops

from keras_attention.core.softmax import masked_softmax
from keras_attention.core.visible_softmax import visible_softmax

VALUE = np.zeros((B, S, DV))


class Weigh(keras.layers.Layer):
    """The function as a layer, for the gradient helper."""

    def call(self, scores, pairs=None):
        return masked_softmax(scores, pairs)


def weigh_layer():
    layer = Weigh()
    layer.built = True
    return layer


def random_scores(scale=1.0, shape=(B, T, S)):
    return (scale * np.random.default_rng(0).normal(size=shape)).astype("float32")


@given(
    scores=drawn_arrays("float32", (B, T, S), elements=st.floats(-1e4, 1e4, width=32)),
    mask=drawn_arrays(bool, (B, T, S)),
)
def test_weights_equal_the_formula_and_rows_sum_to_one_or_nothing(scores, mask):
    weights = array(masked_softmax(scores, mask))
    assert_close(weights, reference_attention(scores, VALUE, mask)[1].astype("float32"))
    assert (weights >= 0).all()
    assert (weights[~mask] == 0).all()
    np.testing.assert_allclose(weights.sum(-1), mask.any(-1), atol=1e-6)


def test_without_a_mask_queries_attend_to_all():
    scores = random_scores()
    everything = np.ones((B, T, S), bool)
    assert_close(masked_softmax(scores), masked_softmax(scores, everything))


@pytest.mark.parametrize("shape", [(1, 1, S), (B, 1, S), (B, T, 1), (1, T, S)])
def test_a_mask_is_spread_over_the_scores(shape):
    mask = np.random.default_rng(1).random(shape) < 0.6
    scores = random_scores()
    expected = reference_attention(scores, VALUE, mask)[1].astype("float32")
    assert_close(masked_softmax(scores, mask), expected)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_low_precision_is_widened_before_the_softmax(dtype):
    scores = ops.cast(random_scores(scale=30.0), dtype)
    weights = masked_softmax(scores)
    assert keras.backend.standardize_dtype(weights.dtype) == "float32"
    expected = reference_attention(array(scores), VALUE)[1].astype("float32")
    assert_close(weights, expected)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
@pytest.mark.parametrize("score", [-6e4, -20.0, 0.0, 6e4])
def test_a_row_hidden_whole_gets_weights_0_whatever_its_scores(dtype, score):
    scores = ops.cast(np.full((B, T, S), score), dtype)
    weights = array(masked_softmax(scores, np.zeros((B, 1, S), bool)))
    np.testing.assert_array_equal(weights, np.zeros((B, T, S)))


@pytest.mark.parametrize("length", [1, S])
def test_gradients_are_finite_and_nothing_flows_from_hidden_pairs(length):
    scores = random_scores(scale=100.0, shape=(B, T, length))
    mask = np.random.default_rng(0).random(scores.shape) < 0.5
    mask[0] = False
    (gradient,) = gradients(weigh_layer(), {"scores": scores, "pairs": mask})[
        0
    ].values()
    assert np.isfinite(gradient).all()
    assert (gradient[~mask] == 0).all()


def test_gradients_equal_the_formula():
    scores = random_scores()
    (gradient,) = gradients(weigh_layer(), {"scores": scores})[0].values()
    weights = reference_attention(scores, VALUE)[1]
    inner = (2 * weights * weights).sum(-1, keepdims=True)
    assert_close(gradient, (weights * (2 * weights - inner)).astype("float32"))


def test_with_one_key_the_weight_is_one_and_no_warning_is_given():
    scores = random_scores(shape=(B, T, 1))
    np.testing.assert_array_equal(array(masked_softmax(scores)), np.ones((B, T, 1)))
    mask = np.arange(T)[None, :, None] > 0
    weights = array(masked_softmax(scores, mask))
    np.testing.assert_array_equal(weights, np.broadcast_to(mask, scores.shape))


def test_large_scores_do_not_overflow():
    scores = np.array([[[3e38, -3e38, 3e38]]], "float32")
    np.testing.assert_allclose(
        array(masked_softmax(scores)), [[[0.5, 0, 0.5]]], **tolerance()
    )


def test_a_mask_of_floats_is_refused():
    with pytest.raises(ValueError, match="`mask` must be boolean, True = attend. Rec"):
        masked_softmax(random_scores(), np.zeros((B, T, S), "float32"))


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
@pytest.mark.parametrize("scale", [1.0, 1e4])
def test_one_pass_masking_equals_that_of_two_where_no_row_is_empty(dtype, scale):
    scores = ops.cast(random_scores(scale), dtype)
    mask = np.random.default_rng(1).random((B, T, S)) < 0.5
    mask[..., 0] = True
    weights = array(visible_softmax(scores, mask))
    np.testing.assert_array_equal(weights, array(masked_softmax(scores, mask)))
    assert (weights[~mask] == 0).all()
    assert_close(visible_softmax(scores), masked_softmax(scores))


@pytest.mark.parametrize("length", [1, S])
def test_one_pass_masking_gives_an_empty_row_what_is_finite(length):
    scores = random_scores(scale=1e4, shape=(B, T, length))
    mask = np.zeros((B, 1, length), bool)
    assert np.isfinite(array(visible_softmax(scores, mask))).all()
