"""Score functions against their formulas."""

import keras
import numpy as np
import pytest
from helpers import B, S, T, U, array, assert_close, reference_additive
from keras import ops

from keras_attention.core.scores import additive_scores, dot_scores


def random(*shape):
    return np.random.default_rng(len(shape)).normal(size=shape).astype("float32")


@pytest.mark.parametrize("lengths", [(T, S), (1, 1), (1, S), (T, 1)])
def test_dot_scores_are_inner_products(lengths):
    query, key = random(B, lengths[0], U), random(B, lengths[1], U)
    expected = np.einsum("btd,bsd->bts", query, key, dtype="float64")
    assert_close(dot_scores(query, key), expected.astype("float32"))


@pytest.mark.parametrize("lengths", [(T, S), (1, 1), (1, S), (T, 1)])
def test_additive_scores_equal_the_formula(lengths):
    query, key, vector = random(B, lengths[0], U), random(B, lengths[1], U), random(U)
    expected = reference_additive(query, key, vector)
    assert_close(additive_scores(query, key, vector), expected.astype("float32"))


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_scores_keep_the_precision_they_are_given(dtype):
    query, key, vector = (
        ops.cast(x, dtype) for x in (random(B, T, U), random(B, S, U), random(U))
    )
    for scores in (dot_scores(query, key), additive_scores(query, key, vector)):
        assert keras.backend.standardize_dtype(scores.dtype) == dtype
    expected = reference_additive(array(query), array(key), array(vector))
    scores = additive_scores(query, key, vector)
    assert_close(array(scores) / U, (expected / U).astype("float32"), dtype)


def test_sentences_without_a_batch_are_scored_as_with_one():
    query, key, vector = random(B, T, U), random(B, S, U), random(U)
    for score, more in ((dot_scores, ()), (additive_scores, (vector,))):
        whole = array(score(query, key, *more))
        assert_close(score(query[1], key[1], *more), whole[1])
        assert_close(score(query[None], key[None], *more), whole[None])
