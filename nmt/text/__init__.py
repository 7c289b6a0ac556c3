"""Text to pieces and their ids, and these to batches."""

from nmt.text.batches import (
    check_lengths,
    make_batch,
    split_pairs,
    training_batches,
    validation_batches,
)
from nmt.text.published import as_published, published_words
from nmt.text.vocabulary import (
    END_ID,
    END_PIECE,
    PAD_ID,
    SPACE,
    START_ID,
    UNKNOWN_ID,
    UNKNOWN_PIECE,
    Vocabulary,
    split_words,
)

__all__ = [
    "END_ID",
    "END_PIECE",
    "PAD_ID",
    "SPACE",
    "START_ID",
    "UNKNOWN_ID",
    "UNKNOWN_PIECE",
    "Vocabulary",
    "as_published",
    "check_lengths",
    "make_batch",
    "published_words",
    "split_pairs",
    "split_words",
    "training_batches",
    "validation_batches",
]
