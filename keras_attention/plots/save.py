"""Pictures as files."""

from os import PathLike
from pathlib import Path

import numpy as np

from keras_attention.annotations import Axes, Figure
from keras_attention.files import write_whole

DPI = 200


def save_figure(figure: Figure | Axes | np.ndarray, path: str | PathLike[str]) -> None:
    """Write a picture to a file, with its description where the format has room.

    An SVG gets the description as `aria-label` and `<desc>`, a PNG and a PDF as
    metadata. The same picture gives the same bytes each time. The file is written
    whole or not at all; missing folders are made. Characters that no font has are
    told in one warning.

    Args:
        figure: What a plot gave: matplotlib Axes, or an array of Axes, whose whole
            figure is written; or a Figure.
        path: File name ending in `.png`, `.svg` or `.pdf`.

    Raises:
        ValueError: If `figure` is no such thing, or Axes of several figures, or
            `path` has another ending.

    Example:
        ```python
        save_figure(plot_attention([[0.9, 0.1]], ["the", "cat"], ["chat"]), "cat.png")
        ```
    """
    figure = _whole_figure(figure)
    path = Path(path)
    kind = path.suffix.lower().removeprefix(".")
    if kind not in ("png", "svg", "pdf"):
        raise ValueError(
            f"`path` must end in .png, .svg or .pdf. Received: path={str(path)!r}."
        )

    from keras_attention.plots.figure import render

    write_whole(path, render(figure, kind, DPI))


def _whole_figure(drawn):
    """The one figure of Axes, of an array of Axes, of a subfigure, or of itself."""
    if isinstance(drawn, list | tuple | np.ndarray):
        parts = list(np.asarray(drawn, dtype=object).flat)
    else:
        parts = [drawn]
    # The figure of Axes may be a subfigure; that of a figure is itself.
    figures = {getattr(getattr(part, "figure", None), "figure", None) for part in parts}
    figure = figures.pop() if len(figures) == 1 else None
    if not hasattr(figure, "savefig"):
        raise ValueError(
            "`figure` must be a matplotlib Figure, Axes, or an array of Axes of one "
            f"figure. Received: figure={drawn!r}."
        )
    return figure
