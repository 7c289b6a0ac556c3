"""Pictures of many heads and layers, a panel each. NumPy arrays in, Axes out."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from keras_attention.analysis import Policy, check_sentence_pair, select
from keras_attention.plots.alt_text import describe_selection
from keras_attention.plots.options import (
    SCALES,
    Direction,
    Scale,
    check_scale,
    direction_of,
)


def plot_attention_heads(
    weights: ArrayLike,
    source: Sequence[str],
    target: Sequence[str] | None = None,
    *,
    scale: Scale | None = None,
    special: Policy = "keep",
    numbers: bool = False,
    source_direction: Direction | None = None,
    rows: slice | None = None,
    max_tokens: int | None = None,
) -> np.ndarray:
    """Draw the weights of many heads, and layers, a panel each.

    All panels share their words, the names of the axes, one colour scale and one
    colour bar.

    Args:
        weights: Shape `(H, T, S)`, one layer, or `(L, H, T, S)`: one row of panels
            per layer.
        source: `S` strings, the words attended to.
        target: `T` strings, the words that attend. Default: `source`.
        scale: As in `plot_attention`.
        special: As in `plot_attention`.
        numbers: As in `plot_attention`.
        source_direction: As in `plot_attention`.
        rows: As in `plot_attention`.
        max_tokens: As in `plot_attention`.

    Returns:
        Array of Axes, shape `(H,)`, titled `H0`, `H1`, or `(L, H)`, titled `L0 H0`.

    Raises:
        ValueError: As `plot_attention`; or if a picture of 12 inches has no room for so
            many panels.

    Example:
        ```python
        axes = plot_attention_heads([[[1.0, 0.0]], [[0.5, 0.5]]], ["a", "b"], ["c"])
        axes[1].get_title()  # "H1"
        ```
    """
    weights, source, target, own = check_sentence_pair(weights, source, target, 3, 4)
    check_scale(weights, scale)
    direction = direction_of(source, source_direction)
    part = select(weights, source, target, special, rows, max_tokens)

    from keras_attention.plots import heatmap
    from keras_attention.plots.color_bar import color_bar
    from keras_attention.plots.figure import new_figure

    heads = weights.shape[:-2]
    columns = heads[1] if len(heads) == 2 else min(heads[0], 4)
    lines = -(-int(np.prod(heads)) // columns)
    label = SCALES[scale or "fixed"]
    size = heatmap.figure_size(part.source, part.target, label, lines, columns)
    figure = new_figure(size, "compressed")
    axes = np.empty(heads, dtype=object)
    for panel, head in enumerate(np.ndindex(heads)):
        ax = axes[head] = figure.add_subplot(lines, columns, panel + 1)
        mine = part.of_head(head)
        image = heatmap.draw(ax, mine, scale, size.cell, direction, numbers)
        ax.tick_params(labeltop=panel < columns, labelleft=panel % columns == 0)
        kinds = "LH"[-len(head) :]
        name = " ".join(f"{kind}{i}" for kind, i in zip(kinds, head, strict=True))
        ax.set_title(name, fontsize=heatmap.MAX_FONT)
        ax.alt_text = f"{name}. {describe_selection(mine)}"
    heatmap.name_axes_of_all(figure, own)
    high = lines * size.cell * len(part.target)
    color_bar(image, list(axes.flat), part, scale, label, high)
    if part.notes:
        heatmap.write_below(figure, part.notes)
    figure.alt_text = describe_selection(part, f"mean of the {axes.size} panels, ")
    return axes
