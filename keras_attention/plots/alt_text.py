"""What a picture of attention weights shows, in words."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from keras_attention.analysis import (
    TOLERANCE,
    Policy,
    attention_diagnostics,
    check_sentence_pair,
    clip,
    select,
)

MAX_LENGTH = 400


def describe_attention(
    weights: ArrayLike,
    source: Sequence[str],
    target: Sequence[str] | None = None,
    *,
    special: Policy = "keep",
) -> str:
    """Say in at most 400 characters what a heat map of the weights shows.

    Names the two sentences, the strongest link, rows spread evenly (entropy above
    0.9), source words hardly attended to (less than 0.1 in all), and rows whose sum is
    off 1 by more than 0.004. Long sentences and lists are cut short.

    Args:
        weights: Shape `(T, S)`.
        source: `S` strings.
        target: `T` strings. Default: `source`.
        special: As in `plot_attention`. With `"drop"` the weight that was on special
            tokens is named.

    Returns:
        One line of text, for use as the alternative text of a picture.

    Raises:
        ValueError: If the numbers of words do not match `weights`, or `special` is
            unknown.

    Example:
        ```python
        text = describe_attention([[0.9, 0.1]], ["cat", "the"], ["chat"])
        ```
    """
    weights, source, target, _ = check_sentence_pair(weights, source, target, 2)
    return describe_selection(select(weights, source, target, special))


def describe_selection(part, opening="", notes=()):
    """`describe_attention` of a `Selection`, with more said.

    Args:
        part: A `Selection`; the mean is described of one of heads or layers.
        opening: Text before the number of words.
        notes: Sentences after those on what is hidden.

    Returns:
        One line of text.
    """
    valid = np.isfinite(part.weights)
    leading = tuple(range(part.weights.ndim - 2))
    weights = np.where(valid, part.weights, 0).mean(axis=leading)
    rows, columns = weights.shape
    row, column = np.unravel_index(weights.argmax(), weights.shape)
    numbers = attention_diagnostics(np.maximum(weights, 0))
    facts = [
        f"Strongest link: {_quoted([part.target[row]], 16)} attends to "
        f"{_quoted([part.source[column]], 16)}, {weights[row, column]:.2f}.",
        *part.notes,
        *notes,
    ]
    for name, words, label in (
        ("flat", part.target, "Spread evenly"),
        ("unattended", part.source, "Hardly attended to"),
    ):
        if numbers[name].any():
            chosen = [words[i] for i in np.flatnonzero(numbers[name])]
            facts.append(f"{label}: {_quoted(chosen)}.")
    sums = np.where(np.isfinite(part.sums), part.sums, 0)
    off = abs(sums - 1) > TOLERANCE
    if off.any():
        facts.append(
            f"Row sums are not 1 in {off.sum()} of {off.size} rows "
            f"({sums[off].min():.3g} to {sums[off].max():.3g})."
        )
    if not valid.all():
        facts.append(f"Not a number: {(~valid).sum()} cells.")
    opening = f"{opening}{rows} target by {columns} source words."
    return _compose("Attention weights", opening, part.source, part.target, facts)


def describe_difference(difference, source, target, names):
    """Say what a difference of two matrices of weights shows.

    Args:
        difference: Shape `(T, S)`: the second less the first.
        source: `S` strings.
        target: `T` strings.
        names: Names of the first and the second.

    Returns:
        One line of text of at most 400 characters.
    """
    first, second = (clip(name, 16) for name in names)
    rows, columns = difference.shape
    facts = []
    for name, sign in ((second, 1), (first, -1)):
        row, column = np.unravel_index((sign * difference).argmax(), difference.shape)
        if sign * difference[row, column] > 0:
            facts.append(
                f"Most in favour of {name}: {_quoted([target[row]], 16)} attends to "
                f"{_quoted([source[column]], 16)}, "
                f"{abs(difference[row, column]):.2f} more."
            )
    # What is added somewhere is missing elsewhere: half of it has moved.
    moved = abs(difference).sum(axis=-1).mean() / 2
    facts.append(f"{moved:.2f} of a row has moved on average.")
    opening = f"{second} less {first}, {rows} target by {columns} source words."
    return _compose("Difference of attention weights", opening, source, target, facts)


def _compose(kind, opening, source, target, facts):
    opening = f"{kind}, not an explanation: {opening}"
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
