"""Coming from small packages for Keras 2.

What they compute is written here in float64, their weights in their own shapes.
"""

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
    assert_close,
    attention_inputs,
    reference_additive,
    reference_attention,
)

import keras_attention as ka

INPUTS = attention_inputs()
DECODER, ENCODER = INPUTS["query"], INPUTS["value"]
SEQUENCE = ENCODER
REAL = np.arange(S) < np.array([[3], [S]])


def draw(*shapes):
    """Draw weights in float64, one array a shape."""
    random = np.random.default_rng(1)
    return [random.normal(scale=0.5, size=shape) for shape in shapes]


def build(layer, weights, *inputs):
    """Build a layer and give it weights."""
    layer.build(*[x.shape for x in inputs])
    layer.set_weights(weights)
    return layer


# ---- philipperemy's `attention`


def last_step_attention(x, score, weights):
    """Its `Attention(units, score)`."""
    *weights, dense = weights
    last = x[:, -1:]
    if score == "luong":
        (kernel,) = weights
        scores = np.einsum("btd,bsd->bts", last, x @ kernel)
    else:
        query_kernel, key_kernel, vector = weights
        scores = reference_additive(last @ query_kernel, x @ key_kernel, vector[:, 0])
    context, _ = reference_attention(scores, x)
    return np.tanh(np.concatenate([context[:, 0], x[:, -1]], axis=-1) @ dense)


@pytest.mark.parametrize("score", ["luong", "bahdanau"])
def test_the_last_step_attends_and_a_dense_layer_without_bias_follows(score):
    shapes = {"luong": [(DV, DV)], "bahdanau": [(DV, DV), (DV, DV), (DV, 1)]}[score]
    *weights, kernel = draw(*shapes, (2 * DV, U))
    attention = {
        "luong": lambda: ka.LuongAttention("general"),
        "bahdanau": lambda: ka.BahdanauAttention(DV, use_bias=False),
    }[score]()
    last = SEQUENCE[:, -1]
    build(attention, weights, last, SEQUENCE)
    dense = keras.layers.Dense(U, "tanh", use_bias=False)
    joined = keras.ops.concatenate([attention(last, SEQUENCE), last], axis=-1)
    build(dense, [kernel], joined)
    expected = last_step_attention(SEQUENCE, score, [*weights, kernel])
    assert_close(dense(joined), expected)


# ---- keras-self-attention


def self_attention(x, kind, weights, width=None, history=False, real=None):
    """Its `SeqSelfAttention`, whose bias of all scores changes no weight.

    Its mask hides the pairs in which both are padding.
    """
    if kind == "additive":
        query_kernel, key_kernel, bias, vector = weights
        scores = reference_additive(
            x @ query_kernel, x @ key_kernel + bias, vector[:, 0]
        )
    else:
        scores = np.einsum("btd,de,bse->bts", x, weights[0], x)
    place, seen = np.arange(S), True
    if width is not None:
        first = place[:, None] - (width - 1 if history else width // 2)
        seen = (first <= place) & (place < first + width)
    if real is not None:
        seen = seen & (real[:, :, None] | real[:, None])
    return reference_attention(scores, x, seen)


@pytest.mark.parametrize(
    ("width", "history", "window"),
    [
        (1, False, 0),
        (3, False, 1),
        (5, False, 2),
        (1, True, 0),
        (2, True, 1),
        (3, True, 2),
    ],
)
def test_a_width_counts_the_places_of_a_window(width, history, window):
    query_kernel, key_kernel, bias, vector = draw((DV, U), (DV, U), (U,), (U, 1))
    layer = build(
        ka.BahdanauAttention(U),
        [query_kernel, key_kernel, vector, bias],
        SEQUENCE,
        SEQUENCE,
    )
    results = layer(
        SEQUENCE,
        SEQUENCE,
        attention_mask=ka.local_mask(S, window=window),
        use_causal_mask=history,
        return_attention_scores=True,
    )
    weights = [query_kernel, key_kernel, bias, vector]
    expected = self_attention(SEQUENCE, "additive", weights, width, history)
    for some, other in zip(results, expected, strict=True):
        assert_close(some, other)


def test_a_multiplicative_self_attention_is_general_with_its_matrix_transposed():
    (kernel,) = draw((DV, DV))
    layer = build(ka.LuongAttention("general"), [kernel.T], SEQUENCE, SEQUENCE)
    results = layer(SEQUENCE, SEQUENCE, return_attention_scores=True)
    expected = self_attention(SEQUENCE, "multiplicative", [kernel])
    for some, other in zip(results, expected, strict=True):
        assert_close(some, other)


def test_history_only_is_a_causal_mask():
    (kernel,) = draw((DV, DV))
    layer = build(ka.LuongAttention("general"), [kernel.T], SEQUENCE, SEQUENCE)
    context = layer(SEQUENCE, SEQUENCE, use_causal_mask=True)
    wide = int(1e9)  # its width if none is given
    expected, _ = self_attention(SEQUENCE, "multiplicative", [kernel], wide, True)
    assert_close(context, expected)


def test_its_mask_lets_real_steps_attend_to_padding_and_ours_does_not():
    (kernel,) = draw((DV, DV))
    layer = build(ka.LuongAttention("general"), [kernel.T], SEQUENCE, SEQUENCE)
    expected, weights = self_attention(SEQUENCE, "multiplicative", [kernel], real=REAL)
    pairs = REAL[:, :, None] | REAL[:, None]
    assert_close(layer(SEQUENCE, SEQUENCE, attention_mask=pairs), expected)
    call = {"value_mask": REAL, "return_attention_scores": True}
    hidden = np.broadcast_to(~REAL[:, None], weights.shape)
    assert np.all(weights[0, :3, 3:] > 0)
    assert np.all(array(layer(SEQUENCE, SEQUENCE, **call)[1])[hidden] == 0)


def test_weighted_attention_is_pooling_where_the_tanh_is_still_a_line():
    (vector,) = draw((DV, 1))
    small = 1e-3
    layer = ka.AttentionPooling(use_bias=False)
    build(layer, [small * np.eye(DV), vector / small], SEQUENCE)
    # Its bias is one for all steps, and changes no weight.
    scores = (SEQUENCE @ vector).transpose(0, 2, 1)
    expected, weights = reference_attention(scores, SEQUENCE, REAL[:, None])
    results = layer(SEQUENCE, mask=REAL, return_attention_scores=True)
    for some, other in zip(results, (expected, weights), strict=True):
        assert_close(some, other[:, 0])


# ---- attention_keras


def test_encoder_and_decoder_change_places_and_units_are_the_encoder_s():
    encoder_kernel, decoder_kernel, vector = draw((DV, DV), (DQ, DV), (DV, 1))
    layer = build(
        ka.BahdanauAttention(DV, use_bias=False),
        [decoder_kernel, encoder_kernel, vector],  # U_a, W_a and V_a
        DECODER,
        ENCODER,
    )
    results = layer(DECODER, ENCODER, return_attention_scores=True)
    scores = reference_additive(
        DECODER @ decoder_kernel, ENCODER @ encoder_kernel, vector[:, 0]
    )
    expected = reference_attention(scores, ENCODER)
    for some, other in zip(results, expected, strict=True):
        assert_close(some, other)
    assert array(results[1]).shape == (B, T, S)
