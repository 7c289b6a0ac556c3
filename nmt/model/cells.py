"""The RNN cells of a translation model."""

import keras
import tensorflow as tf
from keras import layers, ops


@keras.saving.register_keras_serializable(package="nmt")
class GRUCell(layers.GRUCell):
    """Keras' GRU cell with the same weights and numbers, and a cheaper gradient.

    Keras cuts its gates out one by one, and the gradient of each cut fills a matrix of
    the size of all with zeros. Here both gates are one tensor, cut by `split`.

    Args:
        units: Int. Size of the state.
        name, dtype, trainable: As for `keras.layers.Layer`.
    """

    # None of the options of Keras' cell: `call` has its defaults built in.
    def __init__(self, units, name=None, dtype=None, trainable=True):
        super().__init__(units, name=name, dtype=dtype, trainable=trainable)

    def call(self, inputs, states, training=False):
        (state,) = states
        bias, recurrent_bias = self.bias[0], self.bias[1]
        own = ops.matmul(inputs, self.kernel) + bias
        past = ops.matmul(state, self.recurrent_kernel) + recurrent_bias
        # Keras' split works its sizes out in the graph, by twenty operations.
        sizes = [2 * self.units, self.units]
        gates_own, candidate_own = tf.split(own, sizes, axis=-1)
        gates_past, candidate_past = tf.split(past, sizes, axis=-1)
        gates = ops.sigmoid(gates_own + gates_past)
        update, reset = tf.split(gates, 2, axis=-1)
        candidate = ops.tanh(candidate_own + reset * candidate_past)
        state = candidate + update * (state - candidate)
        return state, [state]

    def get_config(self):
        config = layers.Layer.get_config(self)
        return {**config, "units": self.units}


def make_cell(config, name=None):
    """Make the cell that `ModelConfig` names."""
    kind = GRUCell if config.cell == "gru" else layers.LSTMCell
    return kind(config.units, name=name)
