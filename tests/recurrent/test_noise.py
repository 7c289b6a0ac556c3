"""Random numbers that an attention draws anew for every step of `AttentionRNN`."""

import keras
import numpy as np
import pytest
from helpers import JIT, array
from keras import layers, ops

import keras_attention as ka

ROWS, T, S, D = 101, 3, 17, 5
ON_TENSORFLOW = keras.backend.backend() == "tensorflow"


class KeyAttention(ka.ScoreAttention):
    """Scores keys whatever the query is: without noise no stop ever moves."""

    def score(self, query, key):
        return ops.zeros_like(query[..., :1]) + key[:, None, :, 0]


def attention(scored=None, **arguments):
    options = {"mode": "hard", "score_bias": 0.0, "noise": 2.0, "seed": 3}
    return ka.MonotonicAttention(scored or KeyAttention(), **{**options, **arguments})


def make(order="previous", attentions=None, **arguments):
    return ka.AttentionRNN(
        layers.GRUCell(4), attentions or attention(), order=order, **arguments
    )


def inputs():
    random = np.random.default_rng(3)
    shapes = (ROWS, T, D), (ROWS, S, D)
    return [random.normal(size=shape).astype("float32") for shape in shapes]


def share_that_moves(weights):
    """The share of rows whose second stop is another than the first."""
    stops = np.argmax(array(weights), axis=-1)
    return np.mean(stops[:, 0] != stops[:, 1])


@pytest.mark.parametrize("order", ["previous", "current", "conditional"])
def test_noise_is_drawn_for_every_step(order):
    sequence, memory = inputs()
    call = {"memory": memory, "return_attention_scores": True}
    layer = make(order)
    _, still = layer(sequence, **call)
    _, moved = layer(sequence, training=True, **call)
    # Alone the layer gives about one half; one draw for all steps gives 0.
    assert share_that_moves(still) == 0
    assert 0.25 < share_that_moves(moved) < 0.75


def test_noise_is_drawn_for_every_call_of_one_step():
    sequence, memory = inputs()
    layer = make()
    call = {"memory": memory, "return_attention_scores": True}
    rows = [
        array(layer(sequence[:, :1], training=True, **call)[1])[:, 0] for _ in range(2)
    ]
    assert 0.25 < share_that_moves(np.stack(rows, axis=1)) < 0.95


def test_each_of_several_attentions_has_noise_of_its_own():
    sequence, memory = inputs()
    attentions = [attention(seed=1), ka.BahdanauAttention(3), attention(seed=2)]
    layer = make(attentions=attentions)
    _, (first, calm, second) = layer(
        sequence,
        memory=[memory, memory[:, :7], memory[:, :11]],
        return_attention_scores=True,
        training=True,
    )
    assert [array(each).shape[-1] for each in (first, calm, second)] == [S, 7, 11]
    assert share_that_moves(first) > 0.25
    assert share_that_moves(second) > 0.25


def test_a_masked_step_and_dropout_of_the_cell_keep_the_noise_in_place():
    sequence, memory = inputs()
    layer = ka.AttentionRNN(layers.GRUCell(4, dropout=0.5), attention())
    keep = np.array([[True, False, True]] * ROWS)
    _, weights = layer(
        sequence,
        memory=memory,
        sequence_mask=keep,
        return_attention_scores=True,
        training=True,
    )
    weights = array(weights)
    assert np.all(weights[:, 1] == 0)
    assert share_that_moves(weights[:, ::2]) > 0.25


class NoisyAttention(ka.ScoreAttention):
    """Remembers nothing and adds noise to its weights."""

    def draw_noise(self, memory, length):
        return keras.random.normal((memory.value.shape[0], length, 2))

    def score(self, query, key):
        return ops.matmul(query, ops.swapaxes(key, 1, 2))

    def attend(self, query, memory, state=(), **masks):
        context, weights, state = super().attend(query, memory, state, **masks)
        if memory.noise is not None:
            assert memory.noise.shape[1] == query.shape[1]
            weights = weights + memory.noise[..., :1]
        return context, weights, state


@pytest.mark.parametrize("order", ["previous", "current"])
@pytest.mark.parametrize("sequences", [True, False])
def test_an_attention_of_ones_own_gets_the_noise_that_it_draws(order, sequences):
    sequence, memory = inputs()
    layer = make(order, NoisyAttention(), return_sequences=sequences)
    call = {"memory": memory[..., :4], "return_attention_scores": True}
    _, calm = layer(sequence, **call)
    output, noisy = layer(sequence, training=True, **call)
    noise = array(noisy) - array(calm)
    assert abs(noise.std() - 1) < 0.1
    assert np.abs(np.diff(noise[..., 0], axis=1)).max() > 0.1
    assert array(output).shape[0] == ROWS
    layer(sequence, memory=memory[..., :4], training=True)


@pytest.mark.parametrize(("order", "jit"), [("previous", True), ("current", JIT)])
def test_a_model_with_noise_trains_compiled(order, jit):
    sequence, memory = inputs()
    ins = keras.Input((T, D)), keras.Input((S, D))
    layer = make(order, attention(ka.BahdanauAttention(3), mode="recursive"))
    model = keras.Model(ins, layer(*ins))
    model.compile("sgd", "mse", jit_compile=jit)
    target = np.zeros((ROWS, T, 4 + D), "float32")
    before = layer.attention.get_weights()
    history = model.fit([sequence, memory], target, epochs=2, verbose=0).history
    assert np.isfinite(history["loss"]).all()
    for weight, old in zip(layer.attention.get_weights(), before, strict=True):
        assert np.isfinite(weight).all() and np.abs(weight - old).max() > 0


@pytest.mark.skipif(not ON_TENSORFLOW, reason="JAX compiles known lengths alone")
def test_noise_is_drawn_for_lengths_unknown_until_it_runs():
    import tensorflow as tf

    sequence, memory = inputs()
    layer = make()
    layer(sequence, memory=memory)
    unknown = tf.TensorSpec([None, None, D], "float32")

    @tf.function(input_signature=[unknown, unknown], autograph=False)
    def run(sequence, memory):
        return layer(
            sequence, memory=memory, return_attention_scores=True, training=True
        )

    assert 0.25 < share_that_moves(run(sequence, memory)[1]) < 0.75
