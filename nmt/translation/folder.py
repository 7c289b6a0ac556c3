"""The folder of a trained model: its files, checked and read without TensorFlow."""

from pathlib import Path

from nmt.config import CONFIG_FILE, Config
from nmt.errors import UserError
from nmt.text import Vocabulary

VOCABULARY_FILE = "vocabulary.model"
WEIGHTS_FILE = "model.weights.h5"


def read_folder(folder) -> tuple[Config, Vocabulary, Path]:
    """Read what a folder says of its model.

    Args:
        folder: Folder that `nmt train` made.

    Returns:
        `(config, vocabulary, weights)`, the weights being the path of their file.

    Raises:
        UserError: If it is no such folder, was made by another version, or holds no
            weights yet.
    """
    folder = Path(folder)
    config = Config.load(folder / CONFIG_FILE)
    vocabulary = Vocabulary.load(folder / VOCABULARY_FILE)
    weights = folder / WEIGHTS_FILE
    if not weights.is_file():
        raise UserError(
            f"{folder} holds no weights yet ({WEIGHTS_FILE} is missing). "
            "Let `nmt train` finish its first epoch."
        )
    return config, vocabulary, weights
