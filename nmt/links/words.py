"""Words as they are linked: small letters, punctuation apart from words."""

import html
import unicodedata
from collections.abc import Sequence
from itertools import groupby


def tokens_of_words(words: Sequence[str]) -> tuple[list[str], list[int | None]]:
    """Split words into the tokens that are linked.

    Args:
        words: Words of a sentence, however it was split.

    Returns:
        `(tokens, owners)`: the tokens, in small letters, and for each the position of
        the word that has its links; `None` of a sign that is part of a word.
    """
    tokens: list[str] = []
    owners: list[int | None] = []
    for position, word in enumerate(words):
        # Publishers write an apostrophe as &apos;. Some entities are nothing.
        plain = html.unescape(word).lower() or word
        parts = _split(plain) or [plain]
        is_word = any(_is_word(part) for part in parts)
        tokens += parts
        owners += [position if _is_word(p) or not is_word else None for p in parts]
    return tokens, owners


def _split(text):
    """Split a text into words, with the marks on their letters, and single signs."""
    tokens: list[str] = []
    for is_of_word, run in groupby(text, _is_of_word):
        if is_of_word:
            tokens.append("".join(run))
        else:
            tokens.extend(sign for sign in run if not sign.isspace())
    return tokens


def _is_of_word(character):
    # A mark on a letter, such as a vowel sign of Hindi, is no letter to Python.
    is_mark = unicodedata.category(character).startswith("M")
    return character.isalnum() or character == "_" or is_mark


def _is_word(token):
    return token[0].isalnum() or token[0] == "_"
