"""Word links learnt from the text of a model, in the model's folder."""

import os
from pathlib import Path

from nmt.links import Aligner
from nmt.translation.folder import LINKS_FILE, check_model_file, write_model_file


def load_aligner(folder) -> Aligner | None:
    """Read what a folder has of word links; `None` if they were not learnt yet.

    Args:
        folder: Folder that `nmt train` made.

    Raises:
        UserError: If the file is not the one that was written.
    """
    path = Path(folder) / LINKS_FILE
    if not os.path.lexists(path):
        return None
    check_model_file(folder, LINKS_FILE, "Delete it: it is learnt again")
    return Aligner.from_bytes(path.read_bytes(), path)


def save_aligner(folder, aligner: Aligner):
    """Keep word links in a folder, whole or not at all, with their checksum.

    Args:
        folder: Folder that `nmt train` made.
        aligner: The `Aligner` that learnt from its text.

    Raises:
        OSError: If the folder cannot be written.
    """
    write_model_file(folder, LINKS_FILE, aligner.to_bytes())
