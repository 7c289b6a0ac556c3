"""What a picture of attention weights shows, in words, and the checks before it."""

import unicodedata

import numpy as np

from keras_attention.alignment import attention_coverage, attention_entropy

MAX_LENGTH = 400
FLAT, UNATTENDED = 0.9, 0.1  # entropy above, coverage below: named
TOLERANCE = 1e-3


def describe_attention(weights, source, target=None):
    """Say in at most 400 characters what a heat map of the weights shows.

    Names the two sentences, the strongest link, rows spread evenly (entropy above
    0.9), source words hardly looked at (less than 0.1 in all), and rows whose sum is
    off 1 by more than 0.001. Long sentences and lists are cut short.

    Args:
        weights: Shape `(T, S)`.
        source: `S` strings.
        target: `T` strings. Default: `source`.

    Returns:
        One line of text, for use as the alternative text of a picture.

    Raises:
        ValueError: If the numbers of words do not match `weights`.
    """
    weights, source, target, _ = check_sentence_pair(weights, source, target, 2)
    return describe_matrix(weights, source, target)


def describe_matrix(weights, source, target, opening=""):
    """`describe_attention` of checked arguments, with more said at the beginning."""
    rows, columns = weights.shape
    opening = (
        f"Attention weights, not an explanation: {opening}"
        f"{rows} target by {columns} source words."
    )
    valid = np.isfinite(weights)
    weights = np.where(valid, weights, 0)
    row, column = np.unravel_index(weights.argmax(), weights.shape)
    facts = [
        f"Strongest link: {_quoted([target[row]], 16)} looks at "
        f"{_quoted([source[column]], 16)}, {weights[row, column]:.2f}."
    ]
    positive = np.maximum(weights, 0)
    flat = np.flatnonzero(attention_entropy(positive) > FLAT)
    if flat.size:
        facts.append(f"Spread evenly: {_quoted([target[i] for i in flat])}.")
    missed = np.flatnonzero(attention_coverage(positive) < UNATTENDED)
    if missed.size:
        facts.append(f"Hardly looked at: {_quoted([source[i] for i in missed])}.")
    sums = weights.sum(axis=-1)
    off = abs(sums - 1) > TOLERANCE
    if off.any():
        facts.append(
            f"Row sums are not 1 in {off.sum()} of {rows} rows "
            f"({sums[off].min():.3g} to {sums[off].max():.3g})."
        )
    if not valid.all():
        facts.append(f"Not a number: {(~valid).sum()} cells.")
    room = (
        MAX_LENGTH - len(" ".join([opening, *facts])) - len(" Source: “”. Target: “”.")
    )
    pair = (
        f"Source: “{clip(' '.join(source), max(room // 2, 8))}”.",
        f"Target: “{clip(' '.join(target), max(room // 2, 8))}”.",
    )
    return clip(" ".join([opening, *pair, *facts]), MAX_LENGTH)


def _quoted(words, length=10, count=3):
    quoted = ", ".join(f"“{clip(word, length)}”" for word in words[:count])
    more = len(words) - count
    return f"{quoted} and {more} more" if more > 0 else quoted


def check_sentence_pair(weights, source, target, *ndims):
    """The arguments as a float array and lists of str; whether target was left out."""
    own = target is None
    source = _words(source, "source")
    target = source if own else _words(target, "target")
    weights = np.asarray(weights, dtype="float64")
    expected = (len(target), len(source))
    if weights.ndim not in ndims or weights.shape[-2:] != expected:
        lead = {2: "", 3: "heads, ", 4: "layers, heads, "}
        shapes = " or ".join(f"({lead[n]}{len(target)}, {len(source)})" for n in ndims)
        mend = ""
        if weights.ndim in (2, 3, 4) and weights.ndim not in ndims:
            other = "_heads" if ndims == (2,) else ""
            mend = f" plot_attention{other} draws {weights.ndim} axes."
        elif weights.shape[-2:] == expected[::-1]:
            mend = " Targets are the rows: swap the last two axes."
        raise ValueError(
            f"`weights` must have shape {shapes} for {len(target)} target and "
            f"{len(source)} source words. Received: "
            f"weights.shape={weights.shape}.{mend}"
        )
    if 0 in weights.shape:
        raise ValueError(
            "`weights` must have at least one row, column and head. "
            f"Received: weights.shape={weights.shape}."
        )
    return weights, source, target, own


def _words(sentence, name):
    if isinstance(sentence, str):
        raise ValueError(
            f"`{name}` must be a sequence of words. "
            f"Received: {name}={sentence!r}. Split it first."
        )
    return [readable(word) for word in sentence]


def readable(word):
    """`word` as one line of printable text: control characters are spelled out."""
    return "".join(
        char.encode("unicode_escape").decode()
        if unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp")
        or char in "\ufffe\uffff"
        else char
        for char in str(word)
    )


def clip(text, length):
    """The first `length` characters of `text`, the last a sign if there were more."""
    return text if len(text) <= length else text[: length - 1] + "…"
