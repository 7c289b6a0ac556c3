"""Models with these layers, exported to LiteRT and to ONNX, give the same numbers.

LiteRT comes with TensorFlow. ONNX is written by tf2onnx on TensorFlow, and on JAX by
jax2onnx, which no extra installs: it brings some forty packages. onnxruntime reads it.
Where one of them is missing its tests are skipped.
"""

from typing import Any, NamedTuple

import keras
import numpy as np
import pytest
from helpers import arrays, assert_close, randomise

import keras_attention as ka

B, T, S, N, D, U = 3, 6, 7, 2, 8, 5
CHUNK = 4  # divides neither T nor S

BACKEND = keras.backend.backend()

pytestmark = [
    # It does so whenever one is made, and comes with TensorFlow.
    pytest.mark.filterwarnings(
        "ignore:.*tf.lite.Interpreter is deprecated:UserWarning"
    ),
    # Keras asks for it, to mend tf2onnx.
    pytest.mark.filterwarnings("ignore:In the future `np.object`:FutureWarning"),
]


# ---- the layers


class Case(NamedTuple):
    """A layer to export.

    Attributes:
        make: Function that makes the layer.
        inputs: Names of the arrays that it is called with, by name of its argument.
        call: Further arguments of the call.
        weights: Whether it can return weights.
        usual: With which `return_attention_scores` it belongs to an ordinary run;
            `None`: with neither.
    """

    make: Any
    inputs: dict
    call: dict
    weights: bool = True
    usual: bool | None = None


ATTENTION = {
    each: each
    for each in ("query", "value", "query_mask", "value_mask", "attention_mask")
}
SEQUENCE = {"sequence": "value", "mask": "value_mask"}
DOCUMENT = {"words": "words", "mask": "words_mask"}
DECODER = {
    "sequence": "query",
    "memory": "value",
    "sequence_mask": "query_mask",
    "memory_mask": "value_mask",
}
POSITIONS = {"inputs": "query"}


def attention(layer_class, *args, usual=None, causal=False, **kwargs):
    """Give the case of an attention layer of query, value and masks."""
    call = {"use_causal_mask": True} if causal else {}
    return Case(lambda: layer_class(*args, **kwargs), ATTENTION, call=call, usual=usual)


def heads(**kwargs):
    return attention(ka.MultiHeadAttention, 4, 6, **kwargs)


def monotonic(**kwargs):
    return Case(
        lambda: ka.MonotonicAttention(ka.BahdanauAttention(U), score_bias=0, **kwargs),
        ATTENTION,
        call={},
        usual=True if kwargs["mode"] == "recursive" else None,
    )


def decoder(make, usual=None, **kwargs):
    """Give the case of an `AttentionRNN` around an attention."""
    return Case(
        lambda: ka.AttentionRNN(keras.layers.GRUCell(D), make(), **kwargs),
        DECODER,
        call={},
        usual=usual,
    )


def documents():
    gru = keras.layers.GRU(U, return_sequences=True)
    return ka.HierarchicalAttention(U, word_encoder=gru)


