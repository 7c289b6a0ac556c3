"""Tests of `nmt.translation.streams`."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nmt.errors import UserError
from nmt.translation import streams
from nmt.translation.streams import (
    LONGEST_LINE,
    Line,
    argument_lines,
    arriving_lines,
    chunks,
    side_by_side,
    tab_pairs,
    translated,
)


class Pieces:
    """A stream whose bytes arrive in given pieces."""

    def __init__(self, *pieces):
        self.pieces = list(pieces)

    def read1(self, size):
        return self.pieces.pop(0) if self.pieces else b""


def arrived(*pieces):
    return [line for lines in arriving_lines(Pieces(*pieces), "in") for line in lines]


def lines_of(*pieces):
    lines = arrived(*pieces)
    assert [line.number for line in lines] == list(range(1, len(lines) + 1))
    assert all(line.fault is None for line in lines)
    return [line.texts[0] for line in lines]


def texts_of(batches):
    return [[line.texts for line in lines] for lines in batches]


@given(
    st.lists(st.text(st.characters(exclude_characters="\n\r\ufeff", codec="utf-8"))),
    st.booleans(),
    st.data(),
)
def test_lines_are_the_same_however_they_arrive(lines, closed, data):
    content = "".join(line + "\n" for line in lines).encode()
    if lines and lines[-1] and not closed:
        content = content.removesuffix(b"\n")
    cuts = data.draw(st.sets(st.integers(0, len(content))))
    edges = sorted({0, len(content)} | cuts)
    pieces = [content[a:b] for a, b in zip(edges, edges[1:], strict=False)]
    assert lines_of(*pieces) == lines


def test_a_line_is_handed_on_before_the_next_one_arrives():
    stream = Pieces(b"one\n", b"two\n")
    assert next(arriving_lines(stream, "in")) == [Line(1, "in, line 1", ("one",))]
    assert stream.pieces == [b"two\n"]


def test_a_byte_order_mark_and_carriage_returns_are_no_text():
    assert lines_of(b"\xef\xbb\xbfone\r\ntwo\r\n") == ["one", "two"]
    assert lines_of(b"\xef\xbb\xbf") == []


def test_many_lines_come_in_chunks(monkeypatch):
    monkeypatch.setattr(streams, "CHUNK", 2)
    arriving = arriving_lines(io.BytesIO(b"a\nb\nc\nd\ne\n"), "in")
    assert texts_of(arriving) == [[("a",), ("b",)], [("c",), ("d",)], [("e",)]]


def test_long_lines_come_in_chunks_of_fewer(monkeypatch):
    monkeypatch.setattr(streams, "CHUNK_CHARACTERS", 10)
    lines = [Line(n, "in", ("x" * length,)) for n, length in enumerate([4, 5, 6, 40])]
    assert [len(chunk) for chunk in chunks(lines)] == [2, 1, 1]


def test_chunks_wait_for_no_more_lines_than_they_hold(monkeypatch):
    monkeypatch.setattr(streams, "CHUNK", 2)
    lines = iter([Line(n, "in", ("x",)) for n in range(9)])
    assert [line.number for line in next(chunks(lines))] == [0, 1]
    assert next(lines).number == 3


def test_a_byte_that_is_not_utf8_is_a_fault_of_its_line_alone():
    one, two, three, four = arrived(b"one\n", b"two\nthr\xffee\nfo", b"ur\n")
    assert [line.texts[0] for line in (one, two, four)] == ["one", "two", "four"]
    assert not (one.fault or two.fault or four.fault)
    assert three.texts == ("thr\ufffdee",)
    assert three.where == "in, line 3" and three.fault.what == "byte 0xff is not UTF-8"
    complaint = "in, line 3: byte 0xff is not UTF-8. Convert the text to UTF-8."
    assert str(three.fault.refusal(three.where)) == complaint


@pytest.mark.parametrize("rest", [[b"x\n"], [b"x", b"\n"], [b"x", b"xx", b"x\nt"]])
def test_a_line_that_is_far_too_long_is_a_fault_and_what_follows_is_read(rest):
    begin, end = b"y" * LONGEST_LINE, b"two\n"[rest[-1].endswith(b"t") :]
    lines = arrived(b"one\n", begin, *rest, end, b"three")
    assert [line.number for line in lines] == [1, 2, 3, 4]
    assert [line.texts[0] for line in (lines[0], *lines[2:])] == ["one", "two", "three"]
    assert lines[1].texts[0] == begin.decode()
    assert lines[1].fault.what == "more than 1048576 bytes without a line end"


def test_a_line_is_told_to_be_too_long_before_its_end_is_looked_for():
    stream = Pieces(b"x" * (LONGEST_LINE + 1), b"y")
    ((line,),) = [next(arriving_lines(stream, "in"))]
    assert line.fault and stream.pieces == [b"y"]


def test_the_end_of_a_line_is_not_looked_for_without_end(monkeypatch):
    monkeypatch.setattr(streams, "LONGEST_LINE", 10)
    monkeypatch.setattr(streams, "PASSED_OVER", 100)

    class Endless:
        count = 0

        def read1(self, size):
            self.count += 1
            return b"x" * 10

    stream = Endless()
    lines = arriving_lines(stream, "in")
    assert next(lines)[0].fault
    with pytest.raises(UserError, match="in, line 1: no line end in 100 bytes"):
        next(lines)
    assert stream.count < 20


def test_columns_are_pairs_and_further_columns_are_no_text():
    lines = arrived(b"a b\tc\n", b"d\te\tby X\n", b"\n", b"\t \n")
    first, second, *blank = tab_pairs(lines)
    assert (first.texts, second.texts) == (("a b", "c"), ("d", "e"))
    assert all(line.is_blank and not line.fault for line in blank)


def test_a_pair_without_a_tab_or_a_side_is_a_fault():
    whats = [line.fault.what for line in tab_pairs(arrived(b"a\n", b"a\t\n", b" \ta"))]
    assert whats == ["no tab", "one side is blank", "one side is blank"]
    (pair,) = tab_pairs(arrived(b"a\xff\tb"))
    assert pair.texts == ("a\ufffd", "b") and "0xff" in pair.fault.what


def test_two_streams_are_read_side_by_side():
    def pairs(source, target):
        streams = (arriving_lines(io.BytesIO(data), "in") for data in (source, target))
        return [line for lines in side_by_side(*streams, "S", "T") for line in lines]

    one, two, three = pairs(b"a\n\nb\n", b"c\n\n\xff\n")
    assert one == Line(1, "S and T, line 1", ("a", "c"))
    assert two.is_blank and two.fault is None
    assert three.fault.what == "byte 0xff is not UTF-8"
    one, two = pairs(b"a\n", b"c\nd\n")
    assert one.fault is None
    assert str(two.fault.refusal(two.where)).startswith(
        "S and T, line 2: S has no such line."
    )
    assert pairs(b"a\nb\n", b"c\n")[1].fault.what == "T has no such line"


@pytest.mark.parametrize("text", ["", " ", "\t\n"])
def test_an_empty_argument_is_refused(text):
    with pytest.raises(UserError, match="argument 2 to translate is empty"):
        argument_lines(["good", text])


def test_an_argument_that_was_not_typed_in_utf8_is_refused():
    with pytest.raises(UserError, match="argument 1 to translate is not UTF-8"):
        argument_lines(["caf\udce9"])


def test_blank_lines_are_not_given_to_the_translator():
    class Upper:
        def count_pieces(self, texts):
            return [len(text.strip(" \u200b")) + 1 for text in texts]

        def __call__(self, texts, beam_size):
            assert beam_size == 2
            return [text.upper() for text in texts]

    lines = ["", "a", " \u200b", "b"]
    assert translated(Upper(), lines, beam_size=2) == [None, "A", None, "B"]
    assert translated(Upper(), ["", ""], beam_size=2) == [None, None]
