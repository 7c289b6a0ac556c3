"""Figures with a description, and how they become files. Imports matplotlib."""

import base64
import io
import re
import sys
import warnings
from contextlib import contextmanager
from contextvars import ContextVar
from xml.sax.saxutils import escape, quoteattr

import matplotlib
from matplotlib.figure import Figure

from keras_attention.plots.fonts import script

_FOR_FILES = ContextVar("for_files", default=False)


class Picture(Figure):
    """A figure that shows itself in a notebook, with its description beside it."""

    alt_text = ""

    def _repr_mimebundle_(self, include=None, exclude=None):
        text = description(self)
        png = base64.b64encode(render(self, "png", dpi=self.dpi)).decode("ascii")
        pyplot = sys.modules.get("matplotlib.pyplot")
        if pyplot and "inline" in (matplotlib.get_backend(auto_select=False) or ""):
            # A notebook shows what is open at the end of a cell: not this once more.
            pyplot.close(self)
        return {"image/png": png, "text/plain": text}, {"image/png": {"alt": text}}


def new_figure(size, layout):
    """A figure of so many inches; one of pyplot's if a caller has imported pyplot.

    Then `plt.show()` shows it. Whether pyplot is imported at all says nothing: Keras
    does it for everybody.
    """
    options = {"figsize": (size.width, size.height), "layout": layout}
    pyplot = sys.modules.get("matplotlib.pyplot")
    if pyplot is None or _FOR_FILES.get() or not _is_named_by_a_caller(pyplot):
        return Picture(**options)
    return pyplot.figure(FigureClass=Picture, **options)


@contextmanager
def figures_for_files():
    """Inside, new figures are kept from pyplot, which would keep them for ever."""
    token = _FOR_FILES.set(True)
    try:
        yield
    finally:
        _FOR_FILES.reset(token)


def _is_named_by_a_caller(pyplot):
    """Whether a function or module that is running knows pyplot by a name."""
    frame = sys._getframe(2)  # `new_figure` has a name for it too
    while frame is not None:
        names = [*frame.f_globals.values(), *frame.f_locals.values()]
        if any(value is pyplot for value in names):
            return True
        frame = frame.f_back
    return False


def description(figure):
    """The description of a whole figure: its own, or those of its Axes."""
    return getattr(figure, "alt_text", None) or " ".join(
        ax.alt_text for ax in figure.axes if hasattr(ax, "alt_text")
    )


def render(figure, kind, dpi):
    """The bytes of a file of the figure, the same each time.

    Args:
        figure: Matplotlib Figure.
        kind: `"png"`, `"svg"` or `"pdf"`.
        dpi: Pixels per inch.

    Returns:
        Bytes. An SVG has the description as `aria-label` and `<desc>`, a PNG and a
        PDF as metadata.
    """
    text = description(figure)
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
        figure.savefig(buffer, format=kind, dpi=dpi, metadata=metadata)
    content = buffer.getvalue()
    if kind == "svg" and text:
        content = _label_svg(content.decode(), text).encode()
    return content


def _label_svg(svg, text):
    start = svg.index("<svg") + len("<svg")
    end = svg.index(">", start) + 1
    label = f' role="img" aria-label={quoteattr(text)}'
    return (
        f"{svg[:start]}{label}{svg[start:end]}\n <desc>{escape(text)}</desc>{svg[end:]}"
    )


@contextmanager
def _same_positions(figure):
    """Put Axes and texts back where they were, as drawing moves them.

    By less than a pixel, but layouts start from there, and the next file would have
    other bytes.
    """
    before = [
        (ax, ax.get_position(original=True), ax.get_position(), ax.get_in_layout())
        for ax in figure.axes
    ]
    texts = [
        (text, text.get_position(), text.get_verticalalignment())
        for text in figure.texts
    ]
    try:
        yield
    finally:
        for text, position, alignment in texts:
            text.set(position=position, verticalalignment=alignment)
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
    missing: dict[tuple[str, str], dict[str, None]] = {}
    for warning in caught:
        glyph = re.match(r"Glyph (\d+)", str(warning.message))
        if glyph:
            char = chr(int(glyph[1]))
            label, fonts = script(char)
            missing.setdefault((label, fonts[0]), {})[char] = None
        else:
            warnings.warn_explicit(
                warning.message, warning.category, warning.filename, warning.lineno
            )
    if missing:
        parts = [
            f"{label} (such as {''.join(list(chars)[:5])}; install {font})"
            for (label, font), chars in missing.items()
        ]
        warnings.warn(
            f"No font here can draw: {', '.join(parts)}. Then delete matplotlib's "
            f"list of fonts in {matplotlib.get_cachedir()} and start Python again.",
            stacklevel=5,
        )
