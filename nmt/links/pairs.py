"""Sentence pairs as numbers: grouped by their lengths, each pair of words numbered."""

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

SHIFT = 2**32
"""A pair of words is one number: that of the source word times this, and the other."""
MOST_CELLS = 2**18
"""Most pairs of word positions worked on at once."""
LONGEST = 512
"""Most tokens of a side, more than sentences have: time grows by their third power."""


class Group(NamedTuple):
    """Pairs of `I` source and `J` target words.

    Attributes:
        rows: Which pairs they are, shape `(B,)`.
        source: Word numbers, shape `(B, I)`.
        target: Word numbers, shape `(B, J)`.
        cells: Which pair of words is at each pair of positions, shape `(B, J, I)`.
    """

    rows: np.ndarray
    source: np.ndarray
    target: np.ndarray
    cells: np.ndarray


class NumberedPairs(NamedTuple):
    """Sentence pairs as numbers.

    Attributes:
        groups: List of `Group`.
        keys: Each pair of words that is in a sentence pair once, ascending.
    """

    groups: list[Group]
    keys: np.ndarray

    @property
    def key_words(self):
        """Source word and target word of each key."""
        return self.keys // SHIFT, self.keys % SHIFT


def number_pairs(
    pairs: Sequence[tuple[Sequence[str], Sequence[str]]],
    source_words: dict[str, int],
    target_words: dict[str, int],
) -> NumberedPairs:
    """Turn sentence pairs into numbers.

    Args:
        pairs: Tokens of each pair. Those with an empty side, or one of more than
            `LONGEST`, are left out.
        source_words: Number of each source word; new ones are added.
        target_words: Number of each target word, likewise.
    """
    by_lengths = defaultdict(list)
    for row, (source, target) in enumerate(pairs):
        lengths = len(source), len(target)
        if min(lengths) > 0 and max(lengths) <= LONGEST:
            by_lengths[lengths].append(row)
    groups = []
    for (num_source, num_target), rows in by_lengths.items():
        size = max(1, MOST_CELLS // (num_source * num_target))
        for start in range(0, len(rows), size):
            part = rows[start : start + size]
            source = _numbers([pairs[row][0] for row in part], source_words)
            target = _numbers([pairs[row][1] for row in part], target_words)
            keys = source[:, None, :] * SHIFT + target[:, :, None]
            groups.append(Group(np.array(part), source, target, keys))
    if not groups:
        return NumberedPairs([], np.zeros(0, np.int64))
    every = np.concatenate([group.cells.ravel() for group in groups])
    keys, places = np.unique(every, return_inverse=True)
    ends = np.cumsum([group.cells.size for group in groups])[:-1]
    cells = np.split(places.astype(np.int32), ends)
    return NumberedPairs(
        [
            group._replace(cells=part.reshape(group.cells.shape))
            for group, part in zip(groups, cells, strict=True)
        ],
        keys,
    )


def look_up(keys, values, wanted):
    """Return the value of each wanted key, 0 of one that is not among `keys`."""
    if not len(keys):
        return np.zeros(len(wanted))
    places = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return np.where(keys[places] == wanted, values[places], 0.0)


def _numbers(sentences, numbers):
    return np.array(
        [
            [numbers.setdefault(word, len(numbers)) for word in each]
            for each in sentences
        ],
        dtype=np.int64,
    )
