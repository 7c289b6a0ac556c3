import base64
import copy
import io
import re
import subprocess
import sys
import warnings
import xml.etree.ElementTree as ElementTree
from functools import partial
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image

import keras_attention
from keras_attention.checks import SCALES
from keras_attention.describe import describe_attention
from keras_attention.diagnostics import attention_diagnostics
from keras_attention.grid import plot_attention_heads
from keras_attention.plot import (
    plot_attention,
    plot_attention_difference,
    save_figure,
)

SOURCE = "two dogs play in the snow".split()
TARGET = "Zwei Hunde spielen draußen im Schnee .".split()
NASTY = ["$a$", "<b>&", "]]>", "--", '"', "a\nb", "\x00", "\u2028", "\ud800", "_x", ""]
SVG = "{http://www.w3.org/2000/svg}"


def random_weights(*shape, seed=0):
    return np.random.default_rng(seed).dirichlet(np.ones(shape[-1]), shape[:-1])


@pytest.fixture
def weights():
    return random_weights(len(TARGET), len(SOURCE))


@pytest.fixture
def ax():
    return Figure(layout="constrained").add_subplot()


def labels(axis):
    return [label.get_text() for label in axis.get_majorticklabels()]


def color_bar(ax):
    (bar,) = [other for other in ax.figure.axes if other.get_label() == "<colorbar>"]
    return bar


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
    assert color_bar(ax).get_ylabel() == "attention weight, 0 to 1"


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
        assert color_bar(ax).get_ylabel() == name
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


# Heads and layers


def test_heads_share_one_scale_and_one_colour_bar():
    weights = random_weights(5, len(TARGET), len(SOURCE))
    axes = plot_attention_heads(weights, SOURCE, TARGET)
    assert axes.shape == (5,)
    assert [ax.get_title() for ax in axes] == ["H0", "H1", "H2", "H3", "H4"]
    for ax, head in zip(axes, weights, strict=True):
        np.testing.assert_array_equal(ax.images[0].get_array(), head)
        assert ax.images[0].get_clim() == (0, 1)
    assert color_bar(axes[0]).get_ylabel() == SCALES["fixed"]
    check_layout(axes[0].figure, axes)


def test_layers_are_rows_and_heads_are_columns():
    weights = random_weights(2, 3, 4, 4)
    axes = plot_attention_heads(weights, list("abcd"), scale="row-max")
    assert axes.shape == (2, 3)
    for (layer, head), ax in np.ndenumerate(axes):
        assert ax.get_title() == f"L{layer} H{head}"
        assert ax.get_subplotspec().rowspan.start == layer
        assert ax.get_subplotspec().colspan.start == head
        assert (ax.get_xlabel() == "key") == (layer == 0)
        assert (ax.get_ylabel() == "query") == (head == 0)
    assert color_bar(axes[0, 0]).get_ylabel() == SCALES["row-max"]
    check_layout(axes[0, 0].figure, axes.flat)


def test_heads_of_long_sentences_keep_within_the_figure():
    words = ["Spielhaus", "in", "Großmutter", "mit", "."] * 12
    axes = plot_attention_heads(random_weights(8, 60, 60), words)
    check_layout(axes[0].figure, axes)


def test_heads_check_their_shape():
    text = (
        r"\(heads, 7, 6\) or \(layers, heads, 7, 6\) .*\(7, 6\). plot_attention draws"
    )
    with pytest.raises(ValueError, match=text):
        plot_attention_heads(np.zeros((7, 6)), SOURCE, TARGET)
    with pytest.raises(ValueError, match="at least one row, column and head"):
        plot_attention_heads(np.zeros((0, 7, 6)), SOURCE, TARGET)
    with pytest.raises(ValueError, match="must lie between 0 and 1"):
        plot_attention_heads(np.full((2, 7, 6), 2), SOURCE, TARGET)


def test_heads_are_cut_and_turned_as_one_matrix_is():
    weights = random_weights(2, 3, 3)
    axes = plot_attention_heads(
        weights,
        ["a", "b", "</s>"],
        special="drop",
        source_direction="rtl",
        rows=slice(1, None),
        max_tokens=1,
    )
    for ax, head in zip(axes, weights, strict=True):
        np.testing.assert_array_equal(ax.images[0].get_array(), head[1:2, :1])
        assert ax.xaxis_inverted()
    figure = axes[0].figure
    told = figure.get_supxlabel().replace("\n", " ")
    for sentence in (
        "Special tokens left out, with",
        "1 of 3 source words not shown, with",
        "1 of 3 target words shown.",
    ):
        assert sentence in told
        assert sentence in figure.alt_text
    check_layout(figure, axes)
    dimmed = plot_attention_heads(weights, ["a", "b", "</s>"], special="dim")
    assert len(dimmed[1].patches) == 2


