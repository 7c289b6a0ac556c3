"""Pieces made words: attention and links between pieces, made those between words.

Shapes: `T` target pieces (queries), `S` source pieces (keys), `...` any leading
axes, such as batch and heads.
"""

import re
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import ArrayLike

from keras_attention.analysis.checks import check_choice, check_matrices, check_strings

WORD_START = "\u2581"  # the mark that SentencePiece puts where a word begins
SPECIAL_TOKENS = (
    *("<s>", "</s>", "<pad>", "<bos>", "<eos>", "<sos>", "<|endoftext|>"),
    *("[START]", "[END]", "[PAD]", "[CLS]", "[SEP]", "[BOS]", "[EOS]"),
)
SchemeName: TypeAlias = Literal["sentencepiece", "wordpiece", "bpe@@", "gpt2"]
Scheme: TypeAlias = SchemeName | Callable[[list[str]], Iterable[int]]
Spans: TypeAlias = Sequence[int] | np.ndarray
SCHEMES = get_args(SchemeName)


def word_spans(
    pieces: Sequence[str],
    special: Collection[str] = SPECIAL_TOKENS,
    *,
    scheme: Scheme = "sentencepiece",
) -> list[int]:
    """The word that each piece belongs to.

    | scheme | made by | `dogs run` |
    |---|---|---|
    | `"sentencepiece"` | SentencePiece: `▁` begins a word | `▁do gs ▁run` |
    | `"wordpiece"` | BERT: `##` goes on with a word | `do ##gs run` |
    | `"bpe@@"` | subword-nmt: `@@` says that the word goes on | `do@@ gs run` |
    | `"gpt2"` | byte-level BPE: `Ġ` is a space | `do gs Ġrun` |

    A mark alone belongs to the word after it, or at the end to the word
    before it. An empty piece belongs to the word before it.

    Args:
        pieces: Sequence of str, for example `["▁do", "gs", "▁run", "</s>"]`.
        special: Pieces that are words of their own wherever they are. The unknown
            piece is none of them by default, as it may be inside a word.
        scheme: How pieces say where words begin: a name from the table, or a
            function of the list of pieces that gives one int for each.

    Returns:
        List of int, one per piece, starting at 0: here `[0, 0, 1, 2]`.

    Raises:
        ValueError: If `pieces` is one str or `scheme` is unknown.

    Example:
        ```python
        word_spans(["▁do", "gs", "▁run", "</s>"])  # [0, 0, 1, 2]
        ```
    """
    pieces = check_strings(pieces, "pieces")
    if callable(scheme):
        return list(scheme(pieces))
    check_choice(scheme, "scheme", SCHEMES)
    if scheme in _START_MARKS:
        return _spans_by_start(pieces, special, _START_MARKS[scheme])
    return _spans_by_continuation(pieces, special, scheme)


def merge_spans(
    weights: ArrayLike, source_spans: Spans, target_spans: Spans
) -> np.ndarray:
    """Attention between pieces, made attention between words.

    A source word gets the sum of its pieces' weights, a target word the mean of its
    pieces' rows. So the rows of a word sum to the mean of what its pieces' rows sum
    to: 1 stays 1.

    Args:
        weights: Shape `(..., T, S)`.
        source_spans: `S` ints, the word of each source piece, as from `word_spans`.
            Each word from 0 to the last needs at least one piece.
        target_spans: `T` ints, the word of each target piece.

    Returns:
        Shape `(..., target words, source words)`.

    Raises:
        ValueError: If lengths do not match `weights`, or a word has no piece.

    Example:
        ```python
        merge_spans([[0.5, 0.3, 0.2]], [0, 0, 1], [0])  # [[0.8, 0.2]]
        ```
    """
    weights = check_matrices(weights)
    source = _membership(source_spans, "source_spans", weights, axis=-1)
    target = _membership(target_spans, "target_spans", weights, axis=-2)
    target = target / target.sum(axis=0)
    return target.T @ weights @ source


def merge_pieces(
    weights: ArrayLike,
    source_pieces: Sequence[str],
    target_pieces: Sequence[str],
    *,
    scheme: Scheme | tuple[Spans, Spans] = "sentencepiece",
) -> tuple[np.ndarray, list[str], list[str]]:
    """Attention between pieces, made attention between words, with the words.

    Sums over source pieces, averages over target pieces (see `merge_spans`).

    Args:
        weights: Shape `(..., T, S)`.
        source_pieces: `S` strings. Those in `SPECIAL_TOKENS`, such as `</s>` and
            `[SEP]`, are words of their own.
        target_pieces: `T` strings.
        scheme: As in `word_spans`, or spans of one's own: a pair of `S` and `T` ints.

    Returns:
        weights: Shape `(..., target words, source words)`.
        source_words: List of str, the pieces of each word joined, without the marks.
        target_words: List of str.

    Raises:
        ValueError: If the number of pieces does not match `weights`, or `scheme` is
            unknown.

    Example:
        ```python
        weights, source, target = merge_pieces(
            [[0.5, 0.5]], ["do", "##gs"], ["Hunde"], scheme="wordpiece"
        )  # [[1.0]], ["dogs"], ["Hunde"]
        ```
    """
    source_pieces = check_strings(source_pieces, "source_pieces")
    target_pieces = check_strings(target_pieces, "target_pieces")
    if isinstance(scheme, str) or callable(scheme):
        source_spans = word_spans(source_pieces, scheme=scheme)
        target_spans = word_spans(target_pieces, scheme=scheme)
    else:
        (source_spans, target_spans), scheme = _pair(scheme), None
    merged = merge_spans(weights, source_spans, target_spans)
    source_words = _join(source_pieces, source_spans, scheme)
    target_words = _join(target_pieces, target_spans, scheme)
    return merged, source_words, target_words


