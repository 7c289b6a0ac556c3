import dataclasses
import shutil

import keras
import numpy as np
import pytest

from nmt.config import LONGEST, Config
from nmt.errors import UserError
from nmt.model.translation_model import TranslationModel
from nmt.text.batches import make_batch
from nmt.text.vocabulary import END_ID, Vocabulary
from nmt.translation.translation import Translation
from nmt.translation.translator import Translator

WORDS = ["dog", "cat", "runs", "sleeps", "the", "a", "red", "big", "house", "in"]
RANDOM = np.random.default_rng(6)
TEXTS = [" ".join(RANDOM.choice(WORDS, RANDOM.integers(1, 9))) for _ in range(7)]
CONFIG = Config().replace(
    vocabulary_size=60, embedding_size=8, units=12, attention_units=8, dropout=0.1
)


def make(config):
    keras.utils.set_random_seed(11)
    vocabulary = Vocabulary.train([*TEXTS, *WORDS], 60)
    model = TranslationModel(config.model, len(vocabulary))
    # First weights give a flat distribution; larger ones give beams that differ.
    model.set_weights([3 * weight for weight in model.get_weights()])
    return Translator(model, vocabulary, config)


@pytest.fixture(scope="module", params=["previous", "current", "conditional"])
def translator(request):
    return make(CONFIG.replace(order=request.param))


@pytest.fixture(scope="module")
def one_translator():
    return make(CONFIG)


def save(translator, folder):
    folder.mkdir()
    translator.config.save(folder / "config.json")
    (folder / "vocabulary.model").write_bytes(translator.vocabulary.model)
    translator.model.save_weights(folder / "model.weights.h5")


def check_equal(one, other):
    assert one.text == other.text
    assert one.target_tokens == other.target_tokens
    assert one.score == pytest.approx(other.score, abs=1e-4)
    np.testing.assert_allclose(one.weights, other.weights, rtol=1e-3, atol=1e-5)


def test_a_batch_gives_each_sentence_what_it_gets_alone(translator):
    together = translator(TEXTS, beam_size=3)
    for text, one in zip(TEXTS, together, strict=True):
        check_equal(translator(text, beam_size=3), one)
    for one, other in zip(translator(TEXTS, 3, batch_size=2), together, strict=True):
        check_equal(one, other)


def test_any_number_of_threads_gives_the_same(monkeypatch):
    texts = [f"the {animal} eats {n} fish ." for animal in TEXTS for n in range(9)]

    def with_threads(count):
        monkeypatch.setattr("nmt.translation.threads.thread_count", lambda: count)
        translator = make(CONFIG)  # so that several threads compile its search
        found = translator(texts, beam_size=3, batch_size=16)
        drawn = translator(texts, sample=True, seed=4, batch_size=5)
        forced = translator.force(texts, texts[::-1], batch_size=4)
        return [*found, *drawn, *forced]

    for one, other in zip(with_threads(4), with_threads(1), strict=True):
        check_equal(one, other)


def test_batches_shrink_where_sentences_are_long(one_translator, monkeypatch):
    texts = [*TEXTS, "dog " * 60, "cat " * 50, "red " * 40]
    together = one_translator(texts, beam_size=3)
    forced = one_translator.force(texts, texts)
    sizes = []

    monkeypatch.setattr("nmt.translation.threads.thread_count", lambda: 1)
    monkeypatch.setattr("nmt.translation.batching.ROOM", 40_000)
    monkeypatch.setattr("nmt.translation.translator.make_batch", recording(sizes))
    for one, other in zip(one_translator(texts, beam_size=3), together, strict=True):
        check_equal(one, other)
    assert sizes[0] == 1 and max(sizes) > 3 and sum(sizes) == len(texts)
    sizes.clear()
    monkeypatch.setattr("nmt.translation.batching.ROOM", 10_000)
    for one, other in zip(one_translator.force(texts, texts), forced, strict=True):
        check_equal(one, other)
    assert sizes[0] == 1 and max(sizes) > 3 and sum(sizes) == len(texts)


def recording(sizes):
    def make(sources, targets):
        sizes.append(len(sources))
        return make_batch(sources, targets)

    return make


