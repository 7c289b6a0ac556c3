"""One matrix drawn on matplotlib Axes, and the sizes of figures. Imports matplotlib."""

import textwrap
from dataclasses import dataclass

import matplotlib
import numpy as np
from matplotlib.colors import LogNorm, Normalize, PowerNorm
from matplotlib.font_manager import fontManager

from keras_attention.analysis import clip, columns, is_special
from keras_attention.plots.cell_numbers import write_numbers
from keras_attention.plots.color_bar import color_bar_room
from keras_attention.plots.fonts import fallback_fonts

DIVERGING = "PuOr_r"  # told apart by colour-blind readers; white in the middle
COLORS = "Blues"  # nothing is white; lightness falls steadily, so grey prints read
MAX_INCHES = 12
MAX_CELL, MIN_FONT, MAX_FONT = 32, 5, 10  # points
LETTER = 0.62  # width of one letter in font sizes, on the safe side
LINE = 1.4  # room that one line of text takes, in font sizes
SMALL = 7  # points, font size of all that is no word
MARGIN = 36  # points: the name of an axis, and a margin on both sides
NAME = 40  # points: length of the name of an axis
MAX_LABEL = 30  # characters
LEAST_PANEL = 4  # points: a map among several that is smaller shows nothing
VEIL = 0.6  # of white, over special tokens that are drawn pale
DIM = "#767676"  # 4.5 to 1 against white and against black


@dataclass(frozen=True)
class Size:
    """Width and height of a new figure in inches, and points of one cell in it."""

    width: float
    height: float
    cell: float


def figure_size(source, target, label, rows=1, panels=1, right=0, below=0, least=30):
    """Size of a new figure for `rows` rows of `panels` heat maps.

    Args:
        source: Words along the top.
        target: Words down the left.
        label: The name of the colour bar.
        rows: Rows of panels.
        panels: Panels in a row.
        right: Points to leave free on the right, for more than the colour bar.
        below: Points to leave free below.
        least: Points that a panel and the room on its right should have at least.

    Returns:
        `Size`, at most 12 inches each way.

    Raises:
        ValueError: If so many panels have no room there.
    """
    limit = 72 * MAX_INCHES
    gap, title = (12, 20) if panels * rows > 1 else (0, 0)
    above = MAX_FONT * _length(source) + MARGIN + below
    highest = rows * (len(target) * MAX_CELL + title)
    # A low map has the name of its colour bar beside it, where it takes more room.
    for expected in (highest, 0):
        room, _ = color_bar_room(label, expected)
        beside = MARGIN + right + room
        words = MAX_FONT * _length(target)
        across = (limit - words - beside) / panels - gap
        down = (limit - above) / rows - title
        if panels * rows > 1 and min(across, down) < LEAST_PANEL:
            raise ValueError(
                f"A picture of {MAX_INCHES} inches has no room for {rows} rows of "
                f"{panels} heat maps beside their words. Draw some layers or heads at "
                "a time, such as weights[:12], or use `attention_view`."
            )
        cell = min(MAX_CELL, across / len(source), down / len(target))
        height = rows * (cell * len(target) + title)
        needed, named = color_bar_room(label, height)
        if needed <= room:
            break
    # Words beside small cells are small.
    beside += _font(cell) * _length(target)
    width = beside + panels * (max(cell * len(source), least - right) + gap)
    # Names that are higher than a map stick out above and below; above there is room.
    above = _height_of_words(source, cell) + MARGIN + below
    height = above + height + max(named - height, NAME - height, 0) / 2
    return Size(min(width, limit) / 72, min(height, limit) / 72, cell)


def cell_on(ax, columns, rows):
    """Points of one cell, about, on Axes that somebody else laid out."""
    box = ax.get_window_extent()
    points = 72 / ax.get_figure().dpi
    left_by_labels = 0.75
    return points * left_by_labels * min(box.width / columns, box.height / rows)


def draw(ax, part, scale, cell, direction, numbers=False):
    """Draw a `Selection` of one matrix with its words.

    Args:
        ax: Matplotlib Axes.
        part: The `Selection`.
        scale: As in `plot_attention`.
        cell: Points of one cell.
        direction: `"ltr"`, or `"rtl"` for the first source word on the right.
        numbers: Whether to write the weights in the cells.

    Returns:
        The image.
    """
    values = np.ma.masked_invalid(part.weights)
    norm = Normalize(0, 1)
    if scale == "row-max":
        largest = values.max(axis=-1, keepdims=True)
        values = values / np.ma.where(largest > 0, largest, 1)
    elif scale == "power":
        norm = PowerNorm(0.5, 0, 1)
    elif scale == "log":
        norm = LogNorm(1e-3, 1)
        values = np.ma.maximum(values, norm.vmin)  # the logarithm of 0 would be grey
    image = draw_matrix(
        ax, values, part.source, part.target, norm, COLORS, cell, direction
    )
    if part.dim:
        _dim(ax, part)
    if numbers:
        write_numbers(ax, image, part.weights, cell, _veils(part))
    return image


