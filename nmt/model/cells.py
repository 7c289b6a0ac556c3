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
        recurrent_dropout: Float in [0, 1). Share of the state that the products of a
            step do not see in training; one draw for all steps of a sequence.
        name, dtype, trainable: As for `keras.layers.Layer`.

    Reference:
        Dropout: [Gal & Ghahramani, 2016](https://arxiv.org/abs/1512.05287), section 4.
    """

    # No other options of Keras' cell: `call` has its defaults built in.
    def __init__(
        self, units, recurrent_dropout=0.0, name=None, dtype=None, trainable=True
    ):
        super().__init__(
            units,
            recurrent_dropout=recurrent_dropout,
            name=name,
            dtype=dtype,
            trainable=trainable,
        )
        self.dropout_mask_count = None  # one draw, not one for each gate

    def call(self, inputs, states, training=False):
        own = ops.matmul(inputs, self.kernel) + self.bias[0]
        state = self.advance(own, states[0], training)
        return state, [state]

    def advance(self, own, state, training=False):
        """Give the next state.

        Args:
            own: Inputs by `kernel`, with their half of `bias`, shape `(B, 3 units)`.
            state: Shape `(B, units)`.
            training: Bool. Whether dropout acts.
        """
        recurrent_bias = self.bias[1]
        seen = state
        if training and self.recurrent_dropout:
            seen = state * self.get_recurrent_dropout_mask(state)
        past = ops.matmul(seen, self.recurrent_kernel) + recurrent_bias
        # Keras' split works its sizes out in the graph, by twenty operations.
        sizes = [2 * self.units, self.units]
        gates_own, candidate_own = tf.split(own, sizes, axis=-1)
        gates_past, candidate_past = tf.split(past, sizes, axis=-1)
        gates = ops.sigmoid(gates_own + gates_past)
        update, reset = tf.split(gates, 2, axis=-1)
        candidate = ops.tanh(candidate_own + reset * candidate_past)
        return candidate + update * (state - candidate)

    def get_config(self):
        config = layers.Layer.get_config(self)
        dropout = {"recurrent_dropout": self.recurrent_dropout}
        return {**config, "units": self.units, **dropout}


def make_cell(config, name=None):
    """Make the cell that `ModelConfig` names."""
    kind = GRUCell if config.cell == "gru" else layers.LSTMCell
    return kind(config.units, recurrent_dropout=config.recurrent_dropout, name=name)
