"""What `nmt score` and `nmt align` have in common: given pairs, a line for each."""

import sys

from nmt.app import inputs
from nmt.app.lines import Worker
from nmt.app.options import (
    BATCH_SIZE,
    add_batch_size,
    add_command,
    add_models,
    add_on_error,
    add_pairs,
)


def add_forced(commands, name, run, purpose, more, values):
    """Add a command on given pairs.

    Args:
        commands: What `add_subparsers` returned.
        name: Name of the command.
        run: Function of the parsed arguments that does its work.
        purpose: What it does, in one line without a capital and a full stop.
        more: Sentences that its own help adds.
        values: What its `--json` prints.

    Returns:
        The parser of the command.
    """
    command = add_command(
        commands,
        name,
        run,
        purpose,
        f"{more} Without files, lines of sentence TAB translation are read from "
        "standard input. One line out per pair in, a blank one for a "
        "blank pair.",
    )
    add_models(command)
    add_pairs(command)
    add_on_error(command)
    add_batch_size(command)
    command.add_argument(
        "--json", action="store_true", help=f"print an object a line: {values}"
    )
    return command


def force(translator, sources, targets, batch_size):
    """Force the targets of pairs."""
    return translator.force(sources, targets, batch_size)


def print_pairs(args, batches, format_result, work=force) -> int:
    """Work on pairs, and print a line for each.

    Args:
        args: Arguments with the flags of `add_forced`.
        batches: What `inputs.open_pairs` gave.
        format_result: Function of a `Line` and its result, `None` for a blank pair,
            that returns what is printed.
        work: Function of the translator, sources, targets and `--batch-size` that
            returns a result for each pair.

    Returns:
        Exit status.
    """
    from tqdm import tqdm

    translator = inputs.load_translator(args.models, args.device)
    batch_size = args.batch_size or BATCH_SIZE

    def work_on(sources, targets):
        return work(translator, sources, targets, batch_size)

    worker = Worker(translator, work_on, args.on_error)
    hidden = True if sys.stdout.isatty() else None
    try:
        with tqdm(unit=" pairs", disable=hidden, leave=False) as bar:
            for batch in batches:
                for line, result in worker.results(batch):
                    print(format_result(line, result))
                sys.stdout.flush()
                bar.update(len(batch))
    finally:
        worker.tell()
    return worker.status()
