"""Files that are written whole or not at all."""

import os
from pathlib import Path


def write_whole(path, write):
    """Write a file whole or not at all.

    Args:
        path: Where the file is to stand.
        write: Function that writes it to the path it is given, of a temporary name in
            the same folder.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".partial-{os.getpid()}-{path.name}")
    try:
        write(partial)
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)
