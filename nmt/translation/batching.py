"""Batches that fit into memory, however long their sentences are."""

from collections.abc import Callable, Sequence

ROOM = 2**26
"""Numbers that the largest tensors may have that there are at once: 256 MiB."""

HYPOTHESES = 320
"""Most hypotheses in a batch of a search: more make its products no faster, and their
results no longer stay in the caches of a core."""


def usual_batch(beams: int) -> int:
    """Return how many sentences a batch has at most, where nobody says."""
    return max(1, HYPOTHESES // beams)


def most_pieces(
    source: int, min_length: int = 0, max_length: int | None = None, beginning: int = 0
) -> int:
    """Return how many pieces a translation has at most, the end included.

    Args:
        source: Number of pieces of the source, the end included.
        min_length: Pieces that it has at least.
        max_length: Pieces that it has at most, if that is set.
        beginning: Number of pieces that it has to begin with.
    """
    if max_length is not None:
        return max_length
    return max(usual_pieces(source, beginning), min_length)


def usual_pieces(source, beginning=0):
    """Return how many pieces are enough, of numbers or of tensors of them."""
    return 2 * source + 10 + beginning


def batches(
    lengths: Sequence[tuple[int, ...]],
    batch_size: int,
    numbers: Callable[..., int],
    at_once: int = 1,
) -> list[list[int]]:
    """Cut sentences into batches of like lengths.

    Args:
        lengths: Lengths of each sentence, the most important one first.
        batch_size: Most sentences in a batch.
        numbers: Function of the largest lengths in a batch that tells how many numbers
            the tensors of the batch have for each sentence.
        at_once: How many batches share the memory.

    Returns:
        Positions of sentences, the longest sentences first: what does not fit in memory
        fails at once. A sentence that needs more than its share is alone.
    """
    groups: list[list[int]] = []
    longest: tuple[int, ...] = ()
    for index in sorted(range(len(lengths)), key=lambda i: lengths[i], reverse=True):
        together = tuple(map(max, longest, lengths[index]))
        rows = len(groups[-1]) + 1 if groups else batch_size + 1
        if rows > batch_size or rows * numbers(*together) > ROOM // at_once:
            groups.append([])
            together = lengths[index]
        groups[-1].append(index)
        longest = together
    return groups


def most_at_once(
    groups: Sequence[list[int]],
    lengths: Sequence[tuple[int, ...]],
    numbers: Callable[..., int],
) -> int:
    """Return how many of some batches fit into memory together; at least one.

    Args:
        groups: What `batches` returned.
        lengths: What it was given.
        numbers: The same.
    """
    needs = [
        len(group) * numbers(*map(max, zip(*(lengths[i] for i in group), strict=True)))
        for group in groups
    ]
    return max(1, ROOM // max(needs, default=1))