CASES = {
    "Bahdanau": attention(ka.BahdanauAttention, U),
    "Bahdanau, normalised": attention(
        ka.BahdanauAttention, U, normalize=True, usual=True
    ),
    "Bahdanau, chunks": attention(ka.BahdanauAttention, U, chunk_size=CHUNK),
    "Luong, dot": attention(ka.LuongAttention, "dot", use_scale=True),
    "Luong, general": attention(ka.LuongAttention, "general"),
    "Luong, concat": attention(ka.LuongAttention, "concat", units=U),
    "Luong, monotonic window": attention(
        ka.LuongAttention, "general", window="monotonic", window_size=1, usual=True
    ),
    "Luong, predictive window": attention(
        ka.LuongAttention, "concat", units=U, window="predictive", usual=True
    ),
    "Luong, chunks": attention(ka.LuongAttention, "general", chunk_size=CHUNK),
    "scaled dot product": attention(ka.ScaledDotProductAttention),
    "scaled dot product, causal": attention(
        ka.ScaledDotProductAttention, causal=True, usual=True
    ),
    "scaled dot product, chunks": attention(
        ka.ScaledDotProductAttention, chunk_size=CHUNK, causal=True
    ),
    "heads": heads(),
    "heads, grouped": heads(num_key_value_heads=2),
    "heads, rotary": heads(position="rotary", num_key_value_heads=1, usual=True),
    "heads, alibi": heads(position="alibi"),
    "heads, relative": heads(position="relative"),
    "heads, causal": heads(causal=True),
    "heads, window": heads(window=2),
    "heads, chunks": heads(chunk_size=CHUNK),
    "heads, alibi, chunks": heads(position="alibi", chunk_size=CHUNK),
    "heads, all at once, chunks": heads(
        num_key_value_heads=2,
        position="relative",
        window=3,
        causal=True,
        chunk_size=CHUNK,
        usual=False,
    ),
    "location": attention(
        ka.LocationSensitiveAttention, U, filters=3, kernel_size=3, usual=True
    ),
    "location, cumulative": attention(
        ka.LocationSensitiveAttention, U, filters=3, kernel_size=3, cumulative=True
    ),
    "coverage": attention(ka.CoverageAttention, U),
    "monotonic, recursive": monotonic(mode="recursive"),
    "monotonic, parallel": monotonic(mode="parallel"),
    "monotonic, hard": monotonic(mode="hard"),
    "pooling": Case(lambda: ka.AttentionPooling(U), SEQUENCE, call={}),
    "pooling, hops": Case(lambda: ka.AttentionPooling(U, hops=3), SEQUENCE, call={}),
    "hierarchical": Case(
        lambda: ka.HierarchicalAttention(U), DOCUMENT, call={}, usual=True
    ),
    "hierarchical, encoder": Case(documents, DOCUMENT, call={}),
    "decoder, previous": decoder(lambda: ka.BahdanauAttention(U), order="previous"),
    "decoder, current": decoder(lambda: ka.BahdanauAttention(U), order="current"),
    "decoder, conditional": decoder(
        lambda: ka.LuongAttention("general"), order="conditional", usual=True
    ),
    "decoder, input feeding": decoder(
        lambda: ka.LuongAttention("general"),
        order="current",
        input_feeding=True,
        attentional_units=D,
    ),
    "decoder, coverage": decoder(lambda: ka.CoverageAttention(U), order="previous"),
    "decoder, heads": decoder(
        lambda: ka.MultiHeadAttention(4, 6, position="rotary"), order="previous"
    ),
    "positional encoding": Case(
        ka.PositionalEncoding, POSITIONS, call={}, weights=False, usual=False
    ),
    "position embedding": Case(
        lambda: ka.PositionEmbedding(T + 1),
        POSITIONS,
        call={},
        weights=False,
        usual=False,
    ),
}

# Blocks of keys and queries, one after the other, are what weights do without.
IN_CHUNKS = [name for name in CASES if name.endswith("chunks")]


def cases(leave_out=()):
    """List what to export: a name of `CASES`, and whether weights are asked for."""
    listed = []
    for name, case in CASES.items():
        for weights in (False, True) if case.weights else (False,):
            marks = [] if weights == case.usual else [pytest.mark.slow]
            if (name, weights) not in leave_out:
                values = name, weights
                named = f"{name}, with weights" if weights else name
                listed.append(pytest.param(*values, marks=marks, id=named))
    return listed


# ---- a model around a layer, and its inputs


