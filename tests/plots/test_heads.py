"""Heads and layers, a panel each."""

import numpy as np
import pytest
from pictures import SOURCE, TARGET, bar_name, check_layout, numbers, random_weights

from keras_attention.plots.heads import plot_attention_heads
from keras_attention.plots.options import SCALES


def test_heads_share_one_scale_and_one_colour_bar():
    weights = random_weights(5, len(TARGET), len(SOURCE))
    axes = plot_attention_heads(weights, SOURCE, TARGET)
    assert axes.shape == (5,)
    assert [ax.get_title() for ax in axes] == ["H0", "H1", "H2", "H3", "H4"]
    for ax, head in zip(axes, weights, strict=True):
        np.testing.assert_array_equal(ax.images[0].get_array(), head)
        assert ax.images[0].get_clim() == (0, 1)
    assert bar_name(axes[0]) == SCALES["fixed"]
    check_layout(axes[0].figure, axes)


def test_layers_are_rows_and_heads_are_columns():
    weights = random_weights(2, 3, 4, 4)
    axes = plot_attention_heads(weights, list("abcd"), scale="row-max")
    assert axes.shape == (2, 3)
    for (layer, head), ax in np.ndenumerate(axes):
        assert ax.get_title() == f"L{layer} H{head}"
        assert ax.get_subplotspec().rowspan.start == layer
        assert ax.get_subplotspec().colspan.start == head
    assert bar_name(axes[0, 0]) == SCALES["row-max"]
    check_layout(axes[0, 0].figure, axes.flat)


@pytest.mark.parametrize("shape", [(2, 4, 4), (2, 2, 4, 4)])
def test_axes_are_named_once_for_all_heads(shape):
    for target, names in ((None, ("key", "query")), (TARGET[:4], ("source", "target"))):
        axes = plot_attention_heads(random_weights(*shape), SOURCE[:4], target)
        figure = axes.flat[0].figure
        assert (figure.get_suptitle(), figure.get_supylabel()) == names
        assert not any(ax.get_xlabel() or ax.get_ylabel() for ax in axes.flat)
        check_layout(figure, axes.flat)
        # Close to the words they name, above them and on their left.
        above, left = (
            text.get_window_extent() for text in (figure._suptitle, figure._supylabel)
        )
        words = [
            label.get_window_extent()
            for ax in axes.flat
            for label in ax.get_xticklabels() + ax.get_yticklabels()
            if label.get_visible() and label.get_text()
        ]
        titles = [ax.title.get_window_extent() for ax in axes.flat]
        assert 0 < above.y0 - max(box.y1 for box in titles) < 30
        assert 0 < min(box.x0 for box in words) - left.x1 < 30


def test_numbers_are_written_in_the_cells_of_every_head():
    axes = plot_attention_heads(
        np.array([np.eye(2), [[0.5, 0.5]] * 2]), ["a", "b"], numbers=True
    )
    assert [text.get_text() for text in numbers(axes[0])] == ["1", "0", "0", "1"]
    assert [text.get_text() for text in numbers(axes[1])] == [".50"] * 4


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


def test_more_maps_than_there_is_room_for_are_refused():
    words = ["words"] * 3
    for shape in [(48, 2, 3, 3), (1, 80, 3, 3), (300, 3, 3)]:
        with pytest.raises(ValueError, match="has no room for .* rows of .* heat maps"):
            plot_attention_heads(np.full(shape, 1 / 3), words, words)
