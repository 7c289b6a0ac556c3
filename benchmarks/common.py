"""What every benchmark says of itself: command, versions, machine."""

import os
import platform
import re
import resource
import sys
from importlib.metadata import version
from pathlib import Path

from nmt.cores import core_count

PACKAGES = ("tensorflow", "keras", "sacrebleu")


def describe_run(packages=PACKAGES) -> str:
    """Return the command, the versions and the machine, one line each."""
    versions = ", ".join(f"{name} {version(name)}" for name in packages)
    return "\n".join(
        (
            f"$ python {' '.join(sys.argv)}",
            f"Python {platform.python_version()}, {versions}",
            f"{core_count()} cores, {_processor()}, load {os.getloadavg()[0]:.2f} "
            "at the start",
        )
    )


def megabytes(peak: int) -> float:
    """Return what `ru_maxrss` says, in MB: bytes on a Mac, kilobytes elsewhere."""
    return peak / (1e6 if sys.platform == "darwin" else 1e3)


def begin_peak() -> float:
    """Return the memory that this process holds, in MB; `peak_memory` counts anew.

    On Linux. Elsewhere it is the peak so far.
    """
    anew = Path("/proc/self/clear_refs")
    if not anew.exists():
        return peak_memory()
    anew.write_text("5")
    return _status("VmRSS")


def peak_memory() -> float:
    """Return the most memory that this process held since `begin_peak`, in MB."""
    if Path("/proc/self/clear_refs").exists():
        return _status("VmHWM")
    return megabytes(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)


def _status(name):
    (line,) = re.findall(
        rf"^{name}:\s*(\d+) kB$", Path("/proc/self/status").read_text(), re.M
    )
    return int(line) / 1e3


def _processor() -> str:
    """Return the name of the processor, which Python itself does not know on Linux."""
    facts = Path("/proc/cpuinfo")
    if facts.is_file():
        for line in facts.read_text().splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "model name":
                return value.strip()
    return platform.processor() or platform.machine()
