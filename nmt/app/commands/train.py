"""`nmt train`: train a model, or go on with its training."""

import argparse
import dataclasses
import os
from pathlib import Path
from typing import Any

from nmt.app import inputs
from nmt.app.options import (
    add_command,
    add_data,
    add_device,
    add_no_verify,
    model_folder,
)
from nmt.app.settings import SETTINGS, choose_settings, read_start
from nmt.app.tensorflow_import import import_tensorflow
from nmt.config import SECTIONS
from nmt.cores import core_count
from nmt.corpora import stream_files
from nmt.errors import UserError
from nmt.limits import flag
from nmt.presets import PRESETS
from nmt.translation import check_utf8

PARTS = {
    "train": "to train on",
    "validation": "to choose the best epoch by",
    "test": "to score",
}
"""Part of the text that files can be given for → what it is for."""

SIDES = ("source", "target")


def add_parser(commands):
    """Add the command and its flags."""
    command = add_command(
        commands,
        "train",
        run,
        "train a model; the same command again goes on where it stopped",
        "Text of your own is a TSV file in place of CORPUS, or pairs of files with "
        "one sentence a line.",
        resumes=True,
    )
    _add_text(command.add_argument_group("text"))
    command.add_argument(
        "--out",
        metavar="DIR",
        help="folder of the model (default: models/CORPUS-SOURCE-TARGET[-tok])",
    )
    _add_start(command)
    _add_observation(command)
    add_device(command)
    command.add_argument(
        "--strategy",
        choices=("auto", "one", "mirrored", "multi-worker"),
        default="auto",
        help="what trains: one device; mirrored: all GPUs of this machine; "
        "multi-worker: the processes named by the variable TF_CONFIG, of which each is "
        "started with this command; auto: what there is several of (default: auto)",
    )
    for name in SETTINGS:
        group = command.add_argument_group(f"{name} (defaults are those of base)")
        for option in dataclasses.fields(SECTIONS[name]):
            _add_setting(group, option, getattr(PRESETS["base"], name))


def _add_start(command):
    """Add what settings and weights start from."""
    command.add_argument(
        "--preset",
        choices=tuple(PRESETS),
        help="settings to start from; the options below change them. quick: a first "
        "look, in a sixth of the time of base; best: in three to four times its time, "
        "with --diversify, on one device (default: the one made for the corpus: short "
        "for spa-eng, demo for phrasebook, base for others)",
    )
    command.add_argument(
        "--config",
        metavar="FILE",
        help="read settings from a file like the config.json of a model, or any part "
        "of one; they override the preset, and the options below override them. Its "
        "corpus, languages and form of the text count if none is given here",
    )
    command.add_argument(
        "--from",
        dest="start",
        type=model_folder,
        metavar="DIR",
        help="start from this trained model, on other text: from its weights, its "
        "vocabulary and its settings. --config and the options below may change those "
        "of training and the dropouts, and with --new-vocabulary --vocabulary-size; "
        "needs --out. Files without --source and --target have its languages",
    )
    command.add_argument(
        "--new-vocabulary",
        action="store_true",
        help="with --from: learn the vocabulary from this text all the same; what was "
        "learnt of pieces that both have is taken over",
    )


def _add_observation(command):
    """Add what shows a training."""
    command.add_argument(
        "--pictures",
        action="store_true",
        help="after each epoch draw the attention in the first validation sentence, "
        "see pictures/index.html in the folder",
    )
    command.add_argument(
        "--picture-of", metavar="TEXT", help="draw this sentence in its place"
    )
    command.add_argument(
        "--tensorboard",
        metavar="DIR",
        help="write what is measured for TensorBoard, with a picture of the attention "
        "after each epoch; the numbers are always in log.jsonl in the folder",
    )


def _add_text(group):
    group.add_argument(
        "corpus",
        nargs="?",
        metavar="CORPUS",
        help="name of a corpus (see: nmt corpora), or a .tsv file: source TAB target",
    )
    for part, use in PARTS.items():
        for side in SIDES:
            group.add_argument(
                f"--{part}-{side}", metavar="FILE", help=f"{side} sentences {use}"
            )
    group.add_argument(
        "--stream",
        action="store_true",
        help="read the text to train on while it is trained on, in little memory. "
        "--train-source and --train-target may then be patterns, such as "
        "'part-*.en.gz', of any place that TensorFlow reads from; files to validate on "
        "and --epoch-steps are needed",
    )
    group.add_argument(
        "--source",
        metavar="LANGUAGE",
        help="to translate from (default: the first that the corpus has; of files the "
        "word source)",
    )
    group.add_argument(
        "--target",
        metavar="LANGUAGE",
        help="to translate to (default: the first other one; of files the word target)",
    )
    group.add_argument(
        "--text",
        choices=("raw", "tok"),
        help="as people write, or as the publishers tokenised it (default: raw)",
    )
    add_data(group)
    add_no_verify(group)


def _add_setting(group, option: dataclasses.Field, defaults):
    """Add the flag of a field of the configuration, absent unless given."""
    text = option.metadata["help"].replace("%", "%%")
    default = getattr(defaults, option.name)
    if option.type is bool:
        group.add_argument(
            flag(option.name),
            action=argparse.BooleanOptionalAction,
            default=argparse.SUPPRESS,
            help=f"{text} (default: {'yes' if default else 'no'})",
        )
        return
    choices = option.metadata["choices"]
    names: dict[Any, str] = {int: "N", float: "X"}
    group.add_argument(
        flag(option.name),
        type=option.type,
        choices=choices,
        metavar=None if choices else names.get(option.type, "NAME"),
        default=argparse.SUPPRESS,
        help=f"{text} (default: {default})",
    )


