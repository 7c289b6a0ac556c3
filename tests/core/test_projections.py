"""The product of features and a matrix against NumPy's."""

import keras
import numpy as np
import pytest
from helpers import B, S, T, U, array, assert_close
from keras import ops

from keras_attention.core.projections import multiply, project

D = 7


def random(*shape):
    return np.random.default_rng(len(shape)).normal(size=shape).astype("float32")


@pytest.mark.parametrize("shape", [(B, D), (B, S, D), (B, T, S, D), (B, 0, D)])
def test_it_is_the_product_of_the_last_axis_and_the_matrix(shape):
    tensor, kernel = random(*shape), random(D, U)
    assert_close(project(ops.convert_to_tensor(tensor), kernel), tensor @ kernel)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_the_matrix_takes_the_type_of_the_tensor(dtype):
    tensor, kernel = ops.cast(random(B, S, D), dtype), random(D, U)
    found = project(tensor, kernel)
    assert keras.backend.standardize_dtype(found.dtype) == dtype
    assert_close(array(found) / D, array(tensor) @ kernel / D, dtype)


def test_another_size_than_it_was_built_for_is_refused():
    tensor = ops.convert_to_tensor(random(B, S, D + 1))
    with pytest.raises(ValueError, match="The last axis must have the size 7 that"):
        project(tensor, random(D, U))


def test_known_sizes_stay_known():
    class Layer(keras.layers.Layer):
        def call(self, tensor):
            projected = project(tensor, np.ones((D, U), "float32"))
            if keras.backend.backend() == "tensorflow":
                assert tuple(projected.shape) == (None, S, U)
            return projected

    assert Layer()(keras.Input((S, D))).shape == (None, S, U)


@pytest.mark.parametrize("shape", [(), (1,), (B,), (1, 1), (B, 3)])
def test_matrices_of_one_example_or_many_are_multiplied(shape):
    left, right = random(*shape, T, S), random(*shape, S, D)
    found = multiply(*map(ops.convert_to_tensor, (left, right)))
    assert tuple(found.shape) == (*shape, T, D)
    assert_close(found, left @ right)


def test_the_product_of_one_example_is_one_of_two_matrices(monkeypatch):
    ranks = []

    def matmul(left, right):
        ranks.append((len(left.shape), len(right.shape)))
        return np.matmul(left, right)

    monkeypatch.setattr("keras_attention.core.projections.ops.matmul", matmul)
    for batch in (1, B):
        multiply(random(batch, T, S), random(batch, S, D))
    assert ranks == [(2, 2), (3, 3)]


def test_one_example_times_many_is_each_of_them():
    left, right = random(1, T, S), random(B, S, D)
    assert_close(multiply(*map(ops.convert_to_tensor, (left, right))), left @ right)
