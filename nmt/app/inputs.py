"""What commands open: lines, corpora, folders of models, and folders to write into."""

import gzip
import os
import sys
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any

from nmt.app.tensorflow_import import import_tensorflow
from nmt.config import CONFIG_FILE, Config
from nmt.corpora import from_files, from_tsv, load, reading
from nmt.errors import UserError
from nmt.files import why_no_folder
from nmt.translation import (
    Line,
    argument_lines,
    arriving_lines,
    side_by_side,
    tab_pairs,
)


def open_lines(args) -> list[Line]:
    """Return the lines to translate, none of them faulty.

    Args:
        args: Arguments with the flags of `options.add_texts`.

    Raises:
        UserError: If there is no text, or it cannot be read or is not UTF-8.
    """
    lines = list(chain.from_iterable(open_stream(args)))
    for line in lines:
        if line.fault:
            raise line.fault.refusal(line.where)
    return lines


def open_stream(args) -> Iterable[list[Line]]:
    """Return the lines to translate, in lists: arguments, a file, or as they arrive.

    Args:
        args: Arguments with the flags of `options.add_texts`.

    Raises:
        UserError: If there is no text, or it cannot be read.
    """
    if args.texts and args.input is not None:
        raise UserError("both TEXT and --input were given. Give one of them.")
    if args.texts:
        return [argument_lines(args.texts)]
    if args.input is not None:
        return _file_lines(args.input)
    return _standard_input("one sentence a line", "Give TEXT")


def open_pairs(args) -> Iterator[list[Line]]:
    """Yield pairs of lines, in lists: of two files, or as they arrive.

    Args:
        args: Arguments with the flags of `options.add_pairs`.

    Raises:
        UserError: If there are no pairs, or they cannot be read.
    """
    if check_pair_of_files(args):
        source, target = args.source_file, args.target_file
        return side_by_side(_file_lines(source), _file_lines(target), source, target)
    arriving = _standard_input(
        "a sentence TAB its translation, one pair a line",
        "Give --source-file and --target-file",
    )
    return map(tab_pairs, arriving)


def check_pair_of_files(args) -> bool:
    """Return whether both files of a pair were given; refuse half a pair."""
    given = {"source": args.source_file, "target": args.target_file}
    missing = [side for side, path in given.items() if path is None]
    if len(missing) == 1:
        raise UserError(f"--{missing[0]}-file is missing. Give both files of the pair.")
    return not missing


def _standard_input(expected, mend):
    if sys.stdin is None:
        raise UserError(f"no text: standard input is closed. {mend}.")
    if sys.stdin.isatty():
        print(f"{expected}; end by Ctrl-D", file=sys.stderr)
    return arriving_lines(sys.stdin.buffer, "standard input")


def _file_lines(path):
    """Open a file, and yield its lines as they are read."""
    with reading(path):
        stream = gzip.open(path) if path.endswith(".gz") else open(path, "rb")
        lines = _read_lines(path, stream)
        first = next(lines, None)  # what cannot be read is told at once
    if first is None:
        raise UserError(f"{path} is empty. Expected one sentence a line.")
    return chain([first], lines)


def _read_lines(path, stream):
    with stream:
        lines = arriving_lines(stream, path)
        while True:
            with reading(path):
                batch = next(lines, None)
            if batch is None:
                return
            yield batch


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
        paths: list[Any] = [path or None for path in files]
        return from_files(*paths, **languages)
    return load(name, source, target, text, args.data, args.verify)


def open_corpus_of(folder, args, mend):
    """Return the corpus that a model was trained on.

    Args:
        folder: Folder of the model.
        args: Arguments with `data` and `verify`.
        mend: What can be done without it, for the error.

    Raises:
        UserError: If the text cannot be had again.
    """
    from nmt.translation import check_text_files

    config = load_config(folder)
    settings = config.corpus
    if settings.streamed:
        raise UserError(
            f"{folder} was trained on text that was streamed and not kept. {mend}."
        )
    check_text_files(folder, config, mend)
    names = (settings.name, settings.source, settings.target, settings.text)
    return open_corpus(*names, settings.files, args)


def open_aligner(args):
    """Return the word links of a model; learn them from its text the first time.

    Args:
        args: Arguments with `models`, `data`, `verify` and `device`.

    Raises:
        UserError: If they cannot be read, or the text cannot be had again.
    """
    from nmt.translation import load_aligner, read_folder, save_aligner

    folder = args.models[0]
    read_folder(folder)  # links of a model that is not yet there may be of another text
    aligner = load_aligner(folder)
    if aligner is not None:
        return aligner
    corpus = open_corpus_of(folder, args, "Take --links attention")
    count = len(corpus.splits["train"].source)
    print(
        f"learning word links from {count:,} pairs of {corpus.name}, to be kept in "
        f"{folder}",
        file=sys.stderr,
        flush=True,
    )
    import_tensorflow(args.device)  # the layers behind the door of the room load it
    from nmt.evaluation import learn_links

    aligner = learn_links(corpus)
    try:
        save_aligner(folder, aligner)
    except OSError as error:
        print(f"nmt: note: the links are not kept: {error}.", file=sys.stderr)
    return aligner


def load_config(model):
    """Return the settings of a folder; `UserError` if it is no folder of a model."""
    return Config.load(Path(model) / CONFIG_FILE)


def check_attention(models, but):
    """Refuse models without attention; `but` says what follows from that."""
    for model in models:
        if load_config(model).model.attention == "none":
            raise UserError(f"{model} is a model without attention: {but}")


def load_translator(models, device=None):
    """Load trained models, once TensorFlow is loaded without its messages.

    Args:
        models: Folders.
        device: See `import_tensorflow`.
    """
    from nmt.translation import read_folder

    for model in models:
        read_folder(model)  # before the wait for TensorFlow: is this a trained model?
    import_tensorflow(device, whole_operations=True)
    from nmt.translation import Translator

    return Translator.load(*models)


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
