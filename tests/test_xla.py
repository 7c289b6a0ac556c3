"""Layers that loop, trained by `fit` with XLA, which TensorFlow must be asked for."""

import keras
import numpy as np
import pytest
from helpers import DQ, DV, B, S, T, U, attention_inputs, randomise
from keras import layers

import keras_attention as ka

pytestmark = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow",
    reason="JAX trains with XLA in every other test; no other backend has it",
)

UNITS = 4
ATTENTIONS = {
    "location": lambda: ka.LocationSensitiveAttention(U, filters=3, kernel_size=3),
    "monotonic": lambda: ka.MonotonicAttention(ka.BahdanauAttention(U), noise=0),
    "previous": lambda: ka.AttentionRNN(layers.GRUCell(UNITS), ka.BahdanauAttention(U)),
    "current": lambda: ka.AttentionRNN(
        [layers.LSTMCell(UNITS), layers.SimpleRNNCell(UNITS)],
        [ka.MultiHeadAttention(2, 3), ka.CoverageAttention(U)],
        order="current",
        attentional_units=UNITS,
        input_feeding=True,
    ),
}


def step_of_fit(make, **options):
    """Train a step from random weights; give the loss and the weights after it."""
    names = ("query", "value", "query_mask", "value_mask")
    query, value, query_mask, value_mask = inputs = [
        keras.Input((T, DQ)),
        keras.Input((S, DV)),
        keras.Input((T,), dtype="bool"),
        keras.Input((S,), dtype="bool"),
    ]
    layer = make()
    if isinstance(layer, ka.AttentionRNN):
        masks = {"sequence_mask": query_mask, "memory_mask": value_mask}
    else:
        masks = {"query_mask": query_mask, "value_mask": value_mask}
    model = keras.Model(inputs, layer(query, value, **masks))
    randomise(model)
    model.compile("sgd", "mse", **options)
    assert model.jit_compile == options.get("jit_compile", False)
    data = attention_inputs()
    data["query_mask"] = np.array([[True] * T, [True] * (T - 1) + [False]])
    data["value_mask"] = np.array([[True] * S, [True] * (S - 2) + [False] * 2])
    given = [data[name] for name in names]
    history = model.fit(given, np.ones((B, T, model.output.shape[-1])), verbose=0)
    return [np.array(history.history["loss"]), *model.get_weights()]


@pytest.mark.parametrize("make", ATTENTIONS.values(), ids=ATTENTIONS)
def test_a_step_with_xla_is_the_same_as_without(make):
    found = step_of_fit(make, jit_compile=True)
    for one, other in zip(found, step_of_fit(make, run_eagerly=True), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)
