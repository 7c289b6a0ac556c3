"""Pictures of what a command did, one or several."""

import sys
from pathlib import Path

from nmt.app import inputs
from nmt.errors import UserError
from nmt.files import picture_ending


def picture_path(plot) -> Path:
    """Return the path that `--plot` names, once a picture can be written there."""
    path = Path(plot)
    picture_ending(path)
    inputs.check_writable(path.parent, "the folder of --plot")
    if path.is_dir():
        raise UserError(f"--plot must be a file, but {plot} is a folder.")
    return path


def draw(result, picture: Path, line: int | None = None):
    """Draw a result; the number of its line, if given, ends the file's name."""
    if line is not None:
        picture = picture.with_stem(f"{picture.stem}-{line}")
    result.plot(picture)
    print(f"wrote {picture}", file=sys.stderr)


def are_several(batches) -> bool:
    """Return whether more than one line is to be drawn, so that files are numbered."""
    return sum(not line.is_blank for batch in batches for line in batch) > 1
