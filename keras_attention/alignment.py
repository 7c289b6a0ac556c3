"""Attention weights read as numbers and as word links. NumPy arrays in and out.

Shapes: `T` target pieces (queries), `S` source pieces (keys), `...` any leading
axes, such as batch and heads. Attention weights say where a model looked, not why.
"""

import re
from operator import index

import numpy as np

WORD_START = "\u2581"  # the mark that SentencePiece puts where a word begins


def attention_entropy(weights, mask=None):
    """How evenly each target's attention is spread: 0 on one word, 1 on all alike.

    The Shannon entropy of each row, divided by the logarithm of the number of source
    pieces that may be seen, so that sentences of any length compare. Rows are first
    scaled to sum to 1. A row of zeros has entropy 0, and so has a row that may see
    one piece only.

    Args:
        weights: Shape `(..., T, S)`, not negative.
        mask: Boolean, shape `(..., S)`: `True` for real source pieces, `False` for
            padding, which is left out. Its leading axes are the first ones of
            `weights`: `(B, S)` goes with `(B, H, T, S)`. Default: all are real.

    Returns:
        Shape `(..., T)`, between 0 and 1.

    Raises:
        ValueError: If `weights` holds negative numbers or NaN, or the shapes differ.
    """
    weights, mask = _visible(weights, mask)
    total = weights.sum(axis=-1, keepdims=True)
    shares = weights / np.where(total > 0, total, 1)
    entropy = -(shares * np.log(np.where(shares > 0, shares, 1))).sum(axis=-1)
    visible = np.broadcast_to(mask, weights.shape).sum(axis=-1)
    return np.clip(entropy / np.log(np.maximum(visible, 2)), 0, 1)


def attention_concentration(weights, mask=None):
    """The largest weight of each target.

    Args:
        weights: Shape `(..., T, S)`, not negative.
        mask: Boolean, shape `(..., S)`, as in `attention_entropy`.

    Returns:
        Shape `(..., T)`.

    Raises:
        ValueError: If `weights` holds negative numbers or NaN, or the shapes differ.
    """
    return _visible(weights, mask)[0].max(axis=-1)


def attention_coverage(weights, mask=None):
    """How much attention each source piece gets from all targets together.

    Every row counts: cut padded targets off first.

    Args:
        weights: Shape `(..., T, S)`, not negative.
        mask: Boolean, shape `(..., S)`, as in `attention_entropy`.

    Returns:
        Shape `(..., S)`. Pieces hidden by `mask` get 0.

    Raises:
        ValueError: If `weights` holds negative numbers or NaN, or the shapes differ.
    """
    return _visible(weights, mask)[0].sum(axis=-2)


def word_spans(pieces, special=("<s>", "</s>", "<pad>")):
    """The word that each SentencePiece piece belongs to.

    A piece that begins with the word mark begins a word. A mark that stands alone
    belongs to the word after it, or at the end to the word before it.

    Args:
        pieces: Sequence of str, for example `["▁do", "gs", "▁run", "</s>"]`.
        special: Pieces that are words of their own wherever they stand. The unknown
            piece is none of them by default, as it may stand inside a word.

    Returns:
        List of int, one per piece, starting at 0: here `[0, 0, 1, 2]`.
    """
    pieces = _strings(pieces, "pieces")
    spans, word = [], -1
    text = None  # of the word so far; None when the next piece begins one anyway
    for i, piece in enumerate(pieces):
        if piece in special:
            word, text = word + 1, None
        else:
            begins = piece.startswith(WORD_START) and not _ends_blank(
                pieces[i:], special
            )
            if text is None or (begins and text):
                word, text = word + 1, ""
            text += piece.replace(WORD_START, "")
        spans.append(word)
    return spans