def test_a_result_does_not_hold_its_batch(one_translator):
    short, _ = one_translator(["dog", "cat " * 50], beam_size=2)
    assert short.weights.base is None


def test_a_text_is_cut_to_the_words_that_fit(one_translator):
    text = "dog " * 2000
    shorter = one_translator.shorten(text)
    (pieces,) = one_translator.count_pieces([shorter])
    assert text.startswith(shorter) and shorter.endswith("dog")
    assert LONGEST - 3 < pieces <= LONGEST
    assert one_translator.shorten("the dog ") == "the dog "
    unbroken = one_translator.shorten("dog" * 2000)
    assert "dogdog" in unbroken and one_translator.count_pieces([unbroken]) <= [LONGEST]


def test_a_model_of_published_text_is_given_its_form_and_says_so_once(caplog):
    raw = make(CONFIG)
    config = CONFIG.replace(text="tok", source="en", target="fr")
    tok = Translator(raw.model, raw.vocabulary, config)

    def told():
        return [one.message for one in caplog.records if one.name.startswith("nmt")]

    check_equal(tok("the red dog , a cat", 2), raw("the red dog , a cat", 2))
    assert not told()
    found = tok("The RED dog, a cat", 2)
    assert found.source == "The RED dog, a cat"
    check_equal(found, raw("the red dog , a cat", 2))
    ((forced,), (expected,)) = (
        tok.force(["A Dog."], ["L'eau!"]),
        raw.force(["a dog ."], ["l&apos; eau !"]),
    )
    check_equal(dataclasses.replace(forced, text=expected.text), expected)
    assert tok.count_pieces(["Dog."]) == raw.count_pieces(["dog ."])
    for side, form in (("source", "a &apos;b"), ("target", "a&apos; b")):
        assert tok.count_pieces(["A'b"], side) == raw.count_pieces([form])
        shorter = tok.shorten("A'b " * 1000, side)
        assert shorter.startswith("A'b A'b ")
        fits = raw.shorten(f"{form} " * 1000)
        assert len(shorter.split()) == len(fits.split()) // 2
    (line,) = told()
    assert "small letters, with punctuation set apart" in line


def test_what_is_far_from_what_the_model_knows_is_doubted(one_translator, monkeypatch):
    texts = ["the dog", "the ☃"]
    low = min(one.score_per_word() for one in one_translator(texts, beam_size=2))
    monkeypatch.setattr("nmt.translation.translator.LOW_SCORE", low - 1)
    known, unknown = one_translator(texts, beam_size=2)
    assert (known.doubts, unknown.doubts) == ((), ("unknown characters",))
    monkeypatch.setattr("nmt.translation.translator.LOW_SCORE", 0)
    known, unknown = one_translator(texts, beam_size=2)
    assert known.doubts == ("low score",)
    assert unknown.doubts == ("unknown characters", "low score")
    # What was drawn, or given, says nothing of the source.
    for free in (
        one_translator("the dog", sample=True),
        one_translator("the dog", beam_size=2, prefix="cat"),
        *one_translator.force(["the dog"], ["cat"]),
    ):
        assert free.doubts == ()


def batch_of(translator, result):
    """Make a batch of the very pieces of a translation."""
    names = translator.vocabulary.pieces(range(len(translator.vocabulary)))
    piece_id = {name: number for number, name in enumerate(names)}
    *pieces, end = (piece_id[piece] for piece in result.target_tokens)
    assert end == END_ID
    return make_batch(translator.vocabulary.ids([result.source]), [pieces])


def forced_pieces(translator, result):
    """Force the very pieces of a translation: its text may have a better split."""
    batch = batch_of(translator, result)
    return [part[0] for part in translator._compiled.force(batch)]


def test_a_score_is_that_of_forcing_the_output(translator):
    for beams in translator(TEXTS, beam_size=3, n_best=3):
        for beam in beams:
            log_probabilities, _, weights = forced_pieces(translator, beam)
            assert log_probabilities.sum() == pytest.approx(beam.score, abs=1e-3)
            np.testing.assert_allclose(weights, beam.weights, rtol=1e-3, atol=1e-5)
        assert len({beam.score for beam in beams}) > 1


