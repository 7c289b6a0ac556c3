"""Additive attention."""

import keras
import numpy as np
import pytest
from helpers import (
    DQ,
    DV,
    JIT,
    B,
    S,
    T,
    U,
    array,
    arrays,
    assert_close,
    attention_inputs,
    check_empty,
    check_layer,
    randomise,
    reference_additive,
    reference_attention,
    run_example,
)
from hypothesis import given
from hypothesis import strategies as st

from keras_attention import BahdanauAttention


def value_mask():
    mask = np.ones((B, S), bool)
    mask[0, 3:] = False
    return mask


def reference(layer, inputs, mask=None):
    """v · tanh(W_query query + W_key key + bias), in float64."""
    weights = {weight.name: array(weight).astype("float64") for weight in layer.weights}
    query = inputs["query"] @ weights["query_kernel"]
    key = inputs["key"] @ weights["key_kernel"] + weights.get("bias", 0)
    vector = weights["vector"][:, 0]
    if layer.normalize:
        vector = weights["gain"] * vector / np.sqrt((vector**2).sum())
    scores = reference_additive(query, key, vector)
    return reference_attention(scores, inputs["value"], mask)


@pytest.mark.parametrize("query_shape", [(B, T, DQ), (B, DQ)])
def test_it_keeps_the_contract(query_shape):
    inputs = attention_inputs(key_size=17) | {"value_mask": value_mask()}
    inputs["query"] = np.ones(query_shape, "float32")
    arguments = {
        "units": U,
        "normalize": True,
        "use_bias": False,
        "kernel_initializer": keras.initializers.HeNormal(seed=3),
        "dropout": 0.1,
        "seed": 5,
        "chunk_size": None,
    }
    check_layer(BahdanauAttention, arguments, inputs, {"return_attention_scores": True})


@given(st.booleans(), st.booleans(), st.booleans(), st.integers(0, 100))
def test_it_equals_the_formula(normalize, use_bias, mgiven, seed):
    inputs = attention_inputs(seed, key_size=17)
    mask = value_mask() if mgiven else None
    layer = BahdanauAttention(U, normalize=normalize, use_bias=use_bias)
    layer(**inputs)
    randomise(layer, seed)
    context, weights = arrays(
        layer(**inputs, value_mask=mask, return_attention_scores=True)
    )
    expected = reference(layer, inputs, mask[:, None] if mgiven else None)
    assert_close(context, expected[0].astype("float32"))
    assert_close(weights, expected[1].astype("float32"))


@pytest.mark.skipif(keras.backend.backend() == "jax", reason="float64 is off there")
def test_under_float64_it_equals_the_formula_in_float64():
    layer = BahdanauAttention(U, normalize=True, dtype="float64")
    inputs = {name: x.astype("float64") for name, x in attention_inputs().items()}
    layer(**inputs)
    randomise(layer)
    found = arrays(layer(**inputs, return_attention_scores=True))
    for some, other in zip(found, reference(layer, inputs), strict=True):
        assert_close(some, other, "float64")


def test_no_example_query_or_key_gives_zeros():
    check_empty(lambda: BahdanauAttention(U, normalize=True))


def test_with_projections_that_change_nothing_it_equals_that_of_keras():
    inputs = attention_inputs(key_size=DQ)
    layer = BahdanauAttention(DQ, use_bias=False)
    ours = layer.build(*[inputs[name].shape for name in ("query", "value", "key")])
    scale = np.random.default_rng(0).normal(size=DQ)
    layer.set_weights([np.eye(DQ), np.eye(DQ), scale[:, None]])
    theirs = keras.layers.AdditiveAttention(use_scale=True)
    listed = [inputs[name] for name in ("query", "value", "key")]
    theirs.build([each.shape for each in listed])
    theirs.set_weights([scale])
    mask = value_mask()
    ours = layer(**inputs, value_mask=mask, return_attention_scores=True)
    expected = theirs(listed, mask=[None, mask], return_attention_scores=True)
    for some, other in zip(arrays(ours), arrays(expected), strict=True):
        assert_close(some, other)


def test_its_weights_are_two_projections_a_vector_and_one_bias():
    layer = BahdanauAttention(U)
    layer.build((B, T, DQ), (B, S, DV))
    assert {weight.name: tuple(weight.shape) for weight in layer.weights} == {
        "query_kernel": (DQ, U),
        "key_kernel": (DV, U),
        "vector": (U, 1),
        "bias": (U,),
    }


