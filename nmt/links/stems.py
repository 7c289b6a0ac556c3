"""Words that share a stem, so that a rare form is linked as its relatives are."""

import unicodedata

import numpy as np

from nmt.links.counts import Counts
from nmt.links.pairs import SHIFT, NumberedPairs, look_up

LONGEST_STEM = 5


def stem(word: str) -> str:
    """Return the beginning of a word, without accents.

    Of a long word that is 5 letters; one of 4 or 5 letters loses its last one, and a
    shorter one is its own stem.
    """
    parts = unicodedata.normalize("NFD", word)
    plain = "".join(part for part in parts if not unicodedata.combining(part))
    return plain[: min(LONGEST_STEM, max(3, len(plain) - 1))] or word


class StemLinks:
    """How often stems were linked, by the links of words.

    Args:
        source_words: The number of each source word.
        target_words: The number of each target word.
        counts: Counts of their links.
    """

    def __init__(self, source_words, target_words, counts: Counts):
        self._source, self._target = _Stems(source_words), _Stems(target_words)
        source, target = counts.keys // SHIFT, counts.keys % SHIFT
        source, target = self._source.of_words[source], self._target.of_words[target]
        self._keys, places = np.unique(source * SHIFT + target, return_inverse=True)
        self._links = np.bincount(places, counts.links, len(self._keys))
        self._source_linked = np.bincount(source, counts.links, self._source.count)
        self._target_linked = np.bincount(target, counts.links, self._target.count)

    def shares(self, pairs: NumberedPairs, source_words, target_words, counts: Counts):
        """Say how the links of each word are spread, by the links of its stem.

        Args:
            pairs: A text.
            source_words: The number of each source word; new ones follow known ones.
            target_words: The number of each target word, likewise.
            counts: Counts of the text and what was known, with the keys of the text.

        Returns:
            Two pairs, of target words given source words and the other way round. The
            first of a pair is, for each key of the text, the share of its outcome among
            the links of its condition; the second their sum over all outcomes, 0 where
            nothing is known of a stem, almost 1 where much is.
        """
        source, target = pairs.key_words
        sources = self._source.with_new(source_words)
        targets = self._target.with_new(target_words)
        links = look_up(
            self._keys, self._links, sources[source] * SHIFT + targets[target]
        )
        source_linked = _at(self._source_linked, sources[source])
        target_linked = _at(self._target_linked, targets[target])
        of_targets = links * _share_of_stem(counts.target_seen, targets)[target]
        of_sources = links * _share_of_stem(counts.source_seen, sources)[source]
        return (
            (of_targets / (source_linked + 1), source_linked / (source_linked + 1)),
            (of_sources / (target_linked + 1), target_linked / (target_linked + 1)),
        )


class _Stems:
    """Numbers of stems, and that of each known word."""

    def __init__(self, words):
        self._numbers: dict[str, int] = {}
        self.of_words = self._number(words, self._numbers)
        self.count = len(self._numbers)

    def with_new(self, words):
        """Return the stem of each word, those that are new included."""
        new = list(words)[len(self.of_words) :]
        numbers = self._number(new, dict(self._numbers) if new else self._numbers)
        return np.concatenate([self.of_words, numbers])

    def _number(self, words, numbers):
        return np.array(
            [numbers.setdefault(stem(word), len(numbers)) for word in words], np.int64
        )


def _at(numbers, places):
    """Return a number at each place, 0 where a place is behind the last."""
    return np.pad(numbers, (0, max(0, places.max(initial=0) + 1 - len(numbers))))[
        places
    ]


def _share_of_stem(seen, stems):
    """Return how much of what was seen of each word's stem was that word."""
    return seen / np.maximum(np.bincount(stems, seen), 1)[stems]
