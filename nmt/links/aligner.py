"""`Aligner`: learns from sentence pairs which words translate each other."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nmt.links import storage
from nmt.links.counts import Counts, before_links, no_counts
from nmt.links.em import BY_ORDER, WITHOUT_ORDER, count_links, posteriors
from nmt.links.pairs import number_pairs
from nmt.links.stems import StemLinks
from nmt.links.words import tokens_of_words

LEARNING = (WITHOUT_ORDER,) * 4 + (BY_ORDER,) * 5
"""Rounds of learning from text."""
ADDING = (WITHOUT_ORDER,) * 3 + (BY_ORDER,) * 4
"""Rounds of learning from the pairs that are linked, once other text is known."""
UNLINKED_LEARNING = 0.02
"""Share of the words expected to be linked to none while learning from text;"""
UNLINKED = 0.1
"""and of the pairs that are linked, which may be less literal."""
THRESHOLD = 0.5
"""Probability of a link from which on it is one."""
FEWEST = 0.001
"""Expected links below which two words are kept as if they had never been linked."""


@dataclass(frozen=True)
class LinkedPair:
    """Two sentences and the links between their words.

    Attributes:
        source_words: `I` words of the sentence.
        target_words: `J` words of its translation.
        probabilities: Of each link, the mean of both directions, shape `(J, I)`.
        links: Sorted list of (source word, target word), counted from 0.
    """

    source_words: list[str]
    target_words: list[str]
    probabilities: np.ndarray
    links: list[tuple[int, int]]


class Aligner:
    """Links words of sentences to those of their translations.

    Args:
        source_words: The number of each known source word, in small letters.
        target_words: The number of each known target word.
        counts: What is known of them.
    """

    def __init__(self, source_words, target_words, counts: Counts):
        self.source_words = source_words
        self.target_words = target_words
        self.counts = counts
        self._stems = StemLinks(source_words, target_words, counts)

    @classmethod
    def learn(cls, pairs: Sequence[tuple[Sequence[str], Sequence[str]]]) -> "Aligner":
        """Learn from text.

        Args:
            pairs: Words of sentences and of their translations.
        """
        source_words: dict[str, int] = {}
        target_words: dict[str, int] = {}
        numbered = number_pairs(_tokens(pairs), source_words, target_words)
        sizes = len(source_words), len(target_words)
        before = before_links(no_counts(), numbered, sizes)
        counts, _ = count_links(numbered, before, LEARNING, UNLINKED_LEARNING)
        return cls(source_words, target_words, counts.keep(FEWEST))

    @classmethod
    def from_bytes(cls, content: bytes, path="the file") -> "Aligner":
        """Read what `to_bytes` wrote.

        Args:
            content: The bytes.
            path: Where they are from, for the error.

        Raises:
            UserError: If they are something else.
        """
        return cls(*storage.from_bytes(content, path))

    def to_bytes(self) -> bytes:
        """Return what was learnt as the bytes of a file."""
        return storage.to_bytes(self.source_words, self.target_words, self.counts)

    def link(self, pairs: Sequence[tuple[Sequence[str], Sequence[str]]]):
        """Link the words of sentence pairs, having learnt from them too.

        Args:
            pairs: Words of sentences and of their translations.

        Returns:
            List of `LinkedPair`, without links where a side is too long for a sentence.
        """
        source_words, target_words = dict(self.source_words), dict(self.target_words)
        numbered = number_pairs(_tokens(pairs), source_words, target_words)
        sizes = len(source_words), len(target_words)
        before = before_links(self.counts, numbered, sizes)
        stems = self._stems.shares(numbered, source_words, target_words, before)
        _, parameters = count_links(numbered, before, ADDING, UNLINKED, stems)
        results = [_unlinked(*pair) for pair in pairs]
        for group, forwards, backwards in posteriors(numbered, parameters, UNLINKED):
            both = (forwards.links + backwards.links.transpose(0, 2, 1)) / 2
            for row, of_tokens in zip(group.rows, both, strict=True):
                source, target = pairs[row]
                results[row] = _of_words(source, target, of_tokens)
        return results


def _tokens(pairs):
    return [
        (tokens_of_words(source)[0], tokens_of_words(target)[0])
        for source, target in pairs
    ]


def _unlinked(source, target):
    nothing = np.zeros((len(target), len(source)))
    return LinkedPair(list(source), list(target), nothing, [])


def _of_words(source, target, of_tokens):
    """Make links of words from the probabilities of their tokens."""
    columns, rows = (tokens_of_words(words)[1] for words in (source, target))
    here = [i for i, column in enumerate(columns) if column is not None]
    there = [j for j, row in enumerate(rows) if row is not None]
    probabilities = np.zeros((len(target), len(source)))
    np.maximum.at(
        probabilities,
        np.ix_(
            [row for row in rows if row is not None],
            [column for column in columns if column is not None],
        ),
        np.minimum(of_tokens[np.ix_(there, here)], 1),  # rounding may lead above
    )
    links = [(int(i), int(j)) for j, i in np.argwhere(probabilities > THRESHOLD)]
    return LinkedPair(list(source), list(target), probabilities, sorted(links))