def test_forcing_a_text_scores_its_best_split(translator):
    result = translator.force([TEXTS[0]], ["the red house"])[0]
    log_probabilities, correct, weights = forced_pieces(translator, result)
    assert result.text == "the red house"
    assert result.score == pytest.approx(log_probabilities.sum(), abs=1e-4)
    np.testing.assert_allclose(result.log_probabilities, log_probabilities, atol=1e-5)
    np.testing.assert_array_equal(result.correct, correct)
    np.testing.assert_allclose(result.weights, weights, rtol=1e-3, atol=1e-5)


def test_pairs_of_unlike_lengths_are_forced_together_as_each_alone(translator):
    targets = ["the red house", "the", "the house is red and the red is the house"]
    sources = [TEXTS[0], TEXTS[1], TEXTS[0]]
    together = translator.force(sources, targets)
    for result, source, target in zip(together, sources, targets, strict=True):
        (alone,) = translator.force([source], [target])
        assert result.target_tokens == alone.target_tokens
        assert result.weights.shape == alone.weights.shape
        for name in ("log_probabilities", "weights"):
            found, expected = getattr(result, name), getattr(alone, name)
            np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-5)


def test_weights_have_a_row_for_each_piece_and_a_column_for_each_source_piece(
    translator,
):
    for result in translator(TEXTS, beam_size=3):
        shape = (len(result.target_tokens), len(result.source_tokens))
        assert result.weights.shape == shape
        assert result.source_tokens[-1] == "</s>"
        np.testing.assert_allclose(result.weights.sum(-1), 1, rtol=1e-5)
        weights, source_words, target_words = result.words()
        assert source_words == [*result.source.split(), "</s>"]
        assert weights.shape == (len(target_words), len(source_words))


def test_the_seed_decides_what_is_drawn(translator):
    draw = {"sample": True, "seed": 3}
    first = [one.text for one in translator(TEXTS, **draw)]
    assert first == [one.text for one in translator(TEXTS, **draw)]
    assert first != [one.text for one in translator(TEXTS, sample=True, seed=4)]
    greedy = [one.text for one in translator(TEXTS, beam_size=1)]
    assert [one.text for one in translator(TEXTS, top_k=1, **draw)] == greedy
    for seed in (-1, 2**40):
        assert len(translator(TEXTS, sample=True, seed=seed)) == len(TEXTS)


def test_a_figure_that_went_into_a_file_is_not_left_open(translator, tmp_path):
    import matplotlib.pyplot as plt

    plt.close("all")
    translator(TEXTS[0]).plot(tmp_path / "map.png")
    assert plt.get_fignums() == []
    translator(TEXTS[0]).plot()
    assert plt.get_fignums() == [1]
    plt.close("all")


def test_lengths_are_kept(translator):
    for result in translator(TEXTS, beam_size=2, min_length=4, max_length=6):
        assert 4 <= len(result.target_tokens) <= 6


def test_a_least_length_lengthens_what_is_allowed(one_translator):
    result = one_translator("dog", beam_size=1, min_length=40)
    assert len(result.target_tokens) == 40


def test_correct_tells_where_the_forced_piece_was_the_first_choice(translator):
    greedy = translator(TEXTS[0], beam_size=1, max_length=5)
    _, correct, _ = forced_pieces(translator, greedy)
    batch = batch_of(translator, greedy)
    hidden, _ = translator.model(batch.source, batch.target_in)
    first = np.asarray(translator.model.log_probabilities(hidden))[0].argmax(-1)
    # A special piece is never written, and the end at the last place was put there.
    free = first[:-1] >= END_ID
    assert free.any()
    np.testing.assert_array_equal(correct[:-1], free)


def test_a_folder_gives_the_same_translations_also_after_it_was_moved(
    translator, tmp_path
):
    save(translator, tmp_path / "model")
    shutil.move(tmp_path / "model", tmp_path / "elsewhere")
    loaded = Translator.load(tmp_path / "elsewhere")
    found, expected = loaded(TEXTS, beam_size=3), translator(TEXTS, beam_size=3)
    for one, other in zip(found, expected, strict=True):
        check_equal(one, other)


