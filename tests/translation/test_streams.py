"""Tests of `nmt.translation.streams`."""

import io
import json
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nmt.errors import UserError
from nmt.translation import streams
from nmt.translation.streams import (
    arriving_lines,
    checked_texts,
    format_result,
    translated,
)


class Pieces:
    """A stream whose bytes arrive in given pieces."""

    def __init__(self, *pieces):
        self.pieces = list(pieces)

    def read1(self, size):
        return self.pieces.pop(0) if self.pieces else b""


def lines_of(*pieces):
    return [
        line for lines in arriving_lines(Pieces(*pieces), "input") for line in lines
    ]


def translation(text="hola", score=-1.5):
    return SimpleNamespace(
        source="hello",
        text=text,
        score=score,
        source_tokens=["▁hello", "</s>"],
        target_tokens=["▁hola", "</s>"],
        weights=np.array([[0.9, 0.1], [0.25, 0.75]], "float32"),
    )


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
    assert next(arriving_lines(stream, "input")) == ["one"]
    assert stream.pieces == [b"two\n"]


def test_a_byte_order_mark_and_carriage_returns_are_no_text():
    assert lines_of(b"\xef\xbb\xbfone\r\ntwo\r\n") == ["one", "two"]
    assert lines_of(b"\xef\xbb\xbf") == []


def test_many_lines_come_in_chunks(monkeypatch):
    monkeypatch.setattr(streams, "CHUNK", 2)
    stream = io.BytesIO(b"a\nb\nc\nd\ne\n")
    assert list(arriving_lines(stream, "input")) == [["a", "b"], ["c", "d"], ["e"]]


def test_a_byte_that_is_not_utf8_is_told_with_its_line():
    with pytest.raises(UserError, match="input, line 3: byte 0xff is not UTF-8"):
        lines_of(b"one\n", b"two\nthr\xffee\n")


@pytest.mark.parametrize("text", ["", " ", "\t\n"])
def test_an_empty_argument_is_refused(text):
    with pytest.raises(UserError, match="argument 2 to translate is empty"):
        checked_texts(["good", text])


def test_an_argument_that_was_not_typed_in_utf8_is_refused():
    with pytest.raises(UserError, match="argument 1 to translate is not UTF-8"):
        checked_texts(["caf\udce9"])


def test_blank_lines_are_not_given_to_the_translator():
    def upper(texts, beam_size):
        assert beam_size == 2
        return [text.upper() for text in texts]

    lines = ["", "a", " ", "b"]
    assert translated(upper, lines, beam_size=2) == [None, "A", None, "B"]
    assert translated(upper, ["", ""], beam_size=2) == [None, None]


def test_a_translation_is_one_line_and_a_blank_line_stays_blank():
    assert format_result(translation(), 1) == "hola"
    assert format_result(None, 1) == ""


def test_the_best_translations_are_lines_with_number_and_score():
    both = [translation(), translation("oye", -2)]
    assert format_result(both, 7, 2) == "7\t-1.5000\thola\n7\t-2.0000\toye"
    assert format_result(None, 7, 2) == ""


def test_an_object_holds_text_score_pieces_and_weights():
    values = json.loads(format_result(translation(), 1, as_json=True))
    assert values == {
        "source": "hello",
        "text": "hola",
        "score": -1.5,
        "source_tokens": ["▁hello", "</s>"],
        "target_tokens": ["▁hola", "</s>"],
        "weights": [[0.9, 0.1], [0.25, 0.75]],
    }
    assert json.loads(format_result(None, 1, as_json=True)).keys() == values.keys()


def test_the_best_translations_are_a_list_of_objects():
    both = [translation(), translation("oye")]
    values = json.loads(format_result(both, 1, 2, as_json=True))
    assert [value["text"] for value in values] == ["hola", "oye"]
    assert json.loads(format_result(None, 1, 2, as_json=True)) == []
