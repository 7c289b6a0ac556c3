"""One vector of a sequence, by attention."""

import keras
import numpy as np
import pytest
from helpers import (
    DQ,
    JIT,
    B,
    S,
    T,
    U,
    array,
    arrays,
    assert_close,
    check_layer,
    gradients,
    randomise,
    run_example,
)
from hypothesis import given
from hypothesis import strategies as st

from keras_attention.layers.pooling import AttentionPooling

HOPS = 3


def sequence(seed=0, length=S):
    random = np.random.default_rng(seed)
    return random.normal(size=(B, length, DQ)).astype("float32")


def mask():
    real = np.ones((B, S), bool)
    real[0, 3:] = False
    return real


def pooling(seed=0, **arguments):
    layer = AttentionPooling(U, **arguments)
    layer.build((None, None, DQ))
    return randomise(layer, seed)


def reference(layer, x, real):
    """softmax(tanh(x W + b) V) over the real steps, one example and hop at a time."""
    weights = {weight.name: array(weight).astype("float64") for weight in layer.weights}
    hidden = np.tanh(x @ weights["kernel"] + weights.get("bias", 0))
    shares = np.zeros((len(x), layer.hops, x.shape[1]))
    for example, seen in enumerate(real):
        for hop, vector in enumerate(weights["vectors"].T):
            scores = np.exp(hidden[example, seen] @ vector)
            shares[example, hop, seen] = scores / scores.sum()
    return shares @ x, shares


@pytest.mark.parametrize("hops", [1, HOPS])
def test_it_keeps_the_contract(hops):
    arguments = {
        "units": U,
        "hops": hops,
        "use_bias": False,
        "penalty": 0.5,
        "kernel_initializer": keras.initializers.HeNormal(seed=3),
    }
    inputs = {"sequence": sequence(), "mask": mask()}
    call = {"return_attention_scores": True}
    check_layer(AttentionPooling, arguments, inputs, call)


@given(st.booleans(), st.booleans(), st.integers(1, 3), st.integers(0, 100))
def test_it_equals_the_formula(use_bias, masked, hops, seed):
    layer, x = pooling(seed, hops=hops, use_bias=use_bias), sequence(seed)
    real = mask() if masked else None
    vector, weights = arrays(layer(x, mask=real, return_attention_scores=True))
    expected = reference(layer, x, mask() if masked else np.ones((B, S), bool))
    if hops == 1:
        expected = [each[:, 0] for each in expected]
    assert_close(vector, expected[0].astype("float32"))
    assert_close(weights, expected[1].astype("float32"))


def test_without_units_the_hidden_layer_is_as_wide_as_the_input():
    layer = AttentionPooling()
    layer.build((None, None, DQ))
    assert tuple(layer.kernel.shape) == (DQ, DQ)


def test_a_sequence_that_is_all_padding_gives_zero_and_a_finite_gradient():
    layer, x, real = pooling(hops=HOPS, penalty=1.0), sequence(), mask()
    real[1] = False
    x[~real] = np.nan
    for output in arrays(layer(x, mask=real, return_attention_scores=True)):
        assert (output[1] == 0).all()
        assert np.isfinite(output).all()
    of_inputs, of_weights = gradients(layer, {"sequence": x}, mask=real)
    for gradient in [of_inputs["sequence"], *of_weights]:
        assert np.isfinite(gradient).all()
    assert (of_inputs["sequence"][~real] == 0).all()
    assert np.abs(of_inputs["sequence"][0, :3]).min() > 0


def test_more_padding_changes_nothing():
    layer, x = pooling(), sequence()
    longer = np.concatenate([x, np.full((B, T, DQ), np.nan, "float32")], axis=1)
    real = np.arange(S + T) < S
    assert_close(layer(longer, mask=np.broadcast_to(real, (B, S + T))), layer(x))


def test_a_single_step_is_given_back_without_a_warning():
    assert_close(pooling()(sequence(length=1)), sequence(length=1)[:, 0])


def test_the_order_of_the_steps_does_not_matter():
    layer, x = pooling(), sequence()
    vector, weights = arrays(layer(x, return_attention_scores=True))
    backwards = arrays(layer(x[:, ::-1].copy(), return_attention_scores=True))
    assert_close(backwards[0], vector)
    assert_close(backwards[1], weights[:, ::-1])


def test_the_penalty_is_that_of_the_formula():
    layer, x, real = pooling(hops=HOPS, penalty=0.25), sequence(), mask()
    real[1] = False  # nothing to attend to, no penalty
    _, weights = layer(x, mask=real, return_attention_scores=True)
    weights = array(weights).astype("float64")[0]
    gap = weights @ weights.T - np.eye(HOPS)
    (loss,) = layer.losses
    assert_close(array(loss), np.float32(0.25 * (gap**2).sum() / B))


def test_hops_that_attend_to_one_step_each_and_not_to_the_same_cost_nothing():
    layer = AttentionPooling(S, hops=HOPS, penalty=1.0, use_bias=False)
    layer.build((None, S, S))
    layer.set_weights([np.eye(S), 1000 * np.eye(S)[:, :HOPS]])
    layer(np.eye(S, dtype="float32")[None])
    (apart,) = layer.losses
    assert_close(array(apart), np.float32(0))
    layer.set_weights([np.eye(S), 1000 * np.eye(S)[:, [0] * HOPS]])
    layer(np.eye(S, dtype="float32")[None])
    (together,) = layer.losses
    assert_close(array(together), np.float32(HOPS * HOPS - HOPS))


def test_an_empty_batch_has_no_penalty():
    layer = pooling(hops=HOPS, penalty=1.0)
    layer(sequence()[:0])
    (loss,) = layer.losses
    assert array(loss) == 0