# What is hidden, and the direction of the source


def caption(ax):
    texts = [text.get_text() for text in ax.texts if text.get_label() == "caption"]
    return " ".join(texts).replace("\n", " ")


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
    # Where a word stands is the cell of its weights, and the first is on the right.
    np.testing.assert_allclose([place[word] for word in words], [0, 1, 2], atol=0.1)
    assert image.get_array()[0, 0] == 1
    assert ax.transData.transform((0, 0))[0] > ax.transData.transform((2, 0))[0]
    assert (left, right) == (-0.5, 2.5)
    assert rings(ax)["solid"] == [(0, 0)]
    assert strip(ax, "coverage").xaxis_inverted()


def test_a_direction_is_left_or_right(weights):
    with pytest.raises(ValueError, match="`source_direction` must be one of 'ltr'"):
        plot_attention(weights, SOURCE, TARGET, source_direction="up")


# Gold links


def rings(ax):
    """Where rings are, by the style of their lines."""
    found = {"solid": [], "dashed": []}
    for ring in ax.patches:
        style = "solid" if ring.get_linestyle() in ("-", "solid") else "dashed"
        found[style].append(ring.center)
    return found


def test_gold_links_are_rings_and_their_error_rate_is_told():
    weights = [[0.8, 0.1, 0.1], [0.1, 0.2, 0.7], [0.1, 0.8, 0.1]]
    ax = plot_attention(weights, list("abc"), list("xyz"), gold="0-0 1-1 2p1")
    # Found: 0-0, 2-1, 1-2. One of two sure, two of three possible.
    assert rings(ax) == {"solid": [(0, 0), (1, 1)], "dashed": [(2, 1)]}
    assert caption(ax) == "Alignment error rate 0.40."
    assert caption(ax) in ax.alt_text
    texts = [text.get_text() for text in ax.get_legend().get_texts()]
    assert texts == ["sure gold link", "possible gold link"]
    # In grey: black with a light rim, on cells of any lightness.
    for ring in ax.patches:
        assert ring.get_edgecolor()[:3] == (0, 0, 0)
        assert ring.get_path_effects()
    check_layout(ax.figure, [ax])


@pytest.mark.parametrize(("gold", "rate"), [("0-0 1-1", "0.00"), ("1-0 0-1", "1.00")])
def test_the_error_rate_goes_from_0_to_1_and_leaves_special_tokens_aside(gold, rate):
    words = ["a", "b", "</s>"]
    for special in ("keep", "drop"):
        ax = plot_attention(np.eye(3), words, gold=gold, special=special)
        assert f"Alignment error rate {rate}." in caption(ax)


def test_gold_links_that_are_hidden_are_counted():
    gold = ({(0, 0), (2, 2)}, {(1, 1)})
    ax = plot_attention(np.eye(3), list("abc"), gold=gold, rows=slice(1, 2))
    assert rings(ax) == {"solid": [], "dashed": [(1, 0)]}
    assert caption(ax).endswith("2 gold links not shown.")


def test_gold_links_to_no_word_are_refused(weights):
    with pytest.raises(ValueError, match="`gold` must link 6 source and 7 target"):
        plot_attention(weights, SOURCE, TARGET, gold="6-0")


# Diagnostics


def strip(ax, name):
    (found,) = [child for child in ax.child_axes if child.get_label() == name]
    return found


def test_the_numbers_drawn_are_those_of_the_function():
    weights = np.array([[1, 0, 0], [0.5, 0.25, 0.25], [0.36, 0.34, 0.3], [0, 0, 0]])
    ax = plot_attention(weights, list("abc"), list("wxyz"), diagnostics=True)
    numbers = attention_diagnostics(weights)
    entropy, coverage = strip(ax, "entropy"), strip(ax, "coverage")
    np.testing.assert_allclose(
        [bar.get_width() for bar in entropy.patches], numbers["entropy"]
    )
    np.testing.assert_allclose(
        [bar.get_height() for bar in coverage.patches], numbers["coverage"]
    )
    assert (entropy.get_xlim(), entropy.get_ylim()) == ((0, 1), ax.get_ylim())
    assert coverage.get_ylim() == pytest.approx((0, 1.86))
    assert coverage.get_xlim() == ax.get_xlim()
    (dots,) = ax.lines
    np.testing.assert_array_equal(dots.get_xydata(), [[0, 0], [0, 1], [0, 2]])
    assert [bool(bar.get_hatch()) for bar in entropy.patches] == [0, 1, 1, 0]
    assert "Hatched: entropy above 0.9" in caption(ax)
    assert "Spread evenly: “x”, “y”." in ax.alt_text
    check_layout(ax.figure, [ax])