def run(args):
    """Do what the command does."""
    from nmt.training import check_folder, fingerprint, read_cluster

    cluster = read_cluster(args.strategy)
    is_chief = cluster is None or cluster.number == 0
    files = _files(args)
    # Only the chief writes: the folders of other workers are not looked at.
    folder = inputs.output_folder if is_chief else _folder
    out = None if args.out is None else folder(args.out, "--out")
    start = read_start(args)
    started = start and _settings_of(start, out, is_chief)
    config = choose_settings(args, files, started)
    if args.stream:
        _check_stream(args, config)
    elif "shuffle_pairs" in args:
        raise UserError(
            "--shuffle-pairs needs --stream. Text in memory is shuffled as a whole: "
            "leave it out."
        )
    picture_of = _picture_of(args, config)
    board = None
    if args.tensorboard is not None:
        board = folder(args.tensorboard, "--tensorboard")
        check_utf8(args.tensorboard, "--tensorboard")  # as TensorFlow wants it
    corpus = _open_corpus(args, files)
    config = dataclasses.replace(config, corpus=corpus.settings())
    if out is None:
        form = "-tok" if corpus.text == "tok" else ""
        languages = f"{corpus.source_language}-{corpus.target_language}"
        name = f"models/{corpus.name}-{languages}{form}"
        out = folder(name, "--out")
    if is_chief:
        check_folder(out, config, fingerprint(corpus), start)
    # Two cores train faster so, by a tenth; for more cores it was not measured.
    import_tensorflow(args.device, whole_operations=core_count() <= 2)
    from nmt.training import PICTURES_FOLDER, train

    train(
        corpus,
        config,
        out,
        picture_of=picture_of,
        tensorboard=board,
        start=args.start,
        new_vocabulary=args.new_vocabulary,
        strategy=args.strategy,
    )
    if not is_chief:
        return
    page = out / PICTURES_FOLDER / "index.html"
    if picture_of is not None and page.is_file():
        print(f"Where the model looked, epoch by epoch: {page}")
    print(f"Try: nmt translate --model {out}")


def _folder(path, _):
    return Path(path)


def _settings_of(start, out, is_chief):
    """Return the settings of the model to start from."""
    try:
        return start.settings(out)
    except UserError as error:
        if is_chief:
            raise
        raise UserError(
            f"{error} With several workers each needs the folder of --from."
        ) from None


def _files(args):
    """Return the local files that the command line names.

    Before any settings are read: a file that they name is never opened.
    """
    local = [getattr(args, f"{part}_{side}") for part in PARTS for side in SIDES]
    name = args.corpus
    if any(local):
        if name is not None:
            raise UserError(
                f"both CORPUS ({name}) and files (--train-source ...) were given. "
                "Give one of them."
            )
        return tuple(os.path.abspath(path) if path else "" for path in local)
    if name and (name.endswith((".tsv", ".tsv.gz")) or os.path.isfile(name)):
        return (os.path.abspath(name),)
    return ()


def _picture_of(args, config):
    """Return the sentence to draw after each epoch, "" for one of the corpus."""
    if args.picture_of is None and not args.pictures:
        return None
    if config.model.attention == "none":
        raise UserError(
            "a model without attention has nothing to draw. Leave --pictures out, or "
            "choose another --attention."
        )
    if args.picture_of is None:
        return ""
    check_utf8(args.picture_of, "--picture-of")
    if not args.picture_of.strip():
        raise UserError("--picture-of is empty. Expected a sentence.")
    return args.picture_of


def _open_corpus(args, files):
    """Return the corpus to train on."""
    text = args.text or "raw"
    if args.corpus is None and not files:
        raise UserError(
            "no text to train on. Give the name of a corpus (see: nmt corpora), a "
            ".tsv file, or --train-source and --train-target."
        )
    if files and not args.verify:
        raise UserError(
            "--no-verify is for public corpora, whose checksums are known. Leave it "
            "out."
        )
    if files and args.data is not None:
        raise UserError(
            "--data is the folder of public corpora. Files are read where they are: "
            "leave it out."
        )
    if files and text != "raw":
        raise UserError(
            f"--text {text} is for public corpora in that form. Files are taken "
            "as they are: leave it out."
        )
    if args.stream:
        if any("://" in path for path in (args.train_source, args.train_target)):
            import_tensorflow(args.device)  # which opens them
        return stream_files(
            *(args.train_source, args.train_target),
            *(args.validation_source, args.validation_target),
            source=args.source or "source",
            target=args.target or "target",
        )
    return inputs.open_corpus(args.corpus, args.source, args.target, text, files, args)


def _check_stream(args, config):
    """Refuse what a text cannot have that is read while it is trained on."""
    if not (args.train_source and args.train_target):
        raise UserError("--stream needs --train-source and --train-target.")
    if args.test_source or args.test_target:
        raise UserError(
            "--test-source and --test-target have no use with --stream: no model "
            "remembers streamed files. Score by nmt evaluate with --source-file and "
            "--target-file."
        )
    if not config.training.epoch_steps:
        raise UserError(
            "--stream needs --epoch-steps, the number of batches after which the model "
            "is validated: the length of the text is not known."
        )
