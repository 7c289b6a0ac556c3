"""Files that are written whole or not at all."""

import contextlib
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
    # The end of a long name alone: no name may have more than 255 bytes.
    partial = path.with_name(f".partial-{os.getpid()}-{path.name[-40:]}")
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
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)
