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

from keras_attention import MultiHeadAttention

H, D, DH, DO = 3, 13, 17, 19


def value_mask():
    mask = np.ones((B, S), bool)
    mask[0, 3:] = False
    return mask


def reference(layer, inputs, mask=None):
    """One head at a time, in float64."""
    given = {weight.name: array(weight).astype("float64") for weight in layer.weights}

    def project(name, tensor, head):
        kernel, bias = given[f"{name}_kernel"], given.get(f"{name}_bias")
        return tensor @ kernel[:, head] + (0 if bias is None else bias[head])

    output, weights = given.get("output_bias", 0), []
    for head in range(layer.num_heads):
        query, value, key = (
            project(name, inputs[name], head) for name in ("query", "value", "key")
        )
        scores = np.einsum("btd,bsd->bts", query, key) / np.sqrt(layer.key_dim)
        pairs = mask[:, head] if np.ndim(mask) == 4 else mask
        context, of_head = reference_attention(scores, value, pairs)
        output = output + context @ given["output_kernel"][head]
        weights.append(of_head)
    return output, np.stack(weights, axis=1)


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
    }
    check_layer(MultiHeadAttention, arguments, inputs)


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


def test_a_query_that_sees_nothing_gets_nothing_and_not_the_bias():
    inputs = attention_inputs()
    layer = built(inputs)
    pairs = np.ones((B, T, S), bool)
    pairs[0, 1] = False
    output = array(layer(**inputs, attention_mask=pairs))
    assert (output[0, 1] == 0).all()
    assert np.abs(output[pairs.any(-1)]).min() > 0
    expected = reference(layer, inputs)[0]
    assert_close(output[1], expected[1].astype("float32"))


def test_a_head_that_sees_nothing_leaves_the_query_to_the_others():
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


@pytest.mark.parametrize("name", ["num_heads", "key_dim", "value_dim", "output_shape"])
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


def test_the_example_runs():
    x = np.random.default_rng(0).normal(size=(B, T, DQ)).astype("float32")
    assert run_example(MultiHeadAttention, x=x)["x"].shape == (B, T, DQ)
