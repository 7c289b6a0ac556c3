"""Attention that only moves forward."""

import functools

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
    assert_close,
    attention_inputs,
    check_layer,
    compiled,
    randomise,
    run_example,
)
from hypothesis import given
from hypothesis import strategies as st

from keras_attention import (
    AttentionRNN,
    BahdanauAttention,
    LuongAttention,
    ScoreAttention,
)
from keras_attention.layers.location import LocationSensitiveAttention
from keras_attention.layers.monotonic import (
    MODES,
    MonotonicAttention,
    hard_weights,
    parallel_weights,
    recursive_weights,
)

every_mode = pytest.mark.parametrize("mode", MODES)


def value_mask():
    mask = np.ones((B, S), bool)
    mask[0, 3:] = False
    mask[1, :1] = False
    return mask


@keras.saving.register_keras_serializable(package="tests")
class Given(ScoreAttention):
    """Has the keys for scores: what a user's own score may look like."""

    def score(self, query, key):
        return keras.ops.swapaxes(key, 1, 2)


def weights_of(scores, mode, mask=None):
    """Give the weights for scores (B, T, S)."""
    scores = np.asarray(scores, "float32")
    batch, queries, keys = scores.shape
    inputs = {
        "query": np.zeros((batch, queries, 1), "float32"),
        "value": scores.swapaxes(1, 2),
        "value_mask": np.ones((batch, keys), bool) if mask is None else mask,
    }
    return array(_compiled_mode(mode, queries)(inputs)[1])


@functools.cache
def _compiled_mode(mode, queries):
    layer = MonotonicAttention(Given(), mode, score_bias=0.0)
    layer.build((None, queries, 1), (None, None, queries))
    return compiled(layer, return_attention_scores=True)


def reference(scores, mask=None):
    """Equations 11 to 14, one key after the other, in float64."""
    scores = np.asarray(scores, "float64")
    mask = np.ones_like(scores[:, 0], bool) if mask is None else mask
    weights = np.zeros_like(scores)
    for example, row in enumerate(scores):
        real = np.flatnonzero(mask[example])
        previous = np.eye(len(real) or 1)[0]
        for t, energies in enumerate(row[:, real]):
            q = p = 0.0
            alpha = []
            for energy, before in zip(energies, previous, strict=False):
                q = (1 - p) * q + before
                p = 1 / (1 + np.exp(-energy))
                alpha.append(p * q)
            weights[example, t, real] = alpha
            previous = alpha
    return weights


@every_mode
def test_it_survives_in_config_and_file_with_the_attention_in_it(mode):
    inputs = attention_inputs()
    arguments = {
        "attention": LuongAttention("general"),
        "mode": mode,
        "score_bias": -2.5,
        "noise": 0.5,
        "dropout": 0.1,
        "seed": 5,
    }
    layer = MonotonicAttention(**arguments)
    layer.build(*(x.shape for x in inputs.values()))
    again = MonotonicAttention.from_config(layer.get_config())
    assert again.get_config() == layer.get_config()
    again.build(*(x.shape for x in inputs.values()))
    again.set_weights(randomise(layer).get_weights())
    assert_close(again(**inputs), layer(**inputs))


def test_it_keeps_the_contract():
    inputs = attention_inputs() | {"value_mask": value_mask()}
    arguments = {
        "attention": LuongAttention("general"),
        "mode": "recursive",
        "score_bias": -2.5,
        "noise": 0.5,
        "dropout": 0.1,
        "seed": 5,
    }
    flags = {"return_attention_scores": True}
    check_layer(MonotonicAttention, arguments, inputs, flags)


# ---- the three modes


@given(st.integers(0, 100), st.booleans())
def test_the_soft_modes_equal_the_formula(seed, masked):
    scores = np.random.default_rng(seed).normal(size=(B, T, S))
    mask = value_mask() if masked else None
    expected = reference(scores, mask).astype("float32")
    for mode in ("recursive", "parallel"):
        assert_close(weights_of(scores, mode, mask), expected)


@pytest.mark.parametrize("length", [1, 2, 7, 8, 9, 100])
def test_the_recursion_is_exact_at_any_length_and_any_score(length):
    # High and low scores: products of (1 - p) underflow, as the parallel form cannot.
    scores = np.random.default_rng(length).normal(scale=20, size=(B, 4, length))
    assert_close(weights_of(scores, "recursive"), reference(scores).astype("float32"))


