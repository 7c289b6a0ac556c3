"""Pictures of attention weights. NumPy arrays in, matplotlib Axes out.

Matplotlib is imported when a picture is drawn. Nothing here imports pyplot, shows a
window or changes `rcParams`.
"""

import io
import os
import re
import unicodedata
import warnings
from contextlib import contextmanager
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

import numpy as np

from keras_attention.describe import (
    TOLERANCE,
    check_sentence_pair,
    clip,
    describe_attention,
    describe_matrix,
)

SCALES = {
    "fixed": "attention weight, 0 to 1",
    "row-max": "attention weight / largest in row",
    "power": "attention weight, square-root scale",
    "log": "attention weight, log scale",
}
COLORS = "Blues"  # nothing is white; lightness falls steadily, so grey prints read
MAX_INCHES = 12
MAX_CELL, MIN_FONT, MAX_FONT = 32, 5, 10  # points
LINE = 1.4  # room that one line of text takes, in font sizes
MAX_LABEL = 30  # characters
DPI = 200
FONTS = {
    "CJK": ("Chinese characters", "Noto Sans CJK SC"),
    "HIRAGANA": ("Japanese", "Noto Sans CJK JP"),
    "KATAKANA": ("Japanese", "Noto Sans CJK JP"),
    "HANGUL": ("Korean", "Noto Sans CJK KR"),
}


def plot_attention(weights, source, target=None, ax=None, *, scale=None):
    """Draw the weights of one sentence pair as a heat map.

    The source runs along the top, the target down the left, the first target on top.
    Colours go from 0 to 1 whatever the data, so that a flat row looks flat and
    pictures compare. Weights show where a model looked, which does not explain what
    it did. Beyond what fits in a legible size, only every second, third ... word is
    written.

    In a notebook with `%matplotlib inline`, `plot_attention(...).figure` as the last
    line shows the picture.

    Args:
        weights: Shape `(T, S)`, rows of attention weights.
        source: `S` strings, the words attended to.
        target: `T` strings, the words that attend. Default: `source`, for
            self-attention.
        ax: Matplotlib Axes to draw on. Default: those of a new figure, as large as
            the sentences need, 12 inches at most.
        scale: `"fixed"` (colours from 0 to 1), `"row-max"` (each row divided by its
            largest weight), `"power"` (square root) or `"log"` (from 0.001). With a
            scale given, any numbers are drawn: those outside the colour bar in the
            colour of its end, NaN grey. Default: as `"fixed"`, but such numbers are
            an error.

    Returns:
        The Axes, its description for those who cannot see it in `ax.alt_text`.

    Raises:
        ValueError: If the numbers of words do not match `weights`, if there are
            none, if `scale` is unknown, or, without `scale`, if a weight is NaN,
            negative or above 1.

    Example:
        ax = plot_attention([[0.9, 0.1], [0.2, 0.8]], ["the", "cat"], ["le", "chat"])
        save_figure(ax, "cat.svg")
    """
    weights, source, target, own = check_sentence_pair(weights, source, target, 2)
    _check_scale(weights, scale)
    new = ax is None
    if new:
        from matplotlib.figure import Figure

        width, height, cell = _sizes(source, target)
        ax = Figure(figsize=(width, height), layout="constrained").add_subplot()
    else:
        cell = _cell(ax, len(source), len(target))
    image = _draw(ax, weights, source, target, scale, cell)
    _name_axes(ax, own)
    _color_bar(image, ax, weights, scale)
    if new:
        # The layout measures how far labels reach out of the whole room for the Axes.
        # Equal cells leave some of it free, which must not be where the labels are.
        ax.set_anchor("NW")
    ax.alt_text = describe_attention(weights, source, target)
    return ax


