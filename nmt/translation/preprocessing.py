"""Texts to the pieces of a model, in the form of text that the model knows."""

import logging
from bisect import bisect_right

from nmt.config import LONGEST
from nmt.errors import UserError
from nmt.text import (
    UNKNOWN_ID,
    as_published,
    check_lengths,
    published_words,
    split_words,
)

_log = logging.getLogger(__name__)


class Preprocessor:
    """Splits texts of both sides into ids.

    A model of text as its publishers tokenised it gets all text in that form; what is
    not yet is changed, see `nmt.text.as_published`, which is logged once.

    A side is `source` or `target`.

    Args:
        vocabulary: `Vocabulary`.
        corpus: `CorpusConfig`, of languages and the form of text.
    """

    def __init__(self, vocabulary, corpus):
        self.vocabulary = vocabulary
        self.corpus = corpus
        self._published = corpus.text == "tok"
        self._told = False

    def ids(self, texts, side):
        """Return the ids of each text, however long it is."""
        texts = list(texts)
        if not self._published:
            return self.vocabulary.ids(texts)
        language = getattr(self.corpus, side)
        published = [as_published(text, language) for text in texts]
        if not self._told and published != texts:
            self._told = True
            _log.warning(
                "The model knows text in small letters, with punctuation set apart by "
                "spaces (--text tok); other text is changed into that."
            )
        return self.vocabulary.ids(published)

    def fitting_ids(self, texts, side):
        """Return the ids of each text.

        Raises:
            UserError: If a text is too long.
        """
        ids = self.ids(texts, side)
        check_lengths(ids, texts)
        return ids

    def source_ids(self, texts):
        """Return the ids of each text that is to be translated.

        Raises:
            UserError: If a text has no pieces, as blanks have none, or is too long.
        """
        ids = self.fitting_ids(texts, "source")
        for text, pieces in zip(texts, ids, strict=True):
            if not pieces:
                raise UserError(f"Nothing to translate: got {text!r}. Give a text.")
        return ids

    def prefix_ids(self, prefix):
        """Return the ids of what a translation begins with.

        Raises:
            UserError: If it is too long, or has a character that no piece writes.
        """
        (ids,) = self.fitting_ids([prefix], "target")
        if UNKNOWN_ID in ids:
            raise UserError(
                f"The translation cannot begin with {prefix!r}: the model has no piece "
                "for one of its characters."
            )
        return ids

    def pieces_of_words(self, text, side):
        """Count the pieces of each word, which are the same alone and in the text."""
        words = split_words(text)
        if self._published:
            words = published_words(text, getattr(self.corpus, side))
        return [len(ids) for ids in self.vocabulary.ids(words)]

    def count_pieces(self, texts, side="source"):
        """Return the number of pieces of each text, the end included."""
        return [len(ids) + 1 for ids in self.ids(texts, side)]

    def shorten(self, text, side="source"):
        """Return the longest beginning of a text that is not too long.

        It ends where a word does, unless its first word is too long.
        """

        def count(length):
            return self.count_pieces([text[:length]], side)[0]

        if count(len(text)) <= LONGEST:
            return text
        end = bisect_right(range(len(text)), LONGEST, key=count)
        beginning = text[: end - 1]
        return beginning.rpartition(" ")[0].strip() or beginning
