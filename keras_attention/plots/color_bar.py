"""The colour bar beside one heat map or many. Imports matplotlib."""

import textwrap
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.transforms import Bbox

from keras_attention.analysis import TOLERANCE

# Points: free room before the bar, how wide it is and at least how high, and the room
# of its numbers with what is round them.
PAD, WIDTH, LEAST, NUMBERS = 10, 9, 24, 34
LETTER, LINE = 5.8, 14  # points of a letter and of a line of its name, about
NARROW = 20  # letters in a line of a name that runs from left to right


def color_bar_room(label, height):
    """Points that a bar takes on the right of maps, and its name in height.

    Args:
        label: The name.
        height: Points of the maps together.
    """
    lines = _lines(label, height)
    if lines is None:
        return PAD + WIDTH + NUMBERS + LINE, LETTER * len(label)
    longest = LETTER * max(map(len, lines))
    return PAD + WIDTH + NUMBERS + longest, LINE * len(lines)


def color_bar(image, maps, part, scale, label, height, right=0):
    """Put a colour bar beside Axes on which `part` has been drawn on a scale."""
    if scale == "row-max":
        below, above = (part.weights < 0).any(), False
    else:
        below = (part.weights < image.norm.vmin).any()
        above = (part.weights > 1 + TOLERANCE).any()
    name_colors(image, maps, label, below, above, height, right)


def name_colors(image, maps, label, below, above, height, right=0):
    """Put a colour bar beside maps, with an arrow at an end that numbers lie beyond.

    It is as high as the maps and as far from them as any other.

    Args:
        image: The image of one of the maps.
        maps: List of Axes.
        label: The name of the bar.
        below: Whether numbers lie below its lower end.
        above: Likewise.
        height: Points of the maps together, about.
        right: Points that are taken on the right of the maps.
    """
    extend = {(0, 0): "neither", (1, 0): "min", (0, 1): "max", (1, 1): "both"}
    figure = image.get_figure()
    width = Bbox.union([ax.get_position(original=True) for ax in maps]).width
    points = 72 * width * figure.bbox.width / figure.dpi
    # Layouts make room by themselves for the bar and for what is on the right, but
    # make the maps narrower meanwhile, and `pad` with them.
    laid_out = figure.get_layout_engine() is not None
    before = 1.4 * PAD if laid_out else PAD + right
    bar = figure.colorbar(
        image,
        ax=maps[0] if len(maps) == 1 else maps,
        pad=min(before / points, 0.3),
        fraction=min((color_bar_room(label, height)[0] - PAD) / points, 0.4),
        extend=extend[int(below), int(above)],
    )
    bar.ax.set_axes_locator(Beside(bar.ax, maps, PAD + right))
    lines = _lines(label, height)
    if lines is None:
        bar.set_label(label, parse_math=False)  # "$5 less $6" is no formula
    else:
        bar.set_label(
            "\n".join(lines), rotation=0, ha="left", va="center", parse_math=False
        )


@dataclass(frozen=True)
class Beside:
    """Where a colour bar is: on the right of maps, as high as they are.

    Called by matplotlib whenever the maps may have moved.

    Attributes:
        bar: The Axes of the bar.
        maps: Axes.
        right: Points from the maps to the bar.
    """

    bar: Axes
    maps: list
    right: float

    def __call__(self, ax, renderer):
        for each in self.maps:
            locator = each.get_axes_locator()
            each.apply_aspect(locator(each, renderer) if locator else None)
        box = Bbox.union([each.get_window_extent() for each in self.maps])
        figure = self.bar.get_figure()
        points = figure.dpi / 72
        more = max(points * LEAST - box.height, 0) / 2
        ax.set_box_aspect(None)  # which layouts set each time
        left = box.x1 + points * self.right
        return Bbox.from_extents(
            left, box.y0 - more, left + points * WIDTH, box.y1 + more
        ).transformed(figure.transSubfigure.inverted())

    def get_subplotspec(self):
        """Where the bar is in a grid, which `tight_layout` wants to know."""
        return self.bar.get_subplotspec()


def _lines(label, height):
    """The lines of a name too long to run upwards, else `None`."""
    if LETTER * len(label) <= height:
        return None
    parts = label.replace(", ", ",\n").split("\n")
    return [line for part in parts for line in textwrap.wrap(part, NARROW)]