@given(st.integers(0, 100), st.booleans())
def test_hard_is_the_limit_of_the_recursion(seed, masked):
    # Far from 0, so that each p is 0 or 1 as well as float32 can tell.
    signs = np.random.default_rng(seed).choice([-1, 1], size=(B, T, S))
    mask = value_mask() if masked else None
    hard = weights_of(signs, "hard", mask)
    assert set(np.unique(hard)) <= {0.0, 1.0}
    assert_close(weights_of(80.0 * signs, "recursive", mask), hard)


def test_hard_stops_at_the_first_key_that_is_likely_and_never_goes_back():
    high, low = 1.0, -1.0
    scores = [
        [low, high, low, high, high],
        [high, low, low, high, low],  # the first is behind, the second too low
        [high, high, high, high, low],  # may stay where it is
        [high, high, high, low, low],  # none is left
        [high, high, high, high, high],  # and so it stays
    ]
    eye = np.eye(5)
    expected = [eye[1], eye[3], eye[3], 0 * eye[0], 0 * eye[0]]
    assert_close(weights_of([scores], "hard")[0], np.array(expected, "float32"))


@given(st.integers(0, 100), st.sampled_from(MODES), st.booleans())
def test_rows_sum_to_at_most_one_and_never_move_back(seed, mode, masked):
    mask = value_mask() if masked else None
    scores = np.random.default_rng(seed).normal(size=(B, T, S))
    weights = weights_of(scores, mode, mask)
    assert (weights >= 0).all()
    reached = weights.cumsum(-1)
    assert (reached <= 1 + 1e-5).all()
    # What has reached a key or one before it can only become less.
    assert (np.diff(reached, axis=1) <= 1e-5).all()
    if masked:
        hidden = np.broadcast_to(~mask[:, None], weights.shape)
        assert (weights[hidden] == 0).all()


def test_the_pure_functions_agree_where_all_are_exact():
    random = np.random.default_rng(0)
    choose = random.uniform(0.2, 0.8, size=(B, S)).astype("float32")
    previous = random.dirichlet(np.ones(S), size=B).astype("float32")
    soft = recursive_weights(choose, 1 - choose, previous)
    assert_close(parallel_weights(choose, 1 - choose, previous), soft)
    sure = np.round(choose)
    at_first = np.eye(S, dtype="float32")[np.zeros(B, int)]
    assert_close(
        hard_weights(sure, at_first), recursive_weights(sure, 1 - sure, at_first)
    )


@every_mode
def test_it_starts_at_the_first_real_key(mode):
    scores = np.full((B, 1, S), 80.0)
    weights = weights_of(scores, mode, value_mask())
    first = np.eye(S, dtype="float32")[[0, 1]]
    assert_close(weights[:, 0], first)


def test_all_modes_share_their_weights():
    inputs = attention_inputs()
    soft, hard = (
        MonotonicAttention(BahdanauAttention(U), mode) for mode in ("parallel", "hard")
    )
    for layer in (soft, hard):
        layer.build(*(x.shape for x in inputs.values()))
    hard.set_weights(randomise(soft).get_weights())
    scores = soft.attention.score(
        soft.attention.project_query(inputs["query"]),
        soft.attention.project_key(inputs["key"]),
    )
    scores = array(scores) + array(soft.bias)
    for layer, mode in ((soft, "parallel"), (hard, "hard")):
        _, weights = layer(**inputs, return_attention_scores=True)
        assert_close(weights, weights_of(scores, mode))


def test_a_score_of_ones_own_of_a_wrong_shape_is_refused():
    class OneColumn(ScoreAttention):
        def score(self, query, key):
            return query[..., :1]

    with pytest.raises(ValueError, match="`score` of OneColumn must give scores"):
        MonotonicAttention(OneColumn())(**attention_inputs())


# ---- bias and noise


def test_the_bias_starts_where_it_is_told():
    layer = MonotonicAttention(BahdanauAttention(U), score_bias=-3)
    layer.build((B, T, DQ), (B, S, DV))
    assert float(array(layer.bias)) == -3


def test_noise_acts_in_training_alone_and_anew_for_each_query():
    scores = np.zeros((1, 50, 200), "float32")
    key, query = scores.swapaxes(1, 2), np.zeros((1, 50, 1), "float32")
    layer = MonotonicAttention(Given(), score_bias=0.0, noise=0.5, seed=3)
    layer(query, key)
    memory = layer.prepare(key)
    assert (array(layer.read_queries(query, memory, training=False)) == 0).all()
    noise = array(layer.read_queries(query, memory, training=True))
    assert abs(noise.std() - 0.5) < 0.02
    assert abs(noise.mean()) < 0.02
    assert np.abs(np.diff(noise, axis=1)).min() > 0


