"""Text as publishers of corpora make it: small letters, words and signs set apart.

The rules are those of the scripts of Moses that made the tokenised Multi30k, as far as
its sentences need them.
"""

import re
from itertools import pairwise

from nmt.text.vocabulary import split_words

_PLAIN_SIGNS = str.maketrans(
    {
        **dict.fromkeys("“”„«»″", '"'),
        **dict.fromkeys("‘’‚´`′", "'"),
        **dict.fromkeys("–‐‑", "-"),
        **dict.fromkeys("\u00a0\u202f\u2009", " "),
        "—": " - ",
        "…": "...",
    }
)
_WRITTEN = {
    "&": "&amp;",
    "|": "&#124;",
    "<": "&lt;",
    ">": "&gt;",
    "'": "&apos;",
    '"': "&quot;",
    "[": "&#91;",
    "]": "&#93;",
}
_NAMES = "|".join(map(re.escape, _WRITTEN.values()))
# A word or sign that is as publishers write it.
_PUBLISHED = re.compile(
    rf"(?:&apos;)?[\w.-]+(?:,\d+)*(?:&apos;)?|{_NAMES}|[^\w\s&|<>'\"\[\]]|\.+"
)
_LETTER = r"[^\W\d_]"
# An apostrophe inside a word, by language; elsewhere it is a sign of its own.
_INSIDE = {"en": " '", "fr": "' ", "it": "' "}


def as_published(text: str, language: str) -> str:
    """Write a sentence in small letters, its words and signs set apart.

    A sentence that is so already stays as it is.

    Args:
        text: The sentence.
        language: Its language, such as `en`: they differ in apostrophes.
    """
    if _is_published(text, language):
        return text
    words = [
        part
        for word, after in pairwise([*_set_apart(text, language), ""])
        for part in _without_full_stop(word, after, language)
    ]
    return _written(words)


def published_words(text: str, language: str) -> list[str]:
    """Write each word of a sentence as `as_published` writes it, maybe as several.

    Args:
        text: The sentence. Its words are what blanks separate, see `split_words`.
        language: Its language.
    """
    words = split_words(text)
    if _is_published(text, language):
        return words
    apart = [
        (number, part)
        for number, word in enumerate(words)
        for part in _set_apart(word, language)
    ]
    parts: list[list[str]] = [[] for _ in words]
    for (number, part), (_, after) in pairwise([*apart, (0, "")]):
        parts[number] += _without_full_stop(part, after, language)
    return list(map(_written, parts))


def _is_published(text, language):
    words = text.split(" ")
    if text != text.lower() or not all(map(_PUBLISHED.fullmatch, words)):
        return False
    # Nobody types the written signs, so that a last full stop belongs to its word.
    written = re.search(_NAMES, text)
    return bool(written) or len(_without_full_stop(words[-1], "", language)) == 1


def _set_apart(text, language):
    """Return words and signs; a full stop is still part of the word before it."""
    text = text.lower().translate(_PLAIN_SIGNS)
    text = _moved_signs(text, language)
    text = re.sub(r"[^\w\s.',-]|_", r" \g<0> ", text)
    text = re.sub(r"\.{2,}", r" \g<0> ", text)
    text = re.sub(r"(?<!\d),|,(?!\d)", " , ", text)
    text = re.sub("'", lambda found: _apostrophe(found, language), text)
    return text.split()


def _written(words):
    return "".join(_WRITTEN.get(sign, sign) for sign in " ".join(words))


def _moved_signs(text, language):
    """Set quotation marks and full stops in the order of the language."""
    if language == "en":
        return re.sub(r'"([,.]+)', r'\1"', text)
    # Looked for from the first full stop alone: a run of many takes its time once.
    return re.sub(r'(,|(?<!\.)\.+)"', r'"\1', text)


def _apostrophe(found, language):
    """Return an apostrophe with the spaces that set it apart."""
    text, place = found.string, found.start()
    before, after = text[max(place - 1, 0) : place], text[place + 1 : place + 2]
    inside = before.isalpha() and after.isalpha()
    if language == "en" and before.isdigit() and after == "s":
        inside = True
    return _INSIDE.get(language, " ' ") if inside else " ' "


def _without_full_stop(word, after, language):
    """Cut the full stop off a word, unless it belongs to it."""
    begin = word.removesuffix(".")
    if (
        begin in ("", word)
        or begin.endswith(".")
        or ("." in begin and re.search(_LETTER, begin))
        or after[:1].islower()
        or (language == "de" and re.fullmatch(r"\d{1,2}", begin))
    ):
        return [word]
    return [begin, "."]
