"""Gold links and diagnostics, drawn over and round a heat map."""

import numpy as np
import pytest
from matplotlib.figure import Figure
from pictures import (
    SOURCE,
    TARGET,
    caption,
    check_layout,
    color_bar,
    numbers,
    random_weights,
    rings,
    strip,
)

from keras_attention.analysis.diagnostics import attention_diagnostics
from keras_attention.plots.plot import plot_attention
from keras_attention.plots.save import save_figure

# Gold links


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


def test_gold_links_to_no_word_are_refused():
    weights = random_weights(len(TARGET), len(SOURCE))
    with pytest.raises(ValueError, match="`gold` must link 6 source and 7 target"):
        plot_attention(weights, SOURCE, TARGET, gold="6-0")


# Diagnostics


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


def test_words_that_nothing_attends_to_are_hatched():
    ax = plot_attention(
        [[0.96, 0.04], [0.98, 0.02]], ["a", "b"], ["x", "y"], diagnostics=True
    )
    coverage = strip(ax, "coverage")
    bars, rooms = coverage.containers
    assert [bool(bar.get_hatch()) for bar in bars] == [False, True]
    assert "Hardly attended to: “b”." in ax.alt_text
    # A bar of .06 is a line: the whole room for it is hatched, and the number in it.
    (room,) = rooms
    assert room.get_hatch()
    assert room.get_x() == pytest.approx(0.6)
    assert room.get_height() == coverage.get_ylim()[1]
    (number,) = coverage.texts
    assert (number.get_text(), number.get_position()[0]) == (".06", 1)
    check_layout(ax.figure, [ax])
    assert room.get_window_extent().height > 20
    assert 0 < number.get_window_extent().width < room.get_window_extent().width


def test_numbers_of_hardly_attended_words_are_turned_or_left_out_where_cells_are_low():
    for count, turned in ((40, [90.0] * 39), (150, [])):
        weights = np.zeros((1, count))
        weights[:, 0] = 1
        words = [f"word{i}" for i in range(count)]
        ax = plot_attention(weights, words, ["x"], diagnostics=True)
        coverage = strip(ax, "coverage")
        assert len(coverage.containers[1]) == count - 1
        assert [text.get_rotation() for text in coverage.texts] == turned
        assert all(text.get_text() == "0" for text in coverage.texts)
        check_layout(ax.figure, [ax])


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


def test_a_long_sentence_with_all_that_can_be_drawn_makes_a_small_file(tmp_path):
    words = [f"word{i}" for i in range(200)]
    ax = plot_attention(random_weights(200, 200), words, gold="0-0", diagnostics=True)
    save_figure(ax, tmp_path / "a.svg")
    assert (tmp_path / "a.svg").stat().st_size < 1_000_000


def tick_words(ax):
    return [
        text
        for text in ax.get_xticklabels() + ax.get_yticklabels()
        if text.get_visible() and text.get_text()
    ]


def test_dots_make_way_for_numbers():
    options = {"diagnostics": True, "numbers": True}
    ax = plot_attention(np.eye(2), ["a", "b"], **options)
    ax.figure.draw_without_rendering()
    (dots,) = ax.lines
    places = ax.transData.transform(dots.get_xydata())
    written = [text.get_window_extent() for text in numbers(ax)]
    assert len(written) == 4
    for x, y in places:
        assert not any(box.padded(4).contains(x, y) for box in written)


def test_on_axes_without_a_layout_the_strip_is_clear_of_the_colour_bar():
    ax = Figure(figsize=(5, 5)).add_subplot()
    plot_attention(np.eye(3), list("abc"), ax=ax, diagnostics=True)
    ax.figure.draw_without_rendering()
    right = strip(ax, "entropy").get_tightbbox().x1
    assert right < color_bar(ax).get_tightbbox().x0
