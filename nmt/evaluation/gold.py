"""Word links known to be right, to measure those of a model."""

import os
from typing import NamedTuple

from nmt import phrasebook
from nmt.corpora import Corpus, data_folder, read_lines, split_columns
from nmt.errors import UserError

GOLD = "gold/golden.en-es.tsv"


class GoldPair(NamedTuple):
    """A hand-aligned pair: words, and sure links `(English, Spanish)` from 0."""

    source: tuple[str, ...]
    target: tuple[str, ...]
    links: frozenset[tuple[int, int]]


def gold_alignment(data: str | os.PathLike | None = None) -> list[GoldPair] | None:
    """Read the Golden Collection's English-Spanish word alignments, if they are there.

    The file has no address to download it from; a user who has it puts it at
    `gold/golden.en-es.tsv` in the data folder: English TAB Spanish TAB links such as
    `0-0 2-1`, words separated by spaces, positions from 0.

    Args:
        data: The data folder, see `nmt.corpora.data_folder`.

    Returns:
        The pairs with their links, all of them sure; `None` without the file.

    Raises:
        UserError: If a line has no such form.

    Reference:
        Graça et al. 2008, Building a golden collection of parallel
        multi-language word alignments.
    """
    path = data_folder(data) / GOLD
    if not os.path.exists(path):
        return None
    pairs = []
    for number, row in enumerate(split_columns(read_lines(path), path, 3), 1):
        if not any(row):
            continue  # a blank line
        source, target = (tuple(sentence.split()) for sentence in row[:2])
        try:
            links = frozenset(map(_link, row[2].split()))
            sound = bool(source and target) and all(
                0 <= i < len(source) and 0 <= j < len(target) for i, j in links
            )
        except ValueError:
            sound = False
        if not sound:
            raise UserError(
                f"{path}, line {number}: {row[2]!r} must be links i-j between "
                f"{len(source)} and {len(target)} words, counted from 0."
            )
        pairs.append(GoldPair(source, target, links))
    return pairs


def _link(text: str) -> tuple[int, int]:
    source, target = text.split("-", 1)
    return int(source), int(target)


class GoldSentence(NamedTuple):
    """A sentence pair with links `(source word, target word)` known to be right."""

    source: str
    target: str
    source_words: tuple[str, ...]
    target_words: tuple[str, ...]
    sure: frozenset[tuple[int, int]]
    possible: frozenset[tuple[int, int]]


def has_own_links(name: str) -> bool:
    """Tell whether a corpus of this name comes with known links of its sentences."""
    return name == "phrasebook"


def gold_sentences(corpus: Corpus, split: str, data=None) -> list[GoldSentence]:
    """Return sentence pairs with known links that fit the corpus' languages.

    They are those of the split itself for the phrase book, and the Golden Collection
    for any other corpus of raw English and Spanish, where it is at hand.

    Args:
        corpus: The corpus.
        split: Name of the split.
        data: The data folder, see `nmt.corpora.data_folder`.
    """
    if has_own_links(corpus.name):
        gold = _phrasebook_gold(split)
    elif corpus.text == "raw" and {
        corpus.source_language,
        corpus.target_language,
    } == {"en", "es"}:
        gold = [
            GoldSentence(" ".join(en), " ".join(es), en, es, links, links)
            for en, es, links in gold_alignment(data) or []
        ]
    else:
        return []
    if corpus.source_language != "en":
        gold = [_reverse(pair) for pair in gold]
    if has_own_links(corpus.name):  # which a file of one's own may be named too
        there = set(zip(*corpus.splits.get(split, ((), ())), strict=True))
        gold = [pair for pair in gold if (pair.source, pair.target) in there]
    return gold


def _phrasebook_gold(split):
    return [
        GoldSentence(
            phrase.english,
            phrase.spanish,
            tuple(phrasebook.words(phrase.english)),
            tuple(phrasebook.words(phrase.spanish)),
            phrase.sure,
            phrase.possible,
        )
        for phrase in getattr(phrasebook.generate(), split, ())
    ]


def _reverse(pair):
    turned = [
        frozenset((target, source) for source, target in links)
        for links in (pair.sure, pair.possible)
    ]
    return GoldSentence(
        pair.target, pair.source, pair.target_words, pair.source_words, *turned
    )
