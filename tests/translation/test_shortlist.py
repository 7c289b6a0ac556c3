"""Shortlists of target pieces: learnt, chosen, kept, and searched."""

import shutil
import zipfile

import keras
import numpy as np
import pytest

from nmt.config import Config
from nmt.errors import UserError
from nmt.model import Ensemble, TranslationModel
from nmt.text import END_ID, START_ID, Vocabulary
from nmt.translation.shortlist import FREQUENT, SHORTLIST_FILE, Shortlist, _links
from nmt.translation.translator import Translator

WORDS = ["dog", "cat", "runs", "sleeps", "the", "a", "red", "big", "house", "in"]
RANDOM = np.random.default_rng(6)
TEXTS = [" ".join(RANDOM.choice(WORDS, RANDOM.integers(1, 9))) for _ in range(7)]
CONFIG = Config().replace(
    vocabulary_size=60, embedding_size=8, units=12, attention_units=8, dropout=0.1
)
SIZE = 200


def pairs():
    """Sentences in which piece i is translated by 100 + i, and each begins by 99."""
    random = np.random.default_rng(1)
    sources = [
        random.integers(4, 50, random.integers(2, 7)).tolist() for _ in range(300)
    ]
    return sources, [[99, *[100 + i for i in reversed(each)]] for each in sources]


def make_translator(models=1):
    keras.utils.set_random_seed(11)
    vocabulary = Vocabulary.train([*TEXTS, *WORDS], 60)
    made = [TranslationModel(CONFIG.model, len(vocabulary)) for _ in range(models)]
    for model in made:
        model.set_weights([3 * weight for weight in model.get_weights()])
    model = made[0] if models == 1 else Ensemble(made)
    translator = Translator(model, vocabulary, CONFIG)
    ids = vocabulary.ids(TEXTS)
    translator.shortlist = Shortlist.learn(ids, ids[::-1], len(vocabulary))
    return translator


@pytest.fixture(scope="module")
def translator():
    return make_translator()


def test_it_learns_what_translates_what():
    shortlist = Shortlist.learn(*pairs(), SIZE)
    for piece in range(4, 50):
        assert shortlist.best[piece, 0] == 100 + piece
        assert shortlist.chances[piece, 0] > 0.8
    assert shortlist.best[START_ID, 0] == 99
    np.testing.assert_allclose(shortlist.chances[4:50].sum(axis=1), 1, atol=1e-3)


def test_it_chooses_what_the_sources_need():
    shortlist = Shortlist.learn(*pairs(), SIZE)
    chosen = shortlist.choose(np.array([[7, 9, 0], [11, 7, 12]]), 20, also=[55])
    assert chosen.dtype == np.int32 and len(chosen) == 20
    assert (np.diff(chosen) > 0).all()
    assert {0, 1, 2, END_ID, 55, 99, 107, 109, 111, 112} <= set(chosen.tolist())
    frequent = np.argsort(-shortlist.counts, kind="stable")[: int(FREQUENT * 20)]
    assert set(frequent.tolist()) <= set(chosen.tolist())


def test_what_is_needed_is_there_whatever_the_size():
    shortlist = Shortlist.learn(*pairs(), SIZE)
    also = range(20, 40)
    assert set(also) < set(shortlist.choose(np.array([[7]]), 5, also).tolist())
    everything = shortlist.choose(np.array([[7]]), 10 * SIZE)
    np.testing.assert_array_equal(everything, np.arange(SIZE))


@pytest.mark.parametrize("models", [1, 2])
@pytest.mark.parametrize(
    "search",
    [
        {"beam_size": 1},
        {"beam_size": 4, "n_best": 3},
        {"beam_size": 3, "prefix": "the red", "min_length": 6},
        {"sample": True, "seed": 3},
    ],
    ids=["greedy", "beam", "prefix", "sample"],
)
def test_a_shortlist_of_all_pieces_is_the_plain_search(models, search):
    translator = make_translator(models)
    plain = translator(TEXTS, **search)
    short = translator(TEXTS, shortlist=1000, **search)
    for one, other in zip(plain, short, strict=True):
        both = (one, other) if isinstance(one, list) else ([one], [other])
        for mine, theirs in zip(*both, strict=True):
            assert mine.text == theirs.text
            assert mine.target_tokens == theirs.target_tokens
            assert mine.score == pytest.approx(theirs.score, abs=1e-5)
            np.testing.assert_allclose(mine.weights, theirs.weights, atol=1e-6)


