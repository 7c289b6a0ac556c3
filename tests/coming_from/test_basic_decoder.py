"""Coming from TensorFlow Addons: `AttentionWrapper` and `BasicDecoder`, here.

There a cell in an `AttentionWrapper` is run by a `BasicDecoder` with a sampler. Here
one layer is all of it: called on a whole sequence it trains, on one step it decodes.
"""

import keras
import numpy as np
import pytest
from helpers import JIT, array, assert_close
from keras import layers, ops

import keras_attention as ka

VOCABULARY, UNITS, PAD, START = 20, 16, 0, 1


class Translator(keras.Model):
    """A decoder with Luong's attention, an attentional vector and input feeding."""

    def __init__(self):
        super().__init__()
        self.embed = layers.Embedding(VOCABULARY, UNITS)
        self.encoder = layers.LSTM(UNITS, return_sequences=True, return_state=True)
        # tfa.seq2seq.AttentionWrapper(
        #     layers.LSTMCell(UNITS),
        #     tfa.seq2seq.LuongAttention(UNITS, memory, memory_sequence_length=lengths),
        #     attention_layer=layers.Dense(UNITS, "tanh", use_bias=False),
        # )
        self.decoder = ka.AttentionRNN(
            layers.LSTMCell(UNITS),
            ka.LuongAttention(score="general"),
            order="current",
            attentional_units=UNITS,
            input_feeding=True,
        )
        self.output_layer = layers.Dense(VOCABULARY)

    def encode(self, source):
        mask = ka.padding_mask(source, PAD)  # in place of lengths
        memory, *states = self.encoder(self.embed(source), mask=mask)
        return memory, mask, states

    def call(self, inputs):
        # BasicDecoder with a TrainingSampler: the whole target, which begins with START
        source, target = inputs
        memory, mask, states = self.encode(source)
        attentional = self.decoder(
            self.embed(target), memory=memory, memory_mask=mask, initial_state=states
        )
        return self.output_layer(attentional)

    def translate(self, source, max_length):
        # BasicDecoder with a GreedyEmbeddingSampler: one step, and its states handed on
        memory, mask, states = self.encode(source)
        memory = self.decoder.prepare(memory, memory_mask=mask)
        token, tokens, alignments = ops.full_like(source[:, :1], START), [], []
        for _ in range(max_length):
            attentional, weights, *states = self.decoder(
                self.embed(token),
                memory=memory,
                initial_state=states,
                return_attention_scores=True,
                return_state=True,
            )
            token = ops.argmax(self.output_layer(attentional), axis=-1)
            tokens.append(token)
            alignments.append(weights)
        return ops.concatenate(tokens, axis=1), ops.concatenate(alignments, axis=1)


def after_start(tokens):
    """What the decoder reads where it is to say `tokens`."""
    start = np.full((len(tokens), 1), START, "int32")
    return np.concatenate([start, tokens[:, :-1].astype("int32")], axis=1)


@pytest.fixture
def model():
    model = Translator()
    model([np.array([[3, 4]]), np.array([[START, 5, 6]])])
    return model


def test_step_by_step_gives_what_the_whole_gives_on_the_tokens_produced(model):
    source = ops.convert_to_tensor([[3, 4, 5, PAD, PAD], [6, 7, 8, 9, 10]])
    tokens, alignments = model.translate(source, max_length=4)
    target = ops.convert_to_tensor(after_start(array(tokens)))
    logits = model([source, target])
    np.testing.assert_array_equal(array(logits).argmax(-1), array(tokens))
    memory, mask, states = model.encode(source)
    _, weights = model.decoder(
        model.embed(target),
        memory=memory,
        memory_mask=mask,
        initial_state=states,
        return_attention_scores=True,
    )
    assert_close(alignments, weights)
    assert np.all(array(alignments)[0, :, 3:] == 0)


def test_it_learns_to_repeat_what_it_reads(model):
    words = np.random.default_rng(0).integers(2, VOCABULARY, size=(64, 2))
    model.compile(
        keras.optimizers.Adam(0.05),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        jit_compile=JIT,
    )
    data = [words.astype("int32"), after_start(words)]
    model.fit(data, words, epochs=30, batch_size=64, verbose=0)
    tokens, _ = model.translate(ops.convert_to_tensor(data[0]), max_length=2)
    assert np.mean(array(tokens) == words) > 0.9
