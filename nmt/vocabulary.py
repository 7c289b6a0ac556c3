"""Text to ids and back, by SentencePiece."""

import io
from pathlib import Path

import sentencepiece

from nmt.errors import UserError
from nmt.files import write_whole

PAD_ID, UNKNOWN_ID, START_ID, END_ID = 0, 1, 2, 3
END_PIECE = "</s>"


class Vocabulary:
    """A SentencePiece model of both languages.

    Args:
        model: Bytes of the SentencePiece model.

    Raises:
        UserError: If the bytes are no such model, or one with other special ids.
    """

    def __init__(self, model):
        self.model = model
        self._processor = sentencepiece.SentencePieceProcessor()
        try:
            self._processor.LoadFromSerializedProto(model)
        except RuntimeError:
            raise UserError(
                "The vocabulary is not a SentencePiece model. Expected a folder that "
                "`nmt train` made."
            ) from None
        ids = (
            self._processor.pad_id(),
            self._processor.unk_id(),
            self._processor.bos_id(),
            self._processor.eos_id(),
        )
        if ids != (PAD_ID, UNKNOWN_ID, START_ID, END_ID):
            raise UserError(
                f"The vocabulary has special ids {ids}; expected "
                f"{(PAD_ID, UNKNOWN_ID, START_ID, END_ID)} as `nmt train` sets them."
            )
        self._graph_tokenizer = None

    @classmethod
    def train(cls, lines, size, model_type="bpe"):
        """Learn the pieces of a text.

        Args:
            lines: Iterable of sentences, of both languages.
            size: Int. Number of pieces. Fewer are made when the text has not so many.
            model_type: `"bpe"` or `"unigram"`.

        Raises:
            UserError: If the text has more distinct characters than `size` holds.
        """
        model = io.BytesIO()
        try:
            sentencepiece.SentencePieceTrainer.Train(
                sentence_iterator=iter(lines),
                model_writer=model,
                vocab_size=size,
                model_type=model_type,
                hard_vocab_limit=False,
                character_coverage=1.0,
                pad_id=PAD_ID,
                unk_id=UNKNOWN_ID,
                bos_id=START_ID,
                eos_id=END_ID,
                # One thread: the pieces must not depend on the machine.
                num_threads=1,
                minloglevel=2,
            )
        except RuntimeError as error:
            reason = str(error).strip().splitlines()[-1]
            raise UserError(
                f"SentencePiece cannot make a vocabulary of {size} pieces: {reason} "
                "Choose another --vocabulary-size, or give more text."
            ) from None
        return cls(model.getvalue())

    @classmethod
    def load(cls, path):
        """Read a vocabulary; `UserError` if it is missing or broken."""
        try:
            return cls(Path(path).read_bytes())
        except OSError as error:
            raise UserError(f"Cannot read {path}: {error.strerror}.") from None

    def save(self, path):
        """Write the SentencePiece model, whole or not at all."""
        write_whole(path, lambda partial: partial.write_bytes(self.model))

    def __len__(self):
        return self._processor.vocab_size()

    def pieces(self, ids):
        """Name ids as pieces."""
        return [self._processor.IdToPiece(int(i)) for i in ids]

    def ids(self, texts):
        """Split texts into ids, by the best split, without start and end."""
        return self._processor.EncodeAsIds(list(texts))

    def sample_ids(self, texts, alpha, seed):
        """Split texts into ids at random, the same for the same seed.

        Args:
            texts: Sequence of sentences.
            alpha: Float in (0, 1). For `bpe` the share of merges left out; for
                `unigram` the sharpness of the distribution over splits.
            seed: Int.

        Reference:
            [Kudo, 2018](https://arxiv.org/abs/1804.10959), section 3.2 (unigram);
            [Provilkov et al., 2020](https://arxiv.org/abs/1910.13267), section 3 (bpe).
        """
        # SentencePiece seeds its generator once per thread, and its batch call works in
        # a new thread each time: one thread makes the result a function of the seed.
        sentencepiece.set_random_generator_seed(seed % 2**31)
        return self._processor.Encode(
            list(texts),
            out_type=int,
            enable_sampling=True,
            alpha=alpha,
            nbest_size=-1,
            num_threads=1,
        )

    def text(self, ids):
        """Join ids to text; special ids are left out."""
        return self._processor.DecodeIds([int(i) for i in ids if i > END_ID])

    def graph_ids(self, texts):
        """Split a tensor of strings into ids inside a TensorFlow graph.

        Args:
            texts: Strings, shape `(B,)`.

        Returns:
            Int32 ids, shape `(B, S)`: the end id last, then padding.
        """
        import tensorflow as tf

        ids = self._tokenizer().tokenize(texts)
        end = tf.fill([tf.shape(ids)[0], 1], END_ID)
        return tf.concat([ids, end], axis=1).to_tensor(PAD_ID)

    def graph_text(self, ids):
        """Join ids to strings inside a TensorFlow graph.

        Args:
            ids: Int32 ids, shape `(B, T)`. What is not a real piece is left out.

        Returns:
            Strings, shape `(B,)`.
        """
        import tensorflow as tf

        return self._tokenizer().detokenize(tf.ragged.boolean_mask(ids, ids > END_ID))

    def _tokenizer(self):
        if self._graph_tokenizer is None:
            import tensorflow_text

            self._graph_tokenizer = tensorflow_text.SentencepieceTokenizer(self.model)
        return self._graph_tokenizer
