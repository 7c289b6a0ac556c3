"""What is drawn over and round a heat map. Imports matplotlib.

Gold links as rings, how each row and column is attended to, a caption.
"""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.legend_handler import HandlerPatch
from matplotlib.patches import Circle
from matplotlib.patheffects import withStroke
from matplotlib.transforms import ScaledTranslation, blended_transform_factory

from keras_attention.analysis import FLAT, UNATTENDED
from keras_attention.plots.cell_numbers import number_text
from keras_attention.plots.heatmap import LETTER, SMALL

STRIP, PAD = 0.4, 0.08  # inches: a strip beside the map, free room before it
LINE, GAP = 11, 6  # points: a line of the legend, free room above it
STYLES = {"sure": "solid", "possible": (0, (2, 1.5))}
ORDINARY, FLAGGED = "#7f7f7f", "#D55E00"  # the second of Okabe and Ito's colours


@dataclass(frozen=True)
class Overlay:
    """Gold links, diagnostics and a caption.

    Attributes:
        sure: `(column, row)` pairs, to be drawn as solid rings.
        possible: Likewise, as dashed rings.
        measures: From `attention_diagnostics`, or `None`.
        sentences: The caption.
        aside: Whether dots are to be beside the middle of their cells.
    """

    sure: Sequence = ()
    possible: Sequence = ()
    measures: dict | None = None
    sentences: Sequence = ()
    aside: bool = False

    @property
    def right(self):
        """Points that are needed on the right of the map."""
        return 72 * (STRIP + PAD) if self.measures else 0

    @property
    def width(self):
        """Points that the map and what is on its right should have at least."""
        return 130 if self.measures or self.sure or self.possible else 30

    def below(self, width):
        """Points that are needed below a map of so many points."""
        legend = LINE * (bool(self.sure) + bool(self.possible) + bool(self.measures))
        caption = LINE * len(self._caption(width))
        return self.right + (GAP + legend + caption if legend or caption else 0)

    def draw(self, ax, cell):
        """Draw it all on Axes with a heat map whose cells have so many points."""
        handles = self._draw_rings(ax, cell)
        if self.measures:
            handles.append(_draw_best(ax, self.measures["best"], cell, self.aside))
            _draw_strips(ax, self.measures, cell)
        under = self.right + GAP
        if handles:
            _write_legend(ax, handles, under)
            under += LINE * len(handles)
        lines = self._caption(cell * (ax.get_images()[0].get_array().shape[1]))
        if lines:
            ax.text(
                0,
                -under / 72,
                "\n".join(lines),
                transform=_corner(ax, 0, 0),
                fontsize=SMALL,
                va="top",
                parse_math=False,
                label="caption",
            )

    def _caption(self, width):
        sentences = list(self.sentences)
        if self.measures and any(
            self.measures[x].any() for x in ("flat", "unattended")
        ):
            sentences.append(
                f"Hatched: entropy above {FLAT} or coverage below {UNATTENDED}."
            )
        beside = 70  # the colour bar and its name
        characters = int((width + self.right + beside) / (LETTER * SMALL))
        return textwrap.wrap(" ".join(sentences), max(characters, 20))

    def _draw_rings(self, ax, cell):
        handles = []
        for name, links in (("sure", self.sure), ("possible", self.possible)):
            for place in sorted(links):
                ax.add_patch(_ring(place, name, cell))
            if links:
                handles.append(_ring((0, 0), name, LINE))
        return handles


def _draw_best(ax, best, cell, aside):
    """Draw a dot on the largest weight of each row; give its handle for a legend."""
    rows = np.flatnonzero(best >= 0)
    corner = 0.36 if aside else 0  # of a cell
    (dots,) = ax.plot(
        best[rows] + corner,
        rows + corner,
        linestyle="none",
        marker="o",
        markersize=float(np.clip(cell / 5, 1, 4)),
        markerfacecolor="black",
        markeredgecolor="white",
        markeredgewidth=float(np.clip(cell / 32, 0.3, 0.8)),
        label="largest weight of the row",
        scalex=False,
        scaley=False,
    )
    return dots


