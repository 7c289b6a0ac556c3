"""What holds for every layer of the package, whatever it computes."""

import keras
import numpy as np
import pytest
from helpers import DQ, DV, B, S, T, U, array, arrays, randomise
from keras import layers

import keras_attention as ka

ATTENTIONS = {
    "additive": (ka.BahdanauAttention, {"units": U}),
    "additive, chunks": (ka.BahdanauAttention, {"units": U, "chunk_size": 2}),
    "general": (ka.LuongAttention, {"score": "general"}),
    "concat, predictive": (
        ka.LuongAttention,
        {"score": "concat", "units": U, "window": "predictive"},
    ),
    "monotonic window": (
        ka.LuongAttention,
        {"score": "general", "window": "monotonic", "window_size": 2},
    ),
    "location": (ka.LocationSensitiveAttention, {"units": U, "kernel_size": 3}),
    "coverage": (ka.CoverageAttention, {"units": U}),
    "monotonic": (
        ka.MonotonicAttention,
        {"attention": ka.BahdanauAttention(U, name="inner")},
    ),
    "heads": (ka.MultiHeadAttention, {"num_heads": 2, "key_dim": U}),
    "heads, chunks": (
        ka.MultiHeadAttention,
        {"num_heads": 2, "key_dim": 2, "position": "relative", "chunk_size": 2},
    ),
}
OTHERS = {
    "pooling": (ka.AttentionPooling, {"units": U, "hops": 2}, (B, S, DV)),
    "hierarchical": (ka.HierarchicalAttention, {"units": U}, (B, T, S, DV)),
    "sinusoids": (ka.PositionalEncoding, {}, (B, S, DV)),
    "embedding": (ka.PositionEmbedding, {"max_length": S}, (B, S, DV)),
    "rotary": (ka.RotaryEmbedding, {}, (B, S, 2 * DV)),
    "alibi": (ka.AlibiBias, {"num_heads": 2}, (B, 2, T, S)),
    "relative": (ka.RelativePositionBias, {"num_heads": 2}, (B, 2, T, S)),
}


def normal(*shape):
    return np.random.default_rng(shape).normal(size=shape).astype("float32")


def made(name, **options):
    kind, arguments = ATTENTIONS[name]
    if name == "monotonic":  # a layer each
        arguments = {"attention": ka.BahdanauAttention(U)}
    return kind(**arguments, **options)


def inputs(name):
    if name not in ATTENTIONS:
        return [normal(*OTHERS[name][2])]
    return [normal(B, T, DQ), normal(B, S, DV)]


def layer_of(name, **options):
    if name in ATTENTIONS:
        return made(name, **options)
    kind, arguments, _ = OTHERS[name]
    return kind(**arguments, **options)


def described(outputs):
    flat = keras.tree.flatten(outputs)
    return [(tuple(x.shape), keras.backend.standardize_dtype(x.dtype)) for x in flat]


@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"])
@pytest.mark.parametrize("name", [*ATTENTIONS, *OTHERS])
def test_a_symbolic_call_tells_shapes_and_types_without_a_trace(
    name, policy, monkeypatch
):
    layer, given = layer_of(name, dtype=policy), inputs(name)
    flags = {}
    if name in ATTENTIONS or name in ("pooling", "hierarchical"):
        flags = {"return_attention_scores": True}
    eager = [described(layer(*given, **extra)) for extra in ({}, flags)]

    def refuse(*args, **kwargs):
        raise AssertionError("the call was traced")

    monkeypatch.setattr(layer, "call", refuse)
    symbols = [keras.Input(batch_shape=each.shape) for each in given]
    assert [described(layer(*symbols, **extra)) for extra in ({}, flags)] == eager


@pytest.mark.parametrize("name", ATTENTIONS)
def test_a_symbolic_call_of_one_step_drops_the_axis_of_time(name):
    layer, (query, value) = made(name), inputs(name)
    eager = layer(query[:, 0], value, return_attention_scores=True)
    symbols = keras.Input(batch_shape=(B, DQ)), keras.Input(batch_shape=value.shape)
    symbolic = layer(*symbols, return_attention_scores=True)
    assert described(symbolic) == described(eager)


@pytest.mark.parametrize("name", OTHERS)
def test_a_layer_of_one_input_can_be_distributed_over_time(name):
    layer, (given,) = layer_of(name), inputs(name)
    whole = layers.TimeDistributed(layer)
    found = whole(np.stack([given, given + 1], axis=1))
    assert tuple(layer.compute_output_shape(given.shape)) == found.shape[:1] + tuple(
        found.shape[2:]
    )
    symbol = keras.Input((2, *given.shape[1:]))
    assert whole(symbol).shape[1:] == found.shape[1:]
    assert np.allclose(array(found)[:, 1], array(layer(given + 1)), atol=1e-5)


@pytest.mark.parametrize("name", ATTENTIONS)
def test_the_shape_of_the_output_is_told_from_shapes(name):
    layer, given = made(name), inputs(name)
    output = layer(*given)
    shapes = [each.shape for each in given]
    assert tuple(layer.compute_output_shape(*shapes)) == tuple(output.shape)
    open_shapes = (None, None, DQ), (None, None, DV)
    shape = layer.compute_output_shape(*open_shapes)
    assert tuple(shape) == (None, None, output.shape[-1])