def test_words_that_nobody_looks_at_are_hatched():
    ax = plot_attention(
        [[0.96, 0.04], [0.98, 0.02]], ["a", "b"], ["x", "y"], diagnostics=True
    )
    bars = strip(ax, "coverage").patches
    assert [bool(bar.get_hatch()) for bar in bars] == [False, True]
    assert "Hardly looked at: “b”." in ax.alt_text


@pytest.mark.parametrize(
    ("rows", "columns"), [(1, 1), (1, 30), (30, 1), (7, 6), (60, 60)]
)
def test_everything_round_a_map_of_any_size_fits(rows, columns):
    words = ["Spielhaus", "in", "Großmutter", "unglaublichdonaudampf", "</s>"] * 40
    ax = plot_attention(
        random_weights(rows, columns),
        words[:columns],
        words[:rows],
        special="dim",
        gold="0-0 0p0",
        diagnostics=True,
    )
    check_layout(ax.figure, [ax])
    parts = {
        "entropy": strip(ax, "entropy").get_tightbbox(),
        "coverage": strip(ax, "coverage").get_tightbbox(),
        "legend": ax.get_legend().get_window_extent(),
        "caption": ax.texts[0].get_window_extent(),
        "colours": color_bar(ax).get_tightbbox(),
        "map": ax.get_window_extent(),
        **{f"word {i}": x.get_window_extent() for i, x in enumerate(tick_words(ax))},
    }
    names = list(parts)
    for i, one in enumerate(names):
        for other in names[i + 1 :]:
            if not (one.startswith("word") and other.startswith("word")):
                assert not parts[one].padded(-1).overlaps(parts[other]), (one, other)


def tick_words(ax):
    return [
        text
        for text in ax.get_xticklabels() + ax.get_yticklabels()
        if text.get_visible() and text.get_text()
    ]


def test_on_axes_without_a_layout_the_strip_is_clear_of_the_colour_bar():
    ax = Figure(figsize=(5, 5)).add_subplot()
    plot_attention(np.eye(3), list("abc"), ax=ax, diagnostics=True)
    ax.figure.draw_without_rendering()
    right = strip(ax, "entropy").get_tightbbox().x1
    assert right < color_bar(ax).get_tightbbox().x0


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
    assert color_bar(ax).get_ylabel() == "attention weight, epoch 9 less epoch 1"
    # No difference is the lightest of all, and both ends are as dark.
    low, middle, high = image.get_cmap()([0.0, 0.5, 1.0])[:, :3].mean(axis=1)
    assert middle > 0.9
    assert abs(low - high) < 0.1
    assert "Difference of attention weights, not an explanation" in ax.alt_text
    assert "Most in favour of epoch 9: “x” looks at “b”, 0.50 more." in ax.alt_text
    assert "Most in favour of epoch 1: “x” looks at “a”, 0.50 more." in ax.alt_text
    assert "0.25 of a row has moved on average." in ax.alt_text
    assert (labels(ax.xaxis), labels(ax.yaxis)) == (["a", "b"], ["x", "y"])
    check_layout(ax.figure, [ax])


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


def test_the_description_of_a_difference_stays_short():
    words = ["ä" * 100] * 50
    ax = plot_attention_difference(
        np.eye(50), np.eye(50)[::-1], words, names=("n" * 100, "m" * 100)
    )
    assert len(ax.alt_text) <= 400
    assert "has moved on average" in ax.alt_text


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


# Description


def test_the_description_says_what_is_to_be_seen():
    weights = [[0, 0.1, 0.9, 0], [0.25, 0.25, 0.25, 0.25], [0, 0.5, 0.5, 0]]
    text = describe_attention(weights, ["the", "big", "cat", "."], ["die", "K", "x"])
    assert "weights, not an explanation" in text
    assert "“the big cat .”" in text
    assert "“die K x”" in text
    assert "“die” looks at “cat”, 0.90" in text
    assert "Spread evenly: “K”." in text
    assert "Hardly" not in text
    assert "Row sums" not in text
    assert "\n" not in text


