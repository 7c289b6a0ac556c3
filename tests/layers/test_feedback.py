"""What the attentions keep whose weights depend on the weights before."""

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
    check_empty,
    compiled,
    gradients,
    randomise,
)
from keras import layers

from keras_attention import AttentionRNN, BahdanauAttention
from keras_attention.layers.coverage import CoverageAttention
from keras_attention.layers.location import LocationSensitiveAttention
from keras_attention.layers.monotonic import MonotonicAttention


def monotonic(mode):
    def make(**arguments):
        inner = BahdanauAttention(U, normalize=True)
        return MonotonicAttention(inner, mode=mode, score_bias=-1, **arguments)

    return make


def location(cumulative):
    def make(**arguments):
        return LocationSensitiveAttention(
            U, filters=3, kernel_size=3, cumulative=cumulative, **arguments
        )

    return make


ATTENTIONS = {
    "location": location(cumulative=False),
    "cumulative": location(cumulative=True),
    "coverage": lambda **arguments: CoverageAttention(U, **arguments),
    "recursive": monotonic("recursive"),
    "parallel": monotonic("parallel"),
    "hard": monotonic("hard"),
}
every_attention = pytest.mark.parametrize("make", ATTENTIONS.values(), ids=ATTENTIONS)
SOFT = {name: make for name, make in ATTENTIONS.items() if name != "hard"}
every_soft_attention = pytest.mark.parametrize("make", SOFT.values(), ids=SOFT)


def built(make, **arguments):
    layer = make(**arguments)
    layer.build((B, T, DQ), (B, S, DV), (B, S, DQ))
    return randomise(layer)


def masks():
    """Padding on both sides, a query that is padding, a pair that is hidden."""
    value_mask = np.ones((B, S), bool)
    value_mask[0, 3:] = value_mask[1, :1] = False
    query_mask = np.ones((B, T), bool)
    query_mask[0, 1] = False
    attention_mask = np.ones((B, T, S), bool)
    attention_mask[1, 0, 2] = False
    return {
        "value_mask": value_mask,
        "query_mask": query_mask,
        "attention_mask": attention_mask,
    }


@every_attention
def test_one_query_at_a_time_equals_all_at_once(make):
    inputs, given = attention_inputs(), masks()
    layer = built(make)
    whole, weights = arrays(layer(**inputs, **given, return_attention_scores=True))
    memory = layer.prepare(inputs["value"], inputs["key"], given["value_mask"])
    state = layer.initial_state(memory)
    for t in range(T):
        now = slice(t, t + 1)
        context, row, state = layer.attend(
            inputs["query"][:, now],
            memory,
            state,
            query_mask=given["query_mask"][:, now],
            attention_mask=given["attention_mask"][:, now],
        )
        assert [tuple(each.shape) for each in state] == [(B, S)]
        assert_close(context, whole[:, now])
        assert_close(row, weights[:, now])
    _, _, last = layer.attend(
        inputs["query"],
        memory,
        query_mask=given["query_mask"],
        attention_mask=given["attention_mask"],
    )
    assert_close(state[0], last[0])


@every_attention
def test_a_query_of_one_step_is_the_first(make):
    inputs, layer = attention_inputs(), built(make)
    whole = layer(**inputs, return_attention_scores=True)
    first = inputs | {"query": inputs["query"][:, 0]}
    alone = layer(**first, return_attention_scores=True)
    for found, expected in zip(alone, whole, strict=True):
        assert_close(found, expected[:, 0])


@every_attention
def test_a_padded_query_changes_nothing_for_the_next(make):
    inputs, layer = attention_inputs(), built(make)
    mask = np.array([[True, False, True]] * B)
    found = array(layer(**inputs, query_mask=mask))
    short = inputs | {"query": inputs["query"][:, [0, 2]]}
    assert (found[:, 1] == 0).all()
    assert_close(found[:, [0, 2]], layer(**short))


@every_attention
def test_padding_on_either_side_gives_the_same(make):
    inputs, layer = attention_inputs(), built(make)
    expected, weights = arrays(layer(**inputs, return_attention_scores=True))
    for places in (slice(0, S), slice(2, S + 2)):
        longer = {"query": inputs["query"]}
        mask = np.zeros((B, S + 2), bool)
        mask[:, places] = True
        for name in ("value", "key"):
            padded = np.full((B, S + 2, inputs[name].shape[-1]), np.nan, "float32")
            padded[:, places] = inputs[name]
            longer[name] = padded
        found, wide = arrays(
            layer(**longer, value_mask=mask, return_attention_scores=True)
        )
        assert_close(found, expected)
        assert_close(wide[:, :, places], weights)
        assert (wide[~np.broadcast_to(mask[:, None], wide.shape)] == 0).all()


@every_attention
def test_a_mask_counts_given_or_carried_or_as_pairs(make):
    tokens = np.array([[3, 4, 0, 0, 0], [5, 6, 7, 1, 2]])
    embedded = layers.Embedding(8, DQ, mask_zero=True)(tokens)
    query, value, mask = attention_inputs()["query"], array(embedded), tokens != 0
    layer = make()
    layer.build(query.shape, value.shape)
    randomise(layer)
    expected = layer(
        query, value, attention_mask=mask[:, None] & np.tri(T, S, dtype=bool)
    )
    assert_close(layer(query, embedded, use_causal_mask=True), expected)
    # As after an encoder that drops its mask.
    given = layer(query, value, value_mask=mask, use_causal_mask=True)
    assert_close(given, expected)


