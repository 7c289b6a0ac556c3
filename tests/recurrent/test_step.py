"""`AttentionRNN.step`: one step for loops of one's own, with the numbers of a call."""

import keras
import numpy as np
import pytest
from helpers import assert_close
from keras import ops

import keras_attention as ka

B, T, S, D, UNITS = 2, 3, 5, 4, 6


def arrays(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


ATTENTIONS = {
    "additive": lambda: ka.BahdanauAttention(7),
    "heads": lambda: ka.MultiHeadAttention(2, 3),
    "location": lambda: ka.LocationSensitiveAttention(7, filters=2, kernel_size=3),
    "several": lambda: [ka.BahdanauAttention(7), ka.BahdanauAttention(3)],
}
ORDERS = {
    "previous": {},
    "current": {"order": "current", "attentional_units": 5},
    "fed": {"order": "current", "attentional_units": 5, "input_feeding": True},
    "conditional": {"order": "conditional"},
}


def build(attention, order, cells=None):
    cells = cells or keras.layers.GRUCell(UNITS)
    layer = ka.AttentionRNN(cells, ATTENTIONS[attention](), **ORDERS[order])
    layer.build((B, T, D), (B, S, D))
    return layer


def flat(weights):
    return weights if isinstance(weights, list) else [weights]


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("attention", ATTENTIONS)
def test_steps_give_what_a_call_gives(attention, order):
    layer = build(attention, order)
    sequence, value = arrays(B, T, D), arrays(B, S, D, seed=1)
    mask = np.arange(S) < np.array([[5], [3]])
    outputs, weights, *last = layer(
        sequence,
        value,
        memory_mask=mask,
        return_attention_scores=True,
        return_state=True,
    )
    memory = layer.prepare(value, mask)
    states = layer.initial_states(memory)
    for t in range(T):
        output, row, states = layer.step(
            ops.convert_to_tensor(sequence[:, t]), memory, states
        )
        assert_close(output, outputs[:, t])
        for one, whole in zip(flat(row), flat(weights), strict=True):
            assert_close(one, whole[..., t, :])
    for one, other in zip(states, last, strict=True):
        assert_close(one, other)


def test_a_stack_of_cells_has_all_its_states():
    cells = [keras.layers.LSTMCell(UNITS), keras.layers.GRUCell(3)]
    layer = build("additive", "previous", cells)
    memory = layer.prepare(arrays(B, S, D))
    states = layer.initial_states(memory)
    _, _, after = layer.step(ops.convert_to_tensor(arrays(B, D)), memory, states)
    assert [each.shape for each in after] == [(B, UNITS), (B, UNITS), (B, 3)]


@pytest.mark.parametrize("attention", ["additive", "heads", "several"])
def test_several_rows_attend_to_each_memory(attention):
    layer = build(attention, "conditional")
    value, inputs = arrays(B, S, D), arrays(3 * B, D, seed=1)
    first = [arrays(3 * B, UNITS, seed=2)]
    mask = np.arange(S) < np.array([[5], [3]])
    inputs, *first = map(ops.convert_to_tensor, (inputs, *first))
    shared = layer.step(inputs, layer.prepare(value, mask), first)
    own = layer.prepare(np.repeat(value, 3, axis=0), np.repeat(mask, 3, axis=0))
    for one, other in zip(
        keras.tree.flatten(shared),
        keras.tree.flatten(layer.step(inputs, own, first)),
        strict=True,
    ):
        assert_close(one, other)


def test_too_few_states_are_refused():
    layer = build("location", "previous")
    memory = layer.prepare(arrays(B, S, D))
    inputs = ops.convert_to_tensor(arrays(B, D))
    with pytest.raises(ValueError, match=r"must hold all 2 states.* Received: 1 tens"):
        layer.step(inputs, memory, layer.initial_states(memory)[:1])
