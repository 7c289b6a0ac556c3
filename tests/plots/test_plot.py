"""One heat map, a difference of two, and what drawing them leaves alone."""

import copy
import subprocess
import sys
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from pictures import (
    SOURCE,
    TARGET,
    bar_name,
    caption,
    check_layout,
    color_bar,
    labels,
    random_weights,
    rings,
    strip,
)

import keras_attention
from keras_attention.plots.alt_text import describe_attention
from keras_attention.plots.heads import plot_attention_heads
from keras_attention.plots.plot import SCALES, plot_attention, plot_attention_difference
from keras_attention.plots.save import save_figure


@pytest.fixture
def weights():
    return random_weights(len(TARGET), len(SOURCE))


@pytest.fixture
def ax():
    return Figure(layout="constrained").add_subplot()


# One matrix


def test_the_source_is_on_top_and_the_target_on_the_left_from_the_top(weights):
    ax = plot_attention(weights, SOURCE, TARGET)
    assert isinstance(ax, Axes)
    assert labels(ax.xaxis) == SOURCE
    assert labels(ax.yaxis) == TARGET
    assert ax.xaxis.get_ticks_position() == "top"
    assert ax.xaxis.get_label_position() == "top"
    bottom, top = ax.get_ylim()
    assert bottom > top
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("source", "target")
    np.testing.assert_array_equal(ax.images[0].get_array(), weights)
    assert ax.get_aspect() == 1


def test_colours_go_from_0_to_1_whatever_the_data(ax):
    flat = np.full((2, 4), 0.25)
    plot_attention(flat, list("abcd"), list("xy"), ax)
    assert ax.images[0].get_clim() == (0, 1)
    assert bar_name(ax) == "attention weight, 0 to 1"


def test_without_a_target_one_sentence_is_on_both_axes():
    ax = plot_attention(np.eye(3), iter("abc"))
    assert labels(ax.xaxis) == labels(ax.yaxis) == ["a", "b", "c"]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("key", "query")


def test_it_draws_on_the_axes_given(ax, weights):
    assert plot_attention(weights, SOURCE, TARGET, ax) is ax
    assert plot_attention(weights, SOURCE, TARGET).figure is not ax.figure


def test_each_scale_names_itself_and_draws_what_it_says(weights):
    arrays = {}
    for scale, name in SCALES.items():
        ax = plot_attention(weights, SOURCE, TARGET, scale=scale)
        assert bar_name(ax) == name
        image = ax.images[0]
        arrays[scale] = image.norm(image.get_array())
    assert len(set(SCALES.values())) == 4
    row_max = weights / weights.max(axis=1, keepdims=True)
    np.testing.assert_allclose(arrays["fixed"], weights)
    np.testing.assert_allclose(arrays["row-max"], row_max)
    np.testing.assert_allclose(arrays["power"], np.sqrt(weights))
    log = 1 + np.log10(np.maximum(weights, 1e-3)) / 3
    np.testing.assert_allclose(arrays["log"], log, atol=1e-12)


def test_numbers_that_are_no_weights_are_drawn_when_a_scale_is_given(tmp_path):
    weights = np.array([[np.nan, -1, 0.5], [2, 0, np.inf], [0, 0, 0]])
    for scale in SCALES:
        ax = plot_attention(weights, list("abc"), scale=scale)
        image = ax.images[0]
        assert image.get_array().mask.sum() == 2
        # Unseen or zero is the light end, not the grey of what is no number.
        np.testing.assert_array_equal(image.to_rgba(image.get_array())[2, 0], light())
        save_figure(ax, tmp_path / "a.png")
        assert "Not a number: 2 cells" in ax.alt_text


def light():
    return matplotlib.colormaps["Blues"](0)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -0.01, 1.01])
def test_numbers_that_are_no_weights_raise_without_a_scale(bad):
    with pytest.raises(ValueError, match="`weights` must lie between 0 and 1") as error:
        plot_attention([[bad, 0.5]], ["a", "b"], ["c"])
    assert "'row-max'" in str(error.value)


def test_rounding_a_little_above_1_is_no_error():
    plot_attention(np.array([[1 + 1e-6, 0]]), ["a", "b"], ["c"])


@pytest.mark.parametrize(
    ("shape", "text"),
    [
        ((6, 7), r"\(7, 6\) for .*=\(6, 7\). Targets are the rows: swap"),
        ((7, 5), r"\(7, 6\) for 7 target and 6 source words. Received: .*\(7, 5\)"),
        ((2, 7, 6), r"\(7, 6\) .*\(2, 7, 6\). plot_attention_heads draws 3 axes"),
        ((6,), r"\(7, 6\) for .*\(6,\)"),
    ],
)
def test_a_wrong_shape_is_refused_with_both_shapes(shape, text):
    for function in (plot_attention, describe_attention):
        with pytest.raises(ValueError, match=text):
            function(np.zeros(shape), SOURCE, TARGET)


