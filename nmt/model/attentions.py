"""The attentions and the positions that a model can be configured with, by name."""

import keras
from keras import ops

import keras_attention as ka
from nmt.config import ATTENTIONS, LONGEST


@keras.saving.register_keras_serializable(package="nmt")
class MeanAttention(ka.ScoreAttention):
    """No attention: every source piece counts alike, at every step."""

    def score(self, query, key):
        return ops.zeros((ops.shape(query)[0], ops.shape(query)[1], ops.shape(key)[1]))


def register_attention(name, make):
    """Let models be configured with an attention of one's own.

    To be called before a model of that kind is trained, and before it is loaded. Its
    queries are states of the decoder, of `units` features; its keys are outputs of the
    encoder: of `2 * units` features with the encoder "rnn", `embedding_size` with the
    other, and with `attend_embeddings` of `embedding_size` more.

    Args:
        name: Str. What the option `attention` shall say.
        make: Function of a `ModelConfig` that gives an attention layer, such as a
            subclass of `keras_attention.ScoreAttention`.

    Raises:
        ValueError: If the name is taken.

    Example:
        ```python
        from nmt.presets import PRESETS


        class Distance(keras_attention.ScoreAttention):
            def build(self, query_shape, value_shape, key_shape=None):
                super().build(query_shape, value_shape, key_shape)
                self.kernel = self.add_weight((value_shape[-1], query_shape[-1]))

            def project_key(self, key):
                return keras.ops.matmul(key, self.kernel)

            def score(self, query, key):
                gap = query[:, :, None] - key[:, None]
                return -keras.ops.sum(gap**2, axis=-1)


        register_attention("distance", lambda config: Distance(name="attention"))
        config = PRESETS["demo"].replace(attention="distance")
        ```
    """
    if name in ATTENTIONS:
        raise ValueError(
            f"`name` must be none of {', '.join(ATTENTIONS)}. Received: name={name!r}."
        )
    _MAKERS[name] = make
    ATTENTIONS.append(name)


def make_attention(config):
    """Make the attention of the decoder.

    Args:
        config: `ModelConfig`.

    Returns:
        A layer that `AttentionRNN` takes.
    """
    return _MAKERS[config.attention](config)


def make_positions(config):
    """Make what tells a self-attention encoder the places of the pieces.

    Args:
        config: `ModelConfig`.

    Returns:
        `(layer, position)`: a layer for the embeddings or `None`, and the argument
        `position` of `MultiHeadAttention`.
    """
    if config.position == "sinusoidal":
        return ka.PositionalEncoding(), None
    if config.position == "learned":
        return ka.PositionEmbedding(LONGEST), None
    return None, config.position


def _bahdanau(config, **options):
    return ka.BahdanauAttention(config.attention_units, name="attention", **options)


def _luong(config, **options):
    return ka.LuongAttention(name="attention", **{"score": "general", **options})


def _multi_head(config):
    key_dim = max(1, config.units // config.num_heads)
    return ka.MultiHeadAttention(config.num_heads, key_dim, name="attention")


def _location(config, **options):
    return ka.LocationSensitiveAttention(
        config.attention_units, name="attention", **options
    )


def _monotonic(config, **options):
    score = ka.BahdanauAttention(config.attention_units, normalize=True)
    return ka.MonotonicAttention(score, name="attention", **options)


_MAKERS = {
    "bahdanau": _bahdanau,
    "bahdanau-normalized": lambda config: _bahdanau(config, normalize=True),
    "luong": _luong,
    "luong-concat": lambda config: _luong(
        config, score="concat", units=config.attention_units
    ),
    "luong-local-m": lambda config: _luong(config, window="monotonic"),
    "luong-local-p": lambda config: _luong(config, window="predictive"),
    "multi-head": _multi_head,
    "location": _location,
    "location-cumulative": lambda config: _location(config, cumulative=True),
    "coverage": lambda config: ka.CoverageAttention(
        config.attention_units, name="attention"
    ),
    "monotonic": _monotonic,
    "monotonic-parallel": lambda config: _monotonic(config, mode="parallel"),
    "none": lambda config: MeanAttention(name="attention"),
}
