"""Characters as readers see them: what belongs together, how wide it is, which way."""

import unicodedata
from typing import Literal

JOINER = "\u200d"  # ZWJ: makes one emoji of several
EMOJI_STYLE = "\ufe0f"  # makes the sign before it wide and coloured
# Embeddings, overrides and isolates turn round whatever text comes after them.
TURNS = {"LRE", "RLE", "PDF", "LRO", "RLO", "LRI", "RLI", "FSI", "PDI"}


def readable(word):
    """`word` as one line of printable text: control characters are spelled out."""
    word = str(word)
    if word.isprintable():  # nothing to spell out: the usual case, and a fast one
        return word
    return "".join(
        char.encode("unicode_escape").decode()
        if unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp")
        or unicodedata.bidirectional(char) in TURNS
        or char in "\ufffe\uffff"
        else char
        for char in word
    )


def text_direction(tokens) -> Literal["ltr", "rtl"]:
    """`"rtl"` where most letters of the tokens run from right to left, else `"ltr"`.

    Letters of special tokens, such as `</s>` and `[SEP]`, are not counted.
    """
    words = [token for token in map(str, tokens) if not _is_bracketed(token)]
    kinds = [unicodedata.bidirectional(char) for word in words for char in word]
    right_to_left = kinds.count("R") + kinds.count("AL")
    return "rtl" if right_to_left > kinds.count("L") else "ltr"


def graphemes(text):
    """Split `text` into what readers take for single characters.

    Marks stay with their letter, and the parts of a joined emoji, and the two letters
    of a flag, with each other.
    """
    clusters: list[str] = []
    for char in text:
        before = clusters[-1] if clusters else ""
        flag = len(before) == 1 and _is_flag_letter(before) and _is_flag_letter(char)
        if before and (flag or before.endswith(JOINER) or _extends(char)):
            clusters[-1] += char
        else:
            clusters.append(char)
    return clusters


def clip(text, length):
    """The first `length` code points of `text`, the last a sign if there were more.

    No character is cut through: what does not fit whole is left out.
    """
    if len(text) <= length:
        return text
    kept = ""
    for cluster in graphemes(text[:length]):
        if len(kept) + len(cluster) > length - 1:
            break
        kept += cluster
    return kept + "…"


def columns(text):
    """Columns that `text` takes on a terminal."""
    return sum(_columns(cluster) for cluster in graphemes(text))


def _is_bracketed(token):
    return token[:1] + token[-1:] in ("<>", "[]")


def _extends(char):
    category = unicodedata.category(char)
    skin = "\U0001f3fb" <= char <= "\U0001f3ff"
    return category in ("Mn", "Mc", "Me", "Cf") or skin


def _is_flag_letter(char):
    return "\U0001f1e6" <= char <= "\U0001f1ff"


def _columns(cluster):
    if unicodedata.category(cluster[0]) in ("Mn", "Me", "Cf"):
        return 0
    wide = unicodedata.east_asian_width(cluster[0]) in "WF"
    flag = len(cluster) > 1 and _is_flag_letter(cluster[0])
    return 2 if wide or flag or EMOJI_STYLE in cluster else 1