def draw_inputs(case, padding=0.0):
    """Draw the arrays of a case: padding in one row, nothing but it in another."""
    random = np.random.default_rng(3)
    found = {
        "query": random.normal(size=(B, T, D)),
        "value": random.normal(size=(B, S, D)),
        "words": random.normal(size=(B, N, S, D)),
        "query_mask": np.ones((B, T), bool),
        "value_mask": np.ones((B, S), bool),
        "words_mask": np.ones((B, N, S), bool),
        "attention_mask": random.random((B, T, S)) < 0.7,
    }
    for name in ("query_mask", "value_mask", "words_mask"):
        found[name][0, ..., 4:] = False
    found["value_mask"][1] = False
    found["words_mask"][1] = False
    found["words_mask"][2, 1] = False
    found["attention_mask"][2, 3] = False
    named = list(case.inputs.values())
    for name in ("query", "value", "words"):
        found[name] = found[name].astype("float32")
        if f"{name}_mask" in named:
            found[name][~found[f"{name}_mask"]] = padding
    return {name: found[name] for name in named}


def make_model(case, inputs, weights):
    """Make a model of one layer with random weights, its lengths fixed."""
    symbolic = {
        name: keras.Input(x.shape[1:], dtype=x.dtype.name, name=name)
        for name, x in inputs.items()
    }
    given = {argument: symbolic[name] for argument, name in case.inputs.items()}
    if case.weights:
        given["return_attention_scores"] = weights
    outputs = case.make()(**given, **case.call)
    return randomise(keras.Model(list(symbolic.values()), outputs))


def signature(inputs):
    """Fix all sizes, the batch too."""
    return [
        [
            keras.InputSpec(shape=x.shape, dtype=x.dtype.name, name=name)
            for name, x in inputs.items()
        ]
    ]


def assert_same(actual, expected):
    """Assert that numbers agree, and that what was exactly 0 still is."""
    assert len(actual) == len(expected)
    for some, other in zip(actual, expected, strict=True):
        assert np.isfinite(other).all()
        assert_close(some, other)
        assert not some[other == 0].any()


# ---- LiteRT


@pytest.fixture
def export_litert(tmp_path):
    """Give a function that exports a model, and gives a function to run what it is.

    Ops of TensorFlow itself, which few interpreters know, are not allowed.
    """
    if BACKEND != "tensorflow":
        pytest.skip("Keras exports to LiteRT on TensorFlow")
    import tensorflow as tf

    def export(model, input_signature=None):
        path = tmp_path / "model.tflite"
        builtin = {"supported_ops": [tf.lite.OpsSet.TFLITE_BUILTINS]}
        model.export(
            path,
            format="litert",
            input_signature=input_signature,
            target_spec=builtin,
            verbose=False,
        )
        interpreter = tf.lite.Interpreter(str(path))

        def run(inputs):
            # By name: the interpreter lists inputs and outputs in an order of its own.
            found = interpreter.get_signature_runner()(**inputs)
            return [found[f"output_{index}"] for index in range(len(found))]

        return run

    return export


@pytest.mark.parametrize(("name", "weights"), cases())
def test_in_litert_a_layer_gives_the_numbers_that_it_gives_in_keras(
    name, weights, export_litert
):
    case = CASES[name]
    inputs = draw_inputs(case, padding=np.nan if len(case.inputs) > 1 else 0.0)
    model = make_model(case, inputs, weights)
    run = export_litert(model, signature(inputs))
    assert_same(run(inputs), arrays(model(list(inputs.values()))))


@pytest.mark.parametrize("name", ["heads", "pooling"])
def test_in_litert_a_layer_without_a_loop_takes_batches_of_any_size(
    name, export_litert
):
    inputs = draw_inputs(CASES[name])
    model = make_model(CASES[name], inputs, weights=True)
    run = export_litert(model)
    for size in (B, 1):
        some = {name: x[:size] for name, x in inputs.items()}
        assert_same(run(some), arrays(model(list(some.values()))))