def test_other_mistakes_are_refused(weights):
    with pytest.raises(ValueError, match="`source` must be a sequence of words"):
        plot_attention(np.eye(3), "abc")
    with pytest.raises(ValueError, match="`scale` must be one of 'fixed', 'row-max'"):
        plot_attention(weights, SOURCE, TARGET, scale="sqrt")
    with pytest.raises(ValueError, match="at least one row"):
        plot_attention(np.zeros((0, 2)), ["a", "b"], [])


@pytest.mark.parametrize(
    ("rows", "columns"), [(1, 1), (1, 30), (30, 1), (7, 6), (30, 25), (60, 60)]
)
@pytest.mark.parametrize("scale", ["power", "log"])
def test_words_neither_overlap_nor_leave_the_figure(rows, columns, scale):
    words = ["Spielhaus", "in", "Großmutter", "unglaublichdonaudampf", "."] * 12
    ax = plot_attention(
        random_weights(rows, columns), words[:columns], words[:rows], scale=scale
    )
    check_layout(ax.figure, [ax])
    assert len(labels(ax.xaxis)) == columns


def test_many_words_are_thinned_out_and_not_shrunk(tmp_path):
    words = [f"word{i}" for i in range(200)]
    ax = plot_attention(random_weights(200, 200), words)
    check_layout(ax.figure, [ax])
    step = words.index(labels(ax.yaxis)[1])
    assert step > 1
    assert labels(ax.xaxis) == labels(ax.yaxis) == words[::step]
    assert list(ax.get_xticks()) == list(range(0, 200, step))
    save_figure(ax, tmp_path / "a.svg")
    assert (tmp_path / "a.svg").stat().st_size < 1_000_000


def test_words_on_small_axes_of_others_do_not_overlap():
    figure = Figure(figsize=(9, 4), layout="constrained")
    axes = figure.subplots(1, 2)
    words = ["Spielhaus", "in", "Großmutter", "mit", "."] * 6
    plot_attention(random_weights(30, 25), words[:25], words, axes[0])
    plot_attention(random_weights(7, 6), SOURCE, TARGET, axes[1])
    check_layout(figure, axes)


def test_long_words_are_cut_and_control_characters_spelled_out():
    ax = plot_attention(np.eye(2), ["a" * 100, "b\nc\ud800"])
    assert labels(ax.xaxis) == ["a" * 29 + "…", r"b\nc\ud800"]


def test_dollars_are_no_formula():
    ax = plot_attention(np.eye(2), ["$5$", "$x_1$"])
    texts = ax.get_xticklabels() + ax.get_yticklabels()
    assert [text.get_text() for text in texts] == ["$5$", "$x_1$"] * 2
    assert not any(text.get_parse_math() for text in texts)


def test_the_colours_grow_darker_evenly():
    image = plot_attention(np.eye(2), ["a", "b"]).images[0]
    rgb = image.get_cmap()(np.linspace(0, 1, 256))[:, :3]
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    y = linear @ [0.2126, 0.7152, 0.0722]
    lightness = np.where(y > 0.008856, 116 * np.cbrt(y) - 16, 903.3 * y)
    assert lightness[0] > 95
    assert (np.diff(lightness) < 1e-9).all()
    assert np.corrcoef(lightness, np.arange(256))[0, 1] ** 2 >= 0.97


# What is hidden, and the direction of the source


def test_dropped_tokens_are_not_drawn_and_their_weight_is_told():
    weights = [[0.6, 0.1, 0.3], [0.2, 0.7, 0.1], [0, 0, 1]]
    words = ["a", "b", "</s>"]
    ax = plot_attention(weights, words, ["x", "y", "</s>"], special="drop")
    assert (labels(ax.xaxis), labels(ax.yaxis)) == (["a", "b"], ["x", "y"])
    np.testing.assert_allclose(ax.images[0].get_array(), [[0.6, 0.1], [0.2, 0.7]])
    told = (
        "Special tokens left out, with 0.20 of a row's weight on average, at most 0.30."
    )
    assert caption(ax) == told
    assert told in ax.alt_text
    assert "Row sums" not in ax.alt_text
    described = describe_attention(weights, words, ["x", "y", "</s>"], special="drop")
    assert described == ax.alt_text


