"""The cores of the processor."""

import os


def core_count():
    """Return how many cores this process may use."""
    known = getattr(os, "sched_getaffinity", None)  # not on a Mac
    return len(known(0)) if known else os.cpu_count() or 1
