"""Tests of `nmt.evaluation.alignment`."""

import os
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nmt.corpora.corpora import Corpus
from nmt.errors import UserError
from nmt.evaluation.alignment import alignment_error, piece_shares, word_links
from nmt.evaluation.gold import GOLD, GoldSentence, gold_sentences

needs_gold = pytest.mark.skipif(
    not Path(os.environ.get("NMT_DATA", ""), GOLD).is_file(),
    reason=f"needs {GOLD} in NMT_DATA",
)

NEWS = Corpus("news", "en", "es", "raw", {})


def forced(weights, source, target):
    return SimpleNamespace(
        weights=np.asarray(weights, "float32"),
        source_tokens=source.split(),
        target_tokens=target.split(),
    )


def test_a_piece_that_spans_two_words_is_shared_by_their_characters():
    shares = piece_shares(["▁¿Qu", "é", "▁casa?"], ["¿", "Qué", "casa", "?"])
    np.testing.assert_allclose(
        shares, [[1 / 3, 2 / 3, 0, 0], [0, 1, 0, 0], [0, 0, 4 / 5, 1 / 5]]
    )


def test_a_possessive_is_told_from_its_noun():
    shares = piece_shares(["▁the", "▁dog's", "▁bed"], ["the", "dog", "'s", "bed"])
    np.testing.assert_allclose(shares[1], [0, 3 / 5, 2 / 5, 0])


def test_a_bare_mark_belongs_to_the_next_word_or_at_the_end_to_the_last():
    shares = piece_shares(["▁a", "▁", "b", "▁"], ["a", "b"])
    np.testing.assert_allclose(shares, [[1, 0], [0, 1], [0, 1], [0, 1]])


def test_an_unknown_piece_covers_what_its_neighbours_leave():
    shares = piece_shares(["▁ab", "<unk>", "▁d"], ["ab", "☃☃c", "d"])
    np.testing.assert_allclose(shares, [[1, 0, 0], [0, 1, 0], [0, 0, 1]])


def test_unknown_words_beside_each_other_are_told_apart():
    pieces = ["▁", "<unk>", "▁", "<unk>", "▁s", "ees"]
    shares = piece_shares(pieces, ["Иван", "Петров", "sees"])
    np.testing.assert_array_equal(shares.argmax(axis=1), [0, 0, 1, 1, 2, 2])
    assert shares.max(axis=1).min() == 1


def test_unknown_words_that_do_not_fit_are_refused_at_once():
    pieces = [*["▁", "<unk>", "▁★", "<unk>"] * 30, "▁dog", "▁s"]
    with pytest.raises(ValueError, match="must spell the same sentence"):
        piece_shares(pieces, [*["☆", "★☆★☆★"] * 30, "dog\u200bs"])


def test_words_are_normalised_as_sentencepiece_does():
    assert piece_shares(["▁1", "⁄2..."], ["½", "…"]).shape == (2, 2)


@given(st.lists(st.text("abñ¿.", min_size=1, max_size=5), min_size=1), st.data())
def test_shares_of_any_cut_sum_to_one(words, data):
    text = "▁" + "▁".join(words)
    cuts = data.draw(st.sets(st.integers(0, len(text))))
    edges = sorted({0, len(text)} | cuts)
    pieces = [text[a:b] for a, b in zip(edges, edges[1:], strict=False)]
    shares = piece_shares(pieces, words)
    assert shares.shape == (len(pieces), len(words))
    np.testing.assert_allclose(shares.sum(axis=1), 1)
    characters = [len(piece.replace("▁", "")) for piece in pieces]
    np.testing.assert_allclose(
        np.array(characters) @ shares, [len(word) for word in words]
    )


@pytest.mark.parametrize(
    ("pieces", "words"), [(["▁a"], ["b"]), (["▁a", "b"], ["a"]), (["▁"], [])]
)
def test_pieces_of_another_sentence_are_refused(pieces, words):
    with pytest.raises(ValueError, match="must spell the same sentence"):
        piece_shares(pieces, words)


def test_links_count_words_and_leave_the_ends_out():
    rows = [
        [0.4, 0.3, 0.2, 0.1],  # one piece of "uno" against two of "dos"
        [0.0, 0.0, 0.0, 1.0],  # attends to the end, which is no word
        [1.0, 0.0, 0.0, 0.0],  # is the end, which is no word
    ]
    pieces = ("▁uno ▁d os </s>", "▁do s </s>")
    words = (["uno", "dos"], ["dos"])
    assert word_links(forced(rows, *pieces), *words) == {(1, 0)}
    rows[1] = [0.2, 0.0, 0.0, 0.8]  # the mean over both pieces is what counts
    assert word_links(forced(rows, *pieces), *words) == {(0, 0)}


def test_a_word_is_linked_by_the_row_of_the_step_that_emits_it():
    translation = forced(
        [[0.9, 0.1, 0], [0.1, 0.9, 0], [0.8, 0.2, 0]], "▁a ▁b </s>", "▁x ▁y </s>"
    )
    assert word_links(translation, ["a", "b"], ["x", "y"]) == {(0, 0), (1, 1)}


def test_a_target_that_was_cut_off_has_the_links_of_all_its_words():
    translation = forced([[0.9, 0.1], [0.1, 0.9]], "▁a ▁b", "▁x ▁y")
    assert word_links(translation, ["a", "b"], ["x", "y"]) == {(0, 0), (1, 1)}


class Diagonal:
    """A translator that attends to the source word in the place of the target word."""

    def force(self, sources, targets):
        results = []
        for source, target in zip(sources, targets, strict=True):
            pieces = [
                ["▁" + word for word in text.split()] for text in (source, target)
            ]
            weights = np.eye(len(pieces[1]) + 1, len(pieces[0]) + 1)
            results.append(
                SimpleNamespace(
                    weights=weights,
                    source_tokens=[*pieces[0], "</s>"],
                    target_tokens=[*pieces[1], "</s>"],
                )
            )
        return results


def test_the_error_of_an_alignment_counts_wrong_and_missing_links(tmp_path):
    (tmp_path / "gold").mkdir()
    (tmp_path / GOLD).write_text(
        "a b\tx y\t0-0 1-1\na b\tx y\t0-1 1-1\n", encoding="utf-8"
    )
    gold = gold_sentences(NEWS, "test", tmp_path)
    # Four links drawn, four wanted, three of them the same: 1 - (3 + 3) / (4 + 4).
    assert alignment_error(Diagonal(), gold) == pytest.approx(0.25)
    assert alignment_error(Diagonal(), gold[:1]) == 0


def test_a_word_that_the_vocabulary_splits_is_told():
    class Vocabulary(Diagonal):
        def force(self, sources, targets):
            return super().force(
                [text.replace("\u200b", " ") for text in sources], targets
            )

    pair = GoldSentence(
        "a\u200bb", "x y", ("a\u200bb",), ("x", "y"), *[frozenset()] * 2
    )
    with pytest.raises(
        UserError, match=r"words of 'a\\u200bb' or 'x y', .* splits them"
    ):
        alignment_error(Vocabulary(), [pair])


@needs_gold
def test_every_word_of_the_golden_collection_can_be_found_among_pieces():
    for pair in gold_sentences(NEWS, "test"):
        for text, words in (
            (pair.source, pair.source_words),
            (pair.target, pair.target_words),
        ):
            pieces = ["▁" + word for word in text.split()]
            np.testing.assert_array_equal(
                piece_shares(pieces, words), np.eye(len(words))
            )
