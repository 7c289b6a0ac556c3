"""`nmt evaluate`: score a model on the splits of its corpus."""

import json
import sys

from nmt.app import inputs
from nmt.app.options import (
    BEAM_SIZE,
    add_beam,
    add_command,
    add_data,
    add_model,
    add_no_verify,
)
from nmt.errors import UserError


def add_parser(commands):
    """Add the command and its flags."""
    command = add_command(
        commands, "evaluate", run, "score a model on the test splits of its corpus"
    )
    add_model(command)
    command.add_argument(
        "--split",
        nargs="+",
        action="extend",
        metavar="NAME",
        help="splits to score (default: all test splits)",
    )
    add_beam(command)
    add_data(command)
    add_no_verify(command)
    command.add_argument("--json", action="store_true", help="print an object a line")


def run(args):
    """Do what the command does."""
    from nmt.translation import check_text_files

    config = inputs.load_config(args.model)
    check_text_files(args.model, config)
    settings = config.corpus
    corpus = inputs.open_corpus(
        settings.name,
        settings.source,
        settings.target,
        settings.text,
        settings.files,
        args,
    )
    splits = _splits(corpus, args.split)
    translator = inputs.load_translator(args.model)
    from nmt.evaluation import evaluate

    for split in splits:
        count = len(corpus.splits[split].source)
        print(f"evaluating {split}, {count} pairs", file=sys.stderr, flush=True)
        result = evaluate(
            translator,
            corpus,
            split,
            beam_size=args.beam or BEAM_SIZE,
            data=args.data,
            progress=True,
        )
        text = json.dumps(result.to_dict()) if args.json else result.table()
        print(text, flush=True)


def _splits(corpus, chosen):
    """Return the names of the splits to score, all test splits by default."""
    known = ", ".join(corpus.splits)
    splits = chosen or [
        split for split in corpus.splits if split not in ("train", "validation")
    ]
    if not splits:
        raise UserError(
            f"{corpus.name} has no test split. Choose one by --split from: {known}."
        )
    for split in splits:
        if split not in corpus.splits:
            raise UserError(f"{corpus.name} has no split {split!r}. Known: {known}.")
    return splits
