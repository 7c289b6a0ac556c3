"""What `AttentionRNN` tells of its outputs without running its loop."""

import keras
import numpy as np
import pytest
from helpers import DV, B, S, T, arrays
from keras import layers

import keras_attention as ka
from keras_attention.recurrent import steps
from tests.recurrent.test_states import WanderingAttention

DX = 7
OPTIONS = {"return_attention_scores": True, "return_state": True}
ATTENTIONS = {
    "bahdanau": lambda **k: ka.BahdanauAttention(3, **k),
    "window": lambda **k: ka.LuongAttention("general", window="monotonic", **k),
    "heads": lambda **k: ka.MultiHeadAttention(3, 4, output_shape=5, **k),
    "positions": lambda **k: ka.MultiHeadAttention(3, 4, position="rotary", **k),
    "feedback": lambda **k: ka.CoverageAttention(3, **k),
    "monotonic": lambda **k: ka.MonotonicAttention(ka.BahdanauAttention(3, **k), **k),
    "own": lambda **k: WanderingAttention(**k),
    "several": lambda **k: [
        WanderingAttention(**k),
        ka.MultiHeadAttention(3, 4, output_shape=5, **k),
    ],
}
# order, attentional units, input feeding
SHAPES = [
    ("previous", None, False),
    ("previous", 8, False),
    ("current", None, False),
    ("current", 8, False),
    ("current", None, True),
    ("current", 8, True),
    ("conditional", None, False),
    ("conditional", 8, False),
]


def make(attention="bahdanau", shape=SHAPES[0], cells=1, dtype="float32", **more):
    order, units, feeding = shape
    stack = [layers.LSTMCell(4, dtype=dtype), layers.GRUCell(6, dtype=dtype)]
    return ka.AttentionRNN(
        stack[:cells],
        ATTENTIONS[attention](dtype=dtype),
        order=order,
        attentional_units=units,
        input_feeding=feeding,
        dtype=dtype,
        **more,
    )


def inputs():
    random = np.random.default_rng(5)
    shapes = (B, T, DX), (B, S, DV)
    return [random.normal(size=shape).astype("float32") for shape in shapes]


def described(tensors):
    return [
        (tuple(each.shape), keras.backend.standardize_dtype(each.dtype))
        for each in keras.tree.flatten(tensors)
    ]


def agree(shape, other):
    pairs = zip(shape, other, strict=True)
    return all(size in (None, known) for size, known in pairs)


def check(layer, lengths=(T, S), batch=B, known=True):
    """Assert that a symbolic call tells what a call gives."""
    sequence, memory = inputs()
    symbols = [
        keras.Input(batch_shape=(batch, length, size))
        for length, size in zip(lengths, (DX, DV), strict=True)
    ]
    for options in ({}, OPTIONS):
        symbolic = layer(symbols[0], memory=symbols[1], **options)
        eager = layer(sequence, memory=memory, **options)
        assert keras.tree.map_structure(lambda _: 0, symbolic) == (
            keras.tree.map_structure(lambda _: 0, eager)
        )
        for one, other in zip(described(symbolic), described(eager), strict=True):
            assert one == other if known else agree(one[0], other[0])
            assert one[1] == other[1]


@pytest.mark.parametrize("attention", ATTENTIONS)
@pytest.mark.parametrize("order", ["previous", "current", "conditional"])
def test_a_symbolic_call_tells_shapes_and_types(attention, order):
    check(make(attention, (order, None, False)))
    check(make(attention, (order, None, False)), (None, None), None, known=False)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("sequences", [True, False])
def test_a_symbolic_call_tells_them_in_every_shape(shape, sequences):
    layer = make("several", shape, cells=2, return_sequences=sequences)
    check(layer)
    check(layer, (None, S) if sequences else (T, None), None, known=False)


@pytest.mark.parametrize("shape", SHAPES[::2])
@pytest.mark.parametrize(
    "dtype",
    [
        "mixed_float16",
        "mixed_bfloat16" if keras.backend.backend() == "jax" else "float64",
    ],
)
def test_a_symbolic_call_tells_types_of_another_policy(shape, dtype):
    check(make("own", shape, dtype=dtype))


@pytest.mark.parametrize("order", ["previous", "current"])
def test_weights_are_of_the_layers_type_whatever_the_attentions_is(order):
    layer = ka.AttentionRNN(
        layers.GRUCell(4),
        ka.BahdanauAttention(3, dtype="float32"),
        order=order,
        dtype="mixed_float16",
    )
    check(layer)


def test_a_symbolic_call_does_not_trace_the_loop(monkeypatch):
    def run_loop(*args):
        raise AssertionError("the loop was traced")

    monkeypatch.setattr(steps, "run_loop", run_loop)
    symbols = keras.Input((None, DX)), keras.Input((None, DV))
    for attention in ("bahdanau", "several"):
        make(attention)(symbols[0], memory=symbols[1], **OPTIONS)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("cells", [1, 2])
