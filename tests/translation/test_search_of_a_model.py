"""The compiled search against a plain one, on a thousand sentences."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from nmt.config import ModelConfig
from nmt.model import TranslationModel
from nmt.text import END_ID, PAD_ID, START_ID, UNKNOWN_ID
from nmt.translation.compiled import compile_search

VOCABULARY, SENTENCES, LENGTH = 600, 1000, 9
NEVER = [PAD_ID, START_ID, UNKNOWN_ID]


def make_model(attention):
    keras.utils.set_random_seed(5)
    config = ModelConfig(
        attention=attention, embedding_size=8, units=8, attention_units=8, num_heads=2
    )
    model = TranslationModel(config, VOCABULARY)
    random = np.random.default_rng(5)
    for weight in model.trainable_variables:
        weight.assign(weight + random.normal(size=weight.shape, scale=0.5))
    bias = keras.ops.convert_to_numpy(model.output_bias).copy()
    bias[END_ID] += 2.5  # so that sentences end at different steps
    model.output_bias.assign(bias)
    return model


def make_source():
    random = np.random.default_rng(6)
    source = np.full((SENTENCES, LENGTH), PAD_ID, np.int32)
    for row, size in zip(source, random.integers(2, LENGTH, SENTENCES), strict=True):
        row[:size] = random.integers(4, VOCABULARY, size)
        row[size] = END_ID
    return source


def plain_search(model, source, limits, beams):
    """Keep all hypotheses whole, reorder all of them at every step, sort everything."""
    count = len(source)
    memory, _, states = model.start(np.repeat(source, beams, axis=0))
    compiled = tf.function(model.step, autograph=False)
    ended = np.zeros((count, beams), bool) | (np.arange(beams) > 0)
    scores = np.where(ended, -1e9, 0.0)
    lengths = np.zeros((count, beams), int)
    tokens = np.full((count, beams, limits.max()), PAD_ID)
    weights = np.zeros((*tokens.shape, source.shape[1]))
    token = np.full(count * beams, START_ID, np.int32)
    others = np.arange(VOCABULARY) != END_ID
    for position in range(limits.max()):
        states, logits, looked = compiled(tf.constant(token), memory, states)
        gains = tf.nn.log_softmax(tf.cast(logits, tf.float64)).numpy()
        gains = gains.reshape(count, beams, VOCABULARY)
        gains[..., NEVER] = -1e30
        gains += np.where((position + 1 >= limits)[:, None, None] & others, -1e30, 0)
        gains[ended] = np.where(np.arange(VOCABULARY) == PAD_ID, 0, -1e30)
        new_lengths = np.where(ended, lengths, position + 1)
        term = (5 + np.maximum(new_lengths, 1)) / 6
        total = scores[..., None] + gains
        ranks = (total / term[..., None]).reshape(count, -1)
        best = np.argsort(-ranks, axis=1, kind="stable")[:, :beams]
        parents, chosen = best // VOCABULARY, best % VOCABULARY
        rows = np.arange(count)[:, None]
        looked = np.asarray(looked).reshape(count, beams, -1)
        weights[:, :, position] = np.where(ended[..., None], 0, looked)
        tokens, weights = tokens[rows, parents], weights[rows, parents]
        tokens[:, :, position] = chosen
        scores = total.reshape(count, -1)[rows, best]
        lengths, ended = new_lengths[rows, parents], ended[rows, parents]
        ended |= chosen == END_ID
        flat = (rows * beams + parents).ravel()
        states = [tf.gather(each, flat) for each in states]
        token = chosen.ravel().astype(np.int32)
    ranks = scores / ((5 + np.maximum(lengths, 1)) / 6)
    first = np.arange(count), ranks.argmax(axis=1)
    return tokens[first], lengths[first], scores[first], weights[first]


@pytest.mark.parametrize("beams", [1, 5])
@pytest.mark.parametrize(
    ("attention", "lasting"),
    [("bahdanau", True), ("bahdanau", False), ("location", True), ("multi-head", True)],
)
def test_a_thousand_sentences_get_what_a_plain_search_gives(attention, lasting, beams):
    model, source = make_model(attention), make_source()
    limits = np.random.default_rng(7).integers(3, 15, SENTENCES).astype(np.int32)
    output = model.output(lasting=True) if lasting else None
    search = compile_search(model, "beam", {"beam_size": beams}, output=output)
    found = []
    for part in np.split(np.arange(SENTENCES), 8):
        empty = tf.zeros((len(part), 0), tf.int32)
        found.append(search(source[part], limits[part], tf.constant(0), empty))
    wanted = plain_search(model, source, limits, beams)
    start = 0
    for tokens, lengths, scores, weights in found:
        part = slice(start, start + len(tokens))
        start += len(tokens)
        longest = tokens.shape[2]
        np.testing.assert_array_equal(tokens[:, 0], wanted[0][part, :longest])
        np.testing.assert_array_equal(lengths[:, 0], wanted[1][part])
        np.testing.assert_allclose(scores[:, 0], wanted[2][part], rtol=1e-5, atol=1e-5)
        np.testing.assert_allclose(
            weights[:, 0], wanted[3][part, :longest], rtol=1e-4, atol=1e-5
        )
    assert start == SENTENCES
    assert len(set(wanted[1].tolist())) > 5  # they end at many steps
