import numpy as np
import pytest

from keras_attention.analysis.characters import columns
from keras_attention.plots.terminal import BLOCKS, attention_text


def test_source_words_stand_on_top_and_targets_on_the_left():
    weights = [[1, 0.05, 0], [0.25, 0.5, 0.75]]
    text = attention_text(weights, ["a", "cat", "."], ["die", "K"])
    assert text.split("\n") == [
        "      c",
        "      a",
        "    a t .",
        "die █ · ·",
        "  K ▂ ▄ ▆",
    ]


def test_blocks_grow_with_the_weight():
    weights = np.linspace(0, 1, 9)[None]
    line = attention_text(weights, list("abcdefghi"), ["x"]).split("\n")[-1]
    assert line == "x " + " ".join(BLOCKS)


@pytest.mark.parametrize("width", [20, 33, 80])
@pytest.mark.parametrize(
    "words",
    [
        ["dog"],
        ["两只狗在雪中玩"],
        ["e\u0301", "👨\u200d👩\u200d👧"],
        ["w" * 50],
    ],
)
def test_no_line_is_wider_than_the_terminal_and_none_is_lost(width, words):
    words = (words * 30)[:30]
    text = attention_text(np.eye(30), words, width=width)
    assert max(columns(line) for line in text.split("\n")) <= width
    assert text.count("█") == 30
    bands = text.split("\n\n")
    assert len(bands) > 1 or width == 80
    assert all(band.count("█") + band.count("·") >= 30 for band in bands)


def test_columns_of_wide_characters_stay_in_line():
    text = attention_text(np.eye(2), ["猫", "x"], ["两", "y"]).split("\n")
    assert text == ["   猫x", "两 █ ·", " y · █"]


def test_a_source_that_runs_from_right_to_left_has_its_first_word_on_the_right():
    weights, words = [[1, 0.5, 0]], ["אב", "ג", "ד"]
    text = attention_text(weights, words, ["x"])
    assert text.split("\n") == ["      א", "  ד ג ב", "x · ▄ █"]
    left = attention_text(weights, words, ["x"], source_direction="ltr")
    assert left.split("\n")[-1] == "x █ ▄ ·"
    right = attention_text(weights, ["a", "b", "c"], ["x"], source_direction="rtl")
    assert right.split("\n") == ["  c b a", "x · ▄ █"]


def test_the_rest_of_a_source_from_right_to_left_follows_below():
    text = attention_text([np.eye(12)[0]], list("אבגדהוזחטיכל"), ["x"], width=20)
    first, rest = text.split("\n\n")
    assert first.split("\n") == ["  ט ח ז ו ה ד ג ב א", "x · · · · · · · · █"]
    assert rest.split("\n") == ["  ל כ י", "x · · ·"]


def test_control_characters_do_not_reach_the_terminal():
    assert "\x1b" not in attention_text([[1.0]], ["\x1b[31m"], ["\x07"])


def test_the_width_is_that_of_the_terminal(monkeypatch):
    monkeypatch.setenv("COLUMNS", "30")
    words = ["word"] * 40
    assert attention_text(np.eye(40), words) == attention_text(
        np.eye(40), words, width=30
    )
    monkeypatch.setenv("COLUMNS", "5")
    assert attention_text([[1.0]], ["a"])


def test_mistakes_are_refused():
    with pytest.raises(ValueError, match="`weights` must lie between 0 and 1"):
        attention_text([[2.0]], ["a"])
    with pytest.raises(ValueError, match="`source_direction` must be one of 'ltr', 'r"):
        attention_text([[1.0]], ["a"], source_direction="down")
    with pytest.raises(ValueError, match="`width` must be 20 or more"):
        attention_text([[1.0]], ["a"], width=19)
    with pytest.raises(ValueError, match=r"must have shape \(1, 2\)"):
        attention_text([[1.0]], ["a", "b"], ["c"])