def test_the_description_names_what_is_hardly_looked_at_and_odd_sums():
    text = describe_attention([[1, 0, 0], [0.4, 0.1, 0]], list("abc"), list("xy"))
    assert "Hardly looked at: “c”." in text
    assert "Row sums are not 1 in 1 of 2 rows (0.5 to 0.5)." in text
    ax = plot_attention([[1, 0, 0], [0.4, 0.1, 0]], list("abc"), list("xy"))
    assert ax.alt_text == text


@pytest.mark.parametrize("length", [1, 10, 10_000])
@pytest.mark.parametrize("count", [1, 7, 300])
def test_the_description_stays_short_and_keeps_its_warning(length, count):
    words = ["ä" * length] * count
    weights = np.full((count, count), 0.5 / count)
    weights[:, 0] = 0
    text = describe_attention(weights, words)
    assert len(text) <= 400
    assert "weights, not an explanation" in text
    assert "Row sums" in text


# Files


def test_an_svg_carries_its_description_and_any_token(tmp_path):
    ax = plot_attention(np.eye(len(NASTY)), NASTY)
    save_figure(ax, tmp_path / "a.svg")
    root = ElementTree.parse(tmp_path / "a.svg").getroot()
    assert root.tag == f"{SVG}svg"
    assert root.get("role") == "img"
    assert root.get("aria-label") == ax.alt_text
    assert root.findtext(f"{SVG}desc") == ax.alt_text
    assert root[0].tag == f"{SVG}desc"
    assert '$a$ <b>& ]]> -- " a\\nb \\x00 \\u2028 \\ud800' in ax.alt_text


def test_png_and_pdf_carry_it_as_metadata(tmp_path, weights):
    ax = plot_attention(weights, SOURCE, TARGET)
    save_figure(ax, tmp_path / "a.png")
    with Image.open(tmp_path / "a.png") as image:
        assert image.text["Description"] == ax.alt_text
    save_figure(ax, tmp_path / "a.pdf")
    content = (tmp_path / "a.pdf").read_bytes()
    assert content.startswith(b"%PDF")
    assert b"/Subject" in content


@pytest.mark.parametrize("ending", ["svg", "pdf", "png"])
@pytest.mark.parametrize("heads", [(), (2,)])
def test_the_same_picture_gives_the_same_bytes(tmp_path, ending, heads):
    options = {} if heads else {"gold": "0-0 1p2", "diagnostics": True}
    draw = partial(plot_attention_heads if heads else plot_attention, **options)
    files = []
    for _ in range(2):
        axes = draw(random_weights(*heads, 3, 2), ["a", "b"], ["c", "d", "."])
        figure = axes[0].figure if heads else axes.figure
        for _ in range(2):
            files.append(tmp_path / f"{len(files)}.{ending}")
            save_figure(figure, files[-1])
    assert len({path.read_bytes() for path in files}) == 1


def test_a_figure_of_heads_has_one_description(tmp_path):
    axes = plot_attention_heads(random_weights(2, 7, 6), SOURCE, TARGET)
    save_figure(axes[1], tmp_path / "a.svg")
    label = ElementTree.parse(tmp_path / "a.svg").getroot().get("aria-label")
    assert "not an explanation: mean of the 2 heads drawn" in label
    assert len(label) <= 400


def test_a_figure_with_other_axes_is_saved_too(tmp_path, weights):
    figure = Figure(layout="constrained")
    left, right = figure.subfigures(1, 2)
    plot_attention(weights, SOURCE, TARGET, left.add_subplot())
    right.add_subplot().plot([1, 2])
    save_figure(right.axes[0], tmp_path / "a.svg")
    label = ElementTree.parse(tmp_path / "a.svg").getroot().get("aria-label")
    assert label == left.axes[0].alt_text
    plain = Figure()
    save_figure(plain, tmp_path / "b.svg")
    assert ElementTree.parse(tmp_path / "b.svg").getroot().get("role") is None


def test_folders_are_made_and_nothing_else_is_left(tmp_path, weights):
    ax = plot_attention(weights, SOURCE, TARGET)
    save_figure(ax, str(tmp_path / "new" / "folder" / "A.SVG"))
    assert [path.name for path in tmp_path.rglob("*.*")] == ["A.SVG"]


