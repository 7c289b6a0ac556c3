"""The folder of a trained model: its files, checked and read without TensorFlow.

`checksums.json` has the SHA-256 of what a translation depends on, and of the text:
`text` of the sentences trained and validated on, `text_files` of local files by their
path, `model_files` of vocabulary, weights and what else was written with them; of a
training that began from a model `start`, with the `model_files` of that. Folders of
earlier versions have none.
"""

import contextlib
import copy
import hashlib
import json
import os
from pathlib import Path
from typing import Any

from nmt.config import CONFIG_FILE, Config
from nmt.errors import UserError
from nmt.files import alone_with, write_whole
from nmt.text import Vocabulary

VOCABULARY_FILE = "vocabulary.model"
WEIGHTS_FILE = "model.weights.h5"
LINKS_FILE = "links.npz"
"""What was learnt of word links, if they were needed."""
CHECKSUMS_FILE = "checksums.json"


def read_folder(folder) -> tuple[Config, Vocabulary, Path]:
    """Read what a folder says of its model.

    Args:
        folder: Folder that `nmt train` made.

    Returns:
        `(config, vocabulary, weights)`, the weights being the path of their file.

    Raises:
        UserError: If it is no such folder, was made by another version, holds no
            weights yet, or a file is not the one that was written.
    """
    folder = Path(folder)
    config = Config.load(folder / CONFIG_FILE)
    check_model_file(folder, VOCABULARY_FILE)
    vocabulary = Vocabulary.load(folder / VOCABULARY_FILE)
    weights = folder / WEIGHTS_FILE
    if not os.path.lexists(weights):
        raise UserError(
            f"{folder} holds no weights yet ({WEIGHTS_FILE} is missing). "
            "Let `nmt train` finish its first epoch."
        )
    check_model_file(folder, WEIGHTS_FILE)
    return config, vocabulary, weights


def read_checksums(folder) -> dict:
    """Read the checksums of a folder; there are none in one of an earlier version.

    Raises:
        UserError: If their file is broken.
    """
    path = Path(folder) / CHECKSUMS_FILE
    try:
        sums: Any = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return {"text": None, "text_files": {}, "model_files": {}}
    except OSError as error:
        raise UserError(f"Cannot read {path}: {error.strerror}.") from None
    except (ValueError, RecursionError):
        sums = None
    try:
        of_text, of_files, of_model = (
            sums[key] for key in ("text", "text_files", "model_files")
        )
        sound = of_text is None or isinstance(of_text, str)
        sound = sound and all(isinstance(each, str) for each in of_files.values())
        sound = sound and all(isinstance(each, list) for each in of_model.values())
        start = sums.get("start", {"new_vocabulary": False})
        sound = sound and isinstance(start["new_vocabulary"], bool)
    except (TypeError, KeyError, AttributeError):
        sound = False
    if not sound:
        raise UserError(
            f"{path} is broken. Put it back from a copy of the folder. Without it a "
            "model still translates, but is not checked."
        )
    return sums


@contextlib.contextmanager
def changing_checksums(folder):
    """Give the checksums of a folder to be changed, then write them if they were.

    No other process changes them meanwhile: while a model is trained, another may learn
    word links or a shortlist for it, which are files of its folder too.

    Raises:
        UserError: If their file is broken.
    """
    with alone_with(Path(folder) / CONFIG_FILE), _written_if_changed(folder) as sums:
        yield sums


@contextlib.contextmanager
def _written_if_changed(folder):
    sums = read_checksums(folder)
    before = copy.deepcopy(sums)
    yield sums
    if sums != before:
        text = json.dumps(sums, indent=2) + "\n"
        path = Path(folder) / CHECKSUMS_FILE
        write_whole(path, lambda partial: partial.write_text(text, "utf-8"))


def write_model_file(folder, name, content):
    """Write a file of a model, whole or not at all, with its checksum.

    Before the file is replaced both sums are listed, its old and its new one: killed
    at any moment, the folder holds a file that is listed.

    Args:
        folder: The folder.
        name: Name of the file.
        content: Bytes.
    """
    path = Path(folder) / name
    with alone_with(Path(folder) / CONFIG_FILE):
        with _written_if_changed(folder) as sums:
            listed = sums["model_files"].get(name)
            there = _sum_of(path) if path.exists() else None
            known = there is not None and (listed is None or there in listed)
            new = hashlib.sha256(content).hexdigest()
            both = [there, new] if known else [new]
            sums["model_files"][name] = list(dict.fromkeys(both))
        write_whole(path, lambda partial: partial.write_bytes(content))


def check_model_file(
    folder, name, mend="Put the right file back, or train again in another folder"
):
    """Refuse a file of a model that is not the one that was written.

    Args:
        folder: The folder.
        name: Name of the file.
        mend: What can be done about it, for the error.

    Raises:
        UserError: If its checksum is another, or it cannot be read.
    """
    path = Path(folder) / name
    # The list last: while a file is replaced it has both sums.
    found = _sum_of(path)  # also where none is listed: is it readable?
    listed = read_checksums(folder)["model_files"].get(name)
    if listed is not None and found not in listed:
        raise UserError(
            f"{path} is damaged or of another model: {CHECKSUMS_FILE} has another "
            f"SHA-256. {mend}."
        )


def model_file_sums(folder) -> dict[str, str] | None:
    """Return the SHA-256 of vocabulary and weights; `None` if they are not there.

    Args:
        folder: The folder; it need not exist.
    """
    files = [Path(folder) / name for name in (VOCABULARY_FILE, WEIGHTS_FILE)]
    if not all(os.path.lexists(path) for path in files):
        return None
    return {path.name: _sum_of(path) for path in files}


def text_file_sums(paths) -> dict:
    """Return the SHA-256 of local files of text, by their paths.

    A pipe is left out: what it held has been read.
    """
    sums = {path: _sum_of_text(path) for path in paths}
    return {path: found for path, found in sums.items() if found is not None}


def check_text_files(folder, config, mend):
    """Refuse local files of text that are not those a model was trained with.

    A model that came from elsewhere may name any file, and give it any checksum: the
    refusal is the same whatever the file holds, and whether there is one or not.

    Args:
        folder: Folder of the model.
        config: Its `Config`.
        mend: What can be done without that text, for the error.

    Raises:
        UserError: If no checksum of a file is known, or the file has another, is
            missing, cannot be read, or is no regular file.
    """
    known = read_checksums(folder)["text_files"]
    paths = list(filter(None, config.corpus.files))
    if not all(path in known and _sum_of_text(path) == known[path] for path in paths):
        raise UserError(
            f"{folder} does not say what text {', '.join(paths)} held when it was "
            f"trained on, or no file there holds that text now. {mend}, or give the "
            "`nmt train` command again, which notes it."
        )


def _sum_of_text(path):
    """Return the SHA-256 of a file; `None` if it cannot be read, or is not regular."""
    if not os.path.isfile(path):  # a pipe or a device may never end
        return None
    try:
        return _sum_of(path)
    except UserError:
        return None


def _sum_of(path):
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        raise UserError(
            f"There is no {path}. Expected a folder that `nmt train` made."
        ) from None
    except OSError as error:
        raise UserError(f"Cannot read {path}: {error.strerror}.") from None