def test_translations_are_made_of_the_pieces_of_the_shortlist(translator):
    source = translator.vocabulary.ids(TEXTS[:2])
    width = max(map(len, source)) + 1
    padded = [[*ids, END_ID, *[0] * (width - 1 - len(ids))] for ids in source]
    allowed = translator.shortlist.choose(np.array(padded), 12)
    found = translator(TEXTS[:2], beam_size=3, shortlist=12)
    names = set(translator.vocabulary.pieces(allowed))
    for each in found:
        assert len(each.target_tokens) > 1
        assert set(each.target_tokens) <= names
    plain = translator(TEXTS[:2], beam_size=3)
    assert any(not set(each.target_tokens) <= names for each in plain)


def test_a_table_is_needed():
    translator = make_translator()
    translator.shortlist = None
    with pytest.raises(ValueError, match="`shortlist` must be 0 without a table"):
        translator("the dog", shortlist=100)


@pytest.fixture
def kept(translator, tmp_path):
    translator.shortlist.save(tmp_path, translator.vocabulary)
    return tmp_path


def test_it_is_kept_beside_the_model(translator, kept):
    found = Shortlist.load(kept, translator.vocabulary)
    for name, value in vars(translator.shortlist).items():
        np.testing.assert_array_equal(getattr(found, name), value)
    assert Shortlist.load(kept / "..", translator.vocabulary) is None
    other = Vocabulary.train([*TEXTS, *WORDS, "zebra"], 60)
    assert Shortlist.load(kept, other) is None


def test_a_broken_file_is_refused(translator, kept):
    path = kept / SHORTLIST_FILE
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(UserError, match="damaged or of another model"):
        Shortlist.load(kept, translator.vocabulary)
    (kept / "checksums.json").unlink()
    with pytest.raises(UserError, match="no shortlist, or is broken"):
        Shortlist.load(kept, translator.vocabulary)


def test_a_broken_file_that_is_compressed_in_another_way_is_refused(translator, kept):
    path = kept / SHORTLIST_FILE
    (kept / "checksums.json").unlink()
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_LZMA) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    sound = path.read_bytes()
    for place in range(60, 140):
        path.write_bytes(sound[:place] + bytes([255] * 8) + sound[place + 8 :])
        with pytest.raises(UserError, match="no shortlist, or is broken"):
            Shortlist.load(kept, translator.vocabulary)


def test_a_forged_file_is_refused(translator, kept):
    table = translator.shortlist
    for forged in (
        Shortlist(table.counts, table.best + 10_000, table.chances),
        Shortlist(table.counts[:-1], table.best, table.chances),
        Shortlist(table.counts, table.best, table.chances * np.nan),
        Shortlist(table.counts.astype(object), table.best, table.chances),
        Shortlist(table.counts, table.best.astype(float), table.chances),
        Shortlist(table.counts, table.best, table.chances.astype(complex)),
        Shortlist(table.counts > 0, table.best, table.chances),
        Shortlist(table.counts, table.best[0, 0], table.chances),
        Shortlist(np.zeros(10**6, int), table.best, table.chances),
    ):
        shutil.rmtree(kept)
        kept.mkdir()
        forged.save(kept, translator.vocabulary)
        with pytest.raises(UserError, match="no shortlist, or is broken"):
            Shortlist.load(kept, translator.vocabulary)


def test_a_file_with_any_damaged_byte_is_read_or_refused(translator, kept):
    path = kept / SHORTLIST_FILE
    (kept / "checksums.json").unlink()
    sound, refused = path.read_bytes(), 0
    for place in [*range(400), *range(len(sound) - 500, len(sound))]:
        for bits in (1, 255):
            damaged = bytearray(sound)
            damaged[place] ^= bits
            path.write_bytes(damaged)
            try:
                Shortlist.load(kept, translator.vocabulary)
            except UserError as error:
                refused += 1
                assert "no shortlist, or is broken" in str(error)
    assert refused > 500


def test_of_a_large_text_pairs_of_all_parts_are_learnt_from(monkeypatch):
    sources, targets = pairs()
    order = sorted(range(len(sources)), key=lambda i: min(sources[i]))
    sources, targets = ([side[i] for i in order] for side in (sources, targets))
    every = sum((len(s) + 1) * len(t) for s, t in zip(sources, targets, strict=True))
    monkeypatch.setattr("nmt.translation.shortlist.MOST_LINKS", every // 3)
    shortlist = Shortlist.learn(sources, targets, SIZE)
    learnt = [piece for piece in range(4, 50) if shortlist.chances[piece].any()]
    assert len(learnt) == 46
    assert every // 5 < len(_links(sources, targets, SIZE)[0]) < every // 2
