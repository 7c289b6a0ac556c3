"""What commands open: lines, corpora, folders of models, and folders to write into."""

import os
import sys
from pathlib import Path

from nmt.app.tensorflow_import import import_tensorflow
from nmt.config import CONFIG_FILE, Config
from nmt.corpora import from_files, from_tsv, load, read_lines
from nmt.errors import UserError
from nmt.files import why_no_folder
from nmt.translation import arriving_lines, checked_texts, chunks


def open_lines(args):
    """Return the lines to translate, in lists: arguments, a file, or as they arrive.

    Args:
        args: Arguments with the flags of `options.add_texts`.

    Raises:
        UserError: If there is no text, or it cannot be read.
    """
    if args.texts and args.input is not None:
        raise UserError("both TEXT and --input were given. Give one of them.")
    if args.texts:
        return [checked_texts(args.texts)]
    if args.input is not None:
        return list(chunks(read_lines(args.input)))
    if sys.stdin is None:
        raise UserError("no text to translate: standard input is closed. Give TEXT.")
    if sys.stdin.isatty():
        print("one sentence a line; end by Ctrl-D", file=sys.stderr)
    return arriving_lines(sys.stdin.buffer, "standard input")


def open_corpus(name, source, target, text, files, args):
    """Return a corpus of local files if there are any, else the one of this name.

    Args:
        name: Name of a corpus that `load` knows.
        source: Language to translate from, or `None`.
        target: Language to translate to, or `None`.
        text: Form of the text, `raw` or `tok`.
        files: Paths: none, one of a TSV file, or those that `from_files` takes.
        args: Arguments with `data` and `verify`.
    """
    languages = {
        "source": "source" if source is None else source,
        "target": "target" if target is None else target,
    }
    if len(files) == 1:
        return from_tsv(files[0], **languages)
    if files:
        return from_files(*(path or None for path in files), **languages)
    return load(name, source, target, text, args.data, args.verify)


def load_config(model):
    """Return the settings of a folder; `UserError` if it is no folder of a model."""
    return Config.load(Path(model) / CONFIG_FILE)


def check_attention(model, but):
    """Refuse a model without attention; `but` says what follows from that."""
    if load_config(model).model.attention == "none":
        raise UserError(f"{model} is a model without attention: {but}")


def load_translator(model):
    """Load a trained model, once TensorFlow is loaded without its messages."""
    from nmt.translation import read_folder

    read_folder(model)  # before the wait for TensorFlow: is this a trained model?
    import_tensorflow()
    from nmt.translation import Translator

    return Translator.load(model)


def output_folder(path, flag):
    """Return the path of a folder that can be made or written into."""
    if not path:
        raise UserError(f"{flag} is empty. Expected the path of a folder.")
    check_writable(Path(path), flag)
    return Path(path)


def check_writable(folder, what):
    """Refuse a folder that nothing can be written into, before the work is done."""
    if reason := why_no_folder(folder):
        raise UserError(f"{what} must be a folder, but {reason}.")
    places = (folder, *folder.parents)
    there = next((place for place in places if os.path.exists(place)), Path())
    if not os.access(there, os.W_OK | os.X_OK):
        raise UserError(
            f"{what} cannot be written: this user may not write in {there}. Choose "
            "another."
        )
