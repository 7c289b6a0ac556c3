"""Text that is read while it is trained on: shards of files, plain or gzip."""

import gzip
import os

import pytest
import tensorflow as tf

from nmt.corpora import streamed
from nmt.corpora.streamed import StreamedText, stream_files
from nmt.errors import UserError


@pytest.fixture
def shards(tmp_path):
    """Two shards of each side, one of them gzip, and text to validate on."""
    with gzip.open(tmp_path / "part-1.en.gz", "wb") as file:
        file.write(b"\xef\xbb\xbfone\r\ntwo\n \nfour\n")
    (tmp_path / "part-1.es").write_text("uno\ndos\ntres\ncuatro\n", "utf-8")
    (tmp_path / "part-2.en.gz").write_bytes(gzip.compress(b"five\nsix"))
    (tmp_path / "part-2.es").write_text("cinco\nseis\n", "utf-8")
    (tmp_path / "valid").write_text("a\nb\n", "utf-8")
    return tmp_path


def corpus(folder, source="part-*.en.gz", target="part-*.es", valid="valid"):
    valid = valid and folder / valid
    return stream_files(str(folder / source), str(folder / target), valid, valid)


def test_shards_are_read_pair_by_pair(shards):
    found = corpus(shards)
    train = found.splits["train"]
    one = [("one", "uno"), ("two", "dos"), ("four", "cuatro")]
    two = [("five", "cinco"), ("six", "seis")]
    assert list(train.pairs()) == one + two
    assert list(train.pairs([1, 0])) == two + one
    assert train.sample(2) == [one[0], two[0]]
    assert found.name == "part-1"
    assert found.splits["validation"].source == ("a", "b")


def test_files_of_any_place_that_tensorflow_opens_are_read(shards):
    for side, line in (("en", "one"), ("es", "uno")):
        with tf.io.gfile.GFile(f"ram://streamed/part.{side}", "w") as file:
            file.write(f"{line}\n")
    places = ("ram://streamed/*.en", "ram://streamed/*.es")
    found = stream_files(*places, *[shards / "valid"] * 2).splits["train"]
    assert list(found.pairs()) == [("one", "uno")]
    assert found.described() == [("part.en", 4), ("part.es", 4)]


def test_shards_whose_sides_differ_in_length_are_told(shards):
    (shards / "part-1.es").write_text("uno\ndos\n", "utf-8")
    with pytest.raises(UserError, match="1.es differ in length after line 2"):
        list(corpus(shards).splits["train"].pairs())


@pytest.mark.parametrize("size", [1, 2, 3, 7, 100])
def test_lines_are_the_same_whatever_is_read_at_once(shards, monkeypatch, size):
    expected = list(corpus(shards).splits["train"].pairs())
    monkeypatch.setattr(streamed, "READ_AT_ONCE", size)
    assert list(corpus(shards).splits["train"].pairs()) == expected


@pytest.mark.parametrize("place", ["/dev/zero", "long"])
def test_a_line_without_end_is_told_and_fills_no_memory(shards, monkeypatch, place):
    monkeypatch.setattr(streamed, "LONGEST_LINE", 1000)
    monkeypatch.setattr(streamed, "READ_AT_ONCE", 100)
    (shards / "long").write_bytes(b"one\n" + b"x" * 1001)
    number = 2 if place == "long" else 1
    with pytest.raises(UserError, match=f"line {number}: more than 1000 bytes without"):
        list(StreamedText(*[(str(shards / place),)] * 2).pairs())


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (gzip.compress(b"a\nb\xff\n"), "gz, line 2: byte 0xff at offset 3 of the file"),
        (gzip.compress(b"a\0\n"), "gz, line 1: a byte is 0"),
        (b"no gzip", "part-1.en.gz is not a whole compressed file .Not a gzipped"),
        (gzip.compress(b"cut off")[:-9], "en.gz is not a whole compressed file .Compr"),
    ],
    ids=["UTF-8", "null", "gzip", "cut"],
)
def test_a_shard_that_cannot_be_read_is_told(shards, content, told):
    (shards / "part-1.en.gz").write_bytes(content)
    with pytest.raises(UserError, match=told) as error:
        list(corpus(shards).splits["train"].pairs())
    assert len(str(error.value).splitlines()) == 1


def test_a_last_line_feed_may_be_followed_by_a_carriage_return(tmp_path):
    files = [tmp_path / name for name in ("a", "b")]
    for path in files:
        path.write_bytes(b"one\r\ntwo\n\r")
    paths = [(str(path),) for path in files]
    assert list(StreamedText(*paths).pairs()) == [("one", "one"), ("two", "two")]


def test_a_file_that_is_gone_is_told():
    with pytest.raises(UserError, match="cannot read /none/a: .*No such file"):
        list(StreamedText(("/none/a",), ("/none/b",)).pairs())


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"source": "none-*"}, "no file .*none-"),
        ({"source": "pipe"}, "pipe is no regular file, .* for each pass. Give a file"),
        ({"source": "loop"}, "cannot read .*loop: Too many levels"),
        ({"source": "."}, "is a folder. Expected a text file"),
        ({"target": "part-1.es"}, "names 2 files, but .*part-1.es 1. File n of one"),
        ({"valid": None}, "cannot be split. Give --validation-source"),
    ],
)
def test_files_that_make_no_corpus_are_told(shards, change, told):
    os.mkfifo(shards / "pipe")
    (shards / "loop").symlink_to("loop")
    with pytest.raises(UserError, match=told):
        corpus(shards, **change)
