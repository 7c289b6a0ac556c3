"""Tests of `nmt.translation.links`."""

import numpy as np

from nmt.translation.links import word_links

WEIGHTS = np.array([[0.4, 0.2, 0.4], [0.3, 0.3, 0.4], [0.1, 0.1, 0.8]])


def test_links_are_between_words_source_first():
    assert word_links(np.eye(2)[[0, 1, 1]], [1, 1], [1, 1, 1]) == [
        (0, 0),
        (1, 1),
        (1, 2),
    ]


def test_the_weights_of_a_words_pieces_are_summed_and_their_rows_averaged():
    assert word_links(WEIGHTS, [2, 1], [1, 2]) == [(0, 0), (1, 1)]
    assert word_links(WEIGHTS, [1, 2], [3]) == [(1, 0)]


def test_a_word_without_pieces_is_counted_but_not_linked():
    assert word_links(WEIGHTS, [0, 2, 0, 1], [1, 0, 2]) == [(1, 0), (3, 2)]
    assert word_links(WEIGHTS[:, :0], [0], [3]) == []
    assert word_links(WEIGHTS[:0], [3], []) == []