def test_noise_for_a_loop_is_drawn_before_it_for_every_step():
    scores = np.zeros((2, 50, 200), "float32")
    key, query = scores.swapaxes(1, 2), np.zeros((2, 50, 1), "float32")
    layer = MonotonicAttention(Given(), score_bias=0.0, noise=0.5, seed=3)
    layer(query, key)
    memory = layer.prepare(key, draw_dropout=True)
    drawn = layer.draw_noise(memory, 50)
    memory = memory._replace(noise=drawn)
    noise = array(layer.read_queries(query, memory, training=False))
    np.testing.assert_array_equal(noise, array(drawn))
    np.testing.assert_array_equal(
        array(layer.read_queries(query, memory, training=True)), noise
    )
    assert abs(noise.std() - 0.5) < 0.02
    assert np.abs(np.diff(noise, axis=1)).min() > 0
    silent = MonotonicAttention(Given(), noise=0)
    assert silent.draw_noise(memory, 50) is None


@pytest.mark.parametrize("seed", [0, 3, None])
def test_noise_and_dropout_do_not_know_of_each_other(seed):
    key = np.zeros((10, 2000, 1), "float32")
    layer = MonotonicAttention(Given(), dropout=0.5, seed=seed)
    layer(np.zeros((10, 1, 1), "float32"), key)
    memory = layer.prepare(key, draw_dropout=True)
    noise = np.abs(array(layer.draw_noise(memory, 1)))
    kept = array(memory.dropout) > 0
    # The mean of the size of a standard normal is 0.80.
    assert abs(noise[kept].mean() - 0.8) < 0.05
    assert abs(noise[~kept].mean() - 0.8) < 0.05


def test_a_seed_gives_the_same_noise_again_and_another_gives_other_noise():
    key = np.zeros((1, 5, 3), "float32")

    def noise(seed):
        layer = MonotonicAttention(Given(), seed=seed)
        layer(np.zeros((1, 3, 1), "float32"), key)
        return array(layer.draw_noise(layer.prepare(key), 3))

    np.testing.assert_array_equal(noise(3), noise(3))
    assert np.abs(noise(3) - noise(4)).min() > 0


def test_without_noise_training_changes_nothing():
    inputs = attention_inputs()
    layer = MonotonicAttention(BahdanauAttention(U), noise=0)
    assert_close(layer(**inputs, training=True), layer(**inputs))


# ---- types


@pytest.fixture(params=["float64", "float16"])
def floatx(request):
    before = keras.config.floatx()
    keras.config.set_floatx(request.param)
    yield request.param
    keras.config.set_floatx(before)


def check_training(layer, size, dtype):
    inputs = attention_inputs()
    ins = keras.Input((T, DQ)), keras.Input((S, DV))
    outputs = layer(*ins)
    assert outputs.dtype == dtype
    model = keras.Model(ins, outputs)
    model.compile("sgd", "mse", jit_compile=JIT)
    before = layer.get_weights()
    data = [inputs["query"].astype(dtype), inputs["value"].astype(dtype)]
    history = model.fit(data, np.ones((B, T, size), dtype), epochs=2, verbose=0)
    assert np.isfinite(history.history["loss"]).all()
    moved = zip(before, layer.get_weights(), strict=True)
    assert any(np.abs(x - y).max() > 0 for x, y in moved)
    for weight in layer.get_weights():
        assert np.isfinite(weight).all()


@pytest.mark.parametrize("of_layers", ["float32", "floatx"])
def test_it_trains_whatever_floatx_is(of_layers, floatx):
    if keras.backend.backend() == "jax" and floatx == "float64":
        pytest.skip("JAX has no float64 unless told so before it starts")
    dtype = floatx if of_layers == "floatx" else of_layers
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(dtype)
    try:
        alone, inside = (
            MonotonicAttention(
                BahdanauAttention(U), score_bias=0.0, dropout=0.2, seed=3
            )
            for _ in range(2)
        )
        check_training(alone, DV, dtype)
        # Not orthogonal: JAX finds no such matrix in float16.
        cell = keras.layers.GRUCell(U, recurrent_initializer="glorot_uniform")
        decoder = AttentionRNN(cell, inside)
        check_training(decoder, DV + U, dtype)
    finally:
        keras.config.set_dtype_policy(before)


