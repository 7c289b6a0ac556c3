"""Tests of `nmt.corpora.parallel`."""

import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nmt.corpora import parallel
from nmt.corpora.parallel import (
    ParallelText,
    decode_lines,
    pair_lines,
    read_lines,
    split_columns,
    without_blanks,
)
from nmt.errors import UserError

sentences = st.text(st.characters(exclude_characters="\0\n\r\ufeff", codec="utf-8"))


@given(st.lists(sentences, min_size=1), st.booleans())
def test_lines_end_at_line_feeds_alone(lines, windows):
    text = "".join(line + ("\r\n" if windows else "\n") for line in lines)
    assert decode_lines(text.encode(), "text") == lines


def test_other_separators_and_inner_carriage_returns_stay_in_their_line():
    text = "a\u2028b\u0085c\x0b\x0c\x1cd\re\nf"
    assert decode_lines(text.encode(), "text") == [text[:-2], "f"]


def test_a_last_line_without_line_feed_counts():
    assert decode_lines(b"one\ntwo", "text") == ["one", "two"]


def test_a_byte_order_mark_is_removed_at_the_start_alone():
    marked = "\ufeffone\n\ufefftwo\n".encode()
    assert decode_lines(marked, "text") == ["one", "\ufefftwo"]


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_a_byte_that_is_not_utf8_is_named_with_line_and_offset(mark):
    data = mark + b"one\ntwo\nth\xffee\n"
    offset = data.index(b"\xff")
    with pytest.raises(UserError, match=rf"text, line 3: byte 0xff at offset {offset}"):
        decode_lines(data, "text")


@pytest.mark.parametrize("data", [b"", b"\xef\xbb\xbf"])
def test_an_empty_file_is_refused(tmp_path, data):
    (tmp_path / "empty.en").write_bytes(data)
    with pytest.raises(UserError, match=r"empty\.en is empty"):
        read_lines(tmp_path / "empty.en")


def test_a_gzip_file_is_read_as_its_text(tmp_path):
    (tmp_path / "text.gz").write_bytes(gzip.compress("año\n".encode()))
    assert read_lines(tmp_path / "text.gz") == ["año"]


def test_a_damaged_gzip_file_is_refused(tmp_path):
    (tmp_path / "text.gz").write_bytes(gzip.compress(b"text " * 99)[:-9])
    with pytest.raises(UserError, match=r"text\.gz is not a whole compressed file"):
        read_lines(tmp_path / "text.gz")


def test_a_text_that_is_too_large_is_refused_before_it_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr(parallel, "MOST_BYTES", 1000)
    (tmp_path / "text.gz").write_bytes(gzip.compress(b"word\n" * 201))
    (tmp_path / "text").write_bytes(b"word\n" * 201)
    for name in ("text", "text.gz", "/dev/zero"):
        with pytest.raises(UserError, match="more than 1,000 bytes.*a part.*--stream"):
            read_lines(tmp_path / name)
    (tmp_path / "text").write_bytes(b"word\n" * 200)
    assert len(read_lines(tmp_path / "text")) == 200


def test_a_file_with_zero_bytes_is_no_text():
    with pytest.raises(UserError, match="text, line 3: a byte is 0"):
        decode_lines(b"one\ntwo\n" + "x\n".encode("utf-16-le"), "text")


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"no file .*none\.en"):
        read_lines(tmp_path / "none.en")
    with pytest.raises(UserError, match="the name of a file is empty"):
        read_lines("")


def test_a_folder_is_refused_as_a_file(tmp_path):
    with pytest.raises(UserError, match="is a folder. Expected a text file"):
        read_lines(tmp_path)


def test_a_path_through_a_file_is_refused(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="cannot read .*: Not a directory"):
        read_lines(tmp_path / "file" / "text")


def test_columns_after_the_wanted_ones_are_ignored():
    rows = split_columns(["a\tb", "c\td\te\tf", "", "\tg"], "text")
    assert rows == [("a", "b"), ("c", "d"), ("", ""), ("", "g")]


def test_a_line_without_tab_is_refused_with_its_number():
    with pytest.raises(UserError, match=r"text, line 2: 0 tab\(s\), .* at least 1"):
        split_columns(["a\tb", "c d", "e\tf"], "text")


def test_sides_of_unequal_length_are_refused_with_both_counts():
    with pytest.raises(UserError, match=r"a\.en has 2 lines, but a\.de has 3"):
        pair_lines(["a"] * 2, ["b"] * 3, "a.en", "a.de")


def test_pairs_with_a_blank_side_are_left_out_and_counted(caplog):
    text = ParallelText(("a", " ", "c", "d"), ("w", "x", "", "z"))
    assert without_blanks(text, "a.en") == ParallelText(("a", "d"), ("w", "z"))
    assert "a.en: left out 2 of 4 pairs" in caplog.text


def test_whole_text_is_kept_without_a_warning(caplog):
    text = ParallelText(("a", "b"), ("c", "d"))
    assert without_blanks(text, "a.en") == text
    assert not caplog.records


def test_text_with_nothing_but_blank_sides_is_refused():
    with pytest.raises(UserError, match=r"a\.en holds no pair"):
        without_blanks(ParallelText(("a", ""), ("", "b")), "a.en")
