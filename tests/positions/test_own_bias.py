"""A position bias of one's own: the same numbers in chunks, cached and whole."""

import keras
import numpy as np
import pytest
from helpers import DQ, B, S, array, assert_close, gradients
from keras import ops

from keras_attention import (
    AlibiBias,
    MultiHeadAttention,
    attention_coverage,
    attention_entropy,
)
from keras_attention.positions import PositionBias

H, D = 3, 5


class Waves(PositionBias):
    """A bias with a weight for each head, told by the sine of the distance."""

    def build(self, scores_shape):
        super().build(scores_shape)
        self.rates = self.add_weight(name="rates", shape=(self.num_heads,))

    def bias(self, relative):
        rates = ops.cast(self.rates, "float32")[:, None, None]
        return ops.sin(rates * ops.cast(relative, "float32")[..., None, :, :])


class SteepAlibi(AlibiBias):
    """Alibi with a bias of its own: four times as steep, and later keys cost more."""

    def bias(self, relative):
        later = ops.cast(relative > 0, "float32")[..., None, :, :]
        return 4 * super().bias(relative) - later


def twins(position, chunk_size):
    """A layer with chunks and one without, of the same weights."""
    made = []
    for size in (chunk_size, None):
        layer = MultiHeadAttention(H, D, position=position(H), chunk_size=size)
        layer.build((B, S, DQ), (B, S, DQ))
        made.append(layer)
    chunked, whole = made
    rng = np.random.default_rng(5)
    whole.set_weights(
        [rng.normal(scale=0.5, size=w.shape) for w in whole.get_weights()]
    )
    chunked.set_weights(whole.get_weights())
    return chunked, whole


def sequence():
    return np.random.default_rng(2).normal(size=(B, S, DQ)).astype("float32")


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("chunk_size", [1, 2, S, 64])
@pytest.mark.parametrize("position", [Waves, SteepAlibi])
def test_chunks_give_the_numbers_of_the_whole(position, chunk_size, causal):
    chunked, whole = twins(position, chunk_size)
    x = sequence()
    found = chunked(x, x, use_causal_mask=causal)
    assert_close(found, whole(x, x, use_causal_mask=causal))
    plain = MultiHeadAttention(H, D)
    plain.build((B, S, DQ), (B, S, DQ))
    plain.set_weights(whole.get_weights()[:8])
    assert np.abs(array(found) - array(plain(x, x, use_causal_mask=causal))).max() > 0.1


@pytest.mark.skipif(
    keras.backend.backend() not in ("tensorflow", "jax"), reason="has no gradients"
)
@pytest.mark.parametrize("position", [Waves, SteepAlibi])
def test_chunks_give_the_gradients_of_the_whole(position):
    x = sequence()
    found, expected = (
        keras.tree.flatten(gradients(layer, {"query": x, "value": x}))
        for layer in twins(position, 2)
    )
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(array(one), array(other), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("position", [Waves, SteepAlibi])
def test_statistics_are_those_of_the_weights(position):
    chunked, whole = twins(position, 2)
    x = sequence()
    found = chunked.statistics(x, x)
    _, weights = whole(x, x, return_attention_scores=True)
    assert_close(found.entropy, attention_entropy(array(weights)).astype("float32"))
    assert_close(found.coverage, attention_coverage(array(weights)).astype("float32"))
    assert (array(found.argmax) == array(weights).argmax(-1)).all()


def test_it_goes_step_by_step_from_a_cache():
    chunked, whole = twins(Waves, 2)
    x = sequence()
    expected = array(whole(x, x, use_causal_mask=True))
    cache = chunked.empty_cache(B, S)
    for t in range(S):
        output, cache = chunked(x[:, t : t + 1], x[:, t : t + 1], cache=cache)
        assert_close(array(output)[:, 0], expected[:, t])


def test_a_subclass_owes_its_bias():
    layer = PositionBias(H)
    with pytest.raises(TypeError, match=r"`bias\(relative\)` must be written"):
        layer(np.zeros((B, H, S, S), "float32"))