def test_align_gives_links_between_the_words(translator):
    links = translator.align("the red dog sleeps", "the big cat")
    assert sorted(target for _, target in links) == [0, 1, 2]
    for source, target in links:
        assert 0 <= source < 4
        assert 0 <= target < 3


def test_links_are_those_of_merged_pieces(translator):
    for pair in zip(TEXTS, reversed(TEXTS), strict=True):
        (forced,) = translator.force(*[[text] for text in pair])
        assert translator.align(*pair) == translator.links(forced) == forced.links()


def test_links_count_words_as_they_were_typed():
    raw = make(CONFIG)
    config = CONFIG.replace(text="tok", source="en", target="en")
    tok = Translator(raw.model, raw.vocabulary, config)
    # Each target word attends to the source word of its own place.
    source = target = "The dog's (red) house — isn't \u00bdbig. \x01 A"
    published = "the dog &apos;s ( red ) house - isn &apos;t ½big . \x01 a".split()
    word_of = [0, 1, 1, 2, 2, 2, 3, 4, 5, 5, 6, 6, 7, 8]
    for translator, words, typed in (
        (tok, published, word_of),
        (raw, source.split(), range(9)),
    ):
        ids = translator.vocabulary.ids(words)
        pieces = [word for word, each in zip(typed, ids, strict=True) for _ in each]
        (forced,) = translator.force([source], [target])
        assert forced.weights.shape == (len(pieces) + 1,) * 2
        weights = np.zeros_like(forced.weights)
        weights[:-1, :-1] = np.equal.outer(pieces, pieces)
        links = translator.links(dataclasses.replace(forced, weights=weights))
        assert links == [(word, word) for word in range(9) if word != 7]
    with pytest.raises(UserError, match="Nothing to translate"):
        raw.align("\x01", "dog")
    assert raw.align("dog", "\x01") == []


def test_the_scores_of_words_sum_to_the_score(one_translator):
    (result,) = one_translator.force([TEXTS[0]], ["the redhouse  in"])
    scores = result.word_scores()
    assert len(scores) == len(result.words()[2]) == 4
    assert sum(scores) == pytest.approx(result.score, abs=1e-4)
    assert scores[-1] == pytest.approx(result.log_probabilities[-1], abs=1e-6)
    assert result.score_per_word() == pytest.approx(result.score / 3)


def test_a_picture_is_written(translator, tmp_path):
    axes = translator(TEXTS[0], beam_size=3).plot(tmp_path / "a.svg")
    assert (tmp_path / "a.svg").read_text().startswith("<?xml")
    assert [label.get_text() for label in axes.get_xticklabels()][-1] == "</s>"


def test_a_page_is_written(translator, tmp_path):
    result = translator(TEXTS[0], beam_size=3)
    result.plot(tmp_path / "a.HTML")
    result.view().save(tmp_path / "b.html")
    page = (tmp_path / "a.HTML").read_text(encoding="utf-8")
    assert page == (tmp_path / "b.html").read_text(encoding="utf-8")
    assert all(word in page for word in result.words()[1][:-1])
    with pytest.raises(UserError, match="must end in .png, .svg, .pdf, .html. Got:"):
        result.plot(tmp_path / "a.gif")


def test_a_notebook_shows_the_text_and_the_view(translator):
    result = dataclasses.replace(translator(TEXTS[0], beam_size=3), text="<b>&")
    shown = result._repr_html_()
    assert shown.startswith('<p dir="auto">&lt;b&gt;&amp;</p>')
    assert result.view()._repr_html_() in shown


@pytest.mark.parametrize("beam_size", [1, 3])
def test_a_translation_begins_as_it_has_to_and_goes_on_freely(translator, beam_size):
    for prefix in ("the red house", "cat"):
        forced = translator(TEXTS, beam_size, prefix=prefix)
        pieces = translator.vocabulary.pieces(translator.vocabulary.ids([prefix])[0])
        for result in forced:
            assert result.target_tokens[: len(pieces)] == pieces
            assert result.text.startswith(prefix)
            np.testing.assert_allclose(result.weights.sum(-1), 1, rtol=1e-5)
        assert any(len(result.target_tokens) > len(pieces) + 1 for result in forced)
        alone = translator(TEXTS[0], beam_size, prefix=prefix)
        check_equal(alone, forced[0])


