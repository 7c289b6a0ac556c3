"""Weights of a model, read from a file that may be damaged or forged."""

import contextlib
import os
import warnings

import numpy as np

from nmt.config import CONFIG_FILE
from nmt.errors import UserError
from nmt.translation.folder import VOCABULARY_FILE, WEIGHTS_FILE

BROKEN = (
    *(OSError, ValueError, KeyError, TypeError, AttributeError, IndexError),
    *(RuntimeError, MemoryError, UserWarning),
)
"""What h5py and Keras raise of files that are cut off, changed or forged."""


def check_weights(weights, vocabulary):
    """Refuse weights that lead out of their file, or are for another vocabulary.

    Args:
        weights: Path of the weights.
        vocabulary: `Vocabulary`.

    Raises:
        UserError: If they are such, or cannot be read.
    """
    import h5py

    with _told(weights), h5py.File(weights) as file:
        _check_links(file)
        pieces = file["vars/0"].shape[0]  # the bias of the output
    if pieces != len(vocabulary):
        raise UserError(
            f"{weights.parent / VOCABULARY_FILE} has {len(vocabulary)} pieces, but "
            f"{WEIGHTS_FILE} beside it is of a model with {pieces}: it is the "
            "vocabulary of another model. Put the right file back."
        )


def check_size(weights, vocabulary, config):
    """Refuse weights that are too few for what the settings say.

    Before the model is made: forged settings may ask for more than there is memory.

    Args:
        weights: Path of the weights.
        vocabulary: `Vocabulary`.
        config: `ModelConfig`.

    Raises:
        UserError: If the file is smaller than the embeddings and the encoder alone.
    """
    layer = 8 * config.embedding_size**2
    if config.encoder == "rnn":
        layer = 6 * config.units**2
    embeddings = 2 * len(vocabulary) * config.embedding_size
    with _told(weights):
        if os.path.getsize(weights) < 4 * (embeddings + config.encoder_layers * layer):
            raise ValueError("it is too small")


def load_weights(model, weights):
    """Load the weights of a model.

    Args:
        model: `TranslationModel`.
        weights: Path of the weights, which `check_weights` has let pass.

    Raises:
        UserError: If they are not of such a model, or are broken, or not finite.
    """
    with _told(weights), warnings.catch_warnings():
        # Keras warns of layers that the file lacks, and leaves them as they are.
        warnings.simplefilter("error", UserWarning)
        model.load_weights(weights)
    if not all(np.isfinite(weight).all() for weight in model.get_weights()):
        raise UserError(
            f"{weights} has weights that are no finite numbers: its training "
            "diverged, or it is broken. Train again with a smaller --learning-rate."
        )


def _check_links(file):
    """Refuse names for what is elsewhere: another file may be read through them."""
    import h5py

    # No `visititems`: h5py 3.14 fails where what it visits is damaged.
    seen, groups = set(), [file["/"]]
    while groups:
        group = groups.pop()
        if group.id in seen:
            continue
        seen.add(group.id)
        for name in group:
            link = group.get(name, getlink=True)
            item = group[name] if isinstance(link, h5py.HardLink) else None
            if isinstance(item, h5py.Group):
                groups.append(item)
            elif item is None or item.external or item.is_virtual:
                raise ValueError(f"{name} leads out of it, as no weights do")


@contextlib.contextmanager
def _told(weights):
    try:
        yield
    except BROKEN as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise UserError(
            f"{weights} does not fit its {CONFIG_FILE}, or is broken: "
            f"{reason.rstrip('.')}. Put the right file back, or train again in "
            "another folder."
        ) from None
