"""Numbers written in the cells of a heat map. Imports matplotlib."""

import warnings

import numpy as np

LARGEST, LEAST = 8, 5  # points: font size
ROOM = 0.8  # of the width of a cell
LETTER = 0.64  # width of a digit in font sizes
WHITE_BELOW = 0.179  # luminance at which white and black can be read as well


def write_numbers(ax, image, values, cell, veils=0):
    """Write numbers in cells, black on light ones and white on dark ones.

    Numbers that would be too small to be read are left out, with a warning.

    Args:
        ax: Matplotlib Axes.
        image: What has been drawn there.
        values: The numbers to write, of the shape of the image's.
        cell: Points of one cell.
        veils: How much white lies over each cell, 0 to 1.
    """
    texts = [[number_text(value) for value in row] for row in values]
    longest = max(len(text) for row in texts for text in row)
    font = min(LARGEST, ROOM * cell / (LETTER * max(longest, 1)))
    if font < LEAST:
        warnings.warn(
            f"`numbers` are left out: in {values.shape[0]} by {values.shape[1]} cells "
            "of this size they could not be read. Show fewer words.",
            stacklevel=4,
        )
        return
    colors = image.to_rgba(image.get_array())[..., :3]
    veils = np.broadcast_to(veils, values.shape)[..., None]
    dark = _luminance(colors * (1 - veils) + veils) < WHITE_BELOW
    for (row, column), is_dark in np.ndenumerate(dark):
        ax.text(
            column,
            row,
            texts[row][column],
            fontsize=font,
            color="white" if is_dark else "black",
            ha="center",
            va="center_baseline",
            label="number",
            clip_on=True,
            in_layout=False,
        )


def number_text(value):
    """A weight in as few characters as tell it: `.94`, `1` and `0` if it is just that.

    What is no number is an empty text.
    """
    if not np.isfinite(value):
        return ""
    if value in (0, 1):
        return f"{value:.0f}"
    text = f"{value:.2f}"
    if text.lstrip("-").startswith("0."):
        text = text.replace("0.", ".", 1)
    return ".00" if text == "-.00" else text


def _luminance(colors):
    """Relative luminance of sRGB colours, as WCAG defines it."""
    linear = np.where(
        colors <= 0.04045, colors / 12.92, ((colors + 0.055) / 1.055) ** 2.4
    )
    return linear @ [0.2126, 0.7152, 0.0722]
