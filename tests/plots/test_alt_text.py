"""What a picture shows, in words."""

import numpy as np
import pytest

from keras_attention.plots.alt_text import describe_attention
from keras_attention.plots.plot import plot_attention, plot_attention_difference


def test_the_description_says_what_is_to_be_seen():
    weights = [[0, 0.1, 0.9, 0], [0.25, 0.25, 0.25, 0.25], [0, 0.5, 0.5, 0]]
    text = describe_attention(weights, ["the", "big", "cat", "."], ["die", "K", "x"])
    assert "weights, not an explanation" in text
    assert "“the big cat .”" in text
    assert "“die K x”" in text
    assert "“die” attends to “cat”, 0.90" in text
    assert "Spread evenly: “K”." in text
    assert "Hardly" not in text
    assert "Row sums" not in text
    assert "\n" not in text


def test_the_description_names_what_is_hardly_looked_at_and_odd_sums():
    text = describe_attention([[1, 0, 0], [0.4, 0.1, 0]], list("abc"), list("xy"))
    assert "Hardly attended to: “c”." in text
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


def test_the_description_of_a_difference_stays_short():
    words = ["ä" * 100] * 50
    ax = plot_attention_difference(
        np.eye(50), np.eye(50)[::-1], words, names=("n" * 100, "m" * 100)
    )
    assert len(ax.alt_text) <= 400
    assert "has moved on average" in ax.alt_text
