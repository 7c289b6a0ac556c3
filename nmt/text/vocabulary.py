"""Text to ids and back, by SentencePiece."""

import io
import random
import re
from pathlib import Path

import sentencepiece

from nmt.errors import UserError

PAD_ID, UNKNOWN_ID, START_ID, END_ID = 0, 1, 2, 3
END_PIECE = "</s>"
UNKNOWN_PIECE = "<unk>"
SPACE = "\u2581"  # How SentencePiece writes a space, in front of a word.
# What SentencePiece takes for a blank, which is not all that Python does.
_BLANKS = re.compile(r"[^\S\v\x1c-\x1f\x85]+")


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
        self._ranks = None

    @classmethod
    def train(cls, lines, size):
        """Learn the pieces of a text.

        Args:
            lines: Iterable of sentences, of both languages.
            size: Int. Number of pieces. Fewer are made when the text has not so many.

        Raises:
            UserError: If the text has more distinct characters than `size` holds.
        """
        model = io.BytesIO()
        try:
            sentencepiece.SentencePieceTrainer.Train(
                sentence_iterator=iter(lines),
                model_writer=model,
                vocab_size=size,
                model_type="bpe",
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
        # ValueError: a size that is no int of C++.
        except (RuntimeError, ValueError) as error:
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
            raise UserError(
                f"Cannot read {path}: {error.strerror}. Expected a folder that "
                "`nmt train` made."
            ) from None
        except UserError as error:
            raise UserError(f"{path}: {error}") from None

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

        SentencePiece draws such splits too, but from random numbers that differ from
        one process to the next whatever the seed.

        Args:
            texts: Sequence of sentences.
            alpha: Float in [0, 1). Share of the merges left out, at each merge anew.
            seed: Int.

        Reference:
            [Provilkov et al., 2020](https://arxiv.org/abs/1910.13267), section 3,
            algorithm 1.
        """
        if self._ranks is None:
            # Special pieces are made of no characters, though they may look so.
            real = range(END_ID + 1, len(self))
            self._ranks = {self._processor.IdToPiece(i): i for i in real}
        draw = random.Random(seed).random
        return [
            _unknown_once(
                self._ranks.get(piece, UNKNOWN_ID)
                for word in "".join(pieces).replace(SPACE, f" {SPACE}").split(" ")
                for piece in _merge(word, self._ranks, alpha, draw)
            )
            for pieces in self._processor.EncodeAsPieces(list(texts))
        ]

    def text(self, ids):
        """Join ids to text; special ids are left out."""
        return self._processor.DecodeIds([int(i) for i in ids if i > END_ID])


def split_words(text: str) -> list[str]:
    """Split a text at its blanks, those that no piece goes beyond."""
    return [word for word in _BLANKS.split(text) if word]


def _unknown_once(ids):
    """Make one id of unknown characters that are neighbours, as SentencePiece does."""
    kept: list[int] = []
    for each in ids:
        if each != UNKNOWN_ID or kept[-1:] != [UNKNOWN_ID]:
            kept.append(each)
    return kept


def _merge(word, ranks, alpha, draw):
    """Merge the characters of a word by rank, each time without a share of merges."""
    pieces = list(word)
    while True:
        best = None
        for place, pair in enumerate(zip(pieces, pieces[1:], strict=False)):
            rank = ranks.get("".join(pair))
            if rank is None or draw() < alpha:
                continue
            if best is None or rank < best[0]:
                best = rank, place
        if best is None:
            return pieces
        place = best[1]
        pieces[place : place + 2] = ["".join(pieces[place : place + 2])]
