"""Masks: boolean, `True` = attend."""

import numpy as np
import pytest
from helpers import B, S, T, array, run_example
from hypothesis import given
from hypothesis import strategies as st
from keras import ops

from keras_attention import causal_mask, combine_masks, local_mask, padding_mask
from keras_attention.core.masks import hide_padding

LENGTHS = st.sampled_from([(1, 1), (3, 5), (5, 3)])


def random_mask(*shape):
    return np.random.default_rng(sum(shape)).random(shape) < 0.5


@pytest.mark.parametrize("dtype", ["int32", "int64", "uint8"])
def test_padding_is_where_the_pad_token_is(dtype):
    tokens = np.array([[3, 1, 0], [7, 0, 0]], dtype)
    np.testing.assert_array_equal(array(padding_mask(tokens)), tokens != 0)
    np.testing.assert_array_equal(array(padding_mask(tokens, pad_id=7)), tokens != 7)


@given(lengths=LENGTHS, offset=st.integers(0, 6))
def test_a_causal_mask_shows_the_past_and_the_present(lengths, offset):
    mask = array(causal_mask(*lengths, offset=offset))
    assert mask.shape == lengths
    assert mask.dtype == bool
    for t in range(lengths[0]):
        for s in range(lengths[1]):
            assert mask[t, s] == (s <= t + offset)


@given(lengths=LENGTHS, offset=st.integers(0, 6), window=st.integers(0, 3))
def test_a_local_mask_shows_the_neighbours_on_both_sides(lengths, offset, window):
    mask = array(local_mask(*lengths, window=window, offset=offset))
    assert mask.shape == lengths
    assert mask.dtype == bool
    for t in range(lengths[0]):
        for s in range(lengths[1]):
            assert mask[t, s] == (abs(s - (t + offset)) <= window)


def test_the_keys_are_as_many_as_the_queries_unless_told():
    assert array(causal_mask(T)).shape == (T, T)
    assert array(local_mask(T, window=1)).shape == (T, T)


def test_lengths_and_offset_may_be_tensors():
    lengths = ops.convert_to_tensor(T), ops.convert_to_tensor(S)
    offset = ops.convert_to_tensor(2, dtype="int64")
    np.testing.assert_array_equal(
        array(causal_mask(T, S, offset=offset)), array(causal_mask(T, S, offset=2))
    )
    np.testing.assert_array_equal(
        array(local_mask(T, S, window=1, offset=offset)),
        array(local_mask(T, S, window=1, offset=2)),
    )
    np.testing.assert_array_equal(
        array(causal_mask(*lengths)), array(causal_mask(T, S))
    )


@pytest.mark.parametrize(
    ("name", "shapes"),
    [
        ("query_mask", [(T,), (B, T, 1)]),
        ("key_mask", [(S,), (B, T, S)]),
        ("attention_mask", [(S,), (1, 1, B, T, S)]),
    ],
)
def test_a_mask_of_another_number_of_axes_is_refused(name, shapes):
    for shape in shapes:
        with pytest.raises(
            ValueError, match=rf"`{name}` must have shape \(.*Received: "
        ):
            combine_masks(**{name: np.ones(shape, bool)})


@pytest.mark.parametrize("window", [-1, 1.0, True, None])
def test_a_window_must_be_a_whole_number(window):
    with pytest.raises(ValueError, match="`window` must be an int of at least 0"):
        local_mask(T, S, window=window)


def test_the_examples_run():
    real = np.array([[True, True, False]])
    mask = run_example(padding_mask, tokens=np.array([[5, 8, 0]]))["mask"]
    np.testing.assert_array_equal(array(mask), real)
    mask = run_example(causal_mask)["mask"]
    np.testing.assert_array_equal(array(mask), [[1, 0, 0], [1, 1, 0]])
    mask = run_example(local_mask)["mask"]
    np.testing.assert_array_equal(array(mask), [[1, 1, 0], [1, 1, 1]])
    mask = run_example(combine_masks, real=real, causal_mask=causal_mask)["mask"]
    np.testing.assert_array_equal(array(mask), [[[1, 0, 0], [1, 1, 0], [1, 1, 0]]])


@pytest.mark.parametrize("with_query", [True, False])
@pytest.mark.parametrize("with_key", [True, False])
@pytest.mark.parametrize("pairs", [None, (T, S), (B, T, S)])
def test_joined_masks_show_what_every_mask_shows(with_query, with_key, pairs):
    query = random_mask(B, T) if with_query else None
    key = random_mask(B, S) if with_key else None
    attention = random_mask(*pairs) if pairs else None
    joined = combine_masks(query, key, attention)
    if not (with_query or with_key or pairs):
        assert joined is None
        return
    expected = np.ones((B, T, S), bool)
    for mask in (
        query[:, :, None] if with_query else True,
        key[:, None, :] if with_key else True,
        attention if pairs else True,
    ):
        expected = expected & mask
    assert len(joined.shape) == 3
    np.testing.assert_array_equal(np.broadcast_to(array(joined), (B, T, S)), expected)


def test_an_attention_mask_may_differ_by_head():
    heads = 7
    query, key = random_mask(B, T), random_mask(B, S)
    attention = random_mask(B, heads, T, S)
    np.testing.assert_array_equal(
        array(combine_masks(query, key, attention)),
        query[:, None, :, None] & key[:, None, None, :] & attention,
    )


def test_masks_of_numbers_are_taken_as_booleans():
    numbers = np.array([[1, 0], [1, 1]], "int32")
    np.testing.assert_array_equal(
        array(combine_masks(key_mask=numbers)), (numbers != 0)[:, None, :]
    )


def test_padding_is_hidden_whatever_it_holds():
    tensor = np.random.default_rng(0).normal(size=(B, S, 7)).astype("float32")
    mask = random_mask(B, S)
    spoilt = np.where(mask[:, :, None], tensor, np.float32("nan"))
    expected = np.where(mask[:, :, None], tensor, 0)
    np.testing.assert_array_equal(array(hide_padding(spoilt, mask)), expected)
    assert hide_padding(tensor, None) is tensor
