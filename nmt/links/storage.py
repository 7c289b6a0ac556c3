"""What an aligner knows as the bytes of a file, and back, without pickle."""

import io
import json
import zipfile
from dataclasses import fields

import numpy as np

from nmt.archives import BROKEN_ARCHIVE
from nmt.errors import UserError
from nmt.links.counts import NUM_JUMPS, Counts
from nmt.links.pairs import SHIFT

WORDS = ("source_words", "target_words")
MOST = 2**62
"""Above every number that can be counted, and every key."""
MEND = "Remove it: the links are then learnt again."


def to_bytes(source_words, target_words, counts: Counts) -> bytes:
    """Return numbered words and their counts as a file of NumPy arrays (`.npz`)."""
    arrays = {field.name: getattr(counts, field.name) for field in fields(Counts)}
    for name, words in zip(WORDS, (source_words, target_words), strict=True):
        text = json.dumps(list(words), ensure_ascii=False)
        arrays[name] = np.frombuffer(text.encode(), np.uint8)
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


def from_bytes(content: bytes, path) -> tuple[dict, dict, Counts]:
    """Read what `to_bytes` wrote.

    Args:
        content: The bytes.
        path: Where they are from, for the error.

    Returns:
        `(source_words, target_words, counts)`.

    Raises:
        UserError: If they are something else.
    """
    try:
        arrays = _arrays(content)
        words = [_words(arrays.pop(name)) for name in WORDS]
        counts = Counts(**arrays)
        _check(counts, *map(len, words))
    except BROKEN_ARCHIVE:
        raise UserError(f"{path} holds no word links that nmt wrote. {MEND}") from None
    return *words, counts


def _arrays(content):
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        # Compressed, a small file could hold more than there is memory.
        if any(each.compress_type for each in file.infolist()):
            raise ValueError
    with np.load(io.BytesIO(content), allow_pickle=False) as file:
        return {name: file[name] for name in file.files}


def _words(array):
    words = json.loads(array.astype(np.uint8, casting="safe").tobytes())
    numbers = {word: number for number, word in enumerate(words)}
    if len(numbers) != len(words) or not all(
        isinstance(word, str) and word for word in words
    ):
        raise ValueError
    return numbers


def _check(counts, num_source, num_target):
    """Refuse counts that do not fit each other or the words."""
    if counts.keys.ndim != 1:
        raise ValueError
    keys = counts.keys
    lengths = {"keys": len(keys), "links": len(keys)}
    for what in ("linked", "unlinked", "seen"):
        lengths |= {f"source_{what}": num_source, f"target_{what}": num_target}
    lengths |= {"source_jumps": NUM_JUMPS, "target_jumps": NUM_JUMPS}
    for name, length in lengths.items():
        numbers = getattr(counts, name)
        kind = np.int64 if name == "keys" else np.float64
        sound = numbers.shape == (length,) and numbers.dtype == kind
        # Also refuses what is no number.
        if not sound or not ((numbers >= 0) & (numbers < MOST)).all():
            raise ValueError
    if (np.diff(keys) <= 0).any() or (keys % SHIFT >= num_target).any():
        raise ValueError
    if (keys // SHIFT >= num_source).any():
        raise ValueError
