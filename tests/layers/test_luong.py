"""Luong's attention."""

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
    check_layer,
    gradients,
    randomise,
    reference_additive,
    reference_attention,
    run_example,
)
from hypothesis import given
from hypothesis import strategies as st

from keras_attention import AttentionRNN, LuongAttention

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


# ---- Luong's scores

KINDS = {
    "dot": {"score": "dot", "units": None},
    "general": {"score": "general", "units": None},
    "concat": {"score": "concat", "units": U},
}


@pytest.mark.parametrize(
    ("kind", "use_scale", "window"),
    [
        ("dot", True, None),
        ("general", False, "monotonic"),
        ("general", True, "predictive"),
        ("concat", False, None),
        ("concat", True, "predictive"),
    ],
)
def test_luong_attention_keeps_the_contract(kind, use_scale, window):
    key_size = DQ if kind == "dot" else 17
    inputs = attention_inputs(key_size=key_size) | {"value_mask": value_mask()}
    arguments = KINDS[kind] | {
        "use_scale": use_scale,
        "window": window,
        "window_size": 2,
        "kernel_initializer": keras.initializers.HeNormal(seed=3),
        "dropout": 0.1,
        "seed": 5,
        "chunk_size": None,
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


@pytest.mark.parametrize(
    "shapes", [((B, T, DQ), (B, S, DV)), ((B, DQ), (B, S, DQ), (B, S, DV))]
)
def test_inner_products_need_one_size(shapes):
    message = r"`query` and `key` must have one size \(last axis\)"
    with pytest.raises(ValueError, match=message):
        LuongAttention().build(*shapes)


@pytest.mark.parametrize("score", ["dot", "general"])
def test_sizes_that_it_was_not_built_for_are_refused(score):
    layer = LuongAttention(score)
    layer.build((None, None, DQ), (None, None, DQ))
    for query, key in ((DQ, DQ + 1), (DQ + 1, DQ)):
        inputs = keras.Input((3, query)), keras.Input((5, key))
        with pytest.raises(ValueError, match=r"one size \(last axis\)|The last axis"):
            layer(*inputs)


@pytest.mark.parametrize("score", ["dot", "general"])
def test_large_products_do_not_overflow_in_float16(score):
    size = 64
    start = keras.initializers.Identity()
    layer = LuongAttention(score, kernel_initializer=start, dtype="mixed_float16")
    vectors = np.full((1, 3, size), 40.0)
    context, weights = layer(vectors, vectors, return_attention_scores=True)
    assert_close(array(weights), np.full((1, 3, 3), 1 / 3, "float16"))
    assert_close(array(context), vectors.astype("float16"))


# ---- Luong's windows


def windowed(layer, inputs, mask, start=0):
    """Equations 7, 9 and 10 one query after the other, in float64."""
    scores = luong_scores(layer, inputs["query"], inputs["key"])
    own = {weight.name: array(weight).astype("float64") for weight in layer.weights}
    weights = np.zeros_like(scores)
    for example, seen in enumerate(mask):
        real = np.flatnonzero(seen)
        places = np.arange(len(real))
        for t, query in enumerate(inputs["query"][example]):
            centre, fade = start + t, 1.0
            if layer.window == "predictive":
                hidden = np.tanh(query @ own["place_kernel"]) @ own["place_vector"]
                centre = len(real) / (1 + np.exp(-hidden[0]))
                deviation = layer.window_size / 2
                fade = np.exp(-((places - centre) ** 2) / (2 * deviation**2))
            near = np.abs(places - centre) <= layer.window_size
            row = scores[example, t, real][None, None]
            value = inputs["value"][example, real][None]
            _, alone = reference_attention(row, value, near)
            weights[example, t, real] = alone[0, 0] * fade
    return weights @ inputs["value"].astype("float64"), weights


every_window = pytest.mark.parametrize("window", ["monotonic", "predictive"])


def windowed_layer(kind, window, **arguments):
    arguments = KINDS[kind] | {"window": window, "window_size": 1} | arguments
    layer = LuongAttention(**arguments)
    layer.build((B, T, DQ), (B, S, DV), (B, S, DQ))
    return randomise(layer)


@pytest.mark.parametrize("kind", KINDS)
@every_window
@given(st.integers(0, 100), st.integers(1, 3), st.booleans())
def test_a_window_equals_the_formula(kind, window, seed, size, masked):
    inputs = attention_inputs(seed)
    mask = value_mask() if masked else np.ones((B, S), bool)
    layer = windowed_layer(kind, window, window_size=size)
    check_equal(layer, inputs, windowed(layer, inputs, mask), value_mask=mask)


@pytest.mark.parametrize("start", [0, 2, 100])
def test_the_first_query_has_the_position_that_is_given(start):
    inputs, mask = attention_inputs(), value_mask()
    layer = windowed_layer("general", "monotonic")
    expected = windowed(layer, inputs, mask, start)
    check_equal(layer, inputs, expected, value_mask=mask, position=start)
    each = np.full(B, start)
    check_equal(layer, inputs, expected, value_mask=mask, position=each)
    one = inputs | {"query": inputs["query"][:, 0]}
    expected = [each[:, 0] for each in expected]
    check_equal(layer, one, expected, value_mask=mask, position=start)
    if start == 100:
        assert (expected[1] == 0).all()  # beyond the keys


@every_window
def test_one_step_at_a_time_equals_all_at_once(window):
    inputs = attention_inputs()
    layer = windowed_layer("general", window)
    mask = np.array([[True, False, True], [True, True, True]])
    whole = layer(**inputs, query_mask=mask, return_attention_scores=True)
    memory = layer.prepare(inputs["value"], inputs["key"])
    state = layer.initial_state(memory)
    for t in range(T):
        now = slice(t, t + 1)
        context, weights, state = layer.attend(
            inputs["query"][:, now], memory, state, query_mask=mask[:, now]
        )
        assert_close(context, whole[0][:, now])
        assert_close(weights, whole[1][:, now])
    if window == "monotonic":  # padding is no step
        assert array(state[0]).tolist() == [[2], [3]]
        assert keras.backend.standardize_dtype(state[0].dtype) == "int32"


@every_window
def test_padding_on_either_side_moves_no_window(window):
    inputs = attention_inputs()
    layer = windowed_layer("general", window)
    expected, weights = arrays(layer(**inputs, return_attention_scores=True))
    longer, mask = dict(inputs), np.zeros((B, S + 3), bool)
    mask[:, 2:-1] = True
    for name in ("value", "key"):
        padded = np.full((B, S + 3, inputs[name].shape[-1]), np.nan, "float32")
        padded[:, 2:-1] = inputs[name]
        longer[name] = padded
    found, wide = layer(**longer, value_mask=mask, return_attention_scores=True)
    assert_close(found, expected)
    assert_close(array(wide)[:, :, 2:-1], weights)


@every_window
def test_a_window_over_nothing_gives_nothing_and_finite_gradients(window):
    inputs = attention_inputs()
    mask = np.array([[True, True, False, False, False], [False] * S])
    inputs["value"][~mask] = inputs["key"][~mask] = np.nan
    layer = windowed_layer("concat", window)
    context = array(layer(**inputs, value_mask=mask))
    assert (context[1] == 0).all()
    of_inputs, of_weights = gradients(layer, inputs | {"value_mask": mask})
    for gradient in [*of_inputs.values(), *of_weights]:
        assert np.isfinite(gradient).all()


def test_the_prediction_of_the_centre_learns():
    layer = windowed_layer("dot", "predictive")
    _, of_weights = gradients(layer, attention_inputs())
    assert all((gradient != 0).any() for gradient in of_weights)


def test_positions_are_exact_in_low_precision():
    # bfloat16 counts to 256.
    keys = np.eye(400, dtype="float32")[None]
    layer = LuongAttention(window="monotonic", window_size=1, dtype="mixed_bfloat16")
    query = np.zeros((1, 3, 400), "float32")
    _, weights = layer(query, keys, position=300, return_attention_scores=True)
    found = [np.flatnonzero(row).tolist() for row in array(weights)[0]]
    assert found == [[299, 300, 301], [300, 301, 302], [301, 302, 303]]


@every_window
@pytest.mark.parametrize("order", ["previous", "current"])
def test_a_window_serves_a_recurrent_decoder_step_by_step(window, order):
    inputs, mask = attention_inputs(), value_mask()
    attention = LuongAttention("general", window=window, window_size=1)
    decoder = AttentionRNN(keras.layers.GRUCell(7), attention, order=order)
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


@pytest.mark.skipif(keras.backend.backend() == "jax", reason="float64 is off there")
@pytest.mark.parametrize("kind", KINDS)
@every_window
def test_under_float64_a_window_equals_the_formula_in_float64(kind, window):
    inputs = {name: x.astype("float64") for name, x in attention_inputs().items()}
    layer = windowed_layer(kind, window, dtype="float64")
    found = arrays(layer(**inputs, return_attention_scores=True))
    expected = windowed(layer, inputs, np.ones((B, S), bool))
    for some, other in zip(found, expected, strict=True):
        assert_close(some, other, "float64")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("window", [None, "monotonic", "predictive"])
def test_no_example_query_or_key_gives_zeros(kind, window):
    def make():
        return LuongAttention(**KINDS[kind], window=window)

    check_empty(make)
    if window == "monotonic":
        check_empty(make, position=2)


@pytest.mark.parametrize("window", ["local", 3, True])
def test_a_window_must_be_known(window):
    message = "`window` must be None, 'monotonic' or 'predictive'. Received: window="
    with pytest.raises(ValueError, match=message):
        LuongAttention(window=window)


@pytest.mark.parametrize("size", [0, 1.5, None, True])
def test_a_window_must_have_a_size(size):
    with pytest.raises(ValueError, match="`window_size` must be a positive int"):
        LuongAttention(window="monotonic", window_size=size)


@pytest.mark.parametrize("window", [None, "predictive"])
def test_a_position_needs_the_monotonic_window(window):
    layer = LuongAttention("general", window=window)
    message = "`position` must be None unless window='monotonic'"
    inputs = attention_inputs()
    with pytest.raises(ValueError, match=message):
        layer(**inputs, position=1)
    symbolic = {name: keras.Input(x.shape[1:]) for name, x in inputs.items()}
    with pytest.raises(ValueError, match=message):
        layer(**symbolic, position=1)
    assert layer(**symbolic).shape == (None, T, DV)


def test_a_position_is_one_for_each_example():
    layer = LuongAttention("general", window="monotonic")
    message = r"`position` must be an int or have shape \(B,\). Received"
    inputs = attention_inputs()
    symbolic = {name: keras.Input(batch_shape=x.shape) for name, x in inputs.items()}
    for shape in ((B, T), (B + 1,)):
        position = np.zeros(shape, "int32")
        for tensors in (inputs, symbolic):
            with pytest.raises(ValueError, match=message):
                layer(**tensors, position=position)
    position = keras.Input((), batch_size=B, dtype="int32")
    assert layer(**symbolic, position=position).shape == (B, T, DV)


@pytest.mark.parametrize("position", [1.5, "a", np.zeros(B, "float32")])
def test_a_position_is_counted_in_integers(position):
    layer = LuongAttention("general", window="monotonic")
    with pytest.raises(ValueError, match="`position` must be an int or integers"):
        layer(**attention_inputs(), position=position)


@pytest.mark.parametrize("window", [None, "monotonic", "predictive"])
def test_another_score_of_minus_infinity_hides_in_a_window_too(window):
    class FirstHidden(LuongAttention):
        def score(self, query, key):
            scores = super().score(query, key)
            first = keras.ops.arange(0, S) < (S if self.hides_all else 1)
            return keras.ops.where(first, float("-inf"), scores)

    layer = FirstHidden("general", window=window)
    for layer.hides_all in (False, True):
        outputs = arrays(layer(**attention_inputs(), return_attention_scores=True))
        for found in outputs:
            assert np.isfinite(found).all()
            assert found.any() != layer.hides_all
        assert not outputs[1][:, :, 0].any()


def test_a_window_goes_without_chunks():
    with pytest.raises(ValueError, match="`chunk_size` must be None with a window"):
        LuongAttention(window="monotonic", chunk_size=2)


@every_window
def test_statistics_go_without_a_window(window):
    inputs = attention_inputs()
    with pytest.raises(ValueError, match="`window` must be None for statistics"):
        windowed_layer("dot", window).statistics(**inputs)
    found = windowed_layer("dot", None).statistics(**inputs)
    assert found.coverage.shape == (B, S)


def test_the_luong_example_runs():
    left = run_example(
        LuongAttention,
        decoder_outputs=attention_inputs()["query"],
        encoder_states=attention_inputs()["value"],
    )
    assert left["context"].shape == (B, T, DV)
    assert left["weights"].shape == (B, T, S)
