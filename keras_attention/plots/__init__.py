"""Weights as pictures: matplotlib, alt text, blocks for a terminal.

`figures_for_files` and `render` are imported when they are used, since they need
matplotlib.
"""

from keras_attention.plots.alt_text import describe_attention
from keras_attention.plots.heads import plot_attention_heads
from keras_attention.plots.plot import plot_attention, plot_attention_difference
from keras_attention.plots.save import DPI, save_figure
from keras_attention.plots.terminal import attention_text

__all__ = [
    "DPI",
    "attention_text",
    "describe_attention",
    "figures_for_files",
    "plot_attention",
    "plot_attention_difference",
    "plot_attention_heads",
    "render",
    "save_figure",
]


def __getattr__(name):
    if name in ("figures_for_files", "render"):
        from keras_attention.plots import figure

        return getattr(figure, name)
    raise AttributeError(f"module 'keras_attention.plots' has no attribute {name!r}")
