"""Word links read from attention, for words that are split otherwise than pieces.

Gold links count words as their annotators split them: `¿`, a full stop or a possessive
`'s` may be a word there and here be in one piece with its neighbour. What both have in
common are the characters.
"""

import itertools
import unicodedata
from collections.abc import Sequence

import numpy as np

from keras_attention import alignment_error_rate, hard_links
from nmt.errors import UserError
from nmt.evaluation.gold import GoldSentence
from nmt.links import Aligner
from nmt.text import END_PIECE, SPACE, UNKNOWN_PIECE


def piece_shares(pieces, words):
    """Say what share of each piece's characters is in each word.

    Args:
        pieces: `P` SentencePiece pieces of a sentence, without special ones. An
            unknown piece is one or more characters.
        words: `W` strings, the words of the same sentence, none of them empty.

    Returns:
        Float64 array, shape `(P, W)`, whose rows sum to 1. A piece that is a bare word
        mark belongs to the word after it, or at the end to the last one.

    Raises:
        ValueError: If pieces and words do not spell the same sentence.
    """
    # SentencePiece normalises text before splitting it.
    parts = [unicodedata.normalize("NFKC", word).split() for word in words]
    spans = _spans(pieces, list(itertools.chain.from_iterable(parts)))
    if spans is None:
        raise ValueError(
            "`pieces` and `words` must spell the same sentence. "
            f"Received: pieces={pieces!r}, words={words!r}."
        )
    lengths = [sum(map(len, each)) for each in parts]
    word_of = np.repeat(np.arange(len(words)), lengths)
    shares = np.zeros((len(pieces), len(words)))
    for number, (start, end) in enumerate(spans):
        for word in word_of[start:end] if start < end else word_of[start:][:1]:
            shares[number, word] += 1
        if start == end == len(word_of):
            shares[number, -1] = 1
    return shares / shares.sum(axis=1, keepdims=True)


def _spans(pieces, parts):
    """Say where each piece is in the text of the parts; `None` if nowhere.

    A piece with a word mark begins where a part does. An unknown one ends as soon as
    the pieces after it can begin.
    """
    text = "".join(parts)
    begins = {0, *itertools.accumulate(map(len, parts))}
    starts = [{len(text)}] if text else [set()]  # of each piece, from the last on
    for piece in reversed(pieces):
        ends = starts[-1]
        if piece == UNKNOWN_PIECE:
            found = set(range(max(ends, default=0)))
        else:
            letters = piece.replace(SPACE, "")
            found = {e - len(letters) for e in ends if text.endswith(letters, 0, e)}
            if piece.startswith(SPACE):
                found &= begins
        starts.append(found)
    if 0 not in starts.pop():
        return None
    spans, start = [], 0
    for piece in pieces:
        ends = starts.pop()
        if piece == UNKNOWN_PIECE:
            end = min(end for end in ends if end > start)
        else:
            end = start + len(piece.replace(SPACE, ""))
        spans.append((start, end))
        start = end
    return spans


def word_links(translation, source_words, target_words):
    """Link each target word to the source word that it attends to most.

    A source word gets the sum of its pieces' weights, a target word the mean of its
    pieces' rows, each that of the step that emits the piece; a piece that is part of
    several words counts for each by its share. The end of either sentence is no word.

    Args:
        translation: `Translation` of a forced target.
        source_words: The words of the source sentence that links count.
        target_words: The words of the target sentence that links count.

    Returns:
        Set of `(source, target)` word positions from 0.

    Raises:
        ValueError: If the translation's pieces do not spell the words.
    """
    source = _without_end(translation.source_tokens)
    target = _without_end(translation.target_tokens)
    rows = translation.weights[: len(target), : len(source)]
    columns = piece_shares(source, source_words)
    members = piece_shares(target, target_words)
    members = members / np.maximum(members.sum(axis=0), 1e-9)
    return hard_links(members.T @ rows @ columns)


def alignment_error(
    translator, gold: Sequence[GoldSentence], aligner: Aligner | None = None
) -> float:
    """Return the alignment error rate of a translator's attention, or of an aligner.

    For attention the target sentences are forced, so that each word has its row.

    Args:
        translator: `nmt.Translator`.
        gold: Sentence pairs with known links.
        aligner: What links their words in place of attention.
    """
    if aligner is None:
        links = attention_links(translator, gold)
    else:
        pairs = [(pair.source_words, pair.target_words) for pair in gold]
        links = [set(pair.links) for pair in aligner.link(pairs)]
    return alignment_error_rate(
        links, [pair.sure for pair in gold], [pair.possible for pair in gold]
    )


def attention_links(translator, gold: Sequence[GoldSentence]) -> list[set]:
    """Return the links of each pair by the attention of its forced target.

    Args:
        translator: `nmt.Translator`.
        gold: Sentence pairs.
    """
    forced = translator.force(
        [pair.source for pair in gold], [pair.target for pair in gold]
    )
    found = []
    for translation, pair in zip(forced, gold, strict=True):
        try:
            found.append(word_links(translation, pair.source_words, pair.target_words))
        except ValueError:  # the vocabulary takes a character for a blank
            raise UserError(
                f"The words of {pair.source!r} or {pair.target!r}, whose links are "
                "known, hold a character that the model's vocabulary splits them at. "
                "Leave such characters out of the file of known links."
            ) from None
    return found


def _without_end(pieces):
    pieces = list(pieces)
    return pieces[:-1] if pieces and pieces[-1] == END_PIECE else pieces
