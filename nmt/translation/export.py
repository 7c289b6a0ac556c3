"""A model as a program of its own: a SavedModel from strings to strings.

It holds the vocabulary too, and is loaded by `tensorflow` and `tensorflow_text` alone.
"""

import tensorflow as tf

from nmt.files import remove_partial_files, write_numbered_folder
from nmt.model import models_of
from nmt.text import END_ID, PAD_ID
from nmt.translation.batching import usual_pieces
from nmt.translation.compiled import compile_search
from nmt.translation.graph import GraphVocabulary
from nmt.translation.system_errors import errors_of_the_system


class ExportedModel(tf.Module):
    """What is saved: two signatures over one model.

    Args:
        translator: `Translator`.
        beam_size: Int. Beams of both.
    """

    def __init__(self, translator, beam_size):
        super().__init__()
        self.beam_size = beam_size
        self.vocabulary = GraphVocabulary(translator.vocabulary)
        models = models_of(translator.model)
        self.weights = [each.value for model in models for each in model.variables]
        options = {"beam_size": beam_size}
        self._best = compile_search(translator.model, "beam", options)
        all_ = {**options, "n_best": beam_size}
        self._all = compile_search(translator.model, "beam", all_)

    @tf.function(
        input_signature=[tf.TensorSpec((None,), tf.string, "text")], autograph=False
    )
    def serve(self, text):
        """Translate: the best translation of each text, and its score."""
        source = self.vocabulary.source(text)
        prefix = tf.zeros((tf.shape(source)[0], 0), tf.int32)
        tokens, _, scores, _ = self._search(self._best, source, prefix)
        found = self.vocabulary.text(tokens[:, 0])
        blank = source[:, 0] == END_ID
        return {
            "text": tf.where(blank, "", found),
            "score": tf.where(blank, 0.0, scores[:, 0]),
        }

    @tf.function(
        input_signature=[
            tf.TensorSpec((None,), tf.string, "text"),
            tf.TensorSpec((None,), tf.string, "prefix"),
            tf.TensorSpec((), tf.int32, "n_best"),
        ],
        autograph=False,
    )
    def translate(self, text, prefix, n_best):
        """Translate, and tell all: several translations, their pieces and weights."""
        source = self.vocabulary.source(text)
        beginning = self.vocabulary.ids(prefix).to_tensor(PAD_ID)
        found = self._search(self._all, source, beginning)
        count = tf.clip_by_value(n_best, 1, self.beam_size)
        tokens, lengths, scores, weights = (part[:, :count] for part in found)
        shape = tf.shape(tokens)
        texts = self.vocabulary.text(tf.reshape(tokens, (-1, shape[2])))
        return {
            "text": tf.reshape(texts, shape[:2]),
            "score": scores,
            "length": lengths,
            "pieces": self.vocabulary.pieces(tokens),
            "source_pieces": self.vocabulary.pieces(source),
            "attention": weights,
        }

    def _search(self, search, source, prefix):
        pieces = tf.reduce_sum(tf.cast(source != PAD_ID, tf.int32), axis=1)
        begun = tf.reduce_sum(tf.cast(prefix != PAD_ID, tf.int32), axis=1)
        return search(source, usual_pieces(pieces, begun), 0, prefix)


def export_model(translator, folder, beam_size=5):
    """Save a model for programs that know nothing of this one.

    Args:
        translator: `Translator`.
        folder: Folder of all versions of the model, as TensorFlow Serving expects it.
            The new one is a folder in it, named by the next number.
        beam_size: Int. Beams of the search.

    Returns:
        Path of the new version. It is there whole or not at all.

    Raises:
        OSError: If it cannot be written.
    """
    remove_partial_files(folder)
    module = ExportedModel(translator, beam_size)
    signatures = {"serving_default": module.serve, "translate": module.translate}

    def save(partial):
        with errors_of_the_system():
            tf.saved_model.save(module, str(partial), signatures=signatures)

    return write_numbered_folder(folder, save)
