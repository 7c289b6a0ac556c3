"""Keras' own cells in parts: the numbers of the cell, with larger operations."""

import keras
import numpy as np
import pytest
from helpers import assert_close
from keras import layers, ops

from keras_attention.recurrent.cells import advance_all, in_parts
from keras_attention.recurrent.gates import gates_of

B, T, D, MORE, UNITS = 2, 3, 5, 4, 6


def arrays(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def build(kind, **options):
    cell = kind(UNITS, **options)
    cell.build((B, D + MORE))
    for seed, weight in enumerate(cell.weights):
        weight.assign(0.5 * arrays(*weight.shape, seed=seed))
    return cell


def states_of(cell):
    count = len(cell.state_size) if isinstance(cell.state_size, list) else 1
    return [ops.convert_to_tensor(arrays(B, UNITS, seed=9 + i)) for i in range(count)]


@pytest.mark.parametrize("kind", [layers.GRUCell, layers.LSTMCell])
@pytest.mark.parametrize(
    "options",
    [{}, {"use_bias": False}, {"activation": "relu", "recurrent_activation": "tanh"}],
)
def test_a_cell_in_parts_gives_what_the_cell_gives(kind, options):
    cell = build(kind, **options)
    sequence, more = arrays(B, T, D), arrays(B, MORE, seed=1)
    wanted = given = at_once = states_of(cell)
    plain, ahead = gates_of(cell, "float32"), gates_of(cell, "float32")
    projected = ahead.project(ops.convert_to_tensor(sequence))
    for t in range(T):
        inputs = np.concatenate([sequence[:, t], more], axis=-1)
        output, wanted = cell(ops.convert_to_tensor(inputs), wanted)
        row = ops.convert_to_tensor(sequence[:, t])
        own, given = plain.advance(row, ops.convert_to_tensor(more), given, False)
        _, at_once = ahead.advance(
            projected[:, t], ops.convert_to_tensor(more), at_once, False
        )
        assert_close(own, output)
        for one, other, third in zip(wanted, given, at_once, strict=True):
            assert_close(other, one)
            assert_close(third, one)


@pytest.mark.parametrize(
    "cell",
    [
        layers.SimpleRNNCell(UNITS),
        layers.GRUCell(UNITS, reset_after=False),
        layers.GRUCell(UNITS, dropout=0.1),
        layers.LSTMCell(UNITS, recurrent_dropout=0.1),
        layers.GRUCell(UNITS, dtype="mixed_bfloat16"),
        type("Own", (layers.GRUCell,), {})(UNITS),
    ],
    ids=["simple", "reset before", "dropout", "recurrent dropout", "bfloat16", "own"],
)
def test_other_cells_run_whole(cell):
    cell.build((B, D))
    assert gates_of(cell, "float32") is None
    output, _ = advance_all(
        [in_parts(cell, "float32")],
        ops.convert_to_tensor(arrays(B, D)),
        None,
        [[ops.zeros((B, UNITS), cell.compute_dtype)]]
        if cell.state_size == UNITS
        else [[ops.zeros((B, UNITS))] * 2],
        False,
    )
    assert tuple(output.shape) == (B, UNITS)
    assert keras.backend.standardize_dtype(output.dtype) == cell.compute_dtype
