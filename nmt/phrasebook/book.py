"""The built-in corpus: generated English-Spanish sentences with known word links.

It makes the demo run without a download, and lets alignment be measured exactly: the
grammar that derives a sentence also knows which words translate each other.
"""

import functools
import hashlib
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from nmt.errors import UserError
from nmt.phrasebook.grammar import English, Part, Spanish, contracted, with_articles
from nmt.phrasebook.sentences import Sentences

MIN_WORDS = 3
MAX_WORDS = 15
# Shares of all possible sentences that never enter training, whatever the seed.
TEST_SHARE = 0.12
VALIDATION_SHARE = 0.06

_WORD = re.compile(r"'s\b|\w+|[^\w\s]")
_CLOSED = frozenset({".", ",", "?", "'s"})
# Training favours rare word forms: of the sentences whose every form was met this
# often, that share is refused.
_OFTEN = 20
_REFUSED = 0.9
# Draws in a row without a new sentence after which the grammar counts as exhausted.
_PATIENCE = 10_000


@dataclass(frozen=True)
class Phrase:
    """A sentence pair and its word links.

    A link is (place of the English word, place of the Spanish word), counted from 0
    in `words(english)` and `words(spanish)`. The sure links are among the possible
    ones, as the alignment error rate of Och and Ney (2003) has it.
    """

    english: str
    spanish: str
    sure: frozenset[tuple[int, int]]
    possible: frozenset[tuple[int, int]]


@dataclass(frozen=True)
class Phrasebook:
    """The corpus in three parts; no sentence of either language is in two of them."""

    train: tuple[Phrase, ...]
    validation: tuple[Phrase, ...]
    test: tuple[Phrase, ...]


def words(sentence: str) -> list[str]:
    """Splits a sentence into the words and punctuation marks that links count.

    The English possessive `'s` is a word of its own.
    """
    return _WORD.findall(sentence)


@functools.cache  # seconds of work; nothing in a book can be changed
def generate(
    seed: int = 0,
    train_size: int = 17_000,
    validation_size: int = 500,
    test_size: int = 1000,
) -> Phrasebook:
    """Generates the corpus, the same for the same arguments on every machine.

    Every English sentence has one Spanish translation. A digest of the Spanish
    sentence decides which part a pair belongs to, so sentences that are held out
    under one seed or size are never training sentences under another.

    Args:
        seed: Seeds the choice of sentences.
        train_size: Number of training pairs.
        validation_size: Number of validation pairs.
        test_size: Number of test pairs.

    Raises:
        UserError: If a size is negative, or more than the grammar can fill.
    """
    sizes = {"train": train_size, "validation": validation_size, "test": test_size}
    for part, size in sizes.items():
        if size < 0:
            raise UserError(f"{part}_size must not be negative. Received: {size}.")
    drawn = Sentences(seed)
    parts: dict[str, list[Phrase]] = {part: [] for part in sizes}
    seen = set()
    met: Counter[str] = Counter()
    fruitless = 0
    while any(len(parts[part]) < size for part, size in sizes.items()):
        fruitless += 1
        if fruitless > _PATIENCE:
            found = {part: len(pairs) for part, pairs in parts.items()}
            raise UserError(
                f"The phrase book has too few sentences for the sizes {sizes}: "
                f"found {found}. Ask for fewer."
            )
        english, spanish = _finished(*drawn.draw())
        source = _written(with_articles(english))
        target = _written([word.text for word in spanish])
        part = _part(target)
        if source in seen or len(parts[part]) == sizes[part]:
            continue
        words_by_side = words(source), words(target)
        if not all(map(_fits, words_by_side)):
            continue
        if part == "train":
            forms = sum(words_by_side, [])
            if min(met[form] for form in forms) >= _OFTEN and drawn.chance(_REFUSED):
                continue
            met.update(forms)
        fruitless = 0
        seen.add(source)
        parts[part].append(Phrase(source, target, *_links(english, spanish)))
    return Phrasebook(**{part: tuple(pairs) for part, pairs in parts.items()})


def _part(spanish: str) -> str:
    digest = hashlib.sha256(spanish.encode()).digest()
    share = int.from_bytes(digest[:8], "big") / 2**64
    if share < TEST_SHARE:
        return "test"
    return "validation" if share < TEST_SHARE + VALIDATION_SHARE else "train"


def _fits(split: Sequence[str]) -> bool:
    """Whether there are enough words, marks apart, and not too many, marks counted."""
    return len(split) <= MAX_WORDS and (
        sum(word[0].isalpha() for word in split) >= MIN_WORDS
    )


def _finished(part: Part, mark: str) -> tuple[list[English], list[Spanish]]:
    """Adds the marks to a derivation and contracts `a el` and `de el`."""
    end = English(mark)
    english = [*part.english, end]
    spanish = [*part.spanish, Spanish(mark, (end,))]
    if mark == "?":
        # Spanish asks from the start, as English does by its first word.
        spanish = [Spanish("¿", (), (end, english[0])), *spanish]
    return english, contracted(spanish)


def _links(
    english: list[English], spanish: list[Spanish]
) -> tuple[frozenset[tuple[int, int]], frozenset[tuple[int, int]]]:
    """The sure and the possible links between the words of two sentences."""
    place = {id(word): i for i, word in enumerate(english)}
    sure = {(place[id(e)], j) for j, s in enumerate(spanish) for e in s.sure}
    possible = {(place[id(e)], j) for j, s in enumerate(spanish) for e in s.possible}
    return frozenset(sure), frozenset(sure | possible)


def _written(texts: Sequence[str]) -> str:
    """Joins words into a sentence with its capital and without stray spaces."""
    sentence = ""
    for text in texts:
        if sentence and text not in _CLOSED and sentence != "¿":
            sentence += " "
        sentence += text
    first = 1 if sentence[0] == "¿" else 0
    return sentence[:first] + sentence[first].upper() + sentence[first + 1 :]