@pytest.mark.parametrize(
    ("mode", "dtype"),
    [
        ("recursive", "float64"),
        ("parallel", "float64"),
        ("recursive", "float16"),
        ("parallel", "mixed_float16"),
    ],
)
def test_it_trains_with_a_type_of_its_own(mode, dtype):
    if keras.backend.backend() == "jax" and dtype == "float64":
        pytest.skip("JAX has no float64 unless told so before it starts")
    wrapped = BahdanauAttention(U, dtype=dtype)
    layer = MonotonicAttention(wrapped, mode, 0.0, dropout=0.2, dtype=dtype)
    check_training(layer, DV, dtype.removeprefix("mixed_"))


@pytest.mark.skipif(
    keras.backend.backend() == "jax",
    reason="JAX has no float64 unless told so before it starts",
)
@every_mode
def test_in_float64_it_is_as_exact_as_float64(mode):
    scores = np.random.default_rng(3).normal(size=(B, T, S))
    if mode == "hard":
        scores = np.where(scores > 0, 80.0, -80.0)
    layer = MonotonicAttention(
        Given(dtype="float64"), mode, score_bias=0.0, dtype="float64"
    )
    query, value = np.zeros((B, T, 1)), scores.swapaxes(1, 2)
    _, weights = layer(query, value, return_attention_scores=True)
    assert_close(weights, reference(scores), "float64")


@every_mode
@pytest.mark.parametrize(("batch", "length", "keys"), [(0, T, S), (B, 0, S), (B, T, 0)])
def test_an_empty_batch_no_queries_or_no_keys_give_a_result(mode, batch, length, keys):
    layer = MonotonicAttention(BahdanauAttention(U), mode)
    query = np.ones((batch, length, DQ), "float32")
    value = np.ones((batch, keys, DV), "float32")
    context, weights = layer(query, value, return_attention_scores=True)
    assert array(weights).shape == (batch, length, keys)
    np.testing.assert_array_equal(
        array(context) if keys == 0 else 0, np.zeros((B, T, DV)) if keys == 0 else 0
    )


def test_a_config_needs_no_key_that_has_a_default():
    config = MonotonicAttention(BahdanauAttention(U)).get_config()
    again = MonotonicAttention.from_config({"attention": config["attention"]})
    found = again.get_config()
    for name in config.keys() - {"name"}:
        assert found[name] == config[name]


# ---- mistakes


@pytest.mark.parametrize("mode", ["soft", None, 1])
def test_the_mode_must_be_known(mode):
    message = "`mode` must be 'recursive', 'parallel' or 'hard'. Received: mode="
    with pytest.raises(ValueError, match=message):
        MonotonicAttention(BahdanauAttention(U), mode)


@pytest.mark.parametrize(
    "attention", [None, "bahdanau", keras.layers.Attention, LocationSensitiveAttention]
)
def test_the_attention_must_have_a_score(attention):
    attention = attention(3) if isinstance(attention, type) else attention
    with pytest.raises(ValueError, match="`attention` must be a ScoreAttention"):
        MonotonicAttention(attention)


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (lambda: BahdanauAttention(U, dropout=0.1), "dropout"),
        (lambda: LuongAttention(window="monotonic"), "window"),
        (lambda: BahdanauAttention(U, chunk_size=2), "chunk_size"),
    ],
)
def test_the_attention_must_have_nothing_that_would_not_act(make, name):
    with pytest.raises(ValueError, match=f"`attention` must have no {name} of its own"):
        MonotonicAttention(make())


@pytest.mark.parametrize("bias", [None, "low", True, float("nan")])
def test_the_bias_must_be_a_number(bias):
    with pytest.raises(ValueError, match="`score_bias` must be a number. Received"):
        MonotonicAttention(BahdanauAttention(U), score_bias=bias)


@pytest.mark.parametrize("noise", [None, -1, "much", True, float("inf")])
def test_noise_must_be_a_number_of_at_least_zero(noise):
    with pytest.raises(ValueError, match="`noise` must be a number of at least 0. Rec"):
        MonotonicAttention(BahdanauAttention(U), noise=noise)


def test_dropout_must_be_a_share():
    with pytest.raises(ValueError, match="`dropout` must be a number"):
        MonotonicAttention(BahdanauAttention(U), dropout=1)


def test_the_example_runs():
    left = run_example(
        MonotonicAttention,
        decoder_states=attention_inputs()["query"],
        encoder_states=attention_inputs()["value"],
        mask=value_mask(),
        BahdanauAttention=BahdanauAttention,
    )
    assert left["context"].shape == (B, T, DV)
    assert left["step_context"].shape == (B, 1, DV)
