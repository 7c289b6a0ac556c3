"""Pictures of one matrix of weights.

NumPy arrays in, matplotlib Axes out. Matplotlib is imported when a picture is drawn.
Nothing here imports pyplot, shows a window or changes `rcParams`.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from keras_attention.analysis import (
    Gold,
    Policy,
    alignment_error_rate,
    attention_diagnostics,
    check_sentence_pair,
    clip,
    gold_links,
    hard_links,
    is_special,
    readable,
    select,
)
from keras_attention.annotations import Axes
from keras_attention.plots.alt_text import describe_difference, describe_selection
from keras_attention.plots.options import (
    SCALES,
    Direction,
    Scale,
    check_scale,
    direction_of,
)


def plot_attention(
    weights: ArrayLike,
    source: Sequence[str],
    target: Sequence[str] | None = None,
    ax: Axes | None = None,
    *,
    scale: Scale | None = None,
    special: Policy = "keep",
    gold: Gold | None = None,
    diagnostics: bool = False,
    numbers: bool = False,
    source_direction: Direction | None = None,
    rows: slice | None = None,
    max_tokens: int | None = None,
) -> Axes:
    """Draw the weights of one sentence pair as a heat map.

    The source runs along the top, the target down the left, the first target on top.
    Colours go from 0 to 1 whatever the data, so that a flat row looks flat and
    pictures compare. Weights show what a model attended to, which does not explain
    what it did. Beyond what fits in a legible size, only every second, third ... word
    is written. What is hidden, and how much weight is on it, is told below the map.
    Cut padding off first.

    In a notebook `plot_attention(...).figure` as the last line shows the picture.
    Hebrew, Arabic and Indic words need matplotlib 3.11, earlier ones do not shape
    letters.

    Args:
        weights: Shape `(T, S)`, rows of attention weights.
        source: `S` strings, the words attended to.
        target: `T` strings, the words that attend. Default: `source`, for
            self-attention.
        ax: Matplotlib Axes to draw on. Default: those of a new figure, as large as
            the sentences need, 12 inches at most. Where a program that imported
            pyplot calls this, `plt.show()` shows it and `plt.close()` lets go of it.
        scale: `"fixed"` (colours from 0 to 1), `"row-max"` (each row divided by its
            largest weight), `"power"` (square root) or `"log"` (from 0.001). With a
            scale given, any numbers are drawn: those outside the colour bar in the
            colour of its end, NaN grey. Default: as `"fixed"`, but such numbers are
            an error.
        special: What becomes of special tokens such as `</s>` and `[SEP]`: `"keep"`;
            `"dim"`, drawn pale; or `"drop"`, left out, see `drop_special`.
        gold: Gold links: str such as `"0-0 1p2"` (source 0 with target 0 for sure,
            source 1 with target 2 possibly), `(sure, possible)` as two sets, or sure
            pairs `(source, target)`. Drawn as solid and dashed rings, with the
            alignment error rate of the largest weight of each row. A row whose largest
            is on a special token has no link, unless `special` is `"drop"`.
        diagnostics: Whether to draw the entropy of each row, the coverage of each
            column and a dot on the largest weight of each row, all of what is shown;
            see `attention_diagnostics`. Flat rows are hatched, columns hardly
            attended to too, with their number.
        numbers: Whether to write the weights in the cells, as far as they can be
            read: with more than some 50 words they are left out, with a warning.
        source_direction: `"rtl"` puts the first source word on the right, `"ltr"` on
            the left. Default: as most letters of the source run.
        rows: Slice: show these target words only.
        max_tokens: Int: show only this many words of each sentence, the first ones.

    Returns:
        The Axes, its description for those who cannot see it in `ax.alt_text`.

    Raises:
        ValueError: If the numbers of words do not match `weights`, if nothing is left
            to draw, if an option is unknown, if a gold link is to no word, or,
            without `scale`, if a weight is NaN, negative or above 1. Gold links and
            diagnostics need weights of 0 or more whatever the scale.

    Example:
        ```python
        ax = plot_attention([[0.9, 0.1], [0.2, 0.8]], ["the", "cat"], ["le", "chat"])
        save_figure(ax, "cat.svg")
        ```
    """
    weights, source, target, own = check_sentence_pair(weights, source, target, 2)
    check_scale(weights, scale)
    direction = direction_of(source, source_direction)
    part = select(weights, source, target, special, rows, max_tokens)
    sure, possible, notes = _gold(gold, weights, source, target, part, special)
    measures = attention_diagnostics(part.weights) if diagnostics else None

    from keras_attention.plots import heatmap
    from keras_attention.plots.color_bar import color_bar
    from keras_attention.plots.overlay import Overlay

    label = SCALES[scale or "fixed"]
    overlay = Overlay(sure, possible, measures, [*part.notes, *notes], numbers)
    new = ax is None
    ax, cell = _axes(ax, part.source, part.target, label, overlay)
    image = heatmap.draw(ax, part, scale, cell, direction, numbers)
    heatmap.name_axes(ax, own)
    overlay.draw(ax, cell)
    color_bar(image, [ax], part, scale, label, cell * len(part.target), overlay.right)
    return _finish(ax, new, describe_selection(part, notes=notes))


def plot_attention_difference(
    first: ArrayLike,
    second: ArrayLike,
    source: Sequence[str],
    target: Sequence[str] | None = None,
    ax: Axes | None = None,
    *,
    names: Sequence[str] = ("first", "second"),
    limit: float = 1.0,
    numbers: bool = False,
    source_direction: Direction | None = None,
) -> Axes:
    """Draw how the weights of two models differ on one sentence pair.

    Each cell is the second model's weight less the first's: orange where the second
    attends more, violet where the first does, white where they agree.

    Args:
        first: Shape `(T, S)`, the weights of one model.
        second: Shape `(T, S)`, those of another, or of a later checkpoint.
        source: `S` strings.
        target: `T` strings, for both models the same: force them where they would
            write different ones. Default: `source`.
        ax: As in `plot_attention`.
        names: What to call the two on the colour bar.
        limit: Number above 0. The colours go from `-limit` to `limit`, on every
            picture alike; differences beyond are drawn as the end of the bar.
        numbers: Whether to write the differences in the cells.
        source_direction: As in `plot_attention`.

    Returns:
        The Axes, with `ax.alt_text`.

    Raises:
        ValueError: If the numbers of words do not match `first` and `second`, if a
            weight is NaN, negative or above 1, or if an option is unknown.

    Example:
        ```python
        ax = plot_attention_difference(
            [[0.5, 0.5]], [[0.9, 0.1]], ["the", "cat"], ["chat"], names=("1", "9")
        )
        ```
    """
    first, source, target, own = check_sentence_pair(first, source, target, 2)
    second, *_ = check_sentence_pair(second, source, target, 2)
    for weights in (first, second):
        check_scale(weights, None)
    direction = direction_of(source, source_direction)
    names = _pair_of_names(names)
    if not 0 < limit < np.inf:
        raise ValueError(f"`limit` must be above 0. Received: limit={limit!r}.")
    difference = second - first

    from keras_attention.plots import heatmap
    from keras_attention.plots.color_bar import name_colors
    from keras_attention.plots.overlay import Overlay

    label = f"attention weight, {clip(names[1], 24)} less {clip(names[0], 24)}"
    new = ax is None
    ax, cell = _axes(ax, source, target, label, Overlay())
    image = heatmap.draw_difference(
        ax, difference, source, target, limit, cell, direction, numbers
    )
    heatmap.name_axes(ax, own)
    below, above = (difference < -limit).any(), (difference > limit).any()
    name_colors(image, [ax], label, below, above, cell * len(target))
    text = describe_difference(difference, source, target, names)
    return _finish(ax, new, text)


def _axes(ax, source, target, label, overlay):
    """The Axes to draw on, those of a new figure if none are given, and the cell."""
    from keras_attention.plots import heatmap
    from keras_attention.plots.figure import new_figure

    if ax is not None:
        return ax, heatmap.cell_on(ax, len(source), len(target))
    size = heatmap.figure_size(source, target, label)
    below = overlay.below(size.cell * len(source))
    size = heatmap.figure_size(
        source, target, label, right=overlay.right, below=below, least=overlay.width
    )
    return new_figure(size, "compressed").add_subplot(), size.cell


def _finish(ax, new, text):
    if new:
        # The layout measures how far labels reach out of the whole room for the Axes.
        # Equal cells leave some of it free, which must not be where the labels are.
        ax.set_anchor("NW")
    ax.alt_text = text
    return ax


def _gold(gold, weights, source, target, part, special):
    """Gold links where they are shown, sure and possible, and what to say of them."""
    if gold is None:
        return [], [], []
    sure, possible = gold_links(gold, len(source), len(target))
    special_source, special_target = is_special(source), is_special(target)

    def of_words(links):
        return {
            (i, j) for i, j in links if not (special_source[i] or special_target[j])
        }

    if special == "drop":  # as if there were none
        found = of_words(hard_links(np.where(special_source, 0, weights)))
        rate = alignment_error_rate(found, of_words(sure), of_words(sure | possible))
    else:
        found = of_words(hard_links(weights))
        rate = alignment_error_rate(found, sure, sure | possible)
    notes = [f"Alignment error rate {rate:.2f}."]
    column = {int(i): place for place, i in enumerate(part.columns)}
    row = {int(j): place for place, j in enumerate(part.rows)}
    shown_sure, shown_possible = (
        [(column[i], row[j]) for i, j in links if i in column and j in row]
        for links in (sure, possible)
    )
    hidden = len(sure) + len(possible) - len(shown_sure) - len(shown_possible)
    if hidden:
        notes.append(f"{hidden} gold links not shown.")
    return shown_sure, shown_possible, notes


def _pair_of_names(names):
    if isinstance(names, str) or len(names) != 2:
        raise ValueError(f"`names` must be two str. Received: names={names!r}.")
    return [readable(name) for name in names]