def test_without_a_penalty_nothing_is_added_to_the_loss():
    layer = pooling(hops=HOPS)
    layer(sequence())
    assert layer.losses == []


def test_hops_do_not_start_alike():
    layer = AttentionPooling(U, hops=HOPS)
    layer.build((None, None, DQ))
    assert np.abs(np.diff(array(layer.vectors.value), axis=1)).min() > 0


def test_in_a_sequential_model_it_gets_the_mask_of_the_embedding(tmp_path):
    model = keras.Sequential(
        [
            keras.layers.Embedding(17, DQ, mask_zero=True),
            AttentionPooling(U),
            keras.layers.Dense(1),
        ]
    )
    tokens = np.array([[3, 1, 4, 0, 0], [1, 5, 9, 2, 6]])
    output = array(model(tokens))
    assert_close(model(tokens[:1, :3]), output[:1])
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(array(again(tokens)), output)


def test_an_explicit_mask_wins_over_the_one_that_the_tensor_carries():
    embedding = keras.layers.Embedding(17, DQ, mask_zero=True)
    layer = AttentionPooling(U)
    real = np.array([[True, True, False]])
    _, weights = layer(
        embedding(np.array([[3, 1, 4]])), mask=real, return_attention_scores=True
    )
    np.testing.assert_array_equal(array(weights) > 0, real)


def test_it_learns_which_word_counts():
    # The class is told by one token alone, at a place that varies.
    random = np.random.default_rng(0)
    tokens = random.integers(3, 17, size=(128, S))
    labels = random.integers(0, 2, size=128)
    places = random.integers(0, S, size=128)
    tokens[np.arange(128), places] = 1 + labels
    embedding = keras.layers.Embedding(17, DQ)
    inputs = keras.Input((None,), dtype="int32")
    vector, weights = AttentionPooling(U)(
        embedding(inputs), return_attention_scores=True
    )
    model = keras.Model(inputs, keras.layers.Dense(1)(vector))
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.03), loss, jit_compile=JIT)
    if keras.backend.backend() == "numpy":
        pytest.skip("no training here on numpy")
    model.fit(tokens, labels, epochs=40, batch_size=32, verbose=0)
    weights = array(keras.Model(inputs, weights)(tokens))
    assert (weights.argmax(axis=1) == places).mean() > 0.95


@pytest.mark.parametrize("hops", [1, HOPS])
def test_time_distributed_pools_each_sentence(hops):
    layer = pooling(hops=hops)
    documents = np.stack([sequence(seed) for seed in range(T)], axis=1)
    vectors = array(keras.layers.TimeDistributed(layer)(documents))
    symbolic = keras.layers.TimeDistributed(layer)(keras.Input((None, S, DQ)))
    assert symbolic.shape[2:] == vectors.shape[2:]
    for index in range(T):
        assert_close(vectors[:, index], layer(sequence(index)))


def test_its_example_runs():
    names = run_example(AttentionPooling)
    tokens = np.array([[3, 1, 0]])
    assert names["model"](tokens).shape == (1, 1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"units": 0}, r"`units` must be a positive int. Received: units=0"),
        ({"hops": 1.5}, r"`hops` must be a positive int. Received: hops=1.5"),
        ({"penalty": -1}, r"`penalty` must be a number of at least 0.*penalty=-1"),
        ({"penalty": float("nan")}, r"`penalty` must be .* Received: penalty=nan"),
        ({"penalty": True}, r"`penalty` must be .* Received: penalty=True"),
        ({"penalty": "some"}, r"`penalty` must be .* Received: penalty='some'"),
    ],
)
def test_an_argument_that_does_not_fit_is_an_error(arguments, message):
    with pytest.raises(ValueError, match=message):
        AttentionPooling(**arguments)


@pytest.mark.parametrize("shape", [(B, DQ), (B, S, None), (B, T, S, DQ)])
def test_a_sequence_that_does_not_fit_is_an_error(shape):
    with pytest.raises(ValueError, match=r"`sequence` must have shape \(B, S, D\)"):
        AttentionPooling().build(shape)


def test_a_mask_that_does_not_fit_is_an_error():
    symbolic = keras.Input((S, DQ))
    for shape in [(B, T, S), (B, T)]:
        for x, mask in (
            (sequence(), np.ones(shape, bool)),
            (symbolic, keras.Input(shape[1:], dtype="bool")),
        ):
            message = r"`mask` must have shape \(B, S\), where"
            with pytest.raises(ValueError, match=message):
                pooling()(x, mask=mask)


def test_another_size_of_features_than_it_was_built_for_is_an_error():
    message = f"The last axis must have the size {DQ} that the layer was built for"
    for x in (np.ones((B, S, DQ + 1), "float32"), keras.Input((S, DQ + 1))):
        with pytest.raises(ValueError, match=message):
            pooling()(x)


@pytest.mark.parametrize("shape", [(0, S, DQ), (B, 0, DQ)])
@pytest.mark.parametrize("hops", [1, HOPS])
def test_no_example_or_step_gives_zeros(shape, hops):
    layer = pooling(hops=hops, penalty=1.0)
    for mask in (None, np.ones(shape[:2], bool)):
        vector, weights = arrays(
            layer(np.ones(shape), mask=mask, return_attention_scores=True)
        )
        heads = () if hops == 1 else (hops,)
        assert vector.shape == (shape[0], *heads, DQ)
        assert weights.shape == (shape[0], *heads, shape[1])
        assert not vector.any()
        assert not weights.any()
        assert np.isfinite(array(layer.losses[0])) or shape[0] == 0