def merge_links(
    links: Iterable[tuple[int, int]], source_spans: Spans, target_spans: Spans
) -> set[tuple[int, int]]:
    """Links between pieces, made links between words.

    Two words are linked where any of their pieces are.

    Args:
        links: Iterable of `(source, target)` pairs of int.
        source_spans: The word of each source piece, as from `word_spans`.
        target_spans: The word of each target piece.

    Returns:
        Set of `(source, target)` pairs of int.

    Raises:
        ValueError: If a link is to no piece.

    Example:
        ```python
        merge_links({(0, 0), (1, 0)}, [0, 0], [0])  # {(0, 0)}
        ```
    """
    merged = set()
    for source, target in links:
        if not (0 <= source < len(source_spans) and 0 <= target < len(target_spans)):
            raise ValueError(
                f"`links` must lie within {len(source_spans)} source and "
                f"{len(target_spans)} target pieces, counted from 0. "
                f"Received: {(source, target)}."
            )
        merged.add((int(source_spans[source]), int(target_spans[target])))
    return merged


# ---- where words begin

_START_MARKS = {"sentencepiece": WORD_START, "gpt2": "ĠĊĉ"}  # GPT-2: space, line, tab


def _spans_by_start(pieces, special, marks):
    spans, word = [], -1
    text = None  # of the word so far; None when the next piece begins one anyway
    for i, piece in enumerate(pieces):
        if piece in special:
            word, text = word + 1, None
        else:
            begins = piece[:1] in list(marks) and not _ends_blank(
                pieces[i:], special, marks
            )
            if text is None or (begins and text):
                word, text = word + 1, ""
            text += piece.strip(marks)
        spans.append(word)
    return spans


def _ends_blank(pieces, special, marks):
    """Whether nothing but bare word marks comes before the end or a special piece."""
    for piece in pieces:
        if piece in special:
            return True
        if piece.strip(marks):
            return False
    return True


def _spans_by_continuation(pieces, special, scheme):
    spans, word = [], -1
    text, goes_on = None, False  # of the word so far, as above; whether "@@" ended it
    for piece in pieces:
        if piece in special:
            word, text, goes_on = word + 1, None, False
        else:
            joins = not piece or goes_on or (scheme == "wordpiece" and _marked(piece))
            if text is None or (text and not joins):
                word, text = word + 1, ""
            text += piece
            if piece:
                goes_on = scheme == "bpe@@" and piece.endswith("@@")
        spans.append(word)
    return spans


def _marked(piece):
    return piece.startswith("##") and len(piece) > 2


# ---- words


def _join(pieces, spans, scheme):
    words: list[list[str]] = [[] for _ in range(max(spans, default=-1) + 1)]
    for piece, word in zip(pieces, spans, strict=True):
        words[word].append(piece)
    return [_text(word, scheme) for word in words]


def _text(pieces, scheme):
    if len(pieces) == 1 and pieces[0] in SPECIAL_TOKENS:
        return pieces[0]
    if scheme == "sentencepiece":
        return _bytes_read("".join(pieces)).replace(WORD_START, " ").strip(" ")
    if scheme == "wordpiece":
        return "".join(p.removeprefix("##") if _marked(p) else p for p in pieces)
    if scheme == "bpe@@":
        return "".join(piece.removesuffix("@@") for piece in pieces)
    if scheme == "gpt2":
        return _byte_letters_read("".join(pieces)).strip()
    return "".join(pieces)


def _bytes_read(word):
    # SentencePiece spells characters outside its vocabulary as bytes, "<0xC3>".
    return re.sub(
        "(?:<0x[0-9A-F]{2}>)+",
        lambda found: bytes.fromhex(re.sub("<0x|>", "", found[0])).decode(
            errors="replace"
        ),
        word,
    )


def _byte_letters_read(word):
    """Undo GPT-2's spelling, in which each byte of UTF-8 is a visible letter."""
    values = [_BYTE_LETTERS.get(letter) for letter in word]
    if None in values:
        return word  # not written in that spelling
    return bytes(values).decode(errors="replace")


def _byte_letters():
    """Letter → byte: itself where it is visible, else counted up from U+0100."""
    visible = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    letters = {chr(byte): byte for byte in visible}
    hidden = [byte for byte in range(256) if byte not in visible]
    return letters | {chr(0x100 + i): byte for i, byte in enumerate(hidden)}


_BYTE_LETTERS = _byte_letters()


# ---- checks


def _pair(spans):
    try:
        source, target = spans
    except (TypeError, ValueError):
        raise ValueError(
            f"`scheme` must be one of {', '.join(map(repr, SCHEMES))}, a function, or "
            "a pair of spans (source, target). "
            f"Received: scheme={spans!r}."
        ) from None
    return list(source), list(target)


def _membership(spans, name, weights, axis):
    """Matrix (pieces, words) of 1 where the piece belongs to the word, else 0."""
    spans = np.asarray(spans)
    if spans.shape != (weights.shape[axis],):
        raise ValueError(
            f"`{name}` must hold one int for each of the {weights.shape[axis]} pieces "
            f"on axis {axis} of `weights`. Received: {name} of shape {spans.shape}, "
            f"weights.shape={weights.shape}."
        )
    words = np.unique(spans)
    if not np.array_equal(words, np.arange(len(words))):
        raise ValueError(
            f"`{name}` must count words from 0 without a gap. "
            f"Received: {name}={spans.tolist()}."
        )
    return (spans[:, None] == words).astype("float64")
