"""The GRU cell has the weights and the numbers of Keras'."""

import itertools

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


def test_dropout_hides_the_same_part_of_the_state_at_each_step_of_a_sequence():
    layer = layers.RNN(GRUCell(6, recurrent_dropout=0.5), return_sequences=True)
    inputs = arrays(3, 5, 4, seed=1)
    layer(inputs)
    for seed, weight in enumerate(layer.trainable_variables):
        weight.assign(arrays(*weight.shape, seed=seed))
    whole = layer(inputs)
    keras.utils.set_random_seed(7)
    found = layer(inputs, training=True)
    np.testing.assert_array_equal(found[:, 0], whole[:, 0])  # the first state is 0
    np.testing.assert_array_equal(layer(inputs), whole)
    assert np.abs(found - whole).max() > 0.01
    assert np.abs(layer(inputs, training=True) - found).max() > 0.01
    # Of all masks there can be, one used at each step gives what was found.
    cell, masks = layer.cell, list(itertools.product((0.0, 2.0), repeat=6))
    for row in range(3):
        states = [np.zeros((1, 6), "float32")] * len(masks)
        for step in range(5):
            states = [
                by_hand(cell, inputs[row : row + 1, step], state, np.array([mask]))
                for state, mask in zip(states, masks, strict=True)
            ]
        gaps = [np.abs(state - found[row, -1]).max() for state in states]
        assert min(gaps) < 1e-5 < sorted(gaps)[1]


def by_hand(cell, inputs, state, mask):
    """One step of the equations, of a state of which a mask is seen."""
    own = inputs @ cell.kernel.numpy() + cell.bias.numpy()[0]
    past = (state * mask) @ cell.recurrent_kernel.numpy() + cell.bias.numpy()[1]
    update, reset = 1 / (1 + np.exp(-(own + past)[:, :12].reshape(2, 6)[:, None]))
    candidate = np.tanh(own[:, 12:] + reset * past[:, 12:])
    return update * state + (1 - update) * candidate


def test_a_cell_comes_back_from_its_configuration():
    cell = GRUCell(7, recurrent_dropout=0.25, name="mine")
    again = keras.saving.deserialize_keras_object(
        keras.saving.serialize_keras_object(cell)
    )
    assert type(again) is GRUCell and again.get_config() == cell.get_config()


@pytest.mark.parametrize(
    ("name", "kind"), [("gru", GRUCell), ("lstm", layers.LSTMCell)]
)
def test_the_settings_choose_the_cell(name, kind):
    cell = make_cell(ModelConfig(cell=name, units=9))
    assert type(cell) is kind and cell.units == 9


def test_it_takes_no_option_that_it_would_not_obey():
    with pytest.raises(TypeError, match="reset_after"):
        GRUCell(7, reset_after=False)
