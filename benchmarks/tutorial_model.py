"""The model of TensorFlow's tutorial "Neural machine translation with attention".

Code of our own with the architecture and the settings of
https://www.tensorflow.org/text/tutorials/nmt_with_attention, to compare ours with;
`tutorial_baseline.py` says what differs.
"""

from dataclasses import dataclass

import keras
import numpy as np
import tensorflow as tf
import tensorflow_text
from keras import layers, ops

from nmt.corpora.parallel import ParallelText

BATCH_SIZE = 64
MAX_LENGTH = 50  # of a translation, in words
NUM_WORDS = 5000
UNITS = 256
PAD_ID = 0


def standardize(text):
    """Return text in the tutorial's form: small letters a to z and `.?!,¿`, apart.

    Args:
        text: Tensor of strings, or what makes one.

    Returns:
        Tensor of strings. Accents are dropped, and so is every other character.
    """
    text = tensorflow_text.normalize_utf8(text, "NFKD")
    text = tf.strings.lower(text)
    text = tf.strings.regex_replace(text, r"[^ a-z.?!,¿]", "")
    text = tf.strings.regex_replace(text, r"[.?!,¿]", r" \0 ")
    return tf.strings.strip(text)


def with_ends(text):
    """Return `standardize(text)` between the words `[START]` and `[END]`."""
    return tf.strings.join(["[START]", standardize(text), "[END]"], separator=" ")


@dataclass(frozen=True)
class Words:
    """The words of both languages, most frequent first.

    Args:
        source: Adapted `TextVectorization`: texts to ragged word numbers.
        target: Likewise.
    """

    source: layers.TextVectorization
    target: layers.TextVectorization

    @classmethod
    def of(cls, text: ParallelText) -> "Words":
        """Count the words of a training part."""
        sides = []
        for sentences in text:
            side = layers.TextVectorization(
                max_tokens=NUM_WORDS, standardize=with_ends, ragged=True
            )
            side.adapt(tf.data.Dataset.from_tensor_slices(list(sentences)).batch(1024))
            sides.append(side)
        return cls(*sides)

    def batches(self, text: ParallelText, seed: int) -> tf.data.Dataset:
        """Return `((source, target_in), target_out)`, shuffled, of mixed lengths."""

        def numbers(source, target):
            target = self.target(target)
            inputs = self.source(source).to_tensor(), target[:, :-1].to_tensor()
            return inputs, target[:, 1:].to_tensor()

        pairs = tf.data.Dataset.from_tensor_slices(tuple(map(list, text)))
        shuffled = pairs.shuffle(len(text.source), seed=seed)
        return shuffled.batch(BATCH_SIZE).map(numbers, tf.data.AUTOTUNE)


class TutorialModel(keras.Model):
    """Encoder and decoder of the tutorial.

    The decoder does not start from the encoder's state, and its GRU does not see what
    was attended to: all that it knows of the source comes after the GRU.

    Args:
        words: `Words`.
    """

    def __init__(self, words):
        super().__init__()

        def gru(**options):
            return layers.GRU(
                UNITS,
                return_sequences=True,
                recurrent_initializer="glorot_uniform",
                **options,
            )

        num_target_words = words.target.vocabulary_size()
        self.source_embedding = layers.Embedding(words.source.vocabulary_size(), UNITS)
        self.encoder = layers.Bidirectional(gru(), merge_mode="sum")
        self.target_embedding = layers.Embedding(num_target_words, UNITS)
        self.decoder = gru(return_state=True)
        self.attention = layers.MultiHeadAttention(num_heads=1, key_dim=UNITS)
        self.norm = layers.LayerNormalization()
        self.readout = layers.Dense(num_target_words)

    def call(self, inputs):
        source, target_in = inputs
        # What follows padding of the target has no loss: the GRU needs no mask there.
        state = ops.zeros((ops.shape(target_in)[0], UNITS))
        return self.decode(target_in, state, *self.encode(source))[0]

    def encode(self, source):
        """Return the encoder outputs `(B, S, UNITS)` and their mask `(B, S)`."""
        mask = ops.not_equal(source, PAD_ID)
        return self.encoder(self.source_embedding(source), mask=mask), mask

    def decode(self, target, state, memory, mask):
        """Return the logits `(B, T, words)` after each word, and the GRU's state."""
        hidden, state = self.decoder(self.target_embedding(target), initial_state=state)
        context = self.attention(hidden, memory, value_mask=mask)
        return self.readout(self.norm(hidden + context)), state


def masked_loss(target, logits):
    """Return the mean cross-entropy of the words that are no padding, in nats."""
    losses = keras.losses.sparse_categorical_crossentropy(
        target, logits, from_logits=True
    )
    real = ops.cast(ops.not_equal(target, PAD_ID), losses.dtype)
    return ops.sum(losses * real) / ops.sum(real)


def greedy(model, words, sources):
    """Translate by taking the likeliest word at each step."""
    vocabulary = np.array(words.target.get_vocabulary())
    start_id, end_id = (list(vocabulary).index(end) for end in ("[START]", "[END]"))
    encode = tf.function(model.encode, reduce_retracing=True)
    decode = tf.function(model.decode, reduce_retracing=True)
    texts = []
    for first in range(0, len(sources), BATCH_SIZE):
        batch = words.source(sources[first : first + BATCH_SIZE]).to_tensor()
        memory, mask = encode(batch)
        state = tf.zeros((len(batch), UNITS))
        word, found = np.full(len(batch), start_id), []
        ended = np.zeros(len(batch), bool)
        while not ended.all() and len(found) < MAX_LENGTH:
            logits, state = decode(tf.constant(word[:, None]), state, memory, mask)
            word = np.argmax(logits[:, -1], axis=-1)
            ended |= word == end_id
            word[ended] = PAD_ID
            found.append(word)
        rows = np.stack(found, axis=1)
        texts += [" ".join(vocabulary[row[row != PAD_ID]]) for row in rows]
    return texts