def test_a_failed_save_leaves_what_was_there(tmp_path, weights, monkeypatch):
    path = tmp_path / "a.svg"
    path.write_text("old")

    def fail(self, content):
        with open(self, "wb") as file:
            file.write(content[:10])
        raise OSError("disk full")

    monkeypatch.setattr(Path, "write_bytes", fail)
    with pytest.raises(OSError, match="disk full"):
        save_figure(plot_attention(weights, SOURCE, TARGET), path)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_another_ending_is_refused(tmp_path, weights):
    ax = plot_attention(weights, SOURCE, TARGET)
    for name in ("a.jpg", "a"):
        with pytest.raises(ValueError, match="must end in .png, .svg or .pdf"):
            save_figure(ax, tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_missing_glyphs_give_one_warning_that_helps(tmp_path):
    ax = plot_attention(np.eye(3), ["猫犬", "가", "ab"])
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        save_figure(ax, tmp_path / "a.png")
    glyphs = [str(w.message) for w in caught if "Glyph" in str(w.message)]
    assert glyphs == []
    ours = [w for w in caught if "No font here" in str(w.message)]
    if not ours:
        pytest.skip("the fonts of this machine have these characters")
    assert len(ours) == 1
    assert ours[0].filename == __file__
    assert re.search("Noto Sans CJK (SC|KR)", str(ours[0].message))


def test_other_warnings_pass_through(tmp_path, monkeypatch, weights):
    figure = plot_attention(weights, SOURCE, TARGET).figure
    plain = figure.savefig

    def savefig(*arguments, **options):
        warnings.warn("something else", RuntimeWarning, stacklevel=2)
        plain(*arguments, **options)

    monkeypatch.setattr(figure, "savefig", savefig)
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        with pytest.warns(RuntimeWarning, match="something else"):
            save_figure(figure, tmp_path / "a.png")


def test_marks_of_pieces_and_letters_with_marks_can_be_drawn(tmp_path):
    words = ["▁do", "Ġgs", "##s", "x@@", "e\u0301", "שלג", "ثلج", "снег", "χιόνι"]
    ax = plot_attention(np.eye(len(words)), words)
    assert labels(ax.xaxis) == words
    save_figure(ax, tmp_path / "a.png")  # a warning would be an error


def test_fonts_of_other_scripts_are_fallen_back_on_where_installed(monkeypatch):
    from matplotlib.font_manager import FontEntry, fontManager

    there = [*fontManager.ttflist, FontEntry(name="Noto Sans CJK JP")]
    monkeypatch.setattr(fontManager, "ttflist", there)
    ax = plot_attention(np.eye(2), ["猫", "dog"], ["x", "y"])
    families = ax.get_xticklabels()[0].get_fontfamily()
    assert families == [*matplotlib.rcParams["font.family"], "Noto Sans CJK JP"]
    plain = plot_attention(np.eye(2), ["cat", "dog"])
    assert plain.get_xticklabels()[0].get_fontfamily() == families[:-1]


def test_a_figure_shows_itself_in_a_notebook_with_its_description(weights):
    pytest.importorskip("IPython")
    from IPython.core.formatters import DisplayFormatter

    ax = plot_attention(weights, SOURCE, TARGET)
    data, metadata = DisplayFormatter().format(ax.figure)
    assert metadata["image/png"]["alt"] == data["text/plain"] == ax.alt_text
    with Image.open(io.BytesIO(base64.b64decode(data["image/png"]))) as image:
        assert image.text["Description"] == ax.alt_text


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
import keras_attention.plot as plot
for name in ("matplotlib", "keras", "tensorflow", "nmt"):
    assert name not in sys.modules, name
from matplotlib.figure import Figure
warnings.simplefilter("error")
for _ in range(100):
    plot.plot_attention([[1.0]], ["a"], ["b"], Figure().add_subplot())
alone = plot.plot_attention([[1.0]], ["a"], gold="0-0", diagnostics=True)
from keras_attention import grid
axes = grid.plot_attention_heads([[[1.0]]], ["a"])
for ending in ("png", "svg", "pdf"):
    plot.save_figure(alone, {str(tmp_path)!r} + "/a." + ending)
    plot.save_figure(axes[0], {str(tmp_path)!r} + "/b." + ending)
assert "matplotlib.pyplot" not in sys.modules
import matplotlib
matplotlib.use("agg")
from matplotlib import pyplot
assert pyplot.get_fignums() == []
figure, ax = pyplot.subplots()
plot.plot_attention([[1.0]], ["a"], ax=ax)
plot.plot_attention([[1.0]], ["a"])
assert pyplot.get_fignums() == [figure.number]
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