def plot_attention_heads(weights, source, target=None, *, scale=None):
    """Draw the weights of many heads, and layers, side by side.

    All panels share their words, one colour scale and one colour bar.

    Args:
        weights: Shape `(H, T, S)`, one layer, or `(L, H, T, S)`: one row of panels
            per layer.
        source: `S` strings, the words attended to.
        target: `T` strings, the words that attend. Default: `source`.
        scale: As in `plot_attention`.

    Returns:
        Array of Axes, shape `(H,)`, titled `H0`, `H1`, or `(L, H)`, titled `L0 H0`.

    Raises:
        ValueError: As `plot_attention`.
    """
    from matplotlib.figure import Figure

    weights, source, target, own = check_sentence_pair(weights, source, target, 3, 4)
    _check_scale(weights, scale)
    heads = weights.shape[:-2]
    columns = heads[1] if len(heads) == 2 else min(heads[0], 4)
    rows = -(-int(np.prod(heads)) // columns)
    width, height, cell = _sizes(source, target, rows, columns)
    figure = Figure(figsize=(width, height), layout="compressed")
    axes = np.empty(heads, dtype=object)
    for panel, head in enumerate(np.ndindex(heads)):
        ax = axes[head] = figure.add_subplot(rows, columns, panel + 1)
        image = _draw(ax, weights[head], source, target, scale, cell)
        top, left = panel < columns, panel % columns == 0
        ax.tick_params(labeltop=top, labelleft=left)
        _name_axes(ax, own, top, left)
        kinds = "LH"[-len(head) :]
        name = " ".join(f"{kind}{i}" for kind, i in zip(kinds, head, strict=True))
        ax.set_title(name, fontsize=MAX_FONT)
        ax.alt_text = f"{name}. {describe_attention(weights[head], source, target)}"
    _color_bar(image, list(axes.flat), weights, scale)
    figure.alt_text = describe_matrix(
        weights.mean(axis=tuple(range(len(heads)))),
        source,
        target,
        f"mean of the {axes.size} heads drawn, ",
    )
    return axes


def save_figure(figure, path):
    """Write a picture to a file, with its description where the format has room.

    An SVG gets the description as `aria-label` and `<desc>`, a PNG and a PDF as
    metadata. The same picture gives the same bytes each time. The file is written
    whole or not at all; missing folders are made. Characters that no font has are
    told in one warning.

    Args:
        figure: Matplotlib Figure, or Axes, whose whole figure is written.
        path: File name ending in `.png`, `.svg` or `.pdf`.

    Raises:
        ValueError: If `path` has another ending.
    """
    import matplotlib

    path = Path(path)
    kind = path.suffix.lower().removeprefix(".")
    if kind not in ("png", "svg", "pdf"):
        raise ValueError(
            f"`path` must end in .png, .svg or .pdf. Received: path={str(path)!r}."
        )
    figure = figure.figure.figure  # of an Axes, of a subfigure, or the figure itself
    text = getattr(figure, "alt_text", None) or " ".join(
        ax.alt_text for ax in figure.axes if hasattr(ax, "alt_text")
    )
    metadata = {
        "png": {"Description": text} if text else {},
        "svg": {"Date": None},
        "pdf": {"CreationDate": None, "Subject": text or None},
    }[kind]
    salt = matplotlib.rcParams["svg.hashsalt"] or "keras_attention"
    buffer = io.BytesIO()
    with (
        matplotlib.rc_context({"svg.hashsalt": salt}),
        _one_glyph_warning(),
        _same_positions(figure),
    ):
        figure.savefig(buffer, format=kind, dpi=DPI, metadata=metadata)
    content = buffer.getvalue()
    if kind == "svg" and text:
        content = _label_svg(content.decode(), text).encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        partial.write_bytes(content)
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def _check_scale(weights, scale):
    if scale is None:
        if not ((weights >= 0) & (weights <= 1 + TOLERANCE)).all():
            raise ValueError(
                "`weights` must lie between 0 and 1. Received: numbers from "
                f"{weights.min():.4g} to {weights.max():.4g}. To draw them all the "
                f"same, choose a `scale`: {', '.join(map(repr, SCALES))}."
            )
    elif scale not in SCALES:
        raise ValueError(
            f"`scale` must be one of {', '.join(map(repr, SCALES))} or None. "
            f"Received: scale={scale!r}."
        )


def _labels(words):
    return [clip(word, MAX_LABEL) for word in words]


def _length(words):
    """Length of the longest word in font sizes, about."""
    return max(
        sum(1 if unicodedata.east_asian_width(char) in "WF" else 0.6 for char in word)
        for word in _labels(words)
    )


def _sizes(source, target, rows=1, columns=1):
    """Inches of a new figure, and points of one cell in it, for a grid of panels."""
    limit = 72 * MAX_INCHES
    beside = MAX_FONT * _length(target) + 110  # names, colour bar
    above = MAX_FONT * _length(source) + 30
    gap = 12 if columns * rows > 1 else 0
    title = 20 if columns * rows > 1 else 0
    cell = min(
        MAX_CELL,
        ((limit - beside) / columns - gap) / len(source),
        ((limit - above) / rows - title) / len(target),
    )
    width = beside + columns * (max(cell * len(source), 30) + gap)
    # The name of the colour bar needs some height even beside a single row.
    height = above + max(rows * (cell * len(target) + title), 190)
    return min(width, limit) / 72, min(height, limit) / 72, cell


def _cell(ax, columns, rows):
    """Points of one cell, about, on Axes that somebody else laid out."""
    box = ax.get_window_extent()
    points = 72 / ax.get_figure().dpi
    left_by_labels = 0.75
    return points * left_by_labels * min(box.width / columns, box.height / rows)


def _draw(ax, weights, source, target, scale, cell):
    import matplotlib
    from matplotlib.colors import LogNorm, Normalize, PowerNorm

    values = np.ma.masked_invalid(weights)
    norm = Normalize(0, 1)
    if scale == "row-max":
        largest = values.max(axis=-1, keepdims=True)
        values = values / np.ma.where(largest > 0, largest, 1)
    elif scale == "power":
        norm = PowerNorm(0.5, 0, 1)
    elif scale == "log":
        norm = LogNorm(1e-3, 1)
        values = np.ma.maximum(values, norm.vmin)  # the logarithm of 0 would be grey
    image = ax.imshow(
        values,
        norm=norm,
        cmap=matplotlib.colormaps[COLORS].with_extremes(bad="0.6"),
        aspect="equal",
        origin="upper",
        # Cells stay cells in vector files, where other choices resample them.
        interpolation="none",
    )
    _write_words(ax, source, target, cell)
    ax.grid(False)
    if cell >= 8:
        ax.set_xticks(np.arange(1, len(source)) - 0.5, minor=True)
        ax.set_yticks(np.arange(1, len(target)) - 0.5, minor=True)
        ax.grid(which="minor", color="0.88", linewidth=0.5)
        ax.tick_params(which="minor", length=0)
    return image


def _write_words(ax, source, target, cell):
    font = min(max(cell / LINE, MIN_FONT), MAX_FONT)
    step = int(np.ceil(font * LINE / cell - 1e-6))  # rounding is no reason to thin
    flat = font * (_length(source) + 0.6) <= cell
    ax.xaxis.tick_top()
    ax.xaxis.set_label_position("top")
    style = {"fontsize": font, "parse_math": False}  # "$5 or $6" is no formula
    ax.set_xticks(
        range(0, len(source), step),
        _labels(source)[::step],
        rotation=0 if flat else 90,
        **style,
    )
    ax.set_yticks(range(0, len(target), step), _labels(target)[::step], **style)
    ax.tick_params(which="major", length=2)


def _name_axes(ax, own, top=True, left=True):
    if top:
        ax.set_xlabel("key" if own else "source")
    if left:
        ax.set_ylabel("query" if own else "target")


def _color_bar(image, axes, weights, scale):
    norm = image.norm
    if scale == "row-max":
        below, above = (weights < 0).any(), False
    else:
        below, above = (weights < norm.vmin).any(), (weights > 1 + TOLERANCE).any()
    # An arrow at an end of the bar: numbers beyond it are drawn in its colour.
    extend = {(0, 0): "neither", (1, 0): "min", (0, 1): "max", (1, 1): "both"}
    image.get_figure().colorbar(
        image,
        ax=axes,
        aspect=30,
        label=SCALES[scale or "fixed"],
        extend=extend[int(below), int(above)],
    )


def _label_svg(svg, text):
    start = svg.index("<svg") + len("<svg")
    end = svg.index(">", start) + 1
    label = f' role="img" aria-label={quoteattr(text)}'
    return (
        f"{svg[:start]}{label}{svg[start:end]}\n <desc>{escape(text)}</desc>{svg[end:]}"
    )


@contextmanager
def _same_positions(figure):
    """Put Axes back where they were: layouts start from there, so drawing moves them.

    By less than a pixel, but the next file would have other bytes.
    """
    before = [
        (ax, ax.get_position(original=True), ax.get_position(), ax.get_in_layout())
        for ax in figure.axes
    ]
    try:
        yield
    finally:
        for ax, original, active, in_layout in before:
            ax.set_position(original, which="original")
            ax.set_position(active, which="active")
            ax.set_in_layout(in_layout)  # which setting a position turns off


@contextmanager
def _one_glyph_warning():
    """In place of matplotlib's warning per missing glyph, one that helps."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.filterwarnings("always", r"Glyph \d+")
        yield
    missing = {}
    for warning in caught:
        glyph = re.match(r"Glyph (\d+)", str(warning.message))
        if glyph:
            char = chr(int(glyph[1]))
            missing.setdefault(_script(char), {})[char] = None
        else:
            warnings.warn_explicit(
                warning.message, warning.category, warning.filename, warning.lineno
            )
    if missing:
        parts = [
            f"{script} (such as {''.join(list(chars)[:5])}; install {font})"
            for (script, font), chars in missing.items()
        ]
        fonts = ["DejaVu Sans", *dict.fromkeys(font for _, font in missing)]
        warnings.warn(
            f"No font here can draw: {', '.join(parts)}. Once installed, set "
            f'matplotlib.rcParams["font.family"] = {fonts}.',
            stacklevel=4,
        )


def _script(char):
    """Name of the script of `char`, and of a font that has it."""
    if unicodedata.category(char)[0] not in "LM":
        return "symbols", "Noto Sans Symbols 2"
    name = unicodedata.name(char, "unknown letters").split()[0]
    return FONTS.get(name, (name.title(), f"Noto Sans {name.title()}"))
