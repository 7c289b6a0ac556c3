"""Tests of `nmt.evaluation.gold`."""

import os
from pathlib import Path

import pytest

from nmt.corpora import Corpus, ParallelText, load
from nmt.errors import UserError
from nmt.evaluation.gold import GOLD, GoldPair, gold_alignment, gold_sentences

needs_originals = pytest.mark.skipif(
    not Path(os.environ.get("NMT_DATA", ""), GOLD).is_file(),
    reason=f"needs {GOLD} in NMT_DATA",
)


def english_spanish(name="news", source="en", target="es", text="raw"):
    return Corpus(name, source, target, text, {})


def put(folder, text):
    path = folder / GOLD
    path.parent.mkdir()
    path.write_text(text, encoding="utf-8")


def test_links_are_read_with_their_words(tmp_path):
    put(tmp_path, "the year .\tel año .\t0-0 1-1 2-2\nso\tentonces sí\t\n")
    assert gold_alignment(tmp_path) == [
        GoldPair(
            ("the", "year", "."),
            ("el", "año", "."),
            frozenset({(0, 0), (1, 1), (2, 2)}),
        ),
        GoldPair(("so",), ("entonces", "sí"), frozenset()),
    ]


def test_without_the_file_there_is_no_gold(tmp_path):
    assert gold_alignment(tmp_path) is None


@pytest.mark.parametrize("links", ["0-2", "1-0", "0", "0-x", "0-0-0", "-1-0", "0--1"])
def test_links_that_point_nowhere_are_refused(tmp_path, links):
    put(tmp_path, f"a\tb c\t0-0\na\tb c\t{links}\n")
    with pytest.raises(UserError, match=rf"line 2: '{links}' must be links i-j"):
        gold_alignment(tmp_path)


def test_a_line_without_links_column_is_refused(tmp_path):
    put(tmp_path, "a\tb\n")
    with pytest.raises(UserError, match=r"line 1: 1 tab\(s\), expected at least 2"):
        gold_alignment(tmp_path)


@needs_originals
def test_the_golden_collection_links_nearly_every_word():
    pairs = gold_alignment()
    assert len(pairs) == 100
    linked = sum(len({i for i, _ in pair.links}) for pair in pairs)
    assert 0.5 < linked / sum(len(pair.source) for pair in pairs) <= 1


def test_the_phrase_book_gives_its_own_links_in_both_directions():
    forward = gold_sentences(load("phrasebook", "en", "es"), "test")
    backward = gold_sentences(load("phrasebook", "es", "en"), "test")
    assert len(forward) == len(backward) == 1000
    for there, back in zip(forward, backward, strict=True):
        assert (there.source, there.target_words) == (back.target, back.source_words)
        assert there.sure == {(s, t) for t, s in back.sure}
        assert there.sure <= there.possible
        for source, target in there.possible:
            assert source < len(there.source_words)
            assert target < len(there.target_words)


def test_a_file_with_the_name_of_the_phrase_book_has_no_links_of_it():
    own = {"test": ParallelText(("ein Hund",), ("un chien",))}
    corpus = Corpus("phrasebook", "de", "fr", "raw", own)
    assert gold_sentences(corpus, "test") == []
    assert gold_sentences(corpus, "none") == []


def test_blank_lines_are_left_out_and_others_keep_their_numbers(tmp_path):
    put(tmp_path, "a\tb c\t0-0\n\nso\tsí\t0-9\n")
    with pytest.raises(UserError, match="line 3: '0-9' must be links i-j"):
        gold_alignment(tmp_path)
    (tmp_path / GOLD).write_text("a\tb c\t0-0\n\n", encoding="utf-8")
    assert len(gold_alignment(tmp_path)) == 1
    (tmp_path / GOLD).write_text("a\t\t\n", encoding="utf-8")
    with pytest.raises(UserError, match="line 1: '' must be links i-j between 1 and 0"):
        gold_alignment(tmp_path)


def test_hand_made_links_are_for_english_and_spanish_alone(tmp_path):
    put(tmp_path, "the year\tel año\t0-0 1-1\n")
    (pair,) = gold_sentences(english_spanish(), "test", tmp_path)
    assert (pair.source, pair.target) == ("the year", "el año")
    (pair,) = gold_sentences(english_spanish("x", "es", "en"), "test", tmp_path)
    assert (pair.source, pair.target_words) == ("el año", ("the", "year"))
    assert gold_sentences(english_spanish("x", "en", "de"), "test", tmp_path) == []
    assert gold_sentences(english_spanish(), "test", tmp_path / "none") == []