def test_dimmed_tokens_are_pale_and_their_numbers_stay():
    weights = [[0.6, 0.1, 0.3], [0, 0, 1]]
    ax = plot_attention(weights, ["a", "b", "</s>"], ["x", "</s>"], special="dim")
    np.testing.assert_allclose(ax.images[0].get_array(), weights)
    colors = [label.get_color() for label in ax.get_xticklabels()]
    assert colors[0] == colors[1] != colors[2]
    assert ax.get_yticklabels()[1].get_color() == colors[2]
    column, row = ax.patches
    assert (column.get_x(), column.get_width()) == (1.5, 1)
    assert (row.get_y(), row.get_height()) == (0.5, 1)
    plain = plot_attention(weights, ["a", "b", "</s>"], ["x", "</s>"])
    assert not plain.patches


def test_a_part_of_a_long_sentence_says_what_is_hidden():
    words = [f"word{i}" for i in range(60)]
    weights = random_weights(60, 60)
    ax = plot_attention(weights, words, rows=slice(10, 30), max_tokens=40)
    np.testing.assert_array_equal(ax.images[0].get_array(), weights[10:30, :40])
    assert labels(ax.yaxis) == words[10:30]
    hidden = weights[10:30, 40:].sum(axis=1)
    assert caption(ax) == (
        f"20 of 60 source words not shown, with {hidden.mean():.2f} of a row's weight "
        f"on average, at most {hidden.max():.2f}. 20 of 60 target words shown."
    )
    assert "20 of 60 source words not shown" in ax.alt_text
    check_layout(ax.figure, [ax])


def test_right_to_left_turns_words_cells_and_rings_together():
    words = ["שני", "כלבים", "רצים"]
    weights = [[1, 0, 0], [0, 0.5, 0.5], [0, 0, 1]]
    ax = plot_attention(
        weights,
        words,
        ["two", "dogs", "run"],
        source_direction="rtl",
        gold="0-0",
        diagnostics=True,
    )
    check_layout(ax.figure, [ax])
    assert labels(ax.xaxis) == words
    image = ax.images[0]
    left, right, *_ = image.get_extent()
    place = {}
    for label in ax.get_xticklabels():
        box = label.get_window_extent()
        place[label.get_text()] = ax.transData.inverted().transform(
            [(box.x0 + box.x1) / 2, 0]
        )[0]
    # Where a word is written is the cell of its weights, and the first is on the right.
    np.testing.assert_allclose([place[word] for word in words], [0, 1, 2], atol=0.1)
    assert image.get_array()[0, 0] == 1
    assert ax.transData.transform((0, 0))[0] > ax.transData.transform((2, 0))[0]
    assert (left, right) == (-0.5, 2.5)
    assert rings(ax)["solid"] == [(0, 0)]
    assert strip(ax, "coverage").xaxis_inverted()


HEBREW = ["שני", "כלבים", "רצים", "</s>"]


def test_a_source_that_runs_from_right_to_left_is_drawn_so_untold():
    weights = random_weights(3, 4)
    words = ["two", "dogs", "run"]
    assert plot_attention(weights, HEBREW, words).xaxis_inverted()
    assert plot_attention_difference(weights, weights, HEBREW, words).xaxis_inverted()
    for ax in plot_attention_heads([weights, weights], HEBREW, words):
        assert ax.xaxis_inverted()
    told = plot_attention(weights, HEBREW, words, source_direction="ltr")
    assert not told.xaxis_inverted()
    other_way = plot_attention(weights.T[:, :3], words, HEBREW, scale="fixed")
    assert not other_way.xaxis_inverted()


def test_a_direction_is_left_or_right(weights):
    with pytest.raises(ValueError, match="`source_direction` must be one of 'ltr'"):
        plot_attention(weights, SOURCE, TARGET, source_direction="up")


# Two models


def test_a_difference_is_centred_on_0_and_says_which_is_which():
    first, second = (
        np.array([[0.8, 0.2], [0.5, 0.5]]),
        np.array([[0.3, 0.7], [0.5, 0.5]]),
    )
    ax = plot_attention_difference(
        first, second, ["a", "b"], ["x", "y"], names=("epoch 1", "epoch 9")
    )
    image = ax.images[0]
    np.testing.assert_allclose(image.get_array(), [[-0.5, 0.5], [0, 0]])
    assert image.get_clim() == (-1, 1)
    assert bar_name(ax) == "attention weight, epoch 9 less epoch 1"
    # No difference is the lightest of all, and both ends are as dark.
    low, middle, high = image.get_cmap()([0.0, 0.5, 1.0])[:, :3].mean(axis=1)
    assert middle > 0.9
    assert abs(low - high) < 0.1
    assert "Difference of attention weights, not an explanation" in ax.alt_text
    assert "Most in favour of epoch 9: “x” attends to “b”, 0.50 more." in ax.alt_text
    assert "Most in favour of epoch 1: “x” attends to “a”, 0.50 more." in ax.alt_text
    assert "0.25 of a row has moved on average." in ax.alt_text
    assert (labels(ax.xaxis), labels(ax.yaxis)) == (["a", "b"], ["x", "y"])
    check_layout(ax.figure, [ax])


