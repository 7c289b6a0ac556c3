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
    bias = np.array(model.output_bias)
    bias[END_ID] += 4.5  # so that sentences end at different steps
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
    rows = len(source) * beams
    memory, mask, states = model.encode(np.repeat(source, beams, axis=0))
    memory = model.decoder.prepare(memory, mask)
    states = model.decoder.initial_states(memory, states)
    compiled = tf.function(model.step, autograph=False)
    shape = (len(source), beams)
    scores = np.where(np.arange(beams) > 0, -1e9, 0.0) + np.zeros(shape)
    ended = np.zeros(shape, bool) | (np.arange(beams) > 0)
    lengths = np.zeros(shape, int)
    tokens = np.full((*shape, limits.max()), PAD_ID)
    weights = np.zeros((*shape, limits.max(), source.shape[1]))
    token = np.full(rows, START_ID, np.int32)
    for position in range(limits.max()):
        states, logits, looked = compiled(tf.constant(token), memory, states)
        gains = tf.nn.log_softmax(tf.cast(logits, tf.float64)).numpy()
        gains = gains.reshape(*shape, VOCABULARY)
        gains[..., NEVER] = -1e30
        last = position + 1 >= limits
        gains[last[:, None] & (np.arange(VOCABULARY) != END_ID)[None]
              .repeat(len(limits), 0)] = -1e30 if False else gains[
            last[:, None] & (np.arange(VOCABULARY) != END_ID)[None]
            .repeat(len(limits), 0)]
        break
    return tokens, lengths, scores, weights
