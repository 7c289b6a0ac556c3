"""The state of a training in the folder of its model: saved, restored, refused."""

import dataclasses
import hashlib
import json
import zipfile
import zlib

import numpy as np

from nmt.config import CONFIG_FILE, SECTIONS, Config
from nmt.errors import UserError
from nmt.files import write_whole

STATE_FILE = "training_state.npz"
HISTORY_FILE = "history.json"
SHOWN_DIFFERENCES = 4
"""Settings that a refusal names; more would fill the screen."""
BROKEN = (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile, zlib.error)
"""What reading a state raises that is cut off, changed, or of another model."""


@dataclasses.dataclass
class Progress:
    """How far a training got.

    Attributes:
        history: List of one dict for each epoch.
        steps: Number of batches learnt from.
        seconds: Time spent.
        finished: Whether nothing is left to do.
    """

    history: list = dataclasses.field(default_factory=list)
    steps: int = 0
    seconds: float = 0.0
    finished: bool = False


def check_folder(out, config):
    """Refuse a folder in which a training of these settings cannot go on.

    Args:
        out: Path of the folder; it need not exist.
        config: `Config` of the training.

    Raises:
        UserError: If it holds a model of other settings, or one that has lost what it
            needs to go on.
    """
    if (out / HISTORY_FILE).exists():  # written last, when an epoch ends
        for name in (CONFIG_FILE, STATE_FILE):
            if not (out / name).exists():
                raise UserError(
                    f"{out} holds a model that cannot be trained further: its {name} "
                    "is gone. Choose another --out, or put the file back."
                )
    if (out / CONFIG_FILE).exists():
        _check_settings(out, Config.load(out / CONFIG_FILE), config)


def save_state(out, variables, corpus, progress):
    """Write the state of a training, and its history.

    Args:
        out: Path of the folder.
        variables: All that the training changes, in an order that stays.
        corpus: `Corpus` that is trained on.
        progress: `Progress`.
    """
    meta = {"corpus": _fingerprint(corpus), **dataclasses.asdict(progress)}
    arrays = {f"array_{i}": np.asarray(each) for i, each in enumerate(variables)}
    arrays["meta"] = np.frombuffer(json.dumps(meta).encode(), np.uint8)
    write_whole(out / STATE_FILE, lambda partial: _write_arrays(partial, arrays))
    text = json.dumps(progress.history, indent=2) + "\n"
    write_whole(out / HISTORY_FILE, lambda partial: partial.write_text(text, "utf-8"))


def restore_state(out, variables, corpus) -> Progress | None:
    """Set the variables to the state in a folder.

    Args:
        out: Path of the folder.
        variables: See `save_state`.
        corpus: `Corpus` that is trained on.

    Returns:
        How far that training got; `None` if the folder holds no state.

    Raises:
        UserError: If the state is broken, or is of a training on another text.
    """
    path = out / STATE_FILE
    if not path.is_file():
        return None
    try:
        # Opened here: NumPy leaves the file of a broken archive open.
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as state:
            meta = json.loads(bytes(state["meta"]))
            arrays = [state[f"array_{i}"] for i in range(len(variables))]
        text = meta["corpus"]
        for variable, array in zip(variables, arrays, strict=True):
            variable.assign(array)
        names = [field.name for field in dataclasses.fields(Progress)]
        progress = Progress(**{name: meta[name] for name in names})
    except BROKEN as error:
        raise UserError(
            f"{path} is broken ({error}). Delete {out} to train anew."
        ) from None
    if text != _fingerprint(corpus):
        raise UserError(
            f"The model in {out} was begun on another text than this of the "
            f"same name, {corpus.name}. Choose another --out."
        )
    return progress


def _check_settings(out, there, now):
    differences = []
    for section in SECTIONS:
        old = dataclasses.asdict(getattr(there, section))
        new = dataclasses.asdict(getattr(now, section))
        differences += [
            f"{key} is {old[key]!r} there and {new[key]!r} now"
            for key in old
            if old[key] != new[key]
        ]
    if not differences:
        return
    shown = "; ".join(differences[:SHOWN_DIFFERENCES])
    if len(differences) > SHOWN_DIFFERENCES:
        shown += f"; and {len(differences) - SHOWN_DIFFERENCES} more"
    raise UserError(
        f"{out} holds a model of other settings: {shown}. "
        "Choose another --out, or the settings it was begun with."
    )


def _fingerprint(corpus):
    digest = hashlib.sha256()
    for split in ("train", "validation"):
        for side in corpus.splits[split]:
            digest.update("\n".join(side).encode())
    return digest.hexdigest()


def _write_arrays(path, arrays):
    with open(path, "wb") as file:
        np.savez(file, **arrays)
