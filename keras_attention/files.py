"""Files that are written whole or not at all."""

import os
from pathlib import Path


def write_whole(path, content):
    """Write a file whole or not at all; make missing folders.

    Args:
        path: Path of the file.
        content: Bytes.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".partial-{os.getpid()}-{path.name}")
    try:
        partial.write_bytes(content)
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)
