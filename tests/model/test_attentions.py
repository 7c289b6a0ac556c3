import keras
import numpy as np
import pytest

import keras_attention as ka
import nmt
from nmt import config
from nmt.config import ATTENTIONS, POSITIONS, Config, ModelConfig
from nmt.errors import UserError
from nmt.model import attentions
from nmt.model.attentions import make_attention, make_positions, register_attention
from nmt.model.translation_model import TranslationModel
from nmt.translation.translator import Translator
from tests.model.test_translation_model import (
    PAIRS,
    SIZES,
    batch,
    check_that_it_memorises,
    vocabulary,
)
from tests.translation.test_translator import batch_of

__all__ = ["batch", "vocabulary"]  # the fixtures of the models

# What the covering selection of test_model.py does not have.
FURTHER = [
    name
    for name in ATTENTIONS
    if name not in ("bahdanau", "luong", "multi-head", "none")
]
# Monotonic attention cannot go back: "house red" to "red house" is out of its reach
# but for what the encoder carries over, so its place is the slow selection.
ORDINARY = [{"attention": name} for name in ("location", "luong-local-p")] + [
    {"encoder": "self-attention", "position": "rotary"}
]
SLOW = [{"attention": name} for name in FURTHER] + [
    {"encoder": "self-attention", "position": name} for name in POSITIONS
]


class Distance(ka.ScoreAttention):
    def project_key(self, key):
        return key[:, :, : SIZES["units"]]

    def score(self, query, key):
        return -keras.ops.sum((query[:, :, None] - key[:, None]) ** 2, axis=-1)


@pytest.fixture
def distance(monkeypatch):
    """Registers an attention of our own for one test."""
    monkeypatch.setattr(attentions, "_MAKERS", dict(attentions._MAKERS))
    before = list(ATTENTIONS)
    register_attention("distance", lambda config: Distance(name="attention"))
    yield "distance"
    config.ATTENTIONS[:] = before


@pytest.mark.parametrize("name", ATTENTIONS)
def test_every_name_makes_a_layer_that_asks_and_adds_up(name, vocabulary, batch):
    model = TranslationModel(ModelConfig(**SIZES, attention=name), len(vocabulary))
    _, weights = model(batch.source[:3], batch.target_in[:3])
    weights = keras.ops.convert_to_numpy(weights)
    padding = np.broadcast_to(batch.source[:3, None] == 0, weights.shape)
    assert (weights[padding] == 0).all()
    assert (weights.sum(-1) <= 1 + 1e-5).all()


@pytest.mark.parametrize("choice", ORDINARY, ids=lambda c: "-".join(c.values()))
def test_further_kinds_memorise_32_pairs(choice, vocabulary, batch):
    check_that_it_memorises(choice, vocabulary, batch)


@pytest.mark.slow
@pytest.mark.parametrize("choice", SLOW, ids=lambda c: "-".join(c.values()))
def test_all_further_kinds_memorise_32_pairs(choice, vocabulary, batch):
    check_that_it_memorises(choice, vocabulary, batch)


def test_an_attention_of_ones_own_can_be_chosen_by_name(distance, vocabulary, batch):
    check_that_it_memorises({"attention": distance}, vocabulary, batch)


def test_a_name_is_taken_once():
    with pytest.raises(ValueError, match="`name` must be none of bahdanau"):
        register_attention("luong", lambda config: None)


def test_one_of_ones_own_is_registered_at_its_first_place_too():
    from nmt.attentions import register_attention as first

    assert first is nmt.register_attention is register_attention


def test_an_unknown_name_is_refused_with_those_that_there_are():
    with pytest.raises(UserError, match="must be one of bahdanau, .*; got 'distance'"):
        Config().replace(attention="distance")


def test_rotary_positions_need_heads_of_an_even_size():
    with pytest.raises(UserError, match="must be even .* got 20 / 4 = 5"):
        Config().replace(
            encoder="self-attention", position="rotary", embedding_size=20, num_heads=4
        )
    Config().replace(position="rotary", embedding_size=20, num_heads=4)  # not used


@pytest.mark.parametrize("name", ATTENTIONS)
def test_step_by_step_gives_the_scores_of_the_whole(name, vocabulary):
    keras.utils.set_random_seed(5)
    config = Config(model=ModelConfig(**SIZES, attention=name))
    model = TranslationModel(config.model, len(vocabulary))
    translator = Translator(model, vocabulary, config)
    sources = [source for source, _ in PAIRS[:3]]
    found = translator(sources, beam_size=2, max_length=6)
    for one in found:
        source, target_in, (target_out,) = batch_of(translator, one)
        hidden, weights = model(source, target_in)
        log_probabilities = np.asarray(model.log_probabilities(hidden))[0]
        score = sum(log_probabilities[range(len(target_out)), target_out])
        assert one.score == pytest.approx(score, abs=1e-4)
        np.testing.assert_allclose(one.weights, weights[0], rtol=1e-3, atol=1e-5)


def test_layers_and_positions_are_those_of_the_names():
    assert isinstance(
        make_attention(ModelConfig(attention="coverage")), ka.CoverageAttention
    )
    layer, position = make_positions(ModelConfig(position="learned"))
    assert isinstance(layer, ka.PositionEmbedding) and position is None
    assert make_positions(ModelConfig(position="alibi")) == (None, "alibi")