def test_names_of_a_difference_are_text_and_no_formula():
    ax = plot_attention_difference(
        np.eye(2), np.eye(2), ["a", "b"], ["x", "y"], names=("$5", r"$\foo$")
    )
    ax.figure.canvas.draw()
    assert bar_name(ax) == r"attention weight, $\foo$ less $5"


def test_words_of_a_difference_may_come_one_by_one():
    ax = plot_attention_difference(
        np.eye(2), np.eye(2), iter("ab"), (word for word in "xy")
    )
    assert (labels(ax.xaxis), labels(ax.yaxis)) == (["a", "b"], ["x", "y"])


def test_a_difference_of_nothing_and_one_beyond_the_limit():
    same = plot_attention_difference(np.eye(2), np.eye(2), ["a", "b"], limit=0.1)
    assert "Most" not in same.alt_text
    assert same.images[0].get_clim() == (-0.1, 0.1)
    assert color_bar(same)._colorbar.extend == "neither"
    ax = plot_attention_difference(
        np.eye(2), np.eye(2)[::-1], ["a", "b"], limit=0.1, source_direction="rtl"
    )
    assert color_bar(ax)._colorbar.extend == "both"
    assert ax.xaxis_inverted()
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("key", "query")


@pytest.mark.parametrize(
    ("second", "options", "text"),
    [
        (np.eye(3), {}, r"`weights` must have shape \(2, 2\) .*\(3, 3\)"),
        (np.eye(2) * 2, {}, "must lie between 0 and 1"),
        (np.eye(2), {"limit": 0}, "`limit` must be above 0"),
        (np.eye(2), {"names": "ab"}, "`names` must be two str"),
        (np.eye(2), {"source_direction": "up"}, "`source_direction` must be one of"),
    ],
)
def test_a_difference_of_unlike_things_is_refused(second, options, text):
    with pytest.raises(ValueError, match=text):
        plot_attention_difference(np.eye(2), second, ["a", "b"], **options)


# No side effects


def test_settings_stay_as_they_are(tmp_path, weights):
    before = copy.deepcopy(matplotlib.rcParams.copy())
    ax = plot_attention(weights, SOURCE, TARGET)
    plot_attention_heads(weights[None], SOURCE, TARGET)
    plot_attention_difference(weights, weights, SOURCE, TARGET)
    plot_attention(weights, SOURCE, TARGET, gold="0-0", diagnostics=True)
    for ending in ("png", "svg", "pdf"):
        save_figure(ax, tmp_path / f"a.{ending}")
    assert matplotlib.rcParams.copy() == before


def test_settings_of_others_do_not_turn_the_picture_round(weights):
    others = {"image.origin": "lower", "image.aspect": "auto", "axes.grid": True}
    with matplotlib.rc_context(others):
        ax = plot_attention(weights, SOURCE, TARGET)
    bottom, top = ax.get_ylim()
    assert bottom > top
    assert ax.get_aspect() == 1
    assert not any(line.get_visible() for line in ax.get_xgridlines())


def test_pyplot_is_neither_imported_nor_left_with_figures(tmp_path):
    # The package itself imports Keras, which imports matplotlib.
    package = Path(keras_attention.__file__).parent
    code = f"""
import sys, types, warnings
package = types.ModuleType("keras_attention")
package.__path__ = [{str(package)!r}]
sys.modules["keras_attention"] = package
import keras_attention.plots.plot as plot
import keras_attention.plots.save as save
for name in ("matplotlib", "keras", "tensorflow", "nmt"):
    assert name not in sys.modules, name
from matplotlib.figure import Figure
warnings.simplefilter("error")
for _ in range(100):
    plot.plot_attention([[1.0]], ["a"], ["b"], Figure().add_subplot())
alone = plot.plot_attention([[1.0]], ["a"], gold="0-0", diagnostics=True)
from keras_attention.plots import heads
axes = heads.plot_attention_heads([[[1.0]]], ["a"])
for ending in ("png", "svg", "pdf"):
    save.save_figure(alone, {str(tmp_path)!r} + "/a." + ending)
    save.save_figure(axes[0], {str(tmp_path)!r} + "/b." + ending)
assert "matplotlib.pyplot" not in sys.modules
import matplotlib
matplotlib.use("agg")
from matplotlib import pyplot
assert pyplot.get_fignums() == []
figure, ax = pyplot.subplots()
plot.plot_attention([[1.0]], ["a"], ax=ax)
assert pyplot.get_fignums() == [figure.number]
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
