"""The padding mask that `AttentionRNN` passes on."""

import keras
import numpy as np
import pytest
from helpers import DV, JIT, B, S, array, assert_close
from keras import layers, ops

import keras_attention as ka

TOKENS = np.array([[3, 4, 0, 0], [5, 6, 7, 2]])
WORDS, UNITS = 11, 5


class Probe(layers.Layer):
    """Keeps the mask that its input carries."""

    supports_masking = True

    def call(self, inputs, mask=None):
        self.mask = mask
        return inputs


def decoder(**arguments):
    return ka.AttentionRNN(layers.GRUCell(UNITS), ka.BahdanauAttention(3), **arguments)


def memory():
    return np.random.default_rng(5).normal(size=(B, S, DV)).astype("float32")


def model(layer, several_outputs=False):
    tokens, source = keras.Input((None,)), keras.Input((S, DV))
    embedded = layers.Embedding(WORDS, 7, mask_zero=True)(tokens)
    if several_outputs:
        outputs, *_ = layer(
            embedded, memory=source, return_attention_scores=True, return_state=True
        )
    else:
        outputs = layer(embedded, memory=source)
    return keras.Model([tokens, source], layers.Dense(WORDS)(outputs))


@pytest.mark.parametrize("several_outputs", [False, True])
@pytest.mark.parametrize("order", ["previous", "current"])
def test_padding_does_not_count_in_the_loss_of_a_model(order, several_outputs):
    network = model(decoder(order=order), several_outputs)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile("sgd", loss, jit_compile=JIT)
    data, labels = [TOKENS, memory()], np.array([[4, 1, 0, 0], [6, 7, 2, 1]])
    found = network.evaluate(data, labels, verbose=0)
    logits = array(network(data)).astype("float64")
    scores = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
    each = -np.take_along_axis(scores, labels[..., None], -1)[..., 0]
    np.testing.assert_allclose(found, each[TOKENS != 0].mean(), rtol=1e-4)
    fitted = network.fit(data, labels, verbose=0).history["loss"]
    np.testing.assert_allclose(fitted, found, rtol=1e-4)


def test_the_first_of_several_outputs_alone_has_the_mask():
    embed = layers.Embedding(WORDS, 7, mask_zero=True)
    outputs = decoder()(
        embed(TOKENS), memory=memory(), return_attention_scores=True, return_state=True
    )
    sequence, weights, state = map(seen_mask, outputs)
    np.testing.assert_array_equal(array(sequence), TOKENS != 0)
    assert weights is None and state is None


def test_a_list_of_weights_has_no_mask():
    embed = layers.Embedding(WORDS, 7, mask_zero=True)
    layer = ka.AttentionRNN(
        layers.GRUCell(UNITS), [ka.BahdanauAttention(3), ka.BahdanauAttention(2)]
    )
    outputs, weights = layer(
        embed(TOKENS), memory=memory(), return_attention_scores=True
    )
    np.testing.assert_array_equal(array(seen_mask(outputs)), TOKENS != 0)
    assert [seen_mask(each) for each in weights] == [None, None]


def test_the_last_step_alone_has_no_mask():
    embed = layers.Embedding(WORDS, 7, mask_zero=True)
    layer = decoder(return_sequences=False)
    assert seen_mask(layer(embed(TOKENS), memory=memory())) is None


def seen_mask(tensor):
    probe = Probe()
    probe(tensor)
    return probe.mask


@pytest.mark.parametrize("order", ["previous", "current"])
def test_a_mask_of_one_row_is_for_the_whole_batch(order):
    layer, sequence = decoder(order=order), np.ones((B, 3, 7), "float32")
    row = np.array([[True, True, False]])
    found = layer(sequence, memory=memory(), sequence_mask=row)
    expected = layer(sequence, memory=memory(), sequence_mask=np.repeat(row, B, axis=0))
    assert_close(found, expected)
    assert np.all(array(found)[:, 2] == 0)


@pytest.mark.parametrize("order", ["previous", "current", "conditional"])
@pytest.mark.parametrize("activation", ["tanh", "sigmoid"])
def test_a_sequence_without_real_steps_gives_zeros(order, activation):
    # sigmoid(0) is not 0
    options = {"attentional_units": 3, "attentional_activation": activation}
    sequence = np.ones((B, 3, 7), "float32")
    keep = np.array([[False] * 3, [True, True, False]])
    for several in (False, True):
        layer = decoder(order=order, return_sequences=several, **options)
        found = array(layer(sequence, memory=memory(), sequence_mask=keep))
        assert np.all(found[0] == 0)
        assert np.all(found[1] != 0) if not several else np.all(found[1, 2] == 0)


def test_the_last_step_alone_attends_once_and_gives_the_same():
    seen = []

    class Counted(ka.BahdanauAttention):
        def attend(self, query, *args, **kwargs):
            seen.append(query.shape[1])
            return super().attend(query, *args, **kwargs)

    layer = ka.AttentionRNN(layers.GRUCell(UNITS), Counted(3), order="current")
    sequence = np.random.default_rng(3).normal(size=(B, 3, 7)).astype("float32")
    keep = np.array([[True, True, False], [True] * 3])
    every, weights = layer(
        sequence, memory=memory(), sequence_mask=keep, return_attention_scores=True
    )
    layer.return_sequences = False
    seen.clear()
    last = layer(sequence, memory=memory(), sequence_mask=keep)
    assert seen == [1]
    assert_close(last, ops.stack([every[0, 1], every[1, 2]]))
    again, all_weights = layer(
        sequence, memory=memory(), sequence_mask=keep, return_attention_scores=True
    )
    assert_close(again, last)
    assert_close(all_weights, weights)
