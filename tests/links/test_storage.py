"""Tests of `nmt.links.storage`: files that are broken, or made to do harm."""

import io
import json
import pickle
import zipfile

import numpy as np
import pytest

from nmt.errors import UserError
from nmt.links import Aligner

PAIRS = [(["a", "b"], ["x", "y"]), (["a"], ["x"])]


def arrays():
    with np.load(io.BytesIO(Aligner.learn(PAIRS).to_bytes())) as file:
        return {name: file[name] for name in file.files}


def packed(values, save=np.savez):
    file = io.BytesIO()
    save(file, **values)
    return file.getvalue()


def letters(text):
    return np.frombuffer(text.encode(), np.uint8)


def nested():
    return letters("[" * 100_000)


BROKEN = {
    "no array": {"links": None},
    "one array too many": {"more": np.zeros(1)},
    "keys that go down": {"keys": lambda keys: keys[::-1].copy()},
    "keys of words that are not there": {"keys": lambda keys: keys + 2**40},
    "negative keys": {"keys": lambda keys: keys - 2**40},
    "target words that are not there": {"keys": lambda keys: keys + 5},
    "keys of another type": {"keys": lambda keys: keys.astype(float)},
    "fewer links": {"links": lambda links: links[:-1]},
    "links below 0": {"links": lambda links: -links},
    "links beyond all numbers": {"links": lambda links: links + 1e300},
    "links that are no numbers": {"links": lambda links: links * np.nan},
    "links that are whole numbers": {"links": lambda links: links.astype(int)},
    "words seen in whole numbers": {"source_seen": lambda seen: seen.astype(int)},
    "links in a square": {"links": lambda links: np.stack([links, links])},
    "links of letters": {"links": lambda links: links.astype("U5")},
    "fewer words": {"source_seen": lambda seen: seen[:-1]},
    "fewer jumps": {"target_jumps": lambda jumps: jumps[:-1]},
    "words of other numbers": {"source_words": lambda words: words.astype(float)},
    "words that are no JSON": {"source_words": lambda _: letters("[")},
    "words without an end": {"source_words": lambda _: nested()},
    "words that are no list": {"source_words": lambda _: letters("7")},
    "words that are no text": {"source_words": lambda _: letters("[1, 2]")},
    "a word that is empty": {"source_words": lambda _: letters('["", "b"]')},
    "a word that is there twice": {"source_words": lambda _: letters('["a", "a"]')},
    "words that are lists": {"source_words": lambda _: letters("[[], []]")},
}


def test_what_is_unchanged_is_read():
    assert list(Aligner.from_bytes(packed(arrays())).target_words) == ["x", "y"]


@pytest.mark.parametrize("changes", BROKEN.values(), ids=BROKEN)
def test_arrays_that_do_not_fit_are_refused(changes):
    values = arrays()
    for name, change in changes.items():
        if change is None:
            del values[name]
        else:
            values[name] = change(values[name]) if callable(change) else change
    refuse(packed(values))


def refuse(content):
    with pytest.raises(UserError, match="^some file holds no word links") as caught:
        Aligner.from_bytes(content, "some file")
    assert "\n" not in str(caught.value)


def test_objects_are_not_unpickled(tmp_path):
    class Harm:
        def __reduce__(self):
            return (open, (str(tmp_path / "made"), "w"))

    refuse(packed(arrays() | {"links": np.array([Harm()], object)}))
    refuse(pickle.dumps(Harm()))
    assert not list(tmp_path.iterdir())


def test_members_that_are_no_arrays_are_refused():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name in arrays():
            archive.writestr(f"{name}.npy", b"hello")
    refuse(file.getvalue())


def test_files_of_another_kind_are_refused():
    single = io.BytesIO()
    np.save(single, np.zeros(3))
    whole = packed(arrays())
    for content in (b"", b"links", single.getvalue(), whole[: len(whole) // 2]):
        refuse(content)
    refuse(json.dumps({"links": []}).encode())


def test_compressed_arrays_are_refused_as_they_may_be_larger_than_memory():
    refuse(packed(arrays(), np.savez_compressed))


def test_an_array_that_claims_to_be_huge_is_refused():
    small = packed(arrays())
    assert b"'shape': (81,)" in small
    refuse(small.replace(b"'shape': (81,), }  ", b"'shape': (10**17,)}", 1))
    refuse(small.replace(b"(81,), }         ", b"(99999999999,), }", 1))


def test_any_damaged_byte_is_read_or_refused():
    values = arrays()
    sound, refused = packed(values), 0
    for place in range(len(sound)):
        for bits in (1, 255):
            damaged = bytearray(sound)
            damaged[place] ^= bits
            try:
                Aligner.from_bytes(bytes(damaged), "some file")
            except UserError as error:
                refused += 1
                assert "holds no word links" in str(error)
    assert refused > len(sound)


def test_headers_that_cannot_be_parsed_are_refused():
    # Too large for its checksum to be read before its header is.
    large = packed(arrays() | {"keys": np.zeros(10**5, np.int64)})
    refuse(large.replace(b"(100000,), }", b"(100000,),  ", 1))
