"""Word links learnt from a corpus."""

from collections.abc import Sequence

from nmt.corpora import Corpus
from nmt.links import LONGEST, Aligner
from nmt.text import split_words

MOST_POSITIONS = 2**24
"""Most pairs of word positions that are learnt from: some 30 bytes of memory each."""


def learn_links(corpus: Corpus) -> Aligner:
    """Learn word links from the training part of a corpus.

    Of much text every second, third ... pair is learnt from. Pairs of which a side is
    too long for a sentence are left out.

    Args:
        corpus: The corpus, in the direction of the links.
    """
    text = corpus.splits["train"]
    pairs = [
        (split_words(source), split_words(target))
        for source, target in zip(text.source, text.target, strict=True)
    ]
    # Not learnt from, they would crowd out others.
    sentences = [pair for pair in pairs if max(map(len, pair)) <= LONGEST]
    return Aligner.learn(some_of(sentences))


def some_of(pairs: Sequence[tuple[list[str], list[str]]], most: int = MOST_POSITIONS):
    """Return every n-th pair, so that they have at most so many pairs of positions."""
    positions = sum(len(source) * len(target) for source, target in pairs)
    return pairs[:: max(1, -(-positions // most))]
