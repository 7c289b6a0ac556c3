"""Coverage attention and its loss."""

import keras
import numpy as np
import pytest
from helpers import (
    DQ,
    DV,
    B,
    S,
    T,
    U,
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
from hypothesis import given
from hypothesis import strategies as st
from keras import ops

from keras_attention.layers.coverage import CoverageAttention, coverage_loss


def value_mask():
    mask = np.ones((B, S), bool)
    mask[0, 3:] = False
    return mask


def test_it_keeps_the_contract():
    inputs = attention_inputs(key_size=17) | {"value_mask": value_mask()}
    arguments = {
        "units": U,
        "use_bias": False,
        "kernel_initializer": keras.initializers.HeNormal(seed=3),
        "dropout": 0.1,
        "seed": 5,
    }
    flags = {"return_attention_scores": True}
    check_layer(CoverageAttention, arguments, inputs, flags)


def reference(layer, inputs, mask):
    """Equations 10 and 11, step by step in float64, with the layer's weights."""
    weights = {weight.name: array(weight).astype("float64") for weight in layer.weights}
    key = inputs["key"] @ weights["key_kernel"] + weights.get("bias", 0)
    rows = [np.zeros((B, 1, S))]
    for query in inputs["query"].swapaxes(0, 1):
        coverage = sum(rows)[:, 0, :, None]
        hidden = (query @ weights["query_kernel"])[:, None] + key
        hidden = np.tanh(hidden + coverage * weights["coverage_kernel"])
        scores = hidden @ weights["vector"][:, 0]
        rows.append(reference_attention(scores[:, None], inputs["value"], mask)[1])
    weights = np.concatenate(rows[1:], axis=1)
    return weights @ inputs["value"].astype("float64"), weights


@pytest.mark.parametrize("use_bias", [False, True])
@pytest.mark.parametrize("masked", [False, True])
def test_it_equals_the_formula(use_bias, masked):
    layer = CoverageAttention(U, use_bias=use_bias)
    layer.build((B, T, DQ), (B, S, DV), (B, S, 17))
    randomise(layer)
    mask = value_mask() if masked else np.ones((B, S), bool)
    run = compiled(layer, return_attention_scores=True)
    for seed in range(5):
        inputs = attention_inputs(seed, key_size=17)
        found = run(inputs | {"value_mask": mask})
        expected = reference(layer, inputs, mask[:, None])
        for some, other in zip(arrays(found), expected, strict=True):
            assert_close(some, other.astype("float32"))


@pytest.mark.skipif(keras.backend.backend() == "jax", reason="float64 is off there")
def test_under_float64_it_equals_the_formula_in_float64():
    layer = CoverageAttention(U, dtype="float64")
    layer.build((B, T, DQ), (B, S, DV), (B, S, 17))
    randomise(layer)
    inputs = attention_inputs(key_size=17)
    inputs = {name: x.astype("float64") for name, x in inputs.items()}
    found = layer(**inputs, return_attention_scores=True)
    expected = reference(layer, inputs, np.ones((B, 1, S), bool))
    for some, other in zip(arrays(found), expected, strict=True):
        assert_close(some, other, "float64")


def test_the_state_is_the_sum_of_the_weights():
    inputs = attention_inputs()
    layer = CoverageAttention(U)
    layer.build(*(x.shape for x in inputs.values()))
    memory = layer.prepare(inputs["value"], inputs["key"])
    _, weights, (coverage,) = layer.attend(inputs["query"], memory)
    assert_close(coverage, array(weights).sum(axis=1))


def test_its_weights_have_the_sizes_of_the_formula():
    layer = CoverageAttention(U)
    layer.build((B, T, DQ), (B, S, DV))
    assert {weight.name: tuple(weight.shape) for weight in layer.weights} == {
        "query_kernel": (DQ, U),
        "key_kernel": (DV, U),
        "vector": (U, 1),
        "bias": (U,),
        "coverage_kernel": (1, U),
    }


@pytest.mark.parametrize("units", [0, -1, 1.5, None, True])
def test_units_must_be_a_positive_int(units):
    with pytest.raises(ValueError, match="`units` must be a positive int. Received"):
        CoverageAttention(units)


def test_dropout_must_be_a_share():
    with pytest.raises(ValueError, match="`dropout` must be a number"):
        CoverageAttention(U, dropout=-0.1)


def test_the_example_runs():
    left = run_example(
        CoverageAttention,
        decoder_states=attention_inputs()["query"],
        encoder_states=attention_inputs()["value"],
    )
    assert_close(left["step_weights"][:, 0], left["weights"][:, -1])


# ---- the loss


def random_weights(seed):
    weights = np.random.default_rng(seed).dirichlet(np.ones(S), size=(B, T))
    return weights.astype("float32")


def reference_loss(weights, mask):
    """Equation 12 for each real step, averaged over them, in float64."""
    losses = []
    for rows, real in zip(weights.astype("float64"), mask, strict=True):
        rows = rows[real]
        steps = [np.minimum(rows[t], rows[:t].sum(0)).sum() for t in range(len(rows))]
        losses.append(np.mean(steps) if steps else 0.0)
    return np.array(losses, "float32")


def test_the_example_of_the_loss_runs():
    inputs = attention_inputs()
    names = {"query": inputs["query"], "value": inputs["value"]}
    loss = run_example(coverage_loss, CoverageAttention=CoverageAttention, **names)
    assert 0 < float(array(loss["loss"])) < 1


@given(st.integers(0, 100), st.lists(st.booleans(), min_size=B * T, max_size=B * T))
def test_the_loss_equals_the_formula(seed, real):
    weights, mask = random_weights(seed), np.reshape(real, (B, T))
    loss = coverage_loss(ops.convert_to_tensor(weights), mask)
    assert_close(loss, reference_loss(weights, mask))


def test_the_loss_of_a_case_that_can_be_done_by_hand():
    weights = np.array([[[0.5, 0.5, 0], [0.75, 0, 0.25], [0.25, 0.5, 0.25]]], "float32")
    # Second step: min(0.75, 0.5); third: all but nothing is new, 0.25 + 0.5 + 0.25.
    assert_close(coverage_loss(weights), np.array([(0 + 0.5 + 1.0) / 3], "float32"))


def test_attending_to_each_key_once_costs_nothing_and_again_costs_all():
    assert array(coverage_loss(np.eye(S, dtype="float32")[None]))[0] == 0
    same = np.zeros((1, 4, S), "float32")
    same[:, :, 2] = 1
    assert_close(coverage_loss(same), np.array([3 / 4], "float32"))


def test_padded_steps_cost_nothing_whatever_they_hold():
    weights = random_weights(0)
    mask = np.array([[True, False, True], [False, False, False]])
    weights[~mask] = np.nan
    expected = reference_loss(np.nan_to_num(weights), mask)
    assert_close(coverage_loss(weights, mask), expected)
    assert expected[1] == 0


def test_the_loss_is_float32_for_weights_of_low_precision():
    weights = ops.cast(random_weights(0), "bfloat16")
    loss = coverage_loss(weights)
    assert keras.backend.standardize_dtype(loss.dtype) == "float32"


@pytest.mark.skipif(keras.backend.backend() == "jax", reason="float64 is off there")
def test_the_loss_of_float64_weights_is_exact_to_float64():
    weights = np.random.default_rng(0).dirichlet(np.ones(S), size=(B, T))
    expected = np.minimum(weights, np.cumsum(weights, axis=1) - weights).sum((1, 2)) / T
    loss = coverage_loss(ops.convert_to_tensor(weights))
    assert_close(loss, expected, "float64")


class Loss(keras.layers.Layer):
    supports_masking = True

    def call(self, weights, mask=None):
        return coverage_loss(weights, mask)


def test_the_loss_has_finite_gradients():
    mask = np.array([[True, False, True], [False, False, False]])
    weights = random_weights(0)
    weights[~mask] = np.nan
    layer = Loss()
    layer.build((B, T, S))
    of_inputs, _ = gradients(layer, {"weights": weights, "mask": mask})
    assert np.isfinite(of_inputs["weights"]).all()
    assert (of_inputs["weights"][mask] != 0).any()
    assert (of_inputs["weights"][~mask] == 0).all()


@pytest.mark.parametrize("shape", [(B, 1), (B, T + 1), (1, T)])
def test_the_mask_of_the_loss_must_fit_the_weights(shape):
    with pytest.raises(ValueError, match="`mask` must have the batch size and the ste"):
        coverage_loss(np.ones((B, T, S), "float32"), np.ones(shape, bool))


@pytest.mark.parametrize(
    ("name", "shapes"), [("weights", [(B, 1, T, S)]), ("mask", [(B, T, S), (B, T, 1)])]
)
def test_the_loss_tells_which_shape_is_wrong(name, shapes):
    tensors = [np.ones(shape, "float32") for shape in shapes]
    with pytest.raises(ValueError, match=rf"`{name}` must have shape \(B, T"):
        coverage_loss(*tensors)
