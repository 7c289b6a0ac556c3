"""Multi-head attention."""

import keras
import numpy as np
import pytest
from helpers import (
    DQ,
    DV,
    B,
    S,
    T,
    array,
    arrays,
    assert_close,
    attention_inputs,
    check_layer,
    compiled,
    gradients,
    randomise,
    reference_attention,
    run_example,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_attention import (
    MultiHeadAttention,
    attention_coverage,
    attention_entropy,
    local_mask,
)
from keras_attention.positions.bias import AlibiBias, RelativePositionBias
from keras_attention.positions.rotary import RotaryEmbedding

H, D, DH, DO = 3, 13, 17, 19
# Six heads for two of keys and values, and an even size that can be rotated.
GROUPED = {"num_heads": 6, "key_dim": 4, "num_key_value_heads": 2}
POSITIONS = [None, "rotary", "alibi", "relative"]


def value_mask():
    mask = np.ones((B, S), bool)
    mask[0, 3:] = False
    return mask


def reference(layer, inputs, mask=None, bias=0):
    """One head at a time, in float64; bias (B, H, T, S)."""
    given = {weight.name: array(weight).astype("float64") for weight in layer.weights}
    shared = layer.num_heads // (layer.num_key_value_heads or layer.num_heads)
    bias = np.broadcast_to(bias, (B, layer.num_heads, T, S))

    def project(name, tensor, head):
        kernel, bias = given[f"{name}_kernel"], given.get(f"{name}_bias")
        return tensor @ kernel[:, head] + (0 if bias is None else bias[head])

    output, weights = given.get("output_bias", 0), []
    for head in range(layer.num_heads):
        query = project("query", inputs["query"], head)
        value = project("value", inputs["value"], head // shared)
        key = project("key", inputs["key"], head // shared)
        if layer.position == "rotary":
            query, key = rotated(query), rotated(key)
        scores = np.einsum("btd,bsd->bts", query, key) / np.sqrt(layer.key_dim)
        scores = scores + bias[:, head]
        pairs = mask[:, head] if np.ndim(mask) == 4 else mask
        context, of_head = reference_attention(scores, value, pairs)
        output = output + context @ given["output_kernel"][head]
        weights.append(of_head)
    return output, np.stack(weights, axis=1)


def rotated(tensor):
    """Each pair of columns as a complex number, turned by its position."""
    size, positions = tensor.shape[-1], np.arange(tensor.shape[1])[:, None]
    factors = np.exp(1j * positions * 1e4 ** (-2.0 * np.arange(size // 2) / size))
    turned = (tensor[..., 0::2] + 1j * tensor[..., 1::2]) * factors
    return np.stack([turned.real, turned.imag], axis=-1).reshape(tensor.shape)


def position_bias(layer):
    """What the layer's positions add to the scores, (H, T, S)."""
    distances = np.arange(S) - np.arange(T)[:, None]
    if layer.position == "alibi":
        return -np.abs(distances) * layer.position_layer.slopes[:, None, None]
    if layer.position == "relative":
        # The first 16 distances on either side have a bucket each.
        buckets = np.where(distances > 0, 16 + distances, -distances)
        return array(layer.position_layer.table.value)[buckets].transpose(2, 0, 1)
    return 0


def built(inputs=None, **arguments):
    layer = MultiHeadAttention(**{"num_heads": H, "key_dim": D} | arguments)
    inputs = inputs or attention_inputs()
    layer.build(*[inputs[name].shape for name in ("query", "value", "key")])
    return randomise(layer)


def check_equal(layer, inputs, expected, **call):
    outputs = arrays(layer(**inputs, **call, return_attention_scores=True))
    for some, other in zip(outputs, expected, strict=True):
        assert_close(some, np.asarray(other, "float32"))


@pytest.mark.parametrize("query_shape", [(B, T, DQ), (B, DQ)])
def test_it_keeps_the_contract(query_shape):
    inputs = attention_inputs(key_size=11) | {"value_mask": value_mask()}
    inputs["query"] = np.ones(query_shape, "float32")
    arguments = {
        "num_heads": H,
        "key_dim": D,
        "value_dim": DH,
        "dropout": 0.1,
        "use_bias": False,
        "output_shape": DO,
        "kernel_initializer": keras.initializers.HeNormal(seed=3),
        "bias_initializer": keras.initializers.Constant(0.5),
        "seed": 5,
        "num_key_value_heads": 1,
        "position": RelativePositionBias(H, 8, max_distance=9, bidirectional=False),
        "window": 2,
        "chunk_size": None,
    }
    flags = {"return_attention_scores": True}
    check_layer(MultiHeadAttention, arguments, inputs, flags)


def test_it_keeps_the_contract_with_what_it_takes_by_itself():
    inputs = attention_inputs(value_size=DQ) | {"value_mask": value_mask()}
    arguments = {
        "num_heads": H,
        "key_dim": D,
        "value_dim": None,
        "dropout": 0.0,
        "use_bias": True,
        "output_shape": None,
        "kernel_initializer": keras.initializers.GlorotUniform(),
        "bias_initializer": keras.initializers.Zeros(),
        "seed": None,
        "num_key_value_heads": None,
        "position": None,
        "window": None,
        "chunk_size": None,
    }
    check_layer(MultiHeadAttention, arguments, inputs)


def test_it_keeps_the_contract_in_chunks():
    inputs = attention_inputs(value_size=DQ) | {"value_mask": value_mask()}
    arguments = {
        "num_heads": 6,
        "key_dim": 4,
        "value_dim": 5,
        "dropout": 0.0,
        "use_bias": True,
        "output_shape": None,
        "kernel_initializer": keras.initializers.GlorotUniform(),
        "bias_initializer": keras.initializers.Zeros(),
        "seed": None,
        "num_key_value_heads": 2,
        "position": "rotary",
        "window": 2,
        "chunk_size": 2,
    }
    check_layer(MultiHeadAttention, arguments, inputs, {"use_causal_mask": True})


@pytest.mark.parametrize("use_bias", [False, True])
@pytest.mark.parametrize("shape", [None, (B, 1, S), (B, T, S), (B, H, T, S)])
def test_it_equals_the_formula(use_bias, shape):
    inputs = attention_inputs(key_size=11)
    layer = built(inputs, value_dim=DH, use_bias=use_bias, output_shape=DO)
    mask = None
    if shape:
        mask = np.random.default_rng(0).random(shape) < 0.7
        mask[..., 0] = True  # rows that see nothing have a test of their own
    expected = reference(layer, inputs, mask)
    if shape == (B, 1, S):
        check_equal(layer, inputs, expected, value_mask=mask[:, 0])
    else:
        check_equal(layer, inputs, expected, attention_mask=mask)


# JAX compiles each shape anew, and what is asked here is the same on every backend.
@settings(max_examples=5 if keras.backend.backend() == "jax" else 25)
@given(
    sizes=st.sampled_from([(1, 4, None), (2, 3, 5), (3, 2, 7)]),
    lengths=st.sampled_from([(1, 2), (3, 5), (5, 3)]),
    use_bias=st.booleans(),
    output_shape=st.sampled_from([None, DO]),
    keys_given=st.booleans(),
    masks=st.sets(st.sampled_from(["value_mask", "attention_mask", "causal"])),
    seed=st.integers(0, 1000),
)
def test_it_equals_that_of_keras_with_the_weights_handed_over(
    sizes, lengths, use_bias, output_shape, keys_given, masks, seed
):
    random = np.random.default_rng(seed)
    (length, keys), (heads, key_dim, value_dim) = lengths, sizes
    inputs = {
        "query": random.normal(size=(B, length, DQ)).astype("float32"),
        "value": random.normal(size=(B, keys, DV)).astype("float32"),
    }
    if keys_given:
        inputs["key"] = random.normal(size=(B, keys, 2)).astype("float32")
    arguments = {
        "num_heads": heads,
        "key_dim": key_dim,
        "value_dim": value_dim,
        "use_bias": use_bias,
        "output_shape": output_shape,
    }
    call = {"use_causal_mask": "causal" in masks}
    # The first key is seen: on rows that see nothing Keras has no one answer.
    if "value_mask" in masks:
        call["value_mask"] = random.random((B, keys)) < 0.7
        call["value_mask"][:, 0] = True
    if "attention_mask" in masks:
        call["attention_mask"] = random.random((B, length, keys)) < 0.7
        call["attention_mask"][..., 0] = True
    ours = MultiHeadAttention(**arguments)
    theirs = keras.layers.MultiHeadAttention(**arguments)
    shapes = [each.shape for each in inputs.values()]  # query, value, perhaps key
    ours.build(*shapes)
    theirs.build(*shapes)
    theirs.set_weights(randomise(ours, seed).get_weights())
    expected = theirs(**inputs, **call, return_attention_scores=True)
    check_equal(ours, inputs, arrays(expected), **call)


def test_its_weights_stand_in_the_order_of_keras():
    inputs = attention_inputs(key_size=11)
    layer = built(inputs, value_dim=DH, output_shape=DO)
    assert [(weight.name, tuple(weight.shape)) for weight in layer.weights] == [
        ("query_kernel", (DQ, H, D)),
        ("query_bias", (H, D)),
        ("key_kernel", (11, H, D)),
        ("key_bias", (H, D)),
        ("value_kernel", (DV, H, DH)),
        ("value_bias", (H, DH)),
        ("output_kernel", (H, DH, DO)),
        ("output_bias", (DO,)),
    ]


def test_a_kernel_starts_as_wide_as_the_matrix_it_is():
    size, heads = 96, 4
    layer = MultiHeadAttention(heads, size // heads)
    layer.build((B, T, size), (B, S, size))
    for kernel in (layer.query_kernel, layer.value_kernel, layer.output_kernel):
        limit = np.sqrt(6 / (size + size))
        largest = np.abs(array(kernel.value)).max()
        assert 0.98 * limit < largest <= limit
    gap = array(layer.query_kernel.value) - array(layer.key_kernel.value)
    assert np.abs(gap).max() > 0.1 * limit


def test_a_query_that_attends_to_nothing_gets_nothing_and_not_the_bias():
    inputs = attention_inputs()
    layer = built(inputs)
    pairs = np.ones((B, T, S), bool)
    pairs[0, 1] = False
    output = array(layer(**inputs, attention_mask=pairs))
    assert (output[0, 1] == 0).all()
    assert np.abs(output[pairs.any(-1)]).min() > 0
    expected = reference(layer, inputs)[0]
    assert_close(output[1], expected[1].astype("float32"))


def test_a_head_that_attends_to_nothing_leaves_the_query_to_the_others():
    inputs = attention_inputs()
    layer = built(inputs)
    pairs = np.ones((B, H, T, S), bool)
    pairs[0, 1, 2] = False
    pairs[1, :, 0] = False
    expected, weights = reference(layer, inputs, pairs)
    expected[1, 0] = 0
    check_equal(layer, inputs, (expected, weights), attention_mask=pairs)


@pytest.mark.parametrize("xla", [False, True])
@pytest.mark.parametrize("dtype", ["float32", "mixed_float16", "mixed_bfloat16"])
def test_masks_of_heads_work_compiled_in_every_precision(xla, dtype):
    pairs = np.random.default_rng(0).random((B, H, T, S)) < 0.3
    inputs = attention_inputs() | {"attention_mask": pairs}
    layer = built(inputs, dtype=dtype)
    expected = layer(**inputs)
    precision = dtype.removeprefix("mixed_")
    assert_close(compiled(layer, xla)(inputs), expected, precision)
    of_inputs, of_weights = gradients(layer, inputs)
    for gradient in [*of_inputs.values(), *of_weights]:
        assert np.isfinite(gradient).all()


def test_one_step_takes_a_mask_for_each_head():
    inputs = attention_inputs()
    layer = built(inputs)
    pairs = np.random.default_rng(0).random((B, H, T, S)) < 0.7
    whole = arrays(layer(**inputs, attention_mask=pairs, return_attention_scores=True))
    step = inputs | {"query": inputs["query"][:, 1]}
    expected = whole[0][:, 1], whole[1][:, :, 1]
    check_equal(layer, step, expected, attention_mask=pairs[:, :, 1])


def test_a_causal_mask_joins_a_mask_for_each_head():
    inputs = attention_inputs()
    layer = built(inputs)
    pairs = np.random.default_rng(0).random((B, H, T, S)) < 0.7
    both = pairs & np.tri(T, S, dtype=bool)
    for some, other in zip(
        arrays(layer(**inputs, attention_mask=pairs, use_causal_mask=True)),
        arrays(layer(**inputs, attention_mask=both)),
        strict=True,
    ):
        assert_close(some, other)


def test_it_serves_between_encoder_and_decoder_and_inside_both():
    random = np.random.default_rng(0)
    source = random.normal(size=(B, S, DQ)).astype("float32")
    target = random.normal(size=(B, T, DQ)).astype("float32")
    layers = [MultiHeadAttention(H, D) for _ in range(3)]
    encoded = layers[0](source, source, value_mask=value_mask())
    decoded = layers[1](target, target, use_causal_mask=True)
    crossed = layers[2](decoded, encoded, value_mask=value_mask())
    assert encoded.shape == (B, S, DQ)
    assert decoded.shape == crossed.shape == (B, T, DQ)


# ---- grouped heads, positions, window, bias, head mask


@pytest.mark.parametrize("position", POSITIONS)
def test_grouped_heads_and_positions_equal_the_formula(position):
    inputs = attention_inputs(key_size=11)
    layer = built(inputs, **GROUPED, value_dim=DH, position=position)
    mask = np.random.default_rng(0).random((B, T, S)) < 0.7
    mask[..., 0] = True
    expected = reference(layer, inputs, mask, position_bias(layer))
    check_equal(layer, inputs, expected, attention_mask=mask)


@pytest.mark.parametrize("groups", [1, 2, 3])
def test_grouped_heads_equal_heads_of_keys_and_values_repeated(groups):
    inputs = attention_inputs()
    grouped = built(**GROUPED | {"num_key_value_heads": groups})
    full = built(**GROUPED | {"num_key_value_heads": None})
    full.set_weights(
        [
            np.repeat(weight, 6 // groups, axis=-2)
            if mine.shape != theirs.shape
            else weight
            for weight, mine, theirs in zip(
                grouped.get_weights(), grouped.weights, full.weights, strict=True
            )
        ]
    )
    outputs = full(**inputs, return_attention_scores=True)
    check_equal(grouped, inputs, arrays(outputs))


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("groups", [1, 2, 6])
def test_grouped_heads_equal_those_of_keras_with_the_weights_handed_over(
    groups, causal
):
    inputs = attention_inputs(key_size=11)
    call = {"use_causal_mask": causal, "value_mask": value_mask()}
    ours = built(inputs, **GROUPED | {"num_key_value_heads": groups})
    theirs = keras.layers.GroupQueryAttention(4, 6, groups)
    theirs.build(*[inputs[name].shape for name in ("query", "value", "key")])
    theirs.set_weights(ours.get_weights())
    expected = theirs(**inputs, **call, return_attention_scores=True)
    check_equal(ours, inputs, arrays(expected), **call)


@pytest.mark.parametrize("window", [0, 1, 7])
@pytest.mark.parametrize("causal", [False, True])
def test_a_window_hides_what_is_farther_away(window, causal):
    inputs = attention_inputs()
    layer = built(window=window)
    mask = np.broadcast_to(array(local_mask(T, S, window=window)), (B, T, S))
    if causal:
        mask = mask & np.tri(T, S, dtype=bool)
    expected = reference(layer, inputs, mask)
    check_equal(layer, inputs, expected, use_causal_mask=causal)


def test_a_query_beyond_the_window_of_all_keys_gets_nothing():
    inputs = attention_inputs()
    inputs = {"query": inputs["value"], "value": inputs["query"]}  # 5 ask 3
    layer = MultiHeadAttention(H, D, window=1)
    layer(**inputs)
    output, weights = arrays(randomise(layer)(**inputs, return_attention_scores=True))
    assert (output[:, 4] == 0).all() and (weights[:, :, 4] == 0).all()
    assert np.abs(output[:, :4]).min() > 0


@pytest.mark.parametrize(
    "shape", [(T, S), (1, S), (B, T, S), (B, H, T, S), (1, H, 1, S)]
)
def test_a_bias_is_added_to_the_scores(shape):
    inputs = attention_inputs()
    layer = built()
    bias = np.random.default_rng(0).normal(size=shape).astype("float32")
    by_head = bias[:, None] if len(shape) == 3 else bias
    expected = reference(layer, inputs, bias=by_head)
    check_equal(layer, inputs, expected, attention_bias=bias)


@pytest.mark.parametrize("dtype", ["float32", "mixed_float16", "mixed_bfloat16"])
def test_a_bias_of_minus_infinity_hides(dtype):
    inputs = attention_inputs()
    layer = built(dtype=dtype)
    mask = np.random.default_rng(0).random((B, T, S)) < 0.5
    mask[0, 1] = False
    bias = np.where(mask, 0.5, -np.inf).astype("float32")
    hidden = arrays(layer(**inputs, attention_bias=bias, return_attention_scores=True))
    masked = arrays(layer(**inputs, attention_mask=mask, return_attention_scores=True))
    for one, other in zip(hidden, masked, strict=True):
        assert_close(one, other, dtype.removeprefix("mixed_"))
    assert (hidden[0][0, 1] == 0).all()
    of_inputs, of_weights = gradients(layer, inputs | {"attention_bias": bias})
    for gradient in [*of_inputs.values(), *of_weights]:
        assert np.isfinite(gradient).all()


@pytest.mark.parametrize("weights", [True, False])
@pytest.mark.parametrize("chunk_size", [None, 2])
def test_the_most_negative_bias_hides_beside_others_and_makes_no_nan(
    weights, chunk_size
):
    inputs = attention_inputs()
    layer = built(chunk_size=chunk_size)
    mask = np.random.default_rng(0).random((B, T, S)) < 0.5
    mask[:, :, 0] = True
    mask[0] = False  # an example that is padding alone
    inputs["value_mask"] = mask.any(axis=1)
    bias = np.where(mask, 0.0, np.finfo("float32").min).astype("float32")
    options = {"return_attention_scores": True} if weights else {}
    (found,) = arrays(layer(**inputs, attention_bias=bias, **options))[:1]
    (expected,) = arrays(layer(**inputs, attention_mask=mask, **options))[:1]
    assert_close(found, expected)
    assert (found[0] == 0).all()
    of_inputs, of_weights = gradients(layer, inputs | {"attention_bias": bias})
    for gradient in [*of_inputs.values(), *of_weights]:
        assert np.isfinite(gradient).all()


def test_where_all_keys_have_the_most_negative_bias_all_are_alike():
    given = attention_inputs()
    inputs = {name: given[name] for name in ("query", "value", "key")}
    bias = np.full((T, S), np.finfo("float32").min)
    found = [
        arrays(built(chunk_size=size)(**inputs, attention_bias=bias))
        for size in (None, 2)
    ]
    even = arrays(built()(**inputs, attention_bias=bias, return_attention_scores=True))
    assert_close(found[0][0], even[0])
    assert_close(found[1][0], even[0])
    assert_close(even[1], np.full((B, H, T, S), 1 / S, "float32"))


def test_a_query_of_one_step_takes_a_bias():
    inputs = attention_inputs()
    layer = built()
    bias = np.random.default_rng(0).normal(size=(B, H, T, S)).astype("float32")
    whole = arrays(layer(**inputs, attention_bias=bias, return_attention_scores=True))
    step = inputs | {"query": inputs["query"][:, 1]}
    expected = whole[0][:, 1], whole[1][:, :, 1]
    check_equal(layer, step, expected, attention_bias=bias[:, :, 1])


@pytest.mark.parametrize("shape", [(H,), (B, H)])
def test_a_head_mask_scales_what_each_head_gives(shape):
    inputs = attention_inputs()
    layer = built()
    gates = np.random.default_rng(0).random(shape).astype("float32")
    expected = 0
    assert_close(
        layer(**inputs, head_mask=gates.tolist()), layer(**inputs, head_mask=gates)
    )
    for head in range(H):
        alone = np.zeros(H, bool)
        alone[head] = True
        part = array(layer(**inputs, head_mask=alone)) - array(layer.output_bias)
        expected = expected + gates[..., head, None, None] * part
    output, weights = arrays(
        layer(**inputs, head_mask=gates, return_attention_scores=True)
    )
    assert_close(output, expected + array(layer.output_bias))
    assert_close(weights, layer(**inputs, return_attention_scores=True)[1])


def test_one_bias_may_serve_several_layers_and_a_file_keeps_it_one(tmp_path):
    shared = RelativePositionBias(H, num_buckets=8)
    inputs = keras.Input((None, DQ))
    middle = MultiHeadAttention(H, D, position=shared, name="lower")(inputs, inputs)
    output = MultiHeadAttention(H, D, position=shared, name="upper")(middle, middle)
    model = keras.Model(inputs, output)
    assert sum(weight is shared.table for weight in model.weights) == 1
    randomise(model)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    lower, upper = again.get_layer("lower"), again.get_layer("upper")
    assert lower.position is upper.position
    batch = attention_inputs()["query"]
    np.testing.assert_array_equal(again(batch), model(batch))


@pytest.mark.parametrize("position", POSITIONS)
@pytest.mark.parametrize("window", [None, 1])
def test_one_query_at_a_time_gives_what_all_at_once_give(position, window):
    inputs = attention_inputs()
    layer = built(**GROUPED, position=position, window=window)
    memory = layer.prepare(inputs["value"], inputs["key"], value_mask=value_mask())
    whole = layer.attend(inputs["query"], memory)
    state, steps = layer.initial_state(memory), []
    for t in range(T):
        *step, state = layer.attend(inputs["query"][:, t : t + 1], memory, state)
        steps.append(arrays(step))
    outputs, weights = zip(*steps, strict=True)
    assert_close(np.concatenate(outputs, axis=1), whole[0])
    assert_close(np.concatenate(weights, axis=2), whole[1])
    assert len(state) == (0 if position is window is None else 1)
    for mine, last in zip(state, whole[2], strict=True):
        assert keras.backend.standardize_dtype(mine.dtype) == "int32"
        np.testing.assert_array_equal(array(mine), np.full((B, 1), T))
        np.testing.assert_array_equal(array(last), array(mine))


@pytest.mark.parametrize("chunk_size", [None, 2])
@pytest.mark.parametrize("position", POSITIONS)
def test_causal_outputs_have_no_gradient_for_later_inputs(position, chunk_size):
    inputs = attention_inputs()
    layer = built(**GROUPED, position=position, chunk_size=chunk_size)
    # One output that is read: the others attend to nothing, and so are 0.
    seen = {"query_mask": np.broadcast_to(np.arange(T) == 1, (B, T))}
    of_inputs, _ = gradients(layer, inputs | seen, use_causal_mask=True)
    for name in ("query", "key", "value"):
        assert (of_inputs[name][:, 2:] == 0).all()
        assert np.abs(of_inputs[name][:, 1]).max() > 0


CALLS = {
    "plain": ({}, {}),
    "causal": ({}, {"use_causal_mask": True}),
    "padding": ({}, {"value_mask": value_mask()}),
    "window": ({"window": 1}, {"value_mask": ~value_mask()}),
    "causal window": ({"window": 2}, {"use_causal_mask": True}),
    "rotary": ({"position": "rotary"}, {"use_causal_mask": True}),
    "alibi": ({"position": "alibi"}, {"value_mask": value_mask()}),
    "relative": ({"position": "relative"}, {"use_causal_mask": True}),
    "pairs": ({}, {"attention_mask": np.tri(T, S, 1, dtype=bool)[None]}),
    "bias": ({}, {"attention_bias": np.tri(T, S, dtype="float32")[None, None]}),
    "queries": ({"use_bias": False}, {"query_mask": np.eye(B, T, dtype=bool)}),
    "gates": ({}, {"head_mask": np.arange(6) / 3, "value_mask": value_mask()}),
}


@pytest.mark.parametrize("name", CALLS)
def test_chunks_give_the_numbers_of_the_whole(name):
    arguments, call = CALLS[name]
    inputs = attention_inputs()
    whole = built(**GROUPED, **arguments)
    chunked = built(**GROUPED, **arguments, chunk_size=2)
    chunked.set_weights(whole.get_weights())
    expected, weights = arrays(whole(**inputs, **call, return_attention_scores=True))
    output = array(chunked(**inputs, **call))
    assert_close(output, expected)
    np.testing.assert_array_equal(output == 0, expected == 0)
    both = arrays(chunked(**inputs, **call, return_attention_scores=True))
    np.testing.assert_array_equal(both[1], weights)


@pytest.mark.parametrize("name", ["causal window", "relative", "gates"])
def test_chunks_give_the_gradients_of_the_whole(name):
    arguments, call = CALLS[name]
    inputs = attention_inputs()
    whole = built(**GROUPED, **arguments)
    chunked = built(**GROUPED, **arguments, chunk_size=2)
    of_inputs, of_weights = gradients(chunked, inputs, **call)
    expected_inputs, expected_weights = gradients(whole, inputs, **call)
    every = [*of_inputs.values(), *of_weights]
    every_expected = [*expected_inputs.values(), *expected_weights]
    # That of the key's bias is a sum of large terms to 0.
    scale = max(np.abs(expected).max() for expected in every_expected)
    for mine, expected in zip(every, every_expected, strict=True):
        assert_close(mine / scale, expected / scale)


@pytest.mark.parametrize("xla", [False, True])
@pytest.mark.parametrize("dtype", ["float32", "mixed_float16", "mixed_bfloat16"])
@pytest.mark.parametrize("position", POSITIONS[1:])
def test_positions_work_compiled_in_every_precision(position, dtype, xla):
    inputs = attention_inputs()
    layer = built(**GROUPED, position=position, dtype=dtype)
    expected = layer(**inputs, use_causal_mask=True)
    run = compiled(layer, xla, use_causal_mask=True)
    assert_close(run(inputs), expected, dtype.removeprefix("mixed_"))
    exact = built(**GROUPED, position=position)
    assert_close(
        expected, exact(**inputs, use_causal_mask=True), dtype.removeprefix("mixed_")
    )


@pytest.mark.parametrize(
    "name", ["causal window", "rotary", "alibi", "relative", "pairs", "bias", "queries"]
)
@pytest.mark.parametrize("chunk_size", [2, None])
def test_statistics_are_those_of_the_weights(name, chunk_size):
    arguments, call = CALLS[name]
    inputs = attention_inputs()
    layer = built(**GROUPED, **arguments, chunk_size=chunk_size)
    _, weights = arrays(layer(**inputs, **call, return_attention_scores=True))
    found = layer.statistics(**inputs, **call)
    mask = call.get("value_mask")
    assert_close(found.entropy, attention_entropy(weights, mask).astype("float32"))
    assert_close(found.coverage, attention_coverage(weights, mask).astype("float32"))
    best = np.where(weights.sum(-1) > 0, weights.argmax(-1), -1)
    np.testing.assert_array_equal(array(found.argmax), best)


# ---- against Keras, over many shapes

OPTIONS = [
    "no mask",
    "key padding",
    "mask per example",
    "mask per head",
    "causal",
    "padding and causal",
    "no bias vectors",
    "own sizes",
]


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize(
    "count", [2, pytest.param(100, marks=pytest.mark.slow)], ids=["few", "many"]
)
def test_it_equals_that_of_keras_at_random_shapes(options, count):
    random = np.random.default_rng(OPTIONS.index(options))
    for seed in range(count):
        batch, length, keys, heads, size = random.integers(1, 9, 5)
        keys += 1  # Keras warns of one key alone
        sizes = [int(each) for each in random.integers(1, 17, 3)]
        # Of size 1, T or S heads of Keras are wrong on TensorFlow.
        head_size = int(random.integers(2, 17))
        query_size, value_size, key_size = (
            sizes if options == "own sizes" else [int(heads * size)] * 3
        )
        inputs = {
            "query": random.normal(size=(batch, length, query_size)),
            "value": random.normal(size=(batch, keys, value_size)),
            "key": random.normal(size=(batch, keys, key_size)),
        }
        inputs = {name: x.astype("float32") for name, x in inputs.items()}
        call = {"use_causal_mask": "causal" in options}
        masks = {
            "key padding": ("value_mask", (batch, keys)),
            "padding and causal": ("value_mask", (batch, keys)),
            "mask per example": ("attention_mask", (batch, length, keys)),
            "mask per head": ("attention_mask", (batch, heads, length, keys)),
        }
        if options in masks:
            name, shape = masks[options]
            call[name] = random.random(shape) < 0.7
            call[name][..., 0] = True  # on empty rows Keras has no one answer
        arguments = {
            "num_heads": int(heads),
            "key_dim": head_size,
            "value_dim": sizes[0] if options == "own sizes" else None,
            "use_bias": options != "no bias vectors",
        }
        ours = MultiHeadAttention(**arguments)
        theirs = keras.layers.MultiHeadAttention(**arguments)
        shapes = [each.shape for each in inputs.values()]
        ours.build(*shapes)
        theirs.build(*shapes)
        theirs.set_weights(randomise(ours, seed).get_weights())
        results = [
            arrays(layer(**inputs, **call, return_attention_scores=True))
            for layer in (ours, theirs)
        ]
        (output, weights), (expected, their_weights) = results
        scale = max(1, np.abs(expected).max())
        np.testing.assert_allclose(output / scale, expected / scale, atol=1e-5)
        np.testing.assert_allclose(weights, their_weights, atol=1e-5)
        averaged = weights.mean(1), their_weights.mean(1)
        np.testing.assert_allclose(*averaged, atol=1e-5)


# ---- errors


SIZES = [
    "num_heads",
    "key_dim",
    "value_dim",
    "output_shape",
    "num_key_value_heads",
    "chunk_size",
]


@pytest.mark.parametrize("name", SIZES)
@pytest.mark.parametrize("size", [0, -2, 1.5, "4", True, (4,)])
def test_sizes_must_be_positive_ints(name, size):
    arguments = {"num_heads": H, "key_dim": D} | {name: size}
    with pytest.raises(ValueError, match=f"`{name}` must be a positive int. Received"):
        MultiHeadAttention(**arguments)


@pytest.mark.parametrize("name", ["num_heads", "key_dim"])
def test_sizes_that_are_needed_must_be_given(name):
    arguments = {"num_heads": H, "key_dim": D} | {name: None}
    with pytest.raises(ValueError, match=f"`{name}` must be a positive int. Received"):
        MultiHeadAttention(**arguments)


@pytest.mark.parametrize("groups", [4, 5, 12])
def test_heads_of_keys_must_divide_the_heads(groups):
    with pytest.raises(ValueError, match="`num_key_value_heads` must divide"):
        MultiHeadAttention(6, D, num_key_value_heads=groups)


@pytest.mark.parametrize("window", [-1, 1.5, True, "4", (1, 2)])
def test_a_window_must_be_an_int_of_at_least_0(window):
    with pytest.raises(ValueError, match="`window` must be an int of at least 0"):
        MultiHeadAttention(H, D, window=window)


@pytest.mark.parametrize("position", ["sinusoidal", "", 1, keras.layers.Dense(2)])
def test_a_position_must_be_one_of_the_kinds(position):
    with pytest.raises(ValueError, match="`position` must be 'rotary', 'alibi', 'rel"):
        MultiHeadAttention(H, D, position=position)


@pytest.mark.parametrize("position", ["rotary", RotaryEmbedding(100.0)])
def test_rotary_positions_want_an_even_size(position):
    with pytest.raises(ValueError, match="`key_dim` must be even with rotary"):
        MultiHeadAttention(H, 5, position=position)


@pytest.mark.parametrize("bias", [AlibiBias, RelativePositionBias])
def test_a_position_bias_must_have_as_many_heads(bias):
    with pytest.raises(ValueError, match="`position` must have the `num_heads`"):
        MultiHeadAttention(H, D, position=bias(H + 1))


def test_chunks_and_dropout_exclude_each_other():
    with pytest.raises(ValueError, match="`dropout` must be 0 with `chunk_size`"):
        MultiHeadAttention(H, D, chunk_size=4, dropout=0.1)


@pytest.mark.parametrize("chunk_size", [None, 2])
def test_masks_may_be_lists(chunk_size):
    inputs, layer = attention_inputs(), MultiHeadAttention(H, D, chunk_size=chunk_size)
    pairs, real = np.tri(T, S, 1, dtype=bool), np.arange(T) < np.full((B, 1), T - 1)
    masks = {"attention_mask": pairs, "query_mask": real}
    lists = {name: mask.tolist() for name, mask in masks.items()}
    assert_close(layer(**inputs, **lists), layer(**inputs, **masks))
    found, expected = (layer.statistics(**inputs, **each) for each in (lists, masks))
    assert_close(found.entropy, expected.entropy)


@pytest.mark.parametrize("name", ["attention_mask", "attention_bias"])
@pytest.mark.parametrize(
    "shape", [(S,), (T, S + 1), (T + 1, S), (B + 1, T, S), (B, H + 1, T, S), (1,) * 5]
)
def test_pairs_of_another_shape_are_refused(name, shape):
    pairs = np.ones(shape, bool if name == "attention_mask" else "float32")
    with pytest.raises(ValueError, match=rf"`{name}` must have shape \(T, S\)"):
        built()(**attention_inputs(), **{name: pairs})


@pytest.mark.parametrize("shape", [(), (H + 1,), (B + 1, H), (B, 1), (B, H, 1)])
def test_a_head_mask_of_another_shape_is_refused(shape):
    with pytest.raises(ValueError, match=r"`head_mask` must have shape \(H,\) or"):
        built()(**attention_inputs(), head_mask=np.ones(shape, "float32"))


def test_the_example_runs():
    x = np.random.default_rng(0).normal(size=(B, T, DQ)).astype("float32")
    names = run_example(MultiHeadAttention, x=x)
    assert_close(names["first"], names["whole"][:, :1])


@pytest.mark.parametrize("position", [None, "rotary"])
def test_projected_queries_and_keys_give_the_raw_scores(position):
    inputs = attention_inputs()
    layer = MultiHeadAttention(2, 4, position=position)
    _, expected = layer(**inputs, return_attention_scores=True)
    memory = layer.prepare(inputs["value"], inputs["key"])
    query = layer.project_query(inputs["query"])
    assert tuple(query.shape) == (B, 2, T, 4)
    scores = keras.ops.matmul(query, keras.ops.swapaxes(memory.key, -1, -2))
    assert_close(keras.ops.softmax(scores), expected)


class Skewed(RotaryEmbedding):
    """A rotation of one's own."""

    def rotate(self, inputs, positions):
        return super().rotate(inputs, 3 * positions)


@pytest.mark.parametrize("steps", [1, T])
def test_a_rotation_of_ones_own_is_taken(steps):
    inputs = attention_inputs()
    inputs["query"] = inputs["query"][:, :steps]
    layer = MultiHeadAttention(2, 4, position=Skewed())
    _, weights = randomised(layer, inputs)(**inputs, return_attention_scores=True)
    plain = MultiHeadAttention(2, 4)
    plain.build(inputs["query"].shape, inputs["value"].shape, inputs["key"].shape)
    plain.set_weights(layer.get_weights())
    query = RotaryEmbedding().rotate(
        plain.project_query(inputs["query"]), 3 * np.arange(steps)
    )
    key = plain.prepare(inputs["value"], inputs["key"]).key
    key = RotaryEmbedding().rotate(key, 3 * np.arange(S))
    scores = keras.ops.matmul(query, keras.ops.swapaxes(key, -1, -2))
    assert_close(weights, keras.ops.softmax(scores))


def randomised(layer, inputs):
    layer(**inputs)
    return randomise(layer)
