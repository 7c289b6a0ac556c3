"""Tests of `nmt.links.aligner` and `stems` on the phrase book and made-up words."""

import numpy as np
import pytest

from keras_attention import alignment_error_rate
from nmt import phrasebook
from nmt.links import Aligner
from nmt.links.stems import stem


@pytest.fixture(scope="module")
def book():
    return phrasebook.generate(0, 1500, 0, 200)


@pytest.fixture(scope="module")
def aligner(book):
    return Aligner.learn(list(map(words_of, book.train)))


@pytest.mark.parametrize("side", [0, 1])
def test_a_side_that_is_too_long_for_a_sentence_is_not_linked(side, aligner):
    pair = ["the dog".split(), "el perro".split()]
    pair[side] = ["★" * 30_000]  # each a word of its own
    fine, long, again = aligner.link([(["dog"], ["perro"]), pair, (["dog"], ["perro"])])
    assert fine.links == again.links == [(0, 0)]
    assert long.links == [] and not long.probabilities.any()
    assert long.probabilities.shape == (len(pair[1]), len(pair[0]))


def words_of(phrase):
    return phrasebook.words(phrase.english), phrasebook.words(phrase.spanish)


def test_it_learns_the_links_of_a_language_from_text_alone(aligner, book):
    linked = aligner.link(list(map(words_of, book.test)))
    error = alignment_error_rate(
        [set(pair.links) for pair in linked],
        [phrase.sure for phrase in book.test],
        [phrase.possible for phrase in book.test],
    )
    assert error < 0.06
    for pair, phrase in zip(linked, book.test, strict=True):
        assert [pair.source_words, pair.target_words] == list(words_of(phrase))
        shape = len(pair.target_words), len(pair.source_words)
        assert pair.probabilities.shape == shape
        assert 0 <= pair.probabilities.min() <= pair.probabilities.max() <= 1


def test_the_same_text_gives_the_same_links(aligner, book):
    again = Aligner.learn(list(map(words_of, book.train)))
    assert again.to_bytes() == aligner.to_bytes()
    pairs = [words_of(phrase) for phrase in book.test[:20]]
    links = [pair.links for pair in aligner.link(pairs)]
    assert links == [pair.links for pair in aligner.link(pairs)]


def test_words_have_their_links_however_they_are_split(aligner):
    source, target = "the big dog does not sleep .", "el perro grande no duerme ."
    (apart,) = aligner.link([(source.split(), target.split())])
    source, target = "The big dog does not sleep.", "El perro grande no duerme."
    (joined,) = aligner.link([(source.split(), target.split())])
    assert (1, 2) in joined.links and (2, 1) in joined.links
    assert joined.links == [link for link in apart.links if 6 not in link[:1]]


def test_pairs_of_unknown_words_are_learnt_from(aligner):
    pairs = [
        (["zarp", "melk"], ["quon", "drin"]),
        (["melk", "vost"], ["drin", "bult"]),
        (["vost", "zarp"], ["bult", "quon"]),
    ]
    assert [pair.links for pair in aligner.link(pairs)] == [[(0, 0), (1, 1)]] * 3
    # Nothing of them is kept.
    assert "zarp" not in aligner.source_words


def test_a_form_that_is_new_is_linked_as_its_stem_is(aligner):
    def crossing(first):
        words = [first, "xyzzy"], ["plugh", "casan"]
        return aligner.link([words])[0].probabilities[1, 0]

    assert "house" in aligner.source_words and "casa" in aligner.target_words
    assert not {"housel", "quark"} & set(aligner.source_words)
    assert crossing("housel") > 0.9 > 0.1 > crossing("quark")


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("estratégica", "estra"),
        ("perros", "perro"),
        ("perro", "perr"),
        ("gato", "gat"),
        ("de", "de"),
        ("\u0301", "\u0301"),
    ],
)
def test_a_stem_is_the_beginning_of_a_word(word, expected):
    assert stem(word) == expected


def test_an_empty_side_has_no_links(aligner):
    (pair,) = aligner.link([([], ["perro"])])
    assert pair.links == [] and pair.probabilities.shape == (1, 0)
    assert aligner.link([]) == []


def test_an_aligner_of_no_text_links_what_it_is_given():
    pairs = [(["a", "b"], ["x", "y"]), (["a"], ["x"]), (["b"], ["y"])]
    links = [pair.links for pair in Aligner.learn([]).link(pairs)]
    assert links == [[(0, 0), (1, 1)], [(0, 0)], [(0, 0)]]


def test_what_was_learnt_is_kept_in_bytes(aligner, book):
    again = Aligner.from_bytes(aligner.to_bytes())
    assert list(again.source_words) == list(aligner.source_words)
    pairs = [words_of(phrase) for phrase in book.test[:20]]
    for one, other in zip(aligner.link(pairs), again.link(pairs), strict=True):
        np.testing.assert_array_equal(one.probabilities, other.probabilities)
