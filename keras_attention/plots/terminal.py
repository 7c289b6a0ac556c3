"""Attention weights as text, for a terminal. NumPy arrays in, one str out."""

import shutil
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from keras_attention.analysis import (
    check_range,
    check_sentence_pair,
    clip,
    columns,
    graphemes,
)
from keras_attention.plots.options import Direction, direction_of

BLOCKS = "·▁▂▃▄▅▆▇█"  # a weight of 0 to 1 in eighths
MAX_HEAD = 12  # lines of the words along the top
CELL = 2  # columns, as a Chinese character takes
LEAST_WIDTH = 20


def attention_text(
    weights: ArrayLike,
    source: Sequence[str],
    target: Sequence[str] | None = None,
    *,
    width: int | None = None,
    source_direction: Direction | None = None,
) -> str:
    """Write the weights of one sentence pair as block characters.

    The source runs along the top, read downwards; the target down the left. The
    higher a block, the larger the weight, in eighths; a dot is less than a sixteenth.
    Where the source is wider than the terminal, the rest of it follows below. Needs
    neither colours nor matplotlib.

    Args:
        weights: Shape `(T, S)`, rows of attention weights.
        source: `S` strings, the words attended to.
        target: `T` strings, the words that attend. Default: `source`, for
            self-attention.
        width: Columns of the terminal, 20 or more. Default: those of this one, or 80.
        source_direction: As in `plot_attention`.

    Returns:
        Str of several lines, none wider than `width`, without a line end at the end.

    Raises:
        ValueError: If the numbers of words do not match `weights`, a weight is NaN,
            negative or above 1, `width` is too small, or `source_direction` is
            unknown.

    Example:
        ```python
        print(attention_text([[0.9, 0.1], [0, 1]], ["the", "cat"], ["le", "chat"]))
        ```
    """
    weights, source, target, _ = check_sentence_pair(weights, source, target, 2)
    check_range(weights)
    step = -1 if direction_of(source, source_direction) == "rtl" else 1
    if width is None:
        width = max(shutil.get_terminal_size().columns, LEAST_WIDTH)
    if width < LEAST_WIDTH:
        raise ValueError(
            f"`width` must be {LEAST_WIDTH} or more. Received: width={width}."
        )
    names = [_fit(word, width // 3) for word in target]
    margin = max(map(columns, names)) + 1
    names = [" " * (margin - 1 - columns(name)) + name for name in names]
    count = (width - margin) // CELL
    parts = [slice(start, start + count) for start in range(0, len(source), count)]
    bands = [
        _band(weights[:, part][:, ::step], source[part][::step], names)
        for part in parts
    ]
    return "\n\n".join(["\n".join(band) for band in bands])


def _band(weights, source, names):
    """Lines of the words along the top, and of one row of blocks for each name."""
    heads = [graphemes(clip(word, MAX_HEAD)) for word in source]
    height = max(map(len, heads))
    heads = [[" "] * (height - len(head)) + head for head in heads]
    margin = columns(names[0]) + 1
    lines = [
        " " * margin + "".join(_fill(head[i]) for head in heads) for i in range(height)
    ]
    levels = np.rint(np.minimum(weights, 1) * (len(BLOCKS) - 1)).astype(int)
    for name, row in zip(names, levels, strict=True):
        lines.append(f"{name} " + "".join(_fill(BLOCKS[level]) for level in row))
    return [line.rstrip() for line in lines]


def _fill(character):
    """`character` in a cell."""
    return character + " " * (CELL - columns(character))


def _fit(word, width):
    """`word` in at most `width` columns, the last a sign if there was more."""
    if columns(word) <= width:
        return word
    kept = ""
    for cluster in graphemes(word):
        if columns(kept + cluster) > width - 1:
            break
        kept += cluster
    return kept + "…"