@pytest.mark.parametrize("name", [*ATTENTIONS, *OTHERS])
def test_a_configuration_may_lack_what_has_a_default(name):
    layer = layer_of(name)
    config = layer.get_config()
    needed = set(ATTENTIONS[name][1] if name in ATTENTIONS else OTHERS[name][1])
    if name == "concat, predictive":
        needed = {"score", "units"}
    kept = {key: config[key] for key in needed}
    again = type(layer).from_config(kept)
    assert {key: again.get_config()[key] for key in needed} == kept
    for key in set(config) - needed - {"attention", "num_heads", "key_dim", "units"}:
        lacking = {other: value for other, value in config.items() if other != key}
        assert isinstance(type(layer).from_config(lacking), type(layer))


@pytest.mark.parametrize("mask", ["query_mask", "value_mask", "key_mask"])
@pytest.mark.parametrize("name", ATTENTIONS)
def test_a_mask_of_floats_is_refused(name, mask):
    layer, given = made(name), inputs(name)
    length = T if mask == "query_mask" else S
    floats = np.where(np.arange(length) < 2, 0.0, -1e9) * np.ones((B, 1))
    with pytest.raises(ValueError, match=f"`{mask}` must be boolean, True = attend"):
        layer(*given, **{mask: floats.astype("float32")})


@pytest.mark.parametrize("name", ATTENTIONS)
def test_an_attention_mask_of_floats_is_refused(name):
    floats = np.zeros((T, S), "float32")
    with pytest.raises(ValueError, match="`attention_mask` must be boolean"):
        made(name)(*inputs(name), attention_mask=floats)
    symbols = [keras.Input(batch_shape=each.shape) for each in inputs(name)]
    mask = keras.Input((T, S))
    with pytest.raises(ValueError, match="`attention_mask` must be boolean"):
        made(name)(*symbols, attention_mask=mask)


FLOATS = np.zeros((1, 1), "float32")


@pytest.mark.parametrize(
    ("name", "call"),
    {
        "sequence_mask": lambda: rnn()(*sequences(), sequence_mask=FLOATS),
        "memory_mask": lambda: rnn()(*sequences(), memory_mask=FLOATS),
        "mask": lambda: ka.AttentionPooling()(normal(B, S, DV), mask=FLOATS),
        "words": lambda: ka.HierarchicalAttention()(normal(B, T, S, DV), mask=FLOATS),
        "key_mask": lambda: ka.combine_masks(key_mask=FLOATS),
        "heads": lambda: attended(made("heads"), attention_mask=FLOATS),
        "chunks": lambda: attended(ka.BahdanauAttention(U, chunk_size=2), FLOATS),
        "statistics": lambda: statistics(attention_mask=FLOATS),
        "loss": lambda: ka.coverage_loss(normal(1, 1, S), mask=FLOATS),
        "entropy": lambda: ka.attention_entropy(np.ones((1, 1)), mask=FLOATS[0]),
    }.items(),
)
def test_a_mask_of_floats_is_refused_wherever_one_is_taken(name, call):
    with pytest.raises(ValueError, match="mask` must be boolean, True = attend"):
        call()


def rnn():
    return ka.AttentionRNN(keras.layers.GRUCell(U), ka.ScaledDotProductAttention())


def sequences():
    return normal(B, T, DQ), normal(B, S, U)


def attended(layer, attention_mask):
    query, value = normal(B, T, DQ), normal(B, S, DV)
    layer(query, value)
    return layer.attend(query, layer.prepare(value), (), None, attention_mask)


def statistics(**masks):
    layer = made("heads")
    layer(*inputs("heads"))
    return layer.statistics(*inputs("heads"), **masks)


@pytest.mark.parametrize("name", ATTENTIONS)
def test_prepare_before_build_is_refused(name):
    with pytest.raises(ValueError, match="must be built before `prepare`"):
        made(name).prepare(inputs(name)[1])


@pytest.mark.parametrize("name", ATTENTIONS)
def test_key_and_value_of_unequal_lengths_are_refused_when_built_too(name):
    layer, (query, value) = made(name), inputs(name)
    layer(query, value)
    with pytest.raises(ValueError, match="`key` and `value` must have one length"):
        layer(query, value, value[:, :-1])


@pytest.mark.parametrize("sizes", [(0, T, S), (B, 0, S), (B, T, 0), (B, 0, 0)])
@pytest.mark.parametrize("name", ATTENTIONS)
def test_what_is_empty_gives_zeros_of_the_right_shape(name, sizes):
    batch, length, key_length = sizes
    query, value = normal(batch, length, DQ), normal(batch, key_length, DV)
    layer = made(name)
    layer(*inputs(name))
    randomise(layer)  # biases too
    for flags in ({}, {"return_attention_scores": True}):
        outputs = layer(query, value, **flags)
        output, *weights = arrays(keras.tree.flatten(outputs))
        assert output.shape[:2] == (batch, length)
        assert not output.any()
        for each in weights:
            assert (each.shape[0], *each.shape[-2:]) == sizes
            assert not each.any()


def test_a_share_of_dropout_may_be_a_number_of_numpy():
    layer = ka.BahdanauAttention(U, dropout=np.float32(0.5))
    assert type(layer.get_config()["dropout"]) is float
    five, half = np.int64(U), np.float64(0.5)
    dot = ka.ScaledDotProductAttention
    for layer, key, kind in (
        (ka.BahdanauAttention(five), "units", int),
        (ka.LuongAttention("concat", units=five), "units", int),
        (ka.HierarchicalAttention(five), "units", int),
        (
            ka.MonotonicAttention(dot(), noise=half),
            "noise",
            float,
        ),
        (
            ka.MonotonicAttention(dot(), score_bias=five),
            "score_bias",
            int,
        ),
    ):
        assert type(layer.get_config()[key]) is kind
    cell = keras.layers.GRUCell(U)
    layer = ka.AttentionRNN(cell, dot(), attentional_units=five)
    assert type(layer.get_config()["attentional_units"]) is int
