"""Coming from the attention layers of Keras: what is the same, what changes, how."""

import inspect

import numpy as np
import pytest
from helpers import DQ, B, S, T, array, assert_close, attention_inputs
from keras import layers

import keras_attention as ka

INPUTS = attention_inputs()
LISTED = [INPUTS[name] for name in ("query", "value", "key")]
SHAPES = [x.shape for x in LISTED]
QUERY_MASK = np.arange(T) < np.array([[T], [2]])
VALUE_MASK = np.arange(S) < np.array([[3], [S]])
MASKS = {"query_mask": QUERY_MASK, "value_mask": VALUE_MASK}


def random_weights(layer):
    """Give a built layer random weights, and return them."""
    random = np.random.default_rng(0)
    weights = [random.normal(scale=0.3, size=weight.shape) for weight in layer.weights]
    layer.set_weights(weights)
    return weights


def arguments(function):
    return set(inspect.signature(function).parameters)


@pytest.mark.parametrize("use_scale", [True, False])
def test_additive_attention_has_no_projections_and_the_scale_is_the_vector(use_scale):
    theirs = layers.AdditiveAttention(use_scale=use_scale)
    theirs.build(SHAPES)
    (scale,) = random_weights(theirs) or [np.ones(DQ)]
    ours = ka.BahdanauAttention(DQ, use_bias=False)
    ours.build(*SHAPES)
    ours.set_weights([np.eye(DQ), np.eye(DQ), scale[:, None]])
    expected = theirs(LISTED, mask=[QUERY_MASK, VALUE_MASK])
    assert_close(ours(**INPUTS, **MASKS), expected)


@pytest.mark.parametrize("use_scale", [True, False])
def test_dot_scores_and_their_scale_are_the_same(use_scale):
    theirs = layers.Attention(use_scale=use_scale)
    ours = ka.LuongAttention("dot", use_scale=use_scale)
    theirs.build(SHAPES)
    ours.build(*SHAPES)
    ours.set_weights(random_weights(theirs))
    expected = theirs(LISTED, mask=[QUERY_MASK, VALUE_MASK])
    assert_close(ours(**INPUTS, **MASKS), expected)


@pytest.mark.parametrize("use_scale", [True, False])
def test_concat_scores_have_no_projections_and_the_scale_inside_the_tanh(use_scale):
    theirs = layers.Attention(use_scale=use_scale, score_mode="concat")
    theirs.build(SHAPES)
    *scale, factor = random_weights(theirs)
    projection = np.prod(scale) * np.eye(DQ)
    expected = theirs(LISTED, return_attention_scores=True)
    # Our own scale is outside the tanh, as is their factor.
    for ours, outside in (
        (ka.LuongAttention("concat", DQ), [np.full((DQ, 1), factor)]),
        (ka.LuongAttention("concat", DQ, use_scale=True), [np.ones((DQ, 1)), factor]),
    ):
        ours.build(*SHAPES)
        ours.set_weights([projection, projection, *outside])
        results = ours(**INPUTS, return_attention_scores=True)
        for some, other in zip(results, expected, strict=True):
            assert_close(some, other)


def test_the_table_lists_what_the_multi_head_layer_does_not_take():
    theirs, ours = layers.MultiHeadAttention, ka.MultiHeadAttention
    assert arguments(theirs) - arguments(ours) == {
        "attention_axes",
        "flash_attention",
        "use_gate",
        "kernel_regularizer",
        "kernel_constraint",
        "bias_regularizer",
        "bias_constraint",
        "sliding_window",  # `window` here
        "activity_regularizer",  # an argument of every layer
    }
    assert ours(2, 3, activity_regularizer="l2").activity_regularizer is not None
    # In one order up to `output_shape`, and no further: the rest goes by name.
    orders = [list(inspect.signature(each).parameters) for each in (theirs, ours)]
    same = [some == other for some, other in zip(*orders, strict=False)]
    assert same[:6] == [True] * 6 and orders[0][5] == "output_shape" and not same[6]
    assert arguments(theirs.call) <= arguments(ours.call)
    with pytest.raises(ValueError, match="`output_shape` must be a positive int"):
        ours(2, 3, output_shape=(5,))
    with pytest.raises(ValueError, match="`query` must have shape"):
        ours(2, 3).build((B, T, 2, DQ), (B, S, 2, DQ))


def make_heads(kind, window=None):
    """Make a layer of Keras with a window, and ours, on the same random weights."""
    ours = {} if window is None else {"window": window - 1}
    if kind == "grouped":
        theirs = layers.GroupQueryAttention(4, 6, 2, sliding_window=window)
        ours["num_key_value_heads"] = 2
    else:
        theirs = layers.MultiHeadAttention(6, 4, sliding_window=window)
    ours = ka.MultiHeadAttention(num_heads=6, key_dim=4, **ours)
    for layer in (theirs, ours):
        layer.build(*SHAPES)
    ours.set_weights(random_weights(theirs))
    return theirs, ours


each_kind = pytest.mark.parametrize("kind", ["multi-head", "grouped"])


@pytest.mark.parametrize("window", [1, 3])
@each_kind
def test_a_sliding_window_counts_the_place_of_the_query(kind, window):
    theirs, ours = make_heads(kind, window)
    # As many queries as keys: none is beyond the window of them all.
    inputs = INPUTS | {"query": INPUTS["key"]}
    for causal in (False, True):
        call = {"use_causal_mask": causal, "return_attention_scores": True}
        results = zip(ours(**inputs, **call), theirs(**inputs, **call), strict=True)
        for some, other in results:
            assert_close(some, other)


@pytest.mark.parametrize("with_weights", [True, False])
@each_kind
def test_a_query_that_attends_to_nothing_gets_0_here_alone(kind, with_weights):
    theirs, ours = make_heads(kind)
    mask = np.ones((B, T, S), bool)
    mask[0, 1] = False
    call = {"attention_mask": mask, "return_attention_scores": with_weights}
    some, other = (
        array(output[0] if with_weights else output)
        for output in (ours(**INPUTS, **call), theirs(**INPUTS, **call))
    )
    assert np.all(some[0, 1] == 0)
    assert np.abs(other[0, 1]).min() > 1e-3
    some[0, 1] = other[0, 1] = 0
    assert_close(some, other)


def test_a_query_mask_given_to_the_call_of_heads_counts_here_alone():
    theirs, ours = make_heads("multi-head")
    some, other = (
        array(layer(**INPUTS, query_mask=QUERY_MASK)) for layer in (ours, theirs)
    )
    assert np.all(some[1, 2] == 0)
    assert_close(other, theirs(**INPUTS))
