"""The settings of a training: flags, over a file, over a preset or another model."""

import dataclasses
from pathlib import Path

from nmt.config import SECTIONS, in_file, read_settings
from nmt.corpora import CORPORA
from nmt.errors import UserError
from nmt.limits import flag, shown
from nmt.presets import PRESETS

SETTINGS = ("vocabulary", "model", "training")
"""Sections of the configuration; each of their fields is a flag."""


def read_start(args):
    """Return the `Start` that the command line names, or `None`."""
    if args.start is None:
        if args.new_vocabulary:
            raise UserError("--new-vocabulary needs --from, the model to start from.")
        return None
    if args.preset is not None:
        raise UserError(
            "both --preset and --from were given, and settings start from one of them. "
            "Leave one out."
        )
    if args.out is None:
        raise UserError("--from needs --out, the folder of the new model.")
    from nmt.training import Start

    return Start(Path(args.start), args.new_vocabulary)


def choose_settings(args, files, started):
    """Return the settings: flags, over those of --config, over what they start from.

    Args:
        args: Arguments. The corpus and the languages that are not given are filled in.
        files: Local files of text.
        started: `Config` of the model that it starts from; `None` for a preset.
    """
    names = {
        option.name
        for section in SETTINGS
        for option in dataclasses.fields(SECTIONS[section])
    }
    given = {name: value for name, value in vars(args).items() if name in names}
    from_file = {}
    if args.config is not None:
        from_file = read_settings(args.config)
        if args.corpus is None and not files:
            _take_corpus(args, from_file)
    if started is None:
        started = PRESETS[args.preset or _preset(args.corpus, files)]
    elif files:
        for key in ("source", "target"):
            if getattr(args, key) is None:
                setattr(args, key, getattr(started.corpus, key))

    def called(name):
        of_file = name in from_file and name not in given
        return in_file(args.config)(name) if of_file else flag(name)

    return started.replace(called, **{**from_file, **given})


def _take_corpus(args, settings):
    """Take a public corpus from the settings of a file, and what no flag says of it."""
    mend = "Give CORPUS, or --train-source and --train-target."
    name = settings.get("name")
    if settings.get("files") or settings.get("streamed"):
        raise UserError(
            f"{args.config} was made for local files, which are not opened because "
            f"a file names them. {mend}"
        )
    if name is not None and name not in CORPORA:
        raise UserError(
            f"{args.config} was made for {shown(name)}, which is none of the corpora "
            f"that nmt has: {', '.join(CORPORA)}. {mend}"
        )
    args.corpus = name
    for key in ("source", "target", "text"):
        if getattr(args, key) is None:
            setattr(args, key, settings.get(key))


def _preset(name, files):
    """Name the settings made for a corpus; text of one's own gets those of most use."""
    return "base" if files or name not in CORPORA else CORPORA[name].preset