def merge_spans(weights, source_spans, target_spans):
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
    """
    weights = _matrices(weights)
    source = _membership(source_spans, "source_spans", weights, axis=-1)
    target = _membership(target_spans, "target_spans", weights, axis=-2)
    target = target / target.sum(axis=0)
    return target.T @ weights @ source


def merge_pieces(weights, source_pieces, target_pieces):
    """Attention between SentencePiece pieces, made attention between words.

    Sums over source pieces, averages over target pieces (see `merge_spans`). For
    words of another making, call `merge_spans`.

    Args:
        weights: Shape `(..., T, S)`.
        source_pieces: `S` strings. The word mark `▁` begins a word; `<s>`, `</s>`
            and `<pad>` are words of their own.
        target_pieces: `T` strings.

    Returns:
        weights: Shape `(..., target words, source words)`.
        source_words: List of str, the pieces of each word joined, without the mark.
        target_words: List of str.

    Raises:
        ValueError: If the number of pieces does not match `weights`.
    """
    source_spans, target_spans = word_spans(source_pieces), word_spans(target_pieces)
    merged = merge_spans(weights, source_spans, target_spans)
    source_words = _words(source_pieces, source_spans)
    target_words = _words(target_pieces, target_spans)
    return merged, source_words, target_words


def hard_links(weights, threshold=None):
    """One link per target: to the source piece that it looks at most.

    Args:
        weights: Shape `(T, S)`, one sentence pair.
        threshold: Weight that a link needs at least. Default: anything above 0.

    Returns:
        Set of `(source, target)` pairs of int. Of equal weights the first counts. A
        row of zeros has no link.

    Raises:
        ValueError: If `weights` is not a matrix or holds negative numbers or NaN.
    """
    weights, _ = _visible(weights, None)
    if weights.ndim != 2:
        raise ValueError(
            "`weights` must have shape (target, source), one sentence pair. "
            f"Received: weights.shape={weights.shape}."
        )
    best = weights.argmax(axis=-1)
    return {
        (int(source), target)
        for target, source in enumerate(best)
        if weights[target, source] > 0
        and (threshold is None or weights[target, source] >= threshold)
    }


def alignment_error_rate(links, sure, possible=None):
    """Alignment error rate against gold links: 0 is perfect, 1 finds nothing.

        1 - (|links and sure| + |links and possible|) / (|links| + |sure|)

    Sure links always count as possible too. For a corpus, pass a sequence of sets for
    each argument, one set per sentence: the counts are added up before dividing, so
    that long sentences weigh more.

    Args:
        links: Set of `(source, target)` pairs of int, or a sequence of sets.
        sure: Set of gold links that must be found, or a sequence of sets.
        possible: Set of gold links that may be found, or a sequence of sets.
            Default: none but the sure ones.

    Returns:
        Float from 0 to 1. With no links and no sure links at all there is nothing to
        get wrong: 0.

    Raises:
        ValueError: If something else than sets of pairs is given, or sequences of
            unequal length.

    Reference:
        [Och and Ney, 2003](https://aclanthology.org/J03-1002), section 2.5
    """
    if isinstance(links, set | frozenset):
        links, sure = [links], [sure]
        possible = None if possible is None else [possible]
    links, sure = _link_sets(links, "links"), _link_sets(sure, "sure")
    possible = sure if possible is None else _link_sets(possible, "possible")
    if not len(links) == len(sure) == len(possible):
        raise ValueError(
            "`links`, `sure` and `possible` must have one set per sentence each. "
            f"Received: {len(links)}, {len(sure)} and {len(possible)} sets."
        )
    found = total = 0
    for ours, must, may in zip(links, sure, possible, strict=True):
        found += len(ours & must) + len(ours & (may | must))
        total += len(ours) + len(must)
    return 1 - found / total if total else 0.0


def _matrices(weights):
    weights = np.asarray(weights, dtype="float64")
    if weights.ndim < 2 or 0 in weights.shape[-2:]:
        raise ValueError(
            "`weights` must have shape (..., target, source), neither of them empty. "
            f"Received: weights.shape={weights.shape}."
        )
    return weights


def _visible(weights, mask):
    """`weights` with 0 where hidden, and `mask` with as many axes as `weights`."""
    weights = _matrices(weights)
    if not (weights >= 0).all():
        raise ValueError(
            "`weights` must be 0 or more. Received: "
            f"{int((weights < 0).sum())} negative numbers and "
            f"{int(np.isnan(weights).sum())} NaN."
        )
    mask = np.ones(weights.shape[-1:], bool) if mask is None else np.asarray(mask, bool)
    lead = mask.shape[:-1]
    fits = mask.ndim and mask.shape[-1] == weights.shape[-1]
    if not fits or lead != weights.shape[:-2][: len(lead)]:
        raise ValueError(
            "`mask` must have the shape of `weights` without the target axis, or "
            "without some axes before it. Received: "
            f"mask.shape={mask.shape}, weights.shape={weights.shape}."
        )
    between = (1,) * (weights.ndim - mask.ndim)
    mask = mask.reshape(lead + between + mask.shape[-1:])
    return np.where(mask, weights, 0), mask


def _strings(pieces, name):
    if isinstance(pieces, str):
        raise ValueError(
            f"`{name}` must be a sequence of str, one per piece. "
            f"Received: {name}={pieces!r}."
        )
    return [str(piece) for piece in pieces]


def _ends_blank(pieces, special):
    """Whether nothing but bare word marks stands before the end or a special piece."""
    for piece in pieces:
        if piece in special:
            return True
        if piece.replace(WORD_START, ""):
            return False
    return True


def _words(pieces, spans):
    words = [""] * (max(spans, default=-1) + 1)
    for piece, word in zip(pieces, spans, strict=True):
        words[word] += str(piece)
    return [_readable(word) for word in words]


def _readable(word):
    # SentencePiece spells characters outside its vocabulary as bytes, "<0xC3>".
    word = re.sub(
        "(?:<0x[0-9A-F]{2}>)+",
        lambda found: bytes.fromhex(re.sub("<0x|>", "", found[0])).decode(
            errors="replace"
        ),
        word,
    )
    return word.replace(WORD_START, " ").strip(" ")


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


def _link_sets(sentences, name):
    try:
        return [
            {(index(source), index(target)) for source, target in links}
            for links in sentences
        ]
    except (TypeError, ValueError):
        raise ValueError(
            f"`{name}` must be a set of (source, target) pairs, or a sequence of such "
            f"sets, as `links` is. Received: {name}={sentences!r}."
        ) from None
