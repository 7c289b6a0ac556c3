"""The encoders of a translation model: recurrent layers, or self-attention."""

from collections.abc import Callable
from typing import Any

from keras import layers, ops

import keras_attention as ka
from nmt.model.attentions import make_positions
from nmt.model.cells import make_cell


class RNNEncoder(layers.Layer):
    """A stack of bidirectional RNN layers; outputs of shape `(B, S, 2 units)`."""

    def __init__(self, config, **kwargs):
        super().__init__(**kwargs)
        self.config = config
        self.supports_masking = True
        self.layers = [
            layers.Bidirectional(
                layers.RNN(make_cell(config), return_sequences=True),
                name=f"layer_{index}",
            )
            for index in range(config.encoder_layers)
        ]
        self.dropouts = [layers.Dropout(config.dropout) for _ in self.layers[1:]]

    def build(self, embedded_shape):
        # Without it Keras would trace a call, to find out what a call builds.
        for layer in self.layers:
            layer.build(embedded_shape)
            embedded_shape = layer.compute_output_shape(embedded_shape)
        self.built = True

    def compute_output_shape(self, embedded_shape):
        return (*embedded_shape[:2], 2 * self.config.units)

    def call(self, embedded, mask=None, training=False):
        outputs = self.layers[0](embedded, mask=mask, training=training)
        for layer, dropout in zip(self.layers[1:], self.dropouts, strict=True):
            outputs = dropout(outputs, training=training)
            outputs = layer(outputs, mask=mask, training=training)
        return outputs


class SelfAttentionEncoder(layers.Layer):
    """Self-attention layers with positions; outputs of shape `(B, S, E)`.

    Normalised before each part, with a last normalisation.

    Reference:
        [Vaswani et al., 2017](https://arxiv.org/abs/1706.03762), section 3.1; the
        place of the normalisation: [Xiong et al.,
        2020](https://arxiv.org/abs/2002.04745), section 3.
    """

    def __init__(self, config, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True
        size = config.embedding_size
        self.scale = size**0.5
        self.positions, position = make_positions(config)
        self.blocks = [
            {
                "attention": ka.MultiHeadAttention(
                    config.num_heads,
                    max(1, size // config.num_heads),
                    position=position,
                ),
                "attention_norm": layers.LayerNormalization(),
                "attention_dropout": layers.Dropout(config.dropout),
                "wide": layers.Dense(4 * size, activation="relu"),
                "narrow": layers.Dense(size),
                "feed_norm": layers.LayerNormalization(),
                "feed_dropout": layers.Dropout(config.dropout),
            }
            for _ in range(config.encoder_layers)
        ]
        self.last_norm = layers.LayerNormalization()

    def build(self, embedded_shape):
        # Builds all parts, on what `__call__` would give it.
        self.call(ops.ones((1, 2, embedded_shape[-1]), self.compute_dtype))
        self.built = True

    def compute_output_shape(self, embedded_shape):
        return embedded_shape

    def call(self, embedded, mask=None, training=False):
        outputs = embedded * self.scale
        if self.positions is not None:
            outputs = self.positions(outputs)
        for block in self.blocks:
            normal = block["attention_norm"](outputs)
            part = block["attention"](normal, normal, value_mask=mask)
            outputs += block["attention_dropout"](part, training=training)
            part = block["narrow"](block["wide"](block["feed_norm"](outputs)))
            outputs += block["feed_dropout"](part, training=training)
        return self.last_norm(outputs)


ENCODERS: dict[str, Callable[..., Any]] = {
    "rnn": RNNEncoder,
    "self-attention": SelfAttentionEncoder,
}
