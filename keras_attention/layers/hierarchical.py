"""Attention over words, then over sentences."""

import inspect
from typing import Any, Self

import keras
from keras import ops

from keras_attention.annotations import Initializer, Shape, Tensor
from keras_attention.core import (
    as_dense,
    build_once,
    check_features,
    check_int,
    check_mask,
    fits,
    hide_padding,
    initializer_for,
)
from keras_attention.layers.pooling import AttentionPooling, check_sequence


@keras.saving.register_keras_serializable(package="keras_attention")
class HierarchicalAttention(keras.layers.Layer):
    """Makes one vector of a document: of its words sentences, of these the document.

    s_i = pool(word_encoder(words of sentence i)); d = pool(sentence_encoder(s_1 … s_N))

    Both levels pool by `AttentionPooling`. The encoders let a word know its sentence
    and a sentence its document; in the paper both are bidirectional GRU layers. A
    sentence whose words are all padding is padding itself at the level above.

    Shapes: `B` batch, `N` sentences, `S` words in a sentence, `D` features.

    Args:
        units: Positive int. Size of the hidden layers that make the weights; the size
            of what is pooled if left out.
        word_encoder: A Keras layer that turns `(B, S, D)` into `(B, S, Dw)`, such as
            an RNN layer with `return_sequences`; `None` to pool the words as they are.
            If its `call` takes `mask`, the mask is passed.
        sentence_encoder: The same for the sentences, `(B, N, Dw)` to `(B, N, Ds)`.
        kernel_initializer: Initializer of the kernels of the poolings.
        **kwargs: Arguments of `keras.layers.Layer`, such as `name` and `dtype`.

    Call arguments:
        words: Shape `(B, N, S, D)`.
        mask: Boolean, shape `(B, N, S)`, `True` = attend. Words at `False` get weights
            0, whatever they hold, NaN included.
        return_attention_scores: Bool. Whether to return the weights too.

    Returns:
        document: Shape `(B, Ds)`. 0 for a document that is all padding.
        word_weights: Shape `(B, N, S)`, only if `return_attention_scores`. The words of
            each sentence sum to 1, those of a padded sentence to 0.
        sentence_weights: Shape `(B, N)`, only if `return_attention_scores`. They sum to
            1, or to 0 if all is padding.

    Raises:
        ValueError: If `units` is not a positive int, an encoder is no Keras layer or
            gives no sequence of the same length, or a shape does not fit.

    Example:
        ```python
        words = keras.Input((None, None), dtype="int32")  # B N S
        embedded = keras.layers.Embedding(10_000, 64, mask_zero=True)(words)
        gru = keras.layers.GRU(32, return_sequences=True)
        attention = HierarchicalAttention(
            units=64,
            word_encoder=keras.layers.Bidirectional(gru),
            sentence_encoder=keras.layers.GRU(64, return_sequences=True),
        )
        document, word_weights, sentence_weights = attention(
            embedded, mask=words != 0, return_attention_scores=True
        )
        ```

    Reference:
        [Yang et al., 2016](https://aclanthology.org/N16-1174/), section 2.2.
    """

    def __init__(
        self,
        units: int | None = None,
        word_encoder: keras.layers.Layer | None = None,
        sentence_encoder: keras.layers.Layer | None = None,
        kernel_initializer: Initializer = "glorot_uniform",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.units = units if units is None else check_int("units", units)
        self.word_encoder = _check_encoder("word_encoder", word_encoder)
        self.sentence_encoder = _check_encoder("sentence_encoder", sentence_encoder)
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.word_pooling = self._pooling("word_pooling")
        self.sentence_pooling = self._pooling("sentence_pooling")
        self.supports_masking = True

    def build(self, words_shape: Shape) -> None:
        check_sequence("words", words_shape, "(B, N, S, D)")
        _, sentences, length, size = words_shape
        self._word_size = size
        for name, pooling, steps in (
            ("word_encoder", self.word_pooling, length),
            ("sentence_encoder", self.sentence_pooling, sentences),
        ):
            encoder = getattr(self, name)
            if encoder is not None:
                build_once(encoder, (None, steps, size))
            size = self._encoded_size(name, steps, size)
            build_once(pooling, (None, steps, size))

    def call(
        self,
        words: Tensor,
        mask: Tensor | None = None,
        return_attention_scores: bool = False,
    ) -> Tensor | tuple[Tensor, Tensor, Tensor]:
        words = as_dense(words, self.compute_dtype)
        self._check_call(words.shape, mask)
        batch, sentences, length, size = ops.shape(words)
        words = ops.reshape(words, (batch * sentences, length, size))
        sentence_mask = None
        if mask is not None:
            mask = ops.cast(mask, "bool")
            mask = ops.broadcast_to(mask, (batch, sentences, length))
            sentence_mask = ops.any(mask, axis=-1)
            mask = ops.reshape(mask, (batch * sentences, length))
        vectors, word_weights = _pool_level(
            self.word_encoder, self.word_pooling, words, mask
        )
        vectors = ops.reshape(vectors, (batch, sentences, vectors.shape[-1]))
        document, sentence_weights = _pool_level(
            self.sentence_encoder, self.sentence_pooling, vectors, sentence_mask
        )
        if not return_attention_scores:
            return document
        word_weights = ops.reshape(word_weights, (batch, sentences, length))
        return document, word_weights, sentence_weights

    def compute_mask(self, words: Tensor, mask: Tensor | None = None) -> None:
        return None

    def compute_output_shape(self, words_shape: Shape) -> tuple[int | None, ...]:
        self._check_call(words_shape)
        batch, sentences, length, size = words_shape
        size = self._encoded_size("word_encoder", length, size)
        return batch, self._encoded_size("sentence_encoder", sentences, size)

    def compute_output_spec(
        self,
        words: Tensor,
        mask: Tensor | None = None,
        return_attention_scores: bool = False,
    ) -> Tensor | tuple[Tensor, Tensor, Tensor]:
        self._check_call(words.shape, mask)
        document = self.compute_output_shape(words.shape)
        shapes = document, words.shape[:3], words.shape[:2]
        outputs = tuple(keras.KerasTensor(each, self.compute_dtype) for each in shapes)
        return outputs if return_attention_scores else outputs[0]

    def get_config(self) -> dict[str, Any]:
        serialize = keras.saving.serialize_keras_object
        return {
            **super().get_config(),
            "units": self.units,
            "word_encoder": serialize(self.word_encoder),
            "sentence_encoder": serialize(self.sentence_encoder),
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        config = dict(config)
        for name in ("word_encoder", "sentence_encoder"):
            config[name] = keras.saving.deserialize_keras_object(config.get(name))
        return cls(**config)

    def _pooling(self, name):
        return AttentionPooling(
            self.units,
            kernel_initializer=initializer_for(self.kernel_initializer, name),
            name=name,
            dtype=self.dtype_policy,
        )

    def _check_call(self, shape, mask=None):
        check_sequence("words", shape, "(B, N, S, D)")
        if self.built:
            check_features(shape, self._word_size)
        batch, sentences, length, _ = shape
        check_mask("mask", mask, "(B, N, S)", B=batch, N=sentences, S=length)

    def _encoded_size(self, name, steps, size):
        """Give the size of features after an encoder, which must keep the steps."""
        encoder = getattr(self, name)
        if encoder is None:
            return size
        sequence = keras.KerasTensor((None, steps, size), self.compute_dtype)
        encoded = encoder.compute_output_spec(sequence)
        encoded = keras.tree.map_structure(lambda each: each.shape, encoded)
        if not _keeps_length(steps, encoded):
            raise ValueError(
                f"`{name}` must give a sequence of the same length, of shape "
                f"{(None, steps, 'features')}. Received: {name}={encoder!r}, which "
                f"gives {encoded}. An RNN layer needs `return_sequences=True` and no "
                "`return_state`."
            )
        return encoded[-1]


def _check_encoder(name, encoder):
    if encoder is not None and not isinstance(encoder, keras.layers.Layer):
        raise ValueError(
            f"`{name}` must be a Keras layer or None. Received: {name}={encoder!r}."
        )
    return encoder


def _keeps_length(steps, encoded):
    if len(encoded) != 3 or any(isinstance(each, (list, tuple)) for each in encoded):
        return False
    return fits(encoded[1], steps) and encoded[2] is not None


def _pool_level(encoder, pooling, sequence, mask):
    """Encode and pool; RNN layers take no sequence without steps."""
    if encoder is not None and sequence.shape[1] == 0:
        shape = (ops.shape(sequence)[0], 0, pooling.kernel.shape[0])
        sequence = ops.zeros(shape, sequence.dtype)
    elif encoder is not None:
        # Cleaned before: NaN in padding would stay in the states of an RNN.
        sequence = hide_padding(sequence, mask)
        takes_mask = "mask" in inspect.signature(encoder.call).parameters
        sequence = encoder(sequence, **({"mask": mask} if takes_mask else {}))
    return pooling(sequence, mask=mask, return_attention_scores=True)
