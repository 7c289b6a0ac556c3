"""`nmt evaluate`: score a model on the splits of its corpus, or on files."""

import json
import sys
from pathlib import Path

from nmt.app import inputs
from nmt.app.lines import SIDES, check_lengths
from nmt.app.options import (
    BEAM_SIZE,
    add_beam,
    add_command,
    add_data,
    add_links,
    add_models,
    add_no_verify,
    add_pairs,
    add_penalties,
)
from nmt.app.shortlists import add_shortlist, use_shortlist
from nmt.corpora import Corpus, pair_lines, read_lines
from nmt.errors import UserError
from nmt.translation import Line


def add_parser(commands):
    """Add the command and its flags."""
    command = add_command(
        commands,
        "evaluate",
        run,
        "score a model on the test splits of its corpus, or on files",
        "With --source-file and --target-file the sentences of the first are "
        "translated and scored against those of the second, the references.",
    )
    add_models(command)
    command.add_argument(
        "--split",
        nargs="+",
        action="extend",
        metavar="NAME",
        help="splits to score (default: all test splits)",
    )
    add_pairs(command)
    add_beam(command)
    add_penalties(command)
    add_links(command)
    add_shortlist(command)
    add_data(command)
    add_no_verify(command)
    command.add_argument("--json", action="store_true", help="print an object a line")


def run(args):
    """Do what the command does."""
    of_files = inputs.check_pair_of_files(args)
    if of_files:
        learns = args.links == "best" or args.shortlist
        unverified = not args.verify and not learns
        for flag, is_given in (("split", args.split), ("no-verify", unverified)):
            if is_given:
                raise UserError(f"--{flag} has no use with files. Change one of them.")
    settings = inputs.load_config(args.models[0]).corpus
    if of_files:
        corpus = _corpus_of_files(settings, args.source_file, args.target_file)
        splits = list(corpus.splits)
    else:
        mend = "Name the text to score by --source-file and --target-file"
        corpus = inputs.open_corpus_of(args.models[0], args, mend)
        splits = _splits(corpus, args.split)
    translator = inputs.load_translator(args.models, args.device)
    from nmt.evaluation import evaluate, gold_sentences

    aligner = None
    if args.links == "best":
        if not any(gold_sentences(corpus, split, args.data) for split in splits):
            raise UserError(
                f"--links best has no use: no gold links are known for {corpus.name}. "
                "Leave it out."
            )
        aligner = inputs.open_aligner(args)
    if args.shortlist:
        use_shortlist(translator, args.models[0], args.data, args.verify)
    if of_files:
        _check_lengths(translator, corpus, args.source_file, args.target_file)
    for split in splits:
        count = len(corpus.splits[split].source)
        print(f"evaluating {split}, {count} pairs", file=sys.stderr, flush=True)
        result = evaluate(
            translator,
            corpus,
            split,
            beam_size=args.beam or BEAM_SIZE,
            shortlist=args.shortlist or 0,
            data=args.data,
            progress=True,
            aligner=aligner,
            length_penalty=args.length_penalty,
            coverage_penalty=args.coverage_penalty,
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


def _corpus_of_files(settings, source_file, target_file):
    """Return the text of two files as a corpus with one split, named after them."""
    from nmt.text import as_published

    lines, others = read_lines(source_file), read_lines(target_file)
    pairs = pair_lines(lines, others, source_file, target_file)
    if settings.text == "tok":  # as the model writes, whatever form the files have
        language = settings.target
        target = tuple(as_published(line, language) for line in pairs.target)
        pairs = pairs._replace(target=target)
    return Corpus(
        Path(source_file).name,
        settings.source,
        settings.target,
        settings.text,
        {Path(target_file).name: pairs},
    )


def _check_lengths(translator, corpus, *files):
    """Refuse files with a line that is too long, and say which."""
    (pairs,) = corpus.splits.values()
    for path, texts, side in zip(files, pairs, SIDES, strict=True):
        lines = [
            Line(number, f"{path}, line {number}", (text,))
            for number, text in enumerate(texts, 1)
        ]
        check_lengths(translator, lines, side)
