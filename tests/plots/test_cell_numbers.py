"""Numbers in the cells of a heat map."""

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from pictures import SOURCE, TARGET, check_layout, numbers, random_weights

from keras_attention.plots.cell_numbers import number_text
from keras_attention.plots.plot import plot_attention, plot_attention_difference


def luminance(rgb):
    rgb = np.asarray(rgb)
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return linear @ [0.2126, 0.7152, 0.0722]


def contrast(one, other):
    low, high = sorted([luminance(one), luminance(other)])
    return (high + 0.05) / (low + 0.05)


def places(ax):
    return {text.get_position(): text.get_text() for text in numbers(ax)}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        *[(0, "0"), (1, "1"), (0.5, ".50"), (0.004, ".00"), (0.999, "1.00")],
        *[(-0.25, "-.25"), (-0.001, ".00"), (10.5, "10.50"), (-1.5, "-1.50")],
        *[(np.nan, ""), (np.inf, "")],
    ],
)
def test_a_weight_is_told_in_few_characters(value, text):
    assert number_text(value) == text


def test_each_cell_has_its_number_and_none_unless_chosen():
    weights = [[0.25, 0.75, 0], [0, 0, 1]]
    options = {"source": ["a", "b", "c"], "target": ["x", "y"]}
    assert not numbers(plot_attention(weights, **options))
    ax = plot_attention(weights, numbers=True, **options)
    first = {(0, 0): ".25", (1, 0): ".75", (2, 0): "0"}
    assert places(ax) == first | {(0, 1): "0", (1, 1): "0", (2, 1): "1"}
    turned = plot_attention(weights, numbers=True, source_direction="rtl", **options)
    assert places(turned) == places(ax)
    check_layout(ax.figure, [ax])


def test_the_weights_are_written_whatever_the_scale_of_the_colours():
    for scale in ("row-max", "log", "power"):
        ax = plot_attention([[0.2, 0.1]], ["a", "b"], ["x"], scale=scale, numbers=True)
        assert list(places(ax).values()) == [".20", ".10"]
    ax = plot_attention([[np.nan, 2]], ["a", "b"], ["x"], scale="fixed", numbers=True)
    assert list(places(ax).values()) == ["", "2.00"]


@pytest.mark.parametrize("special", ["keep", "dim"])
def test_they_can_be_read_on_light_and_on_dark_cells(special):
    weights = np.linspace(0, 1, 25).reshape(5, 5)
    words = ["a", "b", "c", "d", "</s>"]
    ax = plot_attention(weights, words, scale="fixed", numbers=True, special=special)
    image = ax.images[0]
    drawn = {text.get_color() for text in numbers(ax)}
    assert drawn == {"black", "white"}
    for text in numbers(ax):
        column, row = text.get_position()
        color = image.to_rgba(image.get_array())[row, column, :3]
        for veil in ax.patches:  # white, over special tokens drawn pale
            if veil.contains_point(ax.transData.transform((column, row))):
                color = color * (1 - veil.get_alpha()) + veil.get_alpha()
        assert contrast(color, to_rgb(text.get_color())) >= 4.5


def test_they_stay_within_their_cells():
    for count in (2, 6, 40):
        ax = plot_attention(
            random_weights(count, count), list("abcdefgh" * 5)[:count], numbers=True
        )
        ax.figure.draw_without_rendering()
        left, right = ax.transData.transform([(0, 0), (1, 0)])[:, 0]
        for text in numbers(ax)[:count]:
            assert text.get_fontsize() >= 5
            assert text.get_window_extent().width < right - left
        check_layout(ax.figure, [ax])


def test_where_they_could_not_be_read_a_warning_says_so():
    words = [f"word{i}" for i in range(100)]
    with pytest.warns(UserWarning, match="`numbers` are left out: .*Show fewer") as own:
        ax = plot_attention(random_weights(100, 100), words, numbers=True)
    assert not numbers(ax)
    assert [warning.filename for warning in own] == [__file__]
    some = plot_attention(
        random_weights(100, 100), words, numbers=True, rows=slice(9), max_tokens=9
    )
    assert len(numbers(some)) == 81


def test_differences_are_written_with_their_sign():
    ax = plot_attention_difference(
        [[0.5, 0.5]], [[0.9, 0.1]], ["a", "b"], ["x"], numbers=True
    )
    assert list(places(ax).values()) == [".40", "-.40"]
    plain = plot_attention_difference(
        random_weights(7, 6), random_weights(7, 6), SOURCE, TARGET
    )
    assert not numbers(plain)
