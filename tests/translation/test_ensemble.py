"""Several models that translate together."""

import keras
import numpy as np
import pytest

from nmt.app.cli import main
from nmt.config import Config
from nmt.errors import UserError
from nmt.model import Ensemble, TranslationModel
from nmt.text import START_ID, Vocabulary, make_batch
from nmt.translation.compiled import compile_search
from nmt.translation.translator import Translator

WORDS = ["dog", "cat", "runs", "sleeps", "the", "a", "red", "big", "house", "in"]
TEXTS = ["the red dog runs", "a cat", "big big house in the house", "sleeps"]
CONFIG = Config().replace(
    vocabulary_size=60, embedding_size=8, units=12, attention_units=8, num_heads=2
)


def make_model(seed, **options):
    keras.utils.set_random_seed(seed)
    model = TranslationModel(CONFIG.replace(**options).model, 60)
    model.set_weights([3 * weight for weight in model.get_weights()])
    return model


@pytest.fixture(scope="module")
def vocabulary():
    return Vocabulary.train([*TEXTS, *WORDS], 60)


@pytest.fixture(scope="module")
def models():
    return [
        make_model(1),
        make_model(2, attention="location", cell="lstm", units=10),
        make_model(3, attention="multi-head", order="current"),
    ]


@pytest.fixture(scope="module")
def ensemble(models, vocabulary):
    return Translator(Ensemble(models), vocabulary, CONFIG)


def save(model, vocabulary, folder, **options):
    folder.mkdir()
    config = CONFIG.replace(**options)
    config.save(folder / "config.json")
    (folder / "vocabulary.model").write_bytes(vocabulary.model)
    model.save_weights(folder / "model.weights.h5")
    return str(folder)


def test_a_model_with_itself_translates_as_it_does_alone(models, vocabulary):
    for model in models:
        alone = Translator(model, vocabulary, CONFIG)(TEXTS, beam_size=3)
        pair = Translator(Ensemble([model, model]), vocabulary, CONFIG)
        for one, other in zip(pair(TEXTS, beam_size=3), alone, strict=True):
            assert one.text == other.text
            assert one.score == pytest.approx(other.score, abs=1e-4)
            np.testing.assert_allclose(one.weights, other.weights, atol=1e-5)


def test_predictions_are_means(ensemble, models):
    random = np.random.default_rng(1)
    source, target = random.integers(4, 60, (2, 2, 5)).astype(np.int32)
    log_probabilities, weights = ensemble.model.predict_targets(source, target)
    each = [model.predict_targets(source, target) for model in models]
    mean = np.mean([np.asarray(one) for one, _ in each], axis=0)
    mean -= np.log(np.exp(mean).sum(axis=-1, keepdims=True))
    np.testing.assert_allclose(log_probabilities, mean, atol=1e-5)
    mean = np.mean([np.asarray(one) for _, one in each], axis=0)
    np.testing.assert_allclose(weights, mean, atol=1e-6)
    np.testing.assert_allclose(np.asarray(weights).sum(axis=-1), 1, atol=1e-5)


@pytest.mark.parametrize("lasting", [False, True])
@pytest.mark.parametrize("beam_size", [1, 4])
def test_what_a_search_finds_has_the_score_of_its_pieces(ensemble, beam_size, lasting):
    source = make_batch(ensemble.vocabulary.ids(TEXTS), []).source
    output = ensemble.model.output(lasting)
    search = compile_search(
        ensemble.model, "beam", {"beam_size": beam_size}, output=output
    )
    limits = np.full(len(TEXTS), 6, np.int32)
    empty = np.zeros((len(TEXTS), 0), np.int32)
    tokens, lengths, scores, weights = map(np.asarray, search(source, limits, 0, empty))
    before = np.insert(tokens[:, 0, :-1], 0, START_ID, axis=1)
    forced, looked = map(np.asarray, ensemble.model.predict_targets(source, before))
    for row, length in enumerate(lengths[:, 0]):
        steps = np.arange(length)
        own = forced[row, steps, tokens[row, 0, :length]].sum()
        assert scores[row, 0] == pytest.approx(own, abs=1e-3)
        np.testing.assert_allclose(
            weights[row, 0, :length], looked[row, :length], atol=1e-4
        )


def test_a_batch_gives_each_sentence_what_it_gets_alone(ensemble):
    for text, one in zip(TEXTS, ensemble(TEXTS, beam_size=3), strict=True):
        alone = ensemble(text, beam_size=3)
        assert alone.text == one.text
        assert alone.score == pytest.approx(one.score, abs=1e-4)


def test_the_command_takes_several_models(models, vocabulary, tmp_path, capsys):
    folders = [
        save(models[0], vocabulary, tmp_path / "a"),
        save(make_model(4), vocabulary, tmp_path / "b"),
    ]
    wanted = Translator.load(*folders)(TEXTS, beam_size=2)
    flags = [word for folder in folders for word in ("--model", folder)]
    assert main(["translate", *flags, "--beam", "2", *TEXTS]) == 0
    out = capsys.readouterr().out.splitlines()
    assert out == [one.text for one in wanted]
    alone = Translator.load(folders[0])(TEXTS, beam_size=2)
    assert [one.score for one in alone] != [one.score for one in wanted]


def test_models_that_do_not_go_together_are_refused(models, vocabulary, tmp_path):
    first = save(models[0], vocabulary, tmp_path / "first")
    other = Vocabulary.train([*TEXTS, "other words 0 1 2 3", *WORDS], 60)
    second = save(models[0], other, tmp_path / "second")
    third = save(models[0], vocabulary, tmp_path / "third", source="es", target="en")
    with pytest.raises(UserError, match="second and .*first differ in vocabulary: "):
        Translator.load(first, second)
    with pytest.raises(UserError, match="third and .* differ in source, target: "):
        Translator.load(first, third)
