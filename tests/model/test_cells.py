"""The GRU cell has the weights and the numbers of Keras'."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from nmt.config import ModelConfig
from nmt.model.cells import GRUCell, make_cell


def arrays(*shape, seed):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def test_outputs_and_gradients_are_those_of_keras():
    ours, theirs = (
        layers.RNN(kind(6), return_sequences=True) for kind in (GRUCell, layers.GRUCell)
    )
    inputs = tf.constant(arrays(3, 5, 4, seed=1))
    mask = tf.constant([[True] * 5, [True] * 3 + [False] * 2, [True] * 4 + [False]])
    for layer in (ours, theirs):
        layer(inputs)
        for seed, weight in enumerate(layer.trainable_variables):
            weight.assign(arrays(*weight.shape, seed=seed))
    found = []
    for layer in (ours, theirs):
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            outputs = layer(inputs, mask=mask)
            loss = tf.reduce_sum(outputs * arrays(3, 5, 6, seed=9))
        values = [weight.value for weight in layer.trainable_variables]
        found.append([outputs, *tape.gradient(loss, [inputs, *values])])
    for one, other in zip(*found, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)


def test_a_cell_comes_back_from_its_configuration():
    cell = GRUCell(7, name="mine")
    again = keras.saving.deserialize_keras_object(
        keras.saving.serialize_keras_object(cell)
    )
    assert type(again) is GRUCell and again.units == 7 and again.name == "mine"


@pytest.mark.parametrize(
    ("name", "kind"), [("gru", GRUCell), ("lstm", layers.LSTMCell)]
)
def test_the_settings_choose_the_cell(name, kind):
    cell = make_cell(ModelConfig(cell=name, units=9))
    assert type(cell) is kind and cell.units == 9


def test_it_takes_no_option_that_it_would_not_obey():
    with pytest.raises(TypeError, match="reset_after"):
        GRUCell(7, reset_after=False)