def _draw_strips(ax, measures, cell):
    """Draw the entropy of each row on the right, the coverage of each column below."""
    right = ax.inset_axes((PAD, 0, STRIP, 1), transform=_beside(ax), label="entropy")
    _bars(right.barh, measures["entropy"], measures["flat"])
    right.set(xlim=(0, 1), ylim=ax.get_ylim(), yticks=[])
    right.xaxis.tick_top()
    right.set_xticks([0, 1], ["0", "1"], fontsize=SMALL)
    right.set_title("entropy", fontsize=SMALL, pad=2)

    below = ax.inset_axes(
        (0, -PAD - STRIP, 1, STRIP), transform=_under(ax), label="coverage"
    )
    highest = max(1.0, float(measures["coverage"].max()))
    _bars(below.bar, measures["coverage"], measures["unattended"])
    _mark_unattended(below, measures, highest, cell)
    below.set(ylim=(0, highest), xlim=ax.get_xlim(), xticks=[])
    below.set_yticks([0, highest], ["0", f"{highest:.2g}"], fontsize=SMALL)
    below.set_ylabel("coverage", fontsize=SMALL, rotation=0, ha="right", va="center")
    for strip in (right, below):
        strip.grid(False)
        strip.tick_params(length=2, pad=1)


def _mark_unattended(strip, measures, highest, cell):
    """Hatch the whole room of bars too low to be seen, and write what they are."""
    places = np.flatnonzero(measures["unattended"])
    if not places.size:
        return
    strip.bar(
        places,
        highest,
        0.8,
        fill=False,
        edgecolor=FLAGGED,
        hatch="////",
        linewidth=0.8,
        label="unattended",
    )
    if cell < SMALL:
        return
    for place in places:
        strip.text(
            place,
            highest / 2,
            number_text(measures["coverage"][place]),
            fontsize=SMALL,
            rotation=0 if cell >= 2.5 * SMALL else 90,
            ha="center",
            va="center",
            # The hatch must not run through the digits.
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.6},
        )


def _write_legend(ax, handles, under):
    """Write what rings and dots mean, `under` points below the map."""
    ax.legend(
        handles=handles,
        loc="upper left",
        bbox_to_anchor=(0, -under / 72),
        bbox_transform=_corner(ax, 0, 0),
        borderaxespad=0,
        borderpad=0,
        labelspacing=(LINE - SMALL) / SMALL,
        frameon=False,
        fontsize=SMALL,
        handler_map={Circle: HandlerPatch(patch_func=_legend_ring)},
    )


def _ring(place, name, cell):
    line = float(np.clip(cell / 14, 0.6, 1.5))
    return Circle(
        place,
        0.4,
        fill=False,
        edgecolor="black",
        linewidth=line,
        linestyle=STYLES[name],
        label=f"{name} gold link",
        # Light round dark: it is seen on light and on dark cells, and without colours.
        path_effects=[withStroke(linewidth=2.2 * line, foreground="white")],
    )


def _legend_ring(legend, orig_handle, xdescent, ydescent, width, height, fontsize):
    return Circle((width / 2 - xdescent, height / 2 - ydescent), height * 0.6)


def _bars(draw, values, flagged):
    bars = draw(np.arange(len(values)), values, 0.8, color=ORDINARY)
    for i in np.flatnonzero(flagged):
        bars[i].set(facecolor=FLAGGED, edgecolor="black", hatch="////", linewidth=0)


def _corner(ax, x, y):
    """Inches from a corner of the Axes: (0, 0) is the lower left one."""
    return ax.get_figure().dpi_scale_trans + ScaledTranslation(x, y, ax.transAxes)


def _beside(ax):
    """Inches to the right of the Axes, and its height as 1."""
    return blended_transform_factory(_corner(ax, 1, 0), ax.transAxes)


def _under(ax):
    """The width of the Axes as 1, and inches up from its lower edge."""
    return blended_transform_factory(ax.transAxes, _corner(ax, 0, 0))
