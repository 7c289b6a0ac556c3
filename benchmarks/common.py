"""What every benchmark says of itself: command, versions, machine."""

import os
import platform
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


def _processor() -> str:
    """Return the name of the processor, which Python itself does not know on Linux."""
    facts = Path("/proc/cpuinfo")
    if facts.is_file():
        for line in facts.read_text().splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "model name":
                return value.strip()
    return platform.processor() or platform.machine()
