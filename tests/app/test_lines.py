"""Tests of `nmt.app.lines`: which side of a pair is counted and cut as what."""

import pytest

from nmt.app.lines import Worker
from nmt.config import LONGEST
from nmt.errors import UserError
from nmt.translation import Line

PIECES = {"source": 1, "target": 3}


class Counter:
    """A piece for each letter of a source, three for each of a target."""

    def count_pieces(self, texts, side):
        return [PIECES[side] * len(text) + 1 for text in texts]

    def shorten(self, text, side):
        return text[: (LONGEST - 1) // PIECES[side]]


def results(on_error, *texts):
    lines = [Line(number, f"line {number}", pair) for number, pair in enumerate(texts)]
    worker = Worker(Counter(), lambda *sides: list(zip(*sides, strict=True)), on_error)
    return [result for _, result in worker.results(lines)]


FITS = ("s" * 1023, "t" * 341)
LONG_TARGET = ("s", "t" * 342)
LONG_SOURCE = ("s" * 1024, "t")


def test_each_side_is_counted_in_its_own_language():
    assert results("stop", FITS) == [FITS]
    for pair, pieces in ((LONG_TARGET, 1026), (LONG_SOURCE, 1024)):
        with pytest.raises(UserError, match=f"line 1: {pieces} pieces, at most 1023"):
            results("stop", FITS, pair)


def test_what_has_no_pieces_is_blank(capsys):
    assert results("stop", FITS, ("", ""), FITS) == [FITS, None, FITS]
    with pytest.raises(UserError, match="line 1: one side is blank. Give a sentence"):
        results("stop", FITS, ("", "t"))
    assert results("skip", ("s", ""), FITS) == [None, FITS]
    assert "line 0: one side is blank; skipped." in capsys.readouterr().err


def test_each_side_is_cut_in_its_own_language(capsys):
    pairs = results("truncate", LONG_SOURCE, LONG_TARGET, FITS)
    assert pairs == [(FITS[0], "t"), ("s", FITS[1]), FITS]
    assert len(capsys.readouterr().err.splitlines()) == 2
