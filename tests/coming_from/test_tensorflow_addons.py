"""Coming from the attentions of TensorFlow Addons, which runs on Keras 2 alone.

What it computes is written here in float64, its weights in its own order and shapes.
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
    arrays,
    assert_close,
    attention_inputs,
    reference_additive,
    reference_attention,
)

import keras_attention as ka

INPUTS = attention_inputs()
QUERY, MEMORY, KEY = (INPUTS[name] for name in ("query", "value", "key"))
REAL = np.arange(S) < np.array([[3], [S]])  # of `memory_sequence_length`


def draw(*shapes):
    """Draw weights in float64, one array a shape."""
    random = np.random.default_rng(1)
    return [random.normal(scale=0.5, size=shape) for shape in shapes]


def bahdanau_scores(query, memory, weights):
    """`BahdanauAttention`: a gain and a bias more if it was made with `normalize`."""
    query_kernel, memory_kernel, vector, *normal = weights
    gain, bias = normal or (np.linalg.norm(vector), 0.0)
    keys = memory @ memory_kernel + bias
    return reference_additive(
        query @ query_kernel, keys, gain * vector / np.linalg.norm(vector)
    )


def luong_scores(query, memory, weights):
    """`LuongAttention`: a factor more if it was made with `scale`."""
    kernel, *scale = weights
    return np.prod(scale) * np.einsum("btu,bsu->bts", query, memory @ kernel)


def monotonic_weights(scores, real, mode):
    """Its monotonic attentions, without noise; the bias is in the scores."""
    chosen = scores > 0 if mode == "hard" else 1 / (1 + np.exp(-scores))
    chosen = np.where(real[:, None], chosen, 0.0)
    weights = np.zeros(scores.shape)
    previous = np.eye(S)[[0] * B]
    for t in range(T):
        passed = reached = np.zeros(B)
        for s in range(S):
            reached = passed * reached + previous[:, s]
            weights[:, t, s] = chosen[:, t, s] * reached
            passed = 1 - chosen[:, t, s]
        previous = weights[:, t]
    return weights


def wrapped(cell, mechanism, layer, activation):
    """`AttentionWrapper` of a `SimpleRNNCell` and `LuongAttention`, step by step.

    Returns:
        What it puts out, `(B, T, …)`, and `alignment_history.stack()`, `(T, B, S)`.
    """
    kernel, recurrent, bias = cell
    (memory,) = np.float64([MEMORY])
    output = np.zeros((B, U))
    attention = np.zeros((B, DV if layer is None else layer.shape[1]))
    outputs, history = [], []
    for x in QUERY.transpose(1, 0, 2):
        inputs = np.concatenate([x, attention], axis=1)
        output = np.tanh(inputs @ kernel + output @ recurrent + bias)
        scores = luong_scores(output[:, None], memory, mechanism)
        context, weights = reference_attention(scores, memory, REAL[:, None])
        attention = context[:, 0]
        if layer is not None:
            attention = activation(np.concatenate([output, attention], axis=1) @ layer)
        outputs.append(attention)
        history.append(weights[:, 0])
    return np.stack(outputs, axis=1), np.stack(history)


def multi_head(query, key, value, weights, mask):
    """`tfa.layers.MultiHeadAttention` on `[query, key, value]`."""
    *kernels, output_kernel, bias = weights
    query, key, value = (
        np.einsum("bsi,hio->bhso", x, kernel)
        for x, kernel in zip((query, key, value), kernels, strict=True)
    )
    scores = query @ key.swapaxes(-1, -2) / np.sqrt(query.shape[-1])
    heads, weights = reference_attention(scores, value, mask[:, None])
    return np.einsum("bhto,hoe->bte", heads, output_kernel) + bias, weights


MECHANISMS = {
    "bahdanau": (
        bahdanau_scores,
        [(DQ, U), (DV, U), (U,)],
        lambda: ka.BahdanauAttention(U, use_bias=False),
    ),
    "bahdanau, normalize": (
        bahdanau_scores,
        [(DQ, U), (DV, U), (U,), (), (U,)],
        lambda: ka.BahdanauAttention(U, normalize=True),
    ),
    "luong": (luong_scores, [(DV, DQ)], lambda: ka.LuongAttention("general")),
    "luong, scale": (
        luong_scores,
        [(DV, DQ), ()],
        lambda: ka.LuongAttention("general", use_scale=True),
    ),
}
each_mechanism = pytest.mark.parametrize("name", MECHANISMS)


def hand_over(weights, layer):
    """Give a built layer their weights, whose vectors have one axis alone."""
    shapes = [weight.shape for weight in layer.weights]
    layer.set_weights([w.reshape(s) for w, s in zip(weights, shapes, strict=True)])


@each_mechanism
def test_a_mechanism_is_a_layer_with_its_weights_in_their_order(name):
    scores, shapes, make = MECHANISMS[name]
    weights = draw(*shapes)
    layer = make()
    layer.build(QUERY.shape, MEMORY.shape)
    hand_over(weights, layer)
    results = layer(QUERY, MEMORY, value_mask=REAL, return_attention_scores=True)
    expected = reference_attention(
        scores(QUERY, MEMORY, weights), MEMORY, REAL[:, None]
    )
    for some, other in zip(results, expected, strict=True):
        assert_close(some, other)


@pytest.mark.parametrize("mode", ["parallel", "recursive", "hard"])
@each_mechanism
def test_a_monotonic_mechanism_wraps_the_layer_of_its_scores(name, mode):
    scores, shapes, make = MECHANISMS[name]
    *weights, bias = draw(*shapes, ())
    layer = ka.MonotonicAttention(make(), mode=mode, score_bias=0.0, noise=0.0)
    layer.build(QUERY.shape, MEMORY.shape)
    hand_over(weights, layer.attention)
    layer.bias.assign(bias)
    context, rows = layer(QUERY, MEMORY, value_mask=REAL, return_attention_scores=True)
    expected = monotonic_weights(scores(QUERY, MEMORY, weights) + bias, REAL, mode)
    assert_close(rows, expected)
    assert_close(context, expected @ MEMORY)


def test_the_bias_of_a_monotonic_mechanism_starts_where_it_is_told():
    attention = ka.LuongAttention("general")
    layer = ka.MonotonicAttention(attention, score_bias=0.0)
    layer.build(QUERY.shape, MEMORY.shape)
    assert array(layer.bias.value) == 0
    default = ka.MonotonicAttention(ka.LuongAttention("general"))
    assert (default.mode, default.score_bias, default.noise) == ("recursive", -4, 1)


class Given(ka.ScoreAttention):
    """Scores each key by its only feature."""

    def score(self, query, key):
        return query[:, :, :1] * 0 + key[:, None, :, 0]


def weigh(mode, scores):
    """Weigh keys of these scores, after a query that attended to all alike."""
    layer = ka.MonotonicAttention(Given(), mode=mode, score_bias=0.0, noise=0.0)
    keys = np.float32(scores)[None, :, None]
    layer.build(keys.shape, keys.shape)
    before = np.full((1, len(scores)), 1 / len(scores), "float32")
    return array(layer.attend(keys[:, :1], layer.prepare(keys), [before])[1])


def test_parallel_is_exact_while_scores_passed_add_up_to_less_than_23():
    for high in (4.0, 15.0, 20.0):
        below = [high, -9.0, 22.5 - high, -9.0, 0.0]
        assert_close(weigh("parallel", below), weigh("recursive", below))
    above = [13.0, -9.0, 13.0, -9.0, 0.0]
    gap = weigh("parallel", above) - weigh("recursive", above)
    assert np.abs(gap).max() > 0.1


def wrapper(units=None, **arguments):
    """Build what takes the place of an `AttentionWrapper`, and draw its weights.

    Returns:
        The layer, and their weights: of the cell, the mechanism and the layer.
    """
    layer = ka.AttentionRNN(
        keras.layers.SimpleRNNCell(U),
        ka.LuongAttention("general"),
        order="current",
        input_feeding=True,
        attentional_units=units,
        **arguments,
    )
    layer.build(QUERY.shape, MEMORY.shape)
    cell = draw((DQ + (units or DV), U), (U, U), (U,))
    return layer, cell, draw((DV, U)), draw((U + DV, units))[0] if units else None


def check_wrapped(layer, cell, mechanism, dense, activation=None):
    """Assert that a layer gives what their wrapper gives with these weights."""
    outputs, weights = layer(
        QUERY, memory=MEMORY, memory_mask=REAL, return_attention_scores=True
    )
    expected, history = wrapped(cell, mechanism, dense, activation)
    # Their history has the steps first, our weights the batch.
    assert history.shape == (T, B, S)
    assert_close(weights, history.transpose(1, 0, 2))
    return array(outputs), expected


@pytest.mark.parametrize(
    ("arguments", "activation"),
    [({}, np.tanh), ({"attentional_activation": None}, np.positive)],
)
def test_an_attention_layer_takes_its_rows_in_the_other_order(arguments, activation):
    layer, cell, mechanism, dense = wrapper(units=17, **arguments)
    layer.cells[0].set_weights(cell)
    layer.attention.set_weights(mechanism)
    # [output; context] there, [context; output] here.
    layer.attentional.set_weights([np.concatenate([dense[U:], dense[:U]])])
    assert_close(*check_wrapped(layer, cell, mechanism, dense, activation))


def test_without_an_attention_layer_the_context_alone_is_fed_back_there():
    layer, cell, mechanism, _ = wrapper()
    kernel, *others = cell
    # Here the output is fed back after the context: rows of 0 take it away.
    layer.cells[0].set_weights([np.pad(kernel, ((0, U), (0, 0))), *others])
    layer.attention.set_weights(mechanism)
    outputs, expected = check_wrapped(layer, cell, mechanism, None)
    assert_close(outputs[:, :, :DV], expected)


@pytest.mark.parametrize("output_size", [None, 17])
def test_its_heads_have_no_biases_and_put_out_the_size_of_the_value(output_size):
    heads, size, wanted = 2, 3, output_size or DV
    shapes = [(heads, x, size) for x in (DQ, DQ, DV)]
    *kernels, output_kernel, bias = draw(*shapes, (heads, size, wanted), (wanted,))
    layer = ka.MultiHeadAttention(heads, key_dim=size, output_shape=wanted)
    layer.build(QUERY.shape, MEMORY.shape, KEY.shape)
    nothing, weights = np.zeros((heads, size)), []
    for kernel in kernels:  # (H, D, units) there, (D, H, units) here
        weights += [kernel.transpose(1, 0, 2), nothing]
    layer.set_weights([*weights, output_kernel, bias])
    mask = np.random.default_rng(2).random((B, T, S)) < 0.7
    mask[..., 0] = True
    results = layer(
        QUERY, MEMORY, KEY, attention_mask=mask, return_attention_scores=True
    )
    weights = [*kernels, output_kernel, bias]
    expected = multi_head(QUERY, KEY, MEMORY, weights, mask)
    for some, other in zip(arrays(results), expected, strict=True):
        assert_close(some, other)
