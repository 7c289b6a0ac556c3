"""Models out of their folders."""

from nmt.errors import UserError
from nmt.model import Ensemble, TranslationModel
from nmt.translation.folder import read_folder
from nmt.translation.weights import check_size, check_weights, load_weights


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
    check_weights(weights, vocabulary)
    check_size(weights, vocabulary, config.model)
    model = TranslationModel(config.model, len(vocabulary))
    load_weights(model, weights)
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
