"""Models out of their folders."""

import warnings

import numpy as np

from nmt.config import CONFIG_FILE
from nmt.errors import UserError
from nmt.model import Ensemble, TranslationModel
from nmt.translation.folder import check_pieces, read_folder


def load_models(folders):
    """Load a model, or an ensemble of those of several folders.

    Returns:
        `(model, vocabulary, config)`, the latter two of the first folder.

    Raises:
        UserError: As for `Translator.load`.
    """
    loaded = [_load_model(folder) for folder in folders]
    models, vocabularies, configs = zip(*loaded, strict=True)
    _check_alike(folders, vocabularies, configs)
    model = models[0] if len(models) == 1 else Ensemble(models)
    return model, vocabularies[0], configs[0]


def _load_model(folder):
    """Load the model of a folder; `UserError` as for `Translator.load`."""
    config, vocabulary, weights = read_folder(folder)
    check_pieces(weights, vocabulary)
    model = TranslationModel(config.model, len(vocabulary))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # of what the error tells
            model.load_weights(weights)
    # RuntimeError: what h5py says of some broken files.
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise UserError(
            f"{weights} does not fit its {CONFIG_FILE}, or is broken: {reason} "
            "Put the right file back, or train again in another folder."
        ) from None
    if not all(np.isfinite(weight).all() for weight in model.get_weights()):
        raise UserError(
            f"{weights} has weights that are no finite numbers: its training "
            "diverged, or it is broken. Train again with a smaller --learning-rate."
        )
    return model, vocabulary, config


def _check_alike(folders, vocabularies, configs):
    """Refuse models that cannot translate together."""
    for folder, vocabulary, config in zip(folders, vocabularies, configs, strict=True):
        differing = [
            name
            for name in ("source", "target", "text")
            if getattr(config.corpus, name) != getattr(configs[0].corpus, name)
        ]
        if vocabulary.model != vocabularies[0].model:
            differing.append("vocabulary")
        if differing:
            raise UserError(
                f"{folder} and {folders[0]} differ in {', '.join(differing)}: models "
                "that translate together must have one vocabulary, as trainings of "
                "the same text and --vocabulary-size have."
            )