@every_attention
def test_who_may_see_nothing_gets_nothing(make):
    inputs, given = attention_inputs(), masks()
    given["value_mask"][1] = False
    given["attention_mask"][0, 2] = False
    inputs["value"][1] = inputs["query"][0, 1] = np.nan
    context, weights = arrays(
        built(make)(**inputs, **given, return_attention_scores=True)
    )
    for t, example in ((1, 0), (2, 0), (0, 1), (1, 1), (2, 1)):
        assert (weights[example, t] == 0).all()
        assert (context[example, t] == 0).all()
    assert np.isfinite(context).all()


@every_soft_attention
def test_gradients_are_finite_with_nan_in_padding(make):
    inputs, given = attention_inputs(), masks()
    given["value_mask"][1] = False
    inputs["value"][~given["value_mask"]] = np.nan
    inputs["key"][~given["value_mask"]] = np.nan
    inputs["query"][~given["query_mask"]] = np.nan
    of_inputs, of_weights = gradients(built(make), inputs | given)
    for gradient in [*of_inputs.values(), *of_weights]:
        assert np.isfinite(gradient).all()
        assert (gradient != 0).any()
    assert (of_inputs["value"][~given["value_mask"]] == 0).all()
    assert (of_inputs["query"][~given["query_mask"]] == 0).all()


@every_attention
@pytest.mark.parametrize("xla", [False, True])
def test_compiled_it_gives_the_same(make, xla):
    inputs, layer = attention_inputs(), built(make)
    assert_close(compiled(layer, xla=xla)(inputs), layer(**inputs))


@pytest.mark.parametrize(
    ("make", "xla"),
    # One with XLA: it has a loop in the loop.
    [*((make, False) for make in SOFT.values()), (SOFT["recursive"], True)],
    ids=[*SOFT, "recursive, xla"],
)
def test_lengths_that_are_not_known_change_neither_outputs_nor_gradients(make, xla):
    if keras.backend.backend() != "tensorflow":
        pytest.skip("only TensorFlow compiles for lengths that are not known")
    import tensorflow as tf

    inputs, layer = attention_inputs(), built(make)
    signature = [tf.TensorSpec((None, None, x.shape[-1])) for x in inputs.values()]

    @tf.function(input_signature=signature, jit_compile=xla, autograph=False)
    def differentiate(*given):
        with tf.GradientTape() as tape:
            tape.watch(given)
            output = layer(**dict(zip(inputs, given, strict=True)))
            loss = tf.reduce_sum(output**2)
        return output, tape.gradient(loss, given)

    found, of_inputs = differentiate(*inputs.values())
    assert_close(found, layer(**inputs))
    expected, _ = gradients(layer, inputs)
    for gradient, wanted in zip(of_inputs, expected.values(), strict=True):
        np.testing.assert_allclose(array(gradient), wanted, rtol=1e-3, atol=1e-4)


@every_attention
@pytest.mark.parametrize("dtype", ["mixed_float16", "mixed_bfloat16"])
def test_the_state_is_float32_in_low_precision(make, dtype):
    inputs, layer = attention_inputs(), built(make, dtype=dtype)
    memory = layer.prepare(inputs["value"], inputs["key"])
    state = layer.initial_state(memory)
    for _ in range(2):
        assert keras.backend.standardize_dtype(state[0].dtype) == "float32"
        _, _, state = layer.attend(inputs["query"], memory, state)


@pytest.mark.skipif(keras.backend.backend() == "jax", reason="float64 is off there")
@pytest.mark.parametrize("name", ["location", "cumulative", "coverage"])
def test_under_float64_state_and_weights_are_float64(name):
    inputs = {name: x.astype("float64") for name, x in attention_inputs().items()}
    layer = built(ATTENTIONS[name], dtype="float64")
    memory = layer.prepare(inputs["value"], inputs["key"])
    state = layer.initial_state(memory)
    context, weights, last = layer.attend(inputs["query"], memory, state)
    for tensor in (*state, context, weights, *last):
        assert keras.backend.standardize_dtype(tensor.dtype) == "float64"


@pytest.mark.parametrize("name", ["location", "coverage", "recursive"])
def test_no_example_query_or_key_gives_zeros(name):
    check_empty(ATTENTIONS[name])


@every_attention
def test_dropout_reaches_the_context_alone(make):
    inputs, layer = attention_inputs(), built(make, dropout=0.5, seed=3)
    memory = layer.prepare(inputs["value"], inputs["key"])
    still, weights, state = layer.attend(inputs["query"], memory)
    factors = np.zeros((B, 1, S), "float32")
    factors[:, :, :2] = 2
    dropped, same_weights, same_state = layer.attend(
        inputs["query"], memory._replace(dropout=factors)
    )
    assert_close(same_weights, weights)
    assert_close(same_state[0], state[0])
    assert_close(dropped, array(weights * factors) @ inputs["value"])
    drawn = layer.prepare(inputs["value"], inputs["key"], draw_dropout=True)
    assert tuple(drawn.dropout.shape) == (B, 1, S)
    assert set(np.unique(array(drawn.dropout))) <= {0.0, 2.0}


@every_attention
def test_it_serves_a_recurrent_decoder_step_by_step(make):
    inputs = attention_inputs()
    mask = masks()["value_mask"]
    decoder = AttentionRNN(layers.GRUCell(7), make())
    options = {"return_attention_scores": True, "return_state": True}
    whole = decoder(inputs["query"], inputs["value"], memory_mask=mask, **options)
    memory, state = decoder.prepare(inputs["value"], mask), None
    for t in range(T):
        now = slice(t, t + 1)
        output, weights, *state = decoder(
            inputs["query"][:, now], memory, initial_state=state, **options
        )
        assert_close(output, whole[0][:, now])
        assert_close(weights, whole[1][:, now])
    for found, expected in zip(state, whole[2:], strict=True):
        assert_close(found, expected)
