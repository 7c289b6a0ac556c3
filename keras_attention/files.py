"""Files that are written whole or not at all."""

import os
from pathlib import Path


def write_whole(path, content):
    """Write a file whole or not at all, on the disk; make missing folders.

    Args:
        path: Path of the file.
        content: Bytes.

    Raises:
        OSError: If it cannot be written, with its path. What was there before is kept.
    """
    path = Path(path)
    partial = path.with_name(f".partial-{os.getpid()}-{path.name}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(partial, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, path)
    except OSError as error:
        reason = error.strerror or str(error)
        raise OSError(error.errno, reason, os.fspath(path)) from error
    finally:
        partial.unlink(missing_ok=True)