def draw_difference(ax, difference, source, target, limit, cell, direction, numbers):
    """Draw numbers from `-limit` to `limit`; the rest as `draw`."""
    norm = Normalize(-limit, limit)
    image = draw_matrix(
        ax, difference, source, target, norm, DIVERGING, cell, direction
    )
    if numbers:
        write_numbers(ax, image, difference, cell)
    return image


def draw_matrix(ax, values, source, target, norm, colors, cell, direction):
    """Draw numbers as cells, with their words along the top and down the left."""
    image = ax.imshow(
        values,
        norm=norm,
        cmap=matplotlib.colormaps[colors].with_extremes(bad="0.6"),
        aspect="equal",
        origin="upper",
        # Cells stay cells in vector files, where other choices resample them.
        interpolation="none",
    )
    if direction == "rtl":
        ax.invert_xaxis()
    _write_words(ax, source, target, cell)
    ax.grid(False)
    if cell >= 8:
        ax.set_xticks(np.arange(1, len(source)) - 0.5, minor=True)
        ax.set_yticks(np.arange(1, len(target)) - 0.5, minor=True)
        ax.grid(which="minor", color="0.88", linewidth=0.5)
        ax.tick_params(which="minor", length=0)
    return image


def name_axes(ax, own):
    """Write what runs along the axes: of one sentence (`own`), keys and queries."""
    across, down = _names(own)
    ax.set(xlabel=across, ylabel=down)


def name_axes_of_all(figure, own):
    """Write it once for all maps of a figure."""
    across, down = _names(own)
    size = matplotlib.rcParams["axes.labelsize"]
    figure.suptitle(across, fontsize=size)
    figure.supylabel(down, fontsize=size)


def _names(own):
    return ("key", "query") if own else ("source", "target")


def write_below(figure, sentences):
    """Write sentences along the lower edge of a figure."""
    characters = int(figure.get_figwidth() * 72 / (LETTER * SMALL)) - 2
    figure.supxlabel(
        "\n".join(textwrap.wrap(" ".join(sentences), characters)),
        x=0.01,
        horizontalalignment="left",
        fontsize=SMALL,
        parse_math=False,
    )


def _labels(words):
    return [clip(word, MAX_LABEL) for word in words]


def _length(words):
    """Length of the longest word in font sizes, about."""
    halves = max(columns(word) for word in _labels(words))
    return LETTER * halves


def _font(cell):
    """Size of the words beside cells of so many points."""
    return min(max(cell / LINE, MIN_FONT), MAX_FONT)


def _is_flat(source, cell):
    """Whether the source words fit above their cells as they are, not turned."""
    return _font(cell) * (_length(source) + 0.6) <= cell


def _height_of_words(source, cell):
    lines = LINE if _is_flat(source, cell) else _length(source)
    return _font(cell) * lines


def _write_words(ax, source, target, cell):
    font = _font(cell)
    step = int(np.ceil(font * LINE / cell - 1e-6))  # rounding is no reason to thin
    ax.xaxis.tick_top()
    ax.xaxis.set_label_position("top")
    style = {"fontsize": font, "parse_math": False}  # "$5 or $6" is no formula
    installed = {font.name for font in fontManager.ttflist}
    fallback = fallback_fonts([*source, *target], installed)
    if fallback:
        style["fontfamily"] = [*matplotlib.rcParams["font.family"], *fallback]
    ax.set_xticks(
        range(0, len(source), step),
        _labels(source)[::step],
        rotation=0 if _is_flat(source, cell) else 90,
        **style,
    )
    ax.set_yticks(range(0, len(target), step), _labels(target)[::step], **style)
    ax.tick_params(which="major", length=2)


def _dim(ax, part):
    """Write special tokens in grey and draw a veil over their rows and columns."""
    veil = {"facecolor": "white", "alpha": VEIL, "linewidth": 0}
    for axis, words, span in (
        (ax.xaxis, part.source, ax.axvspan),
        (ax.yaxis, part.target, ax.axhspan),
    ):
        special = is_special(words)
        for i in np.flatnonzero(special):
            span(i - 0.5, i + 0.5, **veil)
        for place, label in zip(
            axis.get_majorticklocs(), axis.get_majorticklabels(), strict=True
        ):
            if special[int(place)]:
                label.set_color(DIM)


def _veils(part):
    """How much white lies over each cell."""
    if not part.dim:
        return 0
    special = is_special(part.target)[:, None] * 1 + is_special(part.source)
    return 1 - (1 - VEIL) ** special
