"""Files that are written whole or not at all, and what pictures may be called."""

import os
from pathlib import Path

from nmt.errors import UserError

PICTURES = (".png", ".svg", ".pdf", ".html")


def picture_ending(path) -> str:
    """Return the ending of a picture's file name, in small letters.

    Raises:
        UserError: If no picture ends so.
    """
    ending = Path(path).suffix.lower()
    if ending not in PICTURES:
        raise UserError(
            f"A picture must end in {', '.join(PICTURES)}. Got: {os.fspath(path)}."
        )
    return ending


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
