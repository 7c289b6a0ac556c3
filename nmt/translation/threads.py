"""Batches worked on side by side, each on a core of its own.

The operations of a search are too small to be shared by cores: two searches at once
take less time than two of twice the speed would in turn.
"""

import os
from concurrent.futures import ThreadPoolExecutor

import tensorflow as tf

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
    known = getattr(os, "sched_getaffinity", None)  # not on a Mac
    cores = len(known(0)) if known else os.cpu_count() or 1
    return min(cores, MOST_THREADS)


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

    After an error no other item is begun.

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
