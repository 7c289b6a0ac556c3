"""The likeliest tokens and their normaliser, against a sort of all."""

import numpy as np
import pytest
import tensorflow as tf

from nmt.translation.likeliest import STRIDE, likeliest


@pytest.mark.parametrize("size", [9, 64 * 5, 64 * 5 + 1, 6000, 6007])
@pytest.mark.parametrize("count", [1, 5])
def test_they_are_those_of_a_sort_of_all(size, count):
    logits = 5 * np.random.default_rng(size).normal(size=(7, size)).astype("float32")
    values, tokens, total = map(np.asarray, likeliest(tf.constant(logits), count))
    wanted = np.argsort(-logits, axis=1)[:, :count]
    np.testing.assert_array_equal(tokens, wanted)
    np.testing.assert_array_equal(values, np.take_along_axis(logits, wanted, 1))
    wide = logits.astype("float64")
    np.testing.assert_allclose(
        total[:, 0], np.log(np.exp(wide).sum(axis=1)), rtol=0, atol=1e-5
    )


def test_neighbours_and_equals_are_all_found():
    logits = np.zeros((2, 40 * STRIDE), "float32")
    logits[0, 100:104] = 4, 3, 2, 1
    logits[1, [3, 43, 83]] = 7  # of one column
    _, tokens, _ = likeliest(tf.constant(logits), 4)
    assert tokens[0].numpy().tolist() == [100, 101, 102, 103]
    assert {3, 43, 83} <= set(tokens[1].numpy().tolist())


def test_where_fewer_are_possible_the_places_are_still_tokens():
    logits = np.full((1, 6001), -np.inf, "float32")
    logits[0, 77] = 2.0
    values, tokens, total = likeliest(tf.constant(logits), 5)
    assert int(tokens[0, 0]) == 77 and float(values[0, 0] - total[0, 0]) == 0
    assert np.all(np.asarray(tokens) < 6001)
    assert np.all(np.asarray(values)[0, 1:] == -np.inf)


def test_far_logits_do_not_overflow():
    logits = np.zeros((1, 6000), "float32")
    logits[0, 5] = 1e4
    values, _, total = likeliest(tf.constant(logits), 2)
    np.testing.assert_array_equal(values - total, [[0, -1e4]])
