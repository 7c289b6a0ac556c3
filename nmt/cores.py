"""The cores of the processor."""

import math
import os
from pathlib import Path

CONTROL_GROUP = Path("/sys/fs/cgroup")
"""Where Linux tells a container how much of the processor it may take."""
# Control groups of version 2, and of version 1: the time to take, in what time.
QUOTAS = ("cpu.max",), ("cpu/cpu.cfs_quota_us", "cpu/cpu.cfs_period_us")


def core_count():
    """Return how many cores this process may use, and its container keep busy."""
    known = getattr(os, "sched_getaffinity", None)  # not on a Mac
    cores = len(known(0)) if known else os.cpu_count() or 1
    return min(cores, *map(_cores_of_quota, QUOTAS))


def _cores_of_quota(names):
    """Return how many cores a container may keep busy; infinity without a quota."""
    try:
        told = " ".join((CONTROL_GROUP / name).read_text() for name in names)
        quota, period = map(int, told.split())  # "max" or -1 where there is none
    except (OSError, ValueError):
        return math.inf
    return math.ceil(quota / period) if quota > 0 and period > 0 else math.inf