@pytest.mark.parametrize("units", [4, 256])
def test_a_normalised_vector_has_a_gain_of_its_own(units):
    layer = BahdanauAttention(units, normalize=True)
    layer.build((B, T, DQ), (B, S, DV))
    assert layer.gain.shape == ()
    assert layer.length is layer.gain  # its former name
    start = np.linalg.norm(array(layer.score_vector("float32")))
    np.testing.assert_allclose(start, np.sqrt(1 / units), rtol=1e-5)
    direction = array(layer.score_vector("float32")) / start
    layer.gain.assign(3.0)
    layer.vector.assign(10 * array(layer.vector))  # its own length does not count
    assert_close(layer.score_vector("float32"), 3 * direction)


def test_the_norm_of_small_numbers_does_not_vanish_in_half_precision():
    # Squares of 1e-4 are 0 in float16.
    layer = BahdanauAttention(U, normalize=True, dtype="mixed_float16")
    layer.build((B, T, DQ), (B, S, DV))
    layer.vector.assign(np.full((U, 1), 1e-4))
    layer.gain.assign(2.0)
    expected = np.full(U, 2 / np.sqrt(U), "float32")
    assert_close(layer.score_vector("float16"), expected, "float16")


def test_kernels_of_one_shape_do_not_start_alike():
    layer = BahdanauAttention(U)
    layer.build((B, T, DQ), (B, S, DQ))
    gap = array(layer.query_kernel.value) - array(layer.key_kernel.value)
    assert np.abs(gap).min() > 0


class RNNWithAttention(keras.Model):
    """An RNN whose last state attends to the RNN's own outputs."""

    def __init__(self, units):
        super().__init__()
        self.rnn = keras.layers.SimpleRNN(
            units, return_sequences=True, return_state=True
        )
        self.attention = BahdanauAttention(units)

    def call(self, inputs, real=None):
        outputs, state = self.rnn(inputs, mask=real)
        return self.attention(
            query=state,
            value=outputs,
            value_mask=real,
            return_attention_scores=True,
        )


def test_the_last_state_of_an_rnn_attends_to_its_own_outputs():
    random = np.random.default_rng(0)
    inputs = random.normal(size=(B, S, DQ)).astype("float32")
    model = RNNWithAttention(U)
    context, weights = arrays(model(inputs))
    assert context.shape == (B, U)
    assert weights.shape == (B, S)
    outputs, state = arrays(model.rnn(inputs))
    step = {"query": state[:, None], "key": outputs, "value": outputs}
    expected = reference(model.attention, step)
    assert_close(context, expected[0][:, 0].astype("float32"))
    assert_close(weights, expected[1][:, 0].astype("float32"))


def test_the_last_state_of_an_rnn_does_not_attend_to_padding():
    random = np.random.default_rng(0)
    inputs = random.normal(size=(B, S, DQ)).astype("float32")
    mask = value_mask()
    model = RNNWithAttention(U)
    context, weights = arrays(model(inputs, real=mask))
    assert (weights[~mask] == 0).all()
    short_context, short_weights = arrays(model(inputs[:1, :3]))
    assert_close(context[:1], short_context)
    assert_close(weights[:1, :3], short_weights)


def test_an_rnn_with_attention_learns_which_step_counts():
    # The label is what the one marked step holds: the last state alone would have to
    # carry it to the end.
    random = np.random.default_rng(0)
    inputs = random.normal(size=(64, S, 2)).astype("float32")
    marked = random.integers(0, S, size=64)
    inputs[:, :, 1] = np.arange(S) == marked[:, None]
    labels = inputs[np.arange(64), marked, 0]
    model = RNNWithAttention(U)
    entry = keras.Input((None, 2))
    output = keras.layers.Dense(1)(model(entry)[0])
    trained = keras.Model(entry, output)
    trained.compile(keras.optimizers.Adam(0.03), "mse", jit_compile=JIT)
    losses = [float(trained.train_on_batch(inputs, labels)) for _ in range(40)]
    assert losses[-1] < 0.5 * losses[0]


@pytest.mark.parametrize("units", [0, -1, 1.5, None, "3", True])
def test_units_must_be_a_positive_int(units):
    with pytest.raises(ValueError, match="`units` must be a positive int. Received"):
        BahdanauAttention(units)


def test_the_example_runs():
    inputs = attention_inputs()
    left = run_example(
        BahdanauAttention,
        decoder_state=inputs["query"][:, 0],
        encoder_states=inputs["value"],
        mask=value_mask(),
    )
    assert left["context"].shape == (B, DV)
    assert left["weights"].shape == (B, S)
