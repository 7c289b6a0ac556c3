import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from keras_attention.analysis.diagnostics import (
    attention_concentration,
    attention_coverage,
    attention_diagnostics,
    attention_entropy,
)

B, H, T, S = 2, 3, 5, 7


def random_weights(*shape, seed=0):
    return np.random.default_rng(seed).dirichlet(np.ones(shape[-1]), shape[:-1])


matrices = hnp.arrays(
    "float64",
    st.tuples(st.integers(1, 4), st.integers(1, 6)),
    elements=st.floats(0, 1, allow_subnormal=False),
)


def test_entropy_of_one_word_is_0_and_of_an_even_row_is_1():
    weights = np.stack([np.eye(S)[3], np.full(S, 1 / S)])
    np.testing.assert_allclose(attention_entropy(weights), [0, 1], atol=1e-12)


def test_entropy_is_that_of_the_textbook_formula():
    weights = np.array([[0.5, 0.25, 0.25, 0.0]])
    expected = 1.5 * math.log(2) / math.log(4)
    np.testing.assert_allclose(attention_entropy(weights), [expected])


def test_entropy_counts_visible_sources_only():
    mask = np.array([True, True, False, False])
    weights = np.array([[0.5, 0.5, 0, 0], [0.25, 0.25, 0.25, 0.25], [0, 1, 0, 0]])
    np.testing.assert_allclose(attention_entropy(weights, mask), [1, 1, 0], atol=1e-12)


def test_entropy_is_0_for_a_single_visible_source_and_for_a_row_of_zeros():
    assert attention_entropy(np.ones((T, 1))).tolist() == [0] * T
    one = attention_entropy(np.full((1, 2), 0.5), np.array([True, False]))
    assert one.tolist() == [0]
    assert attention_entropy(np.zeros((1, S))).tolist() == [0]
    assert attention_entropy(np.ones((1, S)), np.zeros(S, bool)).tolist() == [0]


@given(matrices)
def test_entropy_lies_between_0_and_1_and_knows_no_order(weights):
    entropy = attention_entropy(weights)
    assert ((entropy >= 0) & (entropy <= 1)).all()
    np.testing.assert_allclose(attention_entropy(weights[:, ::-1]), entropy, atol=1e-9)


@given(matrices)
def test_hidden_junk_changes_no_number(weights):
    rows, columns = weights.shape
    padded = np.concatenate([weights, np.full((rows, 2), 0.9)], axis=1)
    mask = np.arange(columns + 2) < columns
    for measure in (attention_entropy, attention_concentration):
        np.testing.assert_allclose(measure(padded, mask), measure(weights), atol=1e-12)
    coverage = attention_coverage(padded, mask)
    np.testing.assert_allclose(coverage[:columns], weights.sum(axis=0))
    assert coverage[columns:].tolist() == [0, 0]


@pytest.mark.parametrize(
    "measure", [attention_entropy, attention_concentration, attention_coverage]
)
def test_a_batch_of_heads_with_masks_equals_its_matrices_one_by_one(measure):
    weights = random_weights(B, H, T, S)
    mask = np.arange(S) < np.array([[4], [6]])
    together = measure(weights, mask)
    assert together.shape == (B, H, S if measure is attention_coverage else T)
    for b in range(B):
        for h in range(H):
            alone = measure(weights[b, h], mask[b])
            np.testing.assert_allclose(together[b, h], alone)


def test_concentration_is_the_largest_weight_and_coverage_the_sum():
    weights = np.array([[0.2, 0.8], [0.7, 0.3]])
    np.testing.assert_allclose(attention_concentration(weights), [0.8, 0.7])
    np.testing.assert_allclose(attention_coverage(weights), [0.9, 1.1])


@pytest.mark.parametrize("bad", [-0.1, np.nan])
def test_negative_weights_and_nan_are_refused(bad):
    with pytest.raises(ValueError, match="`weights` must be 0 or more"):
        attention_entropy(np.array([[bad, 0.5]]))


@pytest.mark.parametrize("shape", [(), (S + 1,), (H, S), (B, H, T, S)])
def test_a_mask_of_another_shape_is_refused_with_both_shapes(shape):
    with pytest.raises(ValueError, match=r"weights.shape=\(2, 3, 5, 7\)") as error:
        attention_entropy(random_weights(B, H, T, S), np.ones(shape, bool))
    assert f"mask.shape={shape}" in str(error.value)


@pytest.mark.parametrize("shape", [(S,), (0, S), (T, 0)])
def test_weights_that_are_no_filled_matrix_are_refused(shape):
    with pytest.raises(ValueError, match=r"`weights` must have shape \(\.\.\., target"):
        attention_coverage(np.ones(shape))


def test_the_numbers_together_equal_those_computed_by_hand():
    weights = [[1, 0, 0, 0], [0.25] * 4, [0, 0.5, 0.5, 0], [0, 0, 0, 0]]
    numbers = attention_diagnostics(weights)
    np.testing.assert_allclose(numbers["entropy"], [0, 1, 0.5, 0], atol=1e-12)
    np.testing.assert_allclose(numbers["coverage"], [1.25, 0.75, 0.75, 0.25])
    assert numbers["best"].tolist() == [0, 0, 1, -1]
    assert numbers["flat"].tolist() == [False, True, False, False]
    assert numbers["unattended"].tolist() == [False] * 4


def test_padding_is_neither_counted_nor_called_unattended():
    weights = [[0.5, 0.5, 0, 0, 0.9], [0.4, 0.6, 0, 0, 0.9]]
    mask = np.array([True, True, True, False, False])
    padded = attention_diagnostics(weights, mask)
    cut = attention_diagnostics(np.array(weights)[:, :3])
    for name in ("entropy", "best", "flat"):
        np.testing.assert_allclose(padded[name], cut[name])
    assert padded["coverage"].tolist() == [*cut["coverage"], 0, 0]
    assert padded["unattended"].tolist() == [False, False, True, False, False]


def test_a_batch_has_its_numbers_one_by_one():
    weights = random_weights(B, H, T, S)
    mask = np.arange(S) < np.array([[4], [6]])
    together = attention_diagnostics(weights, mask)
    alone = attention_diagnostics(weights[1, 2], mask[1])
    for name, numbers in alone.items():
        np.testing.assert_allclose(together[name][1, 2], numbers)


def test_entropy_in_nats_is_that_of_shannon():
    weights = np.array([[0.1, 0.2, 0.7], [1.0, 0.0, 0.0], [0.0, 0.0, 0.0]])
    expected = [-(0.1 * np.log(0.1) + 0.2 * np.log(0.2) + 0.7 * np.log(0.7)), 0, 0]
    found = attention_entropy(weights, normalize=False)
    np.testing.assert_allclose(found, expected, atol=1e-12)
    uniform = np.full((2, 8), 0.125)
    found = attention_entropy(uniform, normalize=False)
    np.testing.assert_allclose(found, np.log(8))