@pytest.mark.parametrize("kind", ["coverage", "GRU"])
def test_litert_has_no_loop_over_steps_for_batches_of_any_size(kind, export_litert):
    if kind == "GRU":  # it is so in Keras
        inputs = keras.Input((T, D))
        outputs = keras.layers.GRU(U, return_sequences=True)(inputs)
        model = keras.Model(inputs, outputs)
    else:
        model = make_model(CASES[kind], draw_inputs(CASES[kind]), weights=False)
    with pytest.raises(Exception, match="Lowering tensor list ops is failed"):
        export_litert(model)


# ---- ONNX


@pytest.fixture
def export_onnx(tmp_path):
    """Give a function that exports a model, and gives a function to run what it is."""
    converters = {"tensorflow": "tf2onnx", "jax": "jax2onnx"}
    if BACKEND not in converters:
        pytest.skip("Keras exports to ONNX on TensorFlow and JAX")
    pytest.importorskip(converters[BACKEND])
    runtime = pytest.importorskip("onnxruntime")

    def export(model, input_signature=None):
        path = str(tmp_path / "model.onnx")
        model.export(
            path, format="onnx", input_signature=input_signature, verbose=False
        )
        options = runtime.SessionOptions()
        options.log_severity_level = 4  # what it cannot run it raises
        session = runtime.InferenceSession(path, options)
        return lambda inputs: session.run(None, inputs)

    return export


# tf2onnx turns a choice by mask into a product: see the last test.
PADDING = 0.0 if BACKEND == "tensorflow" else np.nan


@pytest.mark.parametrize(
    ("name", "weights"), cases(leave_out=[(name, False) for name in IN_CHUNKS])
)
def test_in_onnx_a_layer_gives_the_numbers_that_it_gives_in_keras(
    name, weights, export_onnx
):
    case = CASES[name]
    inputs = draw_inputs(case, padding=PADDING if len(case.inputs) > 1 else 0.0)
    model = make_model(case, inputs, weights)
    run = export_onnx(model, signature(inputs))
    assert_same(run(inputs), arrays(model(list(inputs.values()))))


@pytest.mark.parametrize("name", ["heads", "pooling", "coverage", "decoder, previous"])
def test_in_onnx_a_layer_takes_batches_of_any_size(name, export_onnx):
    inputs = draw_inputs(CASES[name])
    model = make_model(CASES[name], inputs, weights=True)
    some = [{name: x[:size] for name, x in inputs.items()} for size in (B, 1)]
    expected = [arrays(model(list(each.values()))) for each in some]
    run = export_onnx(model)
    for each, numbers in zip(some, expected, strict=True):
        assert_same(run(each), numbers)


@pytest.mark.parametrize(
    "name",
    ["heads, chunks", pytest.param("Bahdanau, chunks", marks=pytest.mark.slow)],
)
def test_onnx_cannot_hold_chunks_but_takes_the_layer_without_them(name, export_onnx):
    inputs = draw_inputs(CASES[name])
    model = make_model(CASES[name], inputs, weights=False)
    expected = arrays(model(list(inputs.values())))
    # One converter lacks the op that writes a chunk, the other loops of loops.
    reason = "XlaDynamicUpdateSlice" if BACKEND == "tensorflow" else "traced array"
    with pytest.raises(Exception, match=reason):
        export_onnx(model, signature(inputs))

    whole = make_model(CASES[name.removesuffix(", chunks")], inputs, weights=False)
    whole.set_weights(model.get_weights())
    run = export_onnx(whole, signature(inputs))
    assert_same(run(inputs), expected)


@pytest.mark.skipif(BACKEND != "tensorflow", reason="of tf2onnx")
def test_tf2onnx_multiplies_by_masks_so_that_padding_has_to_be_finite(export_onnx):
    inputs = draw_inputs(CASES["heads"], padding=np.nan)
    model = make_model(CASES["heads"], inputs, weights=False)
    run = export_onnx(model, signature(inputs))
    assert np.isfinite(arrays(model(list(inputs.values())))[0]).all()
    assert np.isnan(run(inputs)[0]).any()
