"""Sentences to padded batches of like length."""

from typing import NamedTuple

import numpy as np

from nmt.config import LONGEST
from nmt.errors import UserError
from nmt.text.vocabulary import END_ID, PAD_ID, START_ID


class Batch(NamedTuple):
    """Sentence pairs as ids, padded on the right; `B` pairs, `S` and `T` pieces.

    Attributes:
        source: Int32, shape `(B, S)`, the end id last.
        target_in: Int32, shape `(B, T)`: the start id, then the pieces.
        target_out: Int32, shape `(B, T)`: the pieces, then the end id.
    """

    source: np.ndarray
    target_in: np.ndarray
    target_out: np.ndarray


def pad(sequences):
    """Stack lists of ids into one array.

    Args:
        sequences: List of lists of ints.

    Returns:
        Int32, shape `(B, longest)`, padded on the right.
    """
    longest = max((len(sequence) for sequence in sequences), default=0)
    array = np.full((len(sequences), longest), PAD_ID, np.int32)
    for row, sequence in zip(array, sequences, strict=True):
        row[: len(sequence)] = sequence
    return array


def make_batch(sources, targets):
    """Make one batch of lists of ids that have neither start nor end."""
    return Batch(
        pad([[*ids, END_ID] for ids in sources]),
        pad([[START_ID, *ids] for ids in targets]),
        pad([[*ids, END_ID] for ids in targets]),
    )


def check_lengths(sequences, texts):
    """Refuse what a model would take too much memory for.

    Args:
        sequences: Lists of ids without start and end.
        texts: The texts they are of.

    Raises:
        UserError: If one has more than `LONGEST` pieces, the end included.
    """
    for ids, text in zip(sequences, texts, strict=True):
        if len(ids) >= LONGEST:
            raise UserError(
                f"A line has {len(ids)} pieces; at most {LONGEST - 1} are allowed. "
                f"Split it into sentences, one a line. It begins: {text[:60]!r}."
            )


def training_batches(text, vocabulary, training, epoch, pieces=None):
    """Make the batches of one epoch, the same for the same seed and epoch.

    Pairs are put in a random order, sorted by length, the target's first, and cut into
    batches of about `batch_tokens` target pieces, which come in a random order.

    Args:
        text: `ParallelText`.
        vocabulary: `Vocabulary`.
        training: `TrainingConfig`.
        epoch: Int. Number of the epoch.
        pieces: What `split_pairs` returns, if that is known.

    Returns:
        List of functions that make a `Batch` each; empty if every pair is longer than
        `max_pieces`.
    """
    random = np.random.default_rng([training.seed, epoch])
    sources, targets = pieces or split_pairs(text, vocabulary, training, epoch)
    lengths = np.array(
        [[len(s) + 1, len(t) + 1] for s, t in zip(sources, targets, strict=True)]
    )
    fitting = np.flatnonzero(lengths.max(axis=1, initial=0) <= training.max_pieces)
    order = random.permutation(fitting)
    order = order[np.lexsort((lengths[order, 0], lengths[order, 1]))]
    groups = _cut(order, lengths, training.batch_tokens)
    groups = [groups[i] for i in random.permutation(len(groups))]

    def maker(group):
        return lambda: make_batch(
            [sources[i] for i in group], [targets[i] for i in group]
        )

    return [maker(group) for group in groups]


def validation_batches(text, vocabulary, batch_tokens):
    """Make the batches of a text, every pair in it, by the best split into pieces.

    Raises:
        UserError: If a sentence is too long, see `check_lengths`.
    """
    sources, targets = vocabulary.ids(text.source), vocabulary.ids(text.target)
    check_lengths(sources, text.source)
    check_lengths(targets, text.target)
    lengths = np.array(
        [[len(s) + 1, len(t) + 1] for s, t in zip(sources, targets, strict=True)]
    )
    order = np.lexsort((lengths[:, 0], lengths[:, 1]))
    return [
        make_batch([sources[i] for i in group], [targets[i] for i in group])
        for group in _cut(order, lengths, batch_tokens)
    ]


def split_pairs(text, vocabulary, training, epoch):
    """Split a text into pieces: at random in each epoch, or always by the best split.

    Args:
        text: `ParallelText`.
        vocabulary: `Vocabulary`.
        training: `TrainingConfig`.
        epoch: Int. Number of the epoch.

    Returns:
        `(sources, targets)`: lists of lists of ids.
    """
    if not training.sampling_alpha:
        return vocabulary.ids(text.source), vocabulary.ids(text.target)
    alpha, seed = training.sampling_alpha, 2 * (training.seed * 100_003 + epoch)
    return (
        vocabulary.sample_ids(text.source, alpha, seed),
        vocabulary.sample_ids(text.target, alpha, seed + 1),
    )


def _cut(order, lengths, batch_tokens):
    """Cut pairs sorted by length into groups that fit a batch once padded."""
    groups: list[list[int]] = []
    group: list[int] = []
    for index in order:
        # Sorted by target length: the newest pair is the longest of its group.
        if group and (len(group) + 1) * lengths[index, 1] > batch_tokens:
            groups.append(group)
            group = []
        group.append(int(index))
    return [*groups, group] if group else groups