def test_an_empty_beginning_changes_nothing(translator):
    plain = translator(TEXTS[0], beam_size=3)
    check_equal(translator(TEXTS[0], beam_size=3, prefix=" "), plain)


def test_the_score_counts_the_forced_beginning(translator):
    result = translator(TEXTS[0], prefix="the red house", beam_size=2)
    ids = translator.vocabulary.ids([result.text])[0]
    assert translator.vocabulary.pieces([*ids, END_ID]) == result.target_tokens
    forced = translator.force([result.source], [result.text])[0]
    assert result.score == pytest.approx(forced.score, abs=1e-3)


def test_mistakes_are_told(translator, tmp_path):
    with pytest.raises(UserError, match="cannot begin with 'dog ☃': the model has no"):
        translator("a dog", prefix="dog ☃")
    with pytest.raises(UserError, match=r"Nothing to translate: got '\\u200b'"):
        translator("\u200b")
    with pytest.raises(
        UserError, match="has 3 pieces, which leaves no room for an end"
    ):
        translator("a dog", prefix="the red house", max_length=3)
    for options, message in (
        ({"max_length": 0}, "`max_length` must be an int of at least 1"),
        ({"min_length": -1}, "`min_length` must be an int of at least 0"),
        ({"min_length": 9, "max_length": 5}, "`min_length` must be at most `max_leng"),
        ({"batch_size": 0}, "`batch_size` must be an int of at least 1"),
        ({"shortlist": -5}, "`shortlist` must be an int of at least 0"),
    ):
        with pytest.raises(ValueError, match=message):
            translator("a dog", **options)
    with pytest.raises(UserError, match="Nothing to translate: got ' '"):
        translator(["a dog", " "])
    with pytest.raises(UserError, match="Got 2 sources and 1 targets"):
        translator.force(["a", "b"], ["c"])
    with pytest.raises(ValueError, match="`n_best` must be at most `beam_size`"):
        translator("a dog", beam_size=2, n_best=3)
    with pytest.raises(UserError, match="A line has .* at most 1023 .* 'dog dog"):
        translator(["a dog", "dog " * 2000])
    with pytest.raises(UserError, match="A line has .* pieces"):
        translator.force(["a dog"], ["dog " * 2000])
    with pytest.raises(ValueError, match="`n_best` must be 1 with `sample`"):
        translator("a dog", sample=True, n_best=2)
    with pytest.raises(UserError, match="There is no folder .*nowhere"):
        Translator.load(tmp_path / "nowhere")
    with pytest.raises(UserError, match="it holds no config.json"):
        Translator.load(tmp_path)


def test_a_broken_folder_is_told(translator, tmp_path):
    folder = tmp_path / "model"
    save(translator, folder)
    weights = (folder / "model.weights.h5").read_bytes()
    for content in (b"", b"no weights", weights[: len(weights) // 2]):
        (folder / "model.weights.h5").write_bytes(content)
        with pytest.raises(UserError, match="does not fit its config.json, or is bro"):
            Translator.load(folder)
    CONFIG.replace(units=16).save(folder / "config.json")
    translator.model.save_weights(folder / "model.weights.h5")
    with pytest.raises(UserError, match="does not fit its config.json, or is broken"):
        Translator.load(folder)
    (folder / "model.weights.h5").unlink()
    with pytest.raises(UserError, match="holds no weights yet"):
        Translator.load(folder)


def test_the_links_of_a_translation_are_source_then_target():
    assert _Diagonal().links() == [(0, 0), (1, 1), (1, 2)]


class _Diagonal:
    links = Translation.links

    def words(self):
        weights = np.array([[0.9, 0.1, 0], [0.1, 0.9, 0], [0.2, 0.8, 0], [0, 0, 1.0]])
        return weights, ["x", "y", "</s>"], ["u", "v", "w", "</s>"]
