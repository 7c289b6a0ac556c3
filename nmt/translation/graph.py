"""Text to ids and back inside a TensorFlow graph, as an exported model does it."""

import tensorflow as tf
import tensorflow_text

from nmt.text import END_ID, PAD_ID


class GraphVocabulary(tf.Module):
    """A vocabulary as tensorflow-text has it; a graph that is saved takes it along.

    TensorFlow throws away what it holds when it clears its caches, as it does whenever
    a seed is set: make it, trace the graph, save.

    Args:
        vocabulary: `Vocabulary`.
    """

    def __init__(self, vocabulary):
        super().__init__()
        self.tokenizer = tensorflow_text.SentencepieceTokenizer(vocabulary.model)
        self.names = vocabulary.pieces(range(len(vocabulary)))

    def ids(self, texts):
        """Split strings `(B,)` into a ragged tensor of int32 ids, no end among them."""
        return self.tokenizer.tokenize(texts)

    def source(self, texts):
        """Split strings `(B,)` into int32 ids `(B, S)`: an end each, then padding."""
        ids = self.ids(texts)
        end = tf.fill([tf.shape(ids)[0], 1], END_ID)
        return tf.concat([ids, end], axis=1).to_tensor(PAD_ID)

    def text(self, ids):
        """Join ids `(B, T)` to strings `(B,)`. What is no real piece is left out."""
        return self.tokenizer.detokenize(tf.ragged.boolean_mask(ids, ids > END_ID))

    def pieces(self, ids):
        """Name ids as pieces; padding is empty."""
        return tf.gather(tf.constant(["", *self.names[1:]]), ids)
