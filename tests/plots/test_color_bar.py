"""The colour bar: as high as the maps it is beside, and always as far from them."""

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.transforms import Bbox
from pictures import (
    SOURCE,
    TARGET,
    bar_name,
    check_layout,
    color_bar,
    random_weights,
    strip,
)

from keras_attention.plots.heads import plot_attention_heads
from keras_attention.plots.plot import plot_attention, plot_attention_difference

WORDS = ["Spielhaus", "in", "Großmutter", "mit", "."] * 12
POINT = 1.0


def draw(shape, **options):
    *heads, rows, columns = shape
    function = plot_attention_heads if heads else plot_attention
    return function(random_weights(*shape), WORDS[:columns], WORDS[:rows], **options)


def check_bar(maps, beside=None, least=0):
    """The bar of maps: its height, its distance from `beside`, its width, in points."""
    figure = maps[0].get_figure(root=True)
    figure.draw_without_rendering()
    points = 72 / figure.dpi
    map_box = Bbox.union([ax.get_window_extent() for ax in maps])
    bar = color_bar(maps[0])
    box = bar.get_window_extent()
    assert points * box.height == pytest.approx(
        max(points * map_box.height, least), abs=POINT
    )
    assert points * (box.y0 + box.y1) == pytest.approx(
        points * (map_box.y0 + map_box.y1), abs=2 * POINT
    )
    right = map_box.x1 if beside is None else beside.get_window_extent().x1
    assert points * (box.x0 - right) == pytest.approx(10, abs=POINT)
    assert points * box.width == pytest.approx(9, abs=POINT)
    whole = bar.get_tightbbox()
    assert whole.x1 <= figure.bbox.x1 + 1
    return whole


@pytest.mark.parametrize(
    "shape",
    [(7, 6), (3, 3), (1, 6), (1, 1), (12, 1), (40, 40)]
    + [(5, 3, 4), (4, 1, 6), (2, 3, 4, 4)],
)
def test_it_is_as_high_as_the_maps_and_as_far_from_them(shape):
    drawn = draw(shape)
    maps = list(np.ravel(drawn))
    check_bar(maps)
    check_layout(maps[0].figure, maps)


def test_beside_the_strip_of_diagnostics_it_is_as_far_from_that():
    for shape in [(7, 6), (1, 6)]:
        ax = draw(shape, diagnostics=True)
        check_bar([ax], beside=strip(ax, "entropy"))
    ax = plot_attention_difference(np.eye(2), np.eye(2), ["a", "b"])
    check_bar([ax])


def test_it_is_high_enough_to_be_read_beside_a_row_of_small_cells():
    check_bar([draw((1, 60))], least=24)


@pytest.mark.parametrize("layout", ["constrained", "compressed", "tight", None])
def test_on_axes_of_others_it_keeps_clear_of_their_neighbours(layout):
    figure = Figure(figsize=(11, 4), layout=layout)
    left, right = figure.subplots(1, 2)
    plot_attention(random_weights(7, 6), SOURCE, TARGET, left)
    right.plot([1, 2])
    whole = check_bar([left])
    assert whole.x1 < right.get_tightbbox().x0 + (0 if layout else 30)


def test_in_a_subfigure_it_is_beside_its_map():
    figure = Figure(figsize=(11, 4), layout="constrained")
    for part in figure.subfigures(1, 2):
        ax = part.add_subplot()
        plot_attention(random_weights(7, 6), SOURCE, TARGET, ax)
        check_bar([ax])


def test_with_arrows_the_bar_without_them_is_as_high_as_the_map():
    ax = plot_attention([[-1.0, 2.0]] * 5, ["a", "b"], WORDS[:5], scale="fixed")
    assert color_bar(ax)._colorbar.extend == "both"
    check_bar([ax])


def test_its_name_is_beside_a_low_map_on_lines_of_its_own():
    high, low = draw((7, 6)), draw((1, 6))
    assert bar_name(high) == bar_name(low) == "attention weight, 0 to 1"
    names = [color_bar(ax).yaxis.label for ax in (high, low)]
    assert [name.get_rotation() for name in names] == [90, 0]
    assert names[1].get_text() == "attention weight,\n0 to 1"


@pytest.mark.parametrize("shape", [(1, 6), (1, 1), (1, 30), (4, 1, 6), (7, 6)])
def test_a_figure_is_no_larger_than_what_is_in_it(shape):
    ax = np.ravel(draw(shape))[0]
    figure = ax.figure
    figure.draw_without_rendering()
    width, height = figure.get_size_inches()
    box = figure.get_tightbbox()
    assert box.width * box.height / (width * height) > 0.8
