"""Text to pieces and their ids, and these to batches."""

from nmt.text.batches import (
    batches_of_part,
    check_lengths,
    make_batch,
    none_fits,
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
    "batches_of_part",
    "check_lengths",
    "make_batch",
    "none_fits",
    "published_words",
    "split_words",
    "training_batches",
    "validation_batches",
]