def test_the_output_shape_is_told_before_and_after_it_is_built(shape, cells):
    for sequences in (True, False):
        layer = make("heads", shape, cells, return_sequences=sequences)
        told = layer.compute_output_shape((B, T, DX), (B, S, DV))
        sequence, memory = inputs()
        assert told == tuple(layer(sequence, memory=memory).shape)
        assert layer.compute_output_shape((B, T, DX), (B, S, DV)) == told
        assert layer.compute_output_shape((None, None, DX), (None, None, DV)) == (
            (None, None, told[-1]) if sequences else (None, told[-1])
        )


def test_the_output_shape_of_a_memory_for_each_is_told():
    layer = make("several")
    told = layer.compute_output_shape((B, T, DX), [(B, S, DV), (B, 3, 13)])
    assert told == (B, T, 4 + DV + 5)


def test_a_prepared_memory_and_states_are_taken():
    sequence, memory = inputs()
    layer = make("several")
    layer(sequence, memory=memory)
    prepared = layer.prepare(memory)
    states = layer.initial_states(prepared)
    symbol = keras.Input(batch_shape=(B, T, DX))
    found = layer(symbol, memory=prepared, initial_state=states, **OPTIONS)
    expected = layer(sequence, memory=prepared, initial_state=states, **OPTIONS)
    assert described(found) == described(expected)
    symbols = [keras.Input(batch_shape=each.shape) for each in states[:2]]
    found = layer(symbol, memory=prepared, initial_state=symbols, **OPTIONS)
    assert described(found) == described(expected)


def symbol(*shape, dtype="float32"):
    return keras.Input(batch_shape=shape, dtype=dtype)


def numbers(*shape, dtype="float32"):
    return np.ones(shape, dtype)


@pytest.mark.parametrize("make_input", [symbol, numbers])
@pytest.mark.parametrize(
    ("shapes", "message"),
    [
        ({"sequence": (B, T, 6)}, r"`sequence` must have shape \(B, T, 7\)"),
        ({"sequence": (B, DX)}, r"`sequence` must have shape \(B, T, 7\)"),
        ({"sequence": (B, 0, DX)}, "and at least one step"),
        ({"memory": (B, DV)}, r"`memory` must have shape \(B, S, Dv\)"),
        ({"memory": (B, S, 13)}, "must have the size 11"),
        ({"memory": (3, S, DV)}, "`memory` must have the batch size"),
        ({"memory": [(B, S, DV)]}, "`memory` must be one for all attentions"),
        ({"sequence_mask": (B, S)}, r"`sequence_mask` must have shape \(B, T\)"),
        ({"memory_mask": (B, T)}, r"`memory_mask` must have shape \(B, S\)"),
        ({"memory_mask": [(B, S)]}, "`memory_mask` must be one mask for one"),
        ({"initial_state": [(B, 4)] * 3}, "must hold 2 cell states, or all 2"),
        ({"initial_state": [(B, 5)] * 2}, r"`initial_state\[0\]` must have shape"),
    ],
)
def test_a_built_layer_tells_what_does_not_fit(shapes, message, make_input):
    layer = make()
    layer.build((B, T, DX), (B, S, DV))
    shapes = {"sequence": (B, T, DX), "memory": (B, S, DV)} | shapes
    given = {}
    for name, shape in shapes.items():
        dtype = "bool" if name.endswith("mask") else "float32"
        if isinstance(shape, list):
            given[name] = [make_input(*each, dtype=dtype) for each in shape]
        else:
            given[name] = make_input(*shape, dtype=dtype)
    with pytest.raises(ValueError, match=message):
        layer(given.pop("sequence"), **given)


@pytest.mark.parametrize("make_input", [symbol, numbers])
def test_a_mask_beside_a_prepared_memory_is_told(make_input):
    sequence, memory = inputs()
    layer = make()
    layer(sequence, memory=memory)
    prepared = layer.prepare(memory)
    with pytest.raises(ValueError, match="must be None with a prepared memory"):
        layer(make_input(B, T, DX), memory=prepared, memory_mask=make_input(B, S))


@pytest.mark.parametrize("order", ["previous", "current", "conditional"])
@pytest.mark.parametrize("attention", ["bahdanau", "heads", "monotonic"])
def test_an_empty_batch_or_an_empty_memory_gives_a_result(order, attention):
    # Not an LSTMCell, which takes no empty batch on TensorFlow.
    layer = ka.AttentionRNN(layers.GRUCell(4), ATTENTIONS[attention](), order=order)
    for batch, length, keys in ((0, T, S), (0, 1, S), (B, T, 0)):
        sequence, memory = numbers(batch, length, DX), numbers(batch, keys, DV)
        output, weights, *_ = layer(sequence, memory=memory, **OPTIONS)
        assert output.shape[:2] == (batch, length)
        assert (weights.shape[0], *weights.shape[-2:]) == (batch, length, keys)
        assert all(np.isfinite(each).all() for each in arrays([output, weights]))
