"""What the tests of pictures share: a sentence pair, and what is read off Axes."""

import numpy as np

SOURCE = "two dogs play in the snow".split()
TARGET = "Zwei Hunde spielen draußen im Schnee .".split()


def random_weights(*shape, seed=0):
    return np.random.default_rng(seed).dirichlet(np.ones(shape[-1]), shape[:-1])


def labels(axis):
    return [label.get_text() for label in axis.get_majorticklabels()]


def color_bar(ax):
    (bar,) = [other for other in ax.figure.axes if other.get_label() == "<colorbar>"]
    return bar


def bar_name(ax):
    """The name of the colour bar, on however many lines."""
    return color_bar(ax).get_ylabel().replace("\n", " ")


def numbers(ax):
    """What is written in the cells, row by row as it was written."""
    return [text for text in ax.texts if text.get_label() == "number"]


def caption(ax):
    texts = [text.get_text() for text in ax.texts if text.get_label() == "caption"]
    return " ".join(texts).replace("\n", " ")


def rings(ax):
    """Where rings are, by the style of their lines."""
    found = {"solid": [], "dashed": []}
    for ring in ax.patches:
        style = "solid" if ring.get_linestyle() in ("-", "solid") else "dashed"
        found[style].append(ring.center)
    return found


def strip(ax, name):
    (found,) = [child for child in ax.child_axes if child.get_label() == name]
    return found


def check_layout(figure, axes):
    figure.draw_without_rendering()
    assert max(figure.get_size_inches()) <= 12
    box = figure.get_tightbbox()
    assert min(box.x0, box.y0) > -0.005  # inches: one pixel
    assert (box.max <= figure.get_size_inches() + 0.005).all()
    for ax in axes:
        for axis in (ax.xaxis, ax.yaxis):
            texts = [text for text in axis.get_majorticklabels() if text.get_visible()]
            assert all(text.get_fontsize() >= 5 for text in texts)
            boxes = [text.get_window_extent() for text in texts]
            for one, other in zip(boxes, boxes[1:], strict=False):
                assert not one.overlaps(other)
