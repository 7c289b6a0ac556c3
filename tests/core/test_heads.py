"""Arithmetic with heads on an axis of their own."""

import numpy as np
import pytest
from helpers import B, S, T, assert_close

from keras_attention.core.heads import multiply_heads


@pytest.mark.parametrize("groups", [1, 2, 3, 6])
def test_neighbouring_heads_share_a_matrix(groups):
    random = np.random.default_rng(0)
    left = random.normal(size=(B, 6, T, 7)).astype("float32")
    right = random.normal(size=(B, groups, 7, S)).astype("float32")
    expected = left @ np.repeat(right, 6 // groups, axis=1)
    assert_close(multiply_heads(left, right), expected)
