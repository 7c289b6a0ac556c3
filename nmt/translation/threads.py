"""Batches worked on side by side, each on a core of its own.

The operations of a search are too small to be shared: two searches side by side, each
on a core, end sooner than one after the other on both cores.
"""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import tensorflow as tf

from nmt.cores import core_count
from nmt.translation.batching import batches, most_at_once

MOST_THREADS = 16
"""Batches worked on at once, for their memory."""
LEAST_SENTENCES = 8
"""Sentences for which a thread is worth its while."""


def thread_count():
    """Return how many batches to work on at once: as many as there are cores.

    On a GPU one: it is not faster for two.
    """
    if tf.config.get_visible_devices("GPU"):
        return 1
    return min(core_count(), MOST_THREADS)


def sentences_of_a_batch(sentences, most, threads):
    """Return how many sentences a batch has at most, so that all threads have one.

    Args:
        sentences: Number of all sentences.
        most: How many it may have.
        threads: Number of threads.
    """
    share = -(-sentences // threads)
    return min(most, max(share, LEAST_SENTENCES))


def in_threads(work, items, threads):
    """Yield what a function makes of each item, in their order.

    An error is raised in the place of its item; what has not begun then is not begun.

    Args:
        work: The function.
        items: List.
        threads: How many items are worked on at once.
    """
    if min(threads, len(items)) < 2:
        yield from map(work, items)
        return
    with ThreadPoolExecutor(min(threads, len(items))) as pool:
        yield from pool.map(work, items)


def in_batches(work, lengths, batch_size, numbers, fixed=False):
    """Work on sentences in batches, side by side.

    Args:
        work: Function of the number of a batch and the positions of its sentences. It
            gives a list of what it made of each.
        lengths: See `batches`.
        batch_size: Int. Most sentences of a batch.
        numbers: See `batches`.
        fixed: Bool. Whether batches may not depend on how many cores there are.

    Returns:
        List of what was made of each sentence.
    """
    threads = min(thread_count(), len(lengths)) or 1
    if fixed:
        groups = batches(lengths, batch_size, numbers)
    else:
        batch_size = sentences_of_a_batch(len(lengths), batch_size, threads)
        groups = batches(lengths, batch_size, numbers, threads)
    threads = min(threads, most_at_once(groups, lengths, numbers))
    done = in_threads(lambda i: work(i, groups[i]), range(len(groups)), threads)
    results: list[Any] = [None] * len(lengths)
    for group, found in zip(groups, done, strict=True):
        for i, each in zip(group, found, strict=True):
            results[i] = each
    return results
