"""What a training saves in its folder, and reads again to go on: weights and state."""

import contextlib
import dataclasses
import hashlib
import io
import json
import math
import os
import warnings

import numpy as np

from nmt.archives import BROKEN_ARCHIVE
from nmt.corpora import StreamedText
from nmt.errors import UserError
from nmt.files import write_whole
from nmt.translation import WEIGHTS_FILE, write_model_file

STATE_FILE = "training_state.npz"
HISTORY_FILE = "history.json"
LARGEST_PROGRESS = 2**26
"""Most bytes of what a state says of the progress; more was not written by `nmt`."""


@dataclasses.dataclass
class Progress:
    """How far a training got.

    Attributes:
        history: List of one dict for each epoch.
        steps: Number of batches learnt from.
        seconds: Time spent.
        finished: Whether nothing is left to do.
        batch: Number of batches learnt from in the epoch that is under way.
        loss: Sum of their losses.
        passes: Number of whole passes over the text, where epochs are by steps.
        parts: Number of whole parts of a streamed text in the pass that is under way.
        pass_batches: Number of batches learnt from in that pass, after these parts.
    """

    history: list = dataclasses.field(default_factory=list)
    steps: int = 0
    seconds: float = 0.0
    finished: bool = False
    batch: int = 0
    loss: float = 0.0
    passes: int = 0
    parts: int = 0
    pass_batches: int = 0

    def place(self):
        """Tell how far it got, as in "after epoch 3"."""
        epochs = len(self.history)
        if self.batch:
            return f"after batch {self.batch} of epoch {epochs + 1}"
        return f"after epoch {epochs}"


def fingerprint(corpus):
    """Return the SHA-256 of the text that is trained and validated on.

    Of a streamed text it is that of the names and the sizes of its files.
    """
    digest = hashlib.sha256()
    for split in ("train", "validation"):
        if isinstance(corpus.splits[split], StreamedText):
            digest.update(json.dumps(corpus.splits[split].described()).encode())
            continue
        for side in corpus.splits[split]:
            digest.update("\n".join(side).encode())
    return digest.hexdigest()


def has_state(out):
    """Say whether a folder has a state of a training."""
    return os.path.lexists(out / STATE_FILE)


def save_weights(out, model):
    """Write the weights of a model, with their checksum."""
    # In memory first: HDF5 crashes where a disk is full.
    file = _NamedBytes()
    optimizer = getattr(model, "optimizer", None)
    model.optimizer = None  # Keras would save its state with the weights.
    try:
        model.save_weights(file)
    finally:
        model.optimizer = optimizer
    write_model_file(out, WEIGHTS_FILE, file.getvalue())


class _NamedBytes(io.BytesIO):
    """A file in memory with the name by whose end Keras tells the format."""

    def __str__(self):
        return WEIGHTS_FILE


def save_state(out, variables, text, progress):
    """Write the state of a training, and its history.

    Args:
        out: Path of the folder.
        variables: All that the training changes, in an order that stays.
        text: The `fingerprint` of the text that is trained on.
        progress: `Progress`.
    """
    meta = json.dumps({"corpus": text, **dataclasses.asdict(progress)}, allow_nan=False)
    arrays = {f"array_{i}": np.asarray(each) for i, each in enumerate(variables)}
    arrays["meta"] = np.frombuffer(meta.encode(), np.uint8)
    write_whole(out / STATE_FILE, lambda partial: _write_arrays(partial, arrays))
    write_history(out, progress.history)


def write_history(out, history):
    """Write the history of a training, unless it is there already."""
    path = out / HISTORY_FILE
    content = (json.dumps(history, indent=2, allow_nan=False) + "\n").encode()
    if not path.is_file() or path.read_bytes() != content:
        write_whole(path, lambda partial: partial.write_bytes(content))


def read_progress(out, text) -> Progress | None:
    """Read how far the training in a folder got.

    Args:
        out: Path of the folder.
        text: The `fingerprint` of the text that is trained on.

    Returns:
        The progress; `None` if the folder holds no state.

    Raises:
        UserError: If the state is broken, or is of a training on another text.
    """
    if not has_state(out):
        return None
    with _opened(out) as state:
        if state.zip.getinfo("meta.npy").file_size > LARGEST_PROGRESS:
            raise ValueError("its progress is too long")
        meta = json.loads(bytes(state["meta"]))
        trained_on = meta.pop("corpus")
        progress = Progress(**meta)
        _check_progress(progress)
    if trained_on != text:
        raise UserError(
            f"The model in {out} was begun on another text than this, and what it "
            "learnt rests on that. Choose another --out, or give the text it was "
            "begun with."
        )
    return progress


def restore_state(out, variables):
    """Set the variables to the state in a folder, to all of it or to nothing of it.

    Args:
        out: Path of the folder.
        variables: See `save_state`.

    Raises:
        UserError: If the state is broken.
    """
    with _opened(out) as state:
        arrays = [
            _read_array(state, f"array_{i}", np.asarray(variable))
            for i, variable in enumerate(variables)
        ]
    for variable, array in zip(variables, arrays, strict=True):
        variable.assign(array)


@contextlib.contextmanager
def _opened(out):
    path = out / STATE_FILE
    try:
        # Opened here: NumPy leaves the file of a broken archive open.
        file = open(path, "rb")
    except OSError as error:
        raise UserError(f"Cannot read {path}: {error.strerror}.") from None
    try:
        with file, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # NumPy's, of a changed head
            with np.load(file, allow_pickle=False) as state:
                yield state
    except BROKEN_ARCHIVE as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0][:200]
        raise UserError(
            f"{path} is broken ({reason}): this training cannot go on. The model "
            "beside it is untouched and translates as before; choose another --out to "
            "train anew."
        ) from None


def _read_array(state, name, like):
    # Before it is read: an array of a few bytes can unpack to any size.
    if state.zip.getinfo(f"{name}.npy").file_size > like.nbytes + 4096:
        raise ValueError(f"{name} is too large")
    array = state[name]
    if (array.shape, array.dtype) != (like.shape, like.dtype):
        raise ValueError(
            f"{name} has shape {array.shape} and type {array.dtype}, expected "
            f"{like.shape} and {like.dtype}"
        )
    if like.dtype.kind == "f" and not np.isfinite(array).all():
        raise ValueError(f"{name} has numbers that are not finite")
    return array


def _check_progress(progress):
    def is_number(value, kinds=(int, float)):
        real = isinstance(value, kinds) and not isinstance(value, bool)
        return real and math.isfinite(value)

    rows = progress.history
    sound = isinstance(rows, list) and all(
        row["epoch"] == number
        and is_number(row["validation_bleu"])
        and is_number(row["validation_loss"])
        for number, row in enumerate(rows, 1)
    )
    sound = sound and is_number(progress.steps, int) and is_number(progress.seconds)
    counts = progress.batch, progress.passes, progress.parts, progress.pass_batches
    sound = (
        sound
        and is_number(progress.loss)
        and all(is_number(count, int) and count >= 0 for count in counts)
    )
    if not sound or not isinstance(progress.finished, bool):
        raise ValueError("its progress is none of a training")


def _write_arrays(path, arrays):
    with open(path, "wb") as file:
        np.savez(file, **arrays)
