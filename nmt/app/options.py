"""Flags that several commands have, and the checks of their values."""

import argparse
import re

from nmt.files import why_no_folder
from nmt.translation import CHUNK

BEAM_SIZE = 5
"""Beams of a search where no number is given."""
MOST_BEAMS = 200
"""Most beams of a search: memory grows with them, and more translate no better."""
LARGEST = 2**31 - 1
"""Largest whole number that TensorFlow counts with."""

BATCH_SIZE = 64
"""Pairs scored or linked at once where no number is given."""

LINKS = ("attention", "best")
"""What can link words."""

ON_ERROR = ("stop", "skip", "truncate")
"""What can become of a line that cannot be worked on."""


def add_command(commands, name, run, purpose, more="", resumes=False):
    """Add a command to the parser of the program.

    Args:
        commands: What `add_subparsers` returned.
        name: Name of the command.
        run: Function of the parsed arguments that does its work.
        purpose: What it does, in one line without a capital and a full stop.
        more: Sentences that its own help adds.
        resumes: Whether the same command goes on where it was interrupted.

    Returns:
        The parser of the command.
    """
    opening = f"{purpose[0].upper()}{purpose[1:]}."
    command = commands.add_parser(
        name, help=purpose, description=f"{opening} {more}".strip()
    )
    command.set_defaults(run=run, resumes=resumes)
    return command


def add_device(command):
    """Add `--device`."""
    command.add_argument(
        "--device",
        type=_device,
        metavar="NAME",
        help="cpu, gpu, or gpu:N for one of several (default: the GPUs, where there "
        "are some)",
    )


def add_model(command):
    """Add `--model`, one folder, and `--device`, on which it works."""
    add_device(command)
    command.add_argument(
        "--model",
        required=True,
        type=model_folder,
        metavar="DIR",
        help="folder made by nmt train",
    )


def add_models(command):
    """Add `--model`, which may be given several times, and `--device`."""
    add_device(command)
    command.add_argument(
        "--model",
        dest="models",
        required=True,
        action="append",
        type=model_folder,
        metavar="DIR",
        help="folder made by nmt train; give it again for models that translate "
        "together, by the mean of their predictions",
    )


def add_penalties(group):
    """Add `--length-penalty` and `--coverage-penalty`, `None` where not given."""
    group.add_argument(
        "--length-penalty",
        type=number(float, lambda x: 0 <= x <= 10, "a number from 0 to 10"),
        metavar="X",
        help="0 to 10; larger values prefer longer translations (default: 1)",
    )
    group.add_argument(
        "--coverage-penalty",
        type=number(float, lambda x: 0 <= x <= 1000, "a number from 0 to 1000"),
        metavar="X",
        help="0 to 1000; larger values prefer translations that attended to every "
        "word (default: 0)",
    )


def add_texts(command):
    """Add the sentences to translate: TEXT and `--input`."""
    command.add_argument("texts", nargs="*", metavar="TEXT", help="one sentence each")
    command.add_argument(
        "--input", metavar="FILE", help="file of one sentence a line (or .gz)"
    )


def add_on_error(command):
    """Add `--on-error`."""
    command.add_argument(
        "--on-error",
        choices=ON_ERROR,
        default="stop",
        help="what becomes of a line that is too long or not UTF-8; stop: the end, "
        "with exit status 2, after the results before it; skip: a blank line in its "
        "place; truncate: it is cut, or wrong bytes become U+FFFD. What was skipped or "
        "changed is told, and the exit status is 1 (default: stop)",
    )


def add_batch_size(command, default=BATCH_SIZE):
    """Add `--batch-size`, and say what it is where it is not given."""
    command.add_argument(
        "--batch-size",
        type=number(
            int, lambda n: 1 <= n <= CHUNK, f"a whole number from 1 to {CHUNK}"
        ),
        metavar="N",
        help=f"most sentences in a batch, 1 to {CHUNK}; fewer if they are long. Each "
        f"core has one (default: {default})",
    )


def add_pairs(command):
    """Add the files of sentences and their translations."""
    for side in ("source", "target"):
        command.add_argument(
            f"--{side}-file",
            metavar="FILE",
            help=f"file of the {side} sentences, one a line (or .gz)",
        )


def add_beam(command, more=""):
    """Add `--beam`; `more` is added to the bounds in its help."""
    command.add_argument(
        "--beam",
        type=whole(1, MOST_BEAMS),
        metavar="N",
        help=f"beams of the search, 1 to {MOST_BEAMS}{more}; 1: greedy (default: "
        f"{BEAM_SIZE})",
    )


def add_links(command):
    """Add `--links`."""
    command.add_argument(
        "--links",
        choices=LINKS,
        default=LINKS[0],
        help="what links words; attention: each word of a translation to the one that "
        "it attends to most; best: a hidden Markov model in both directions, learnt "
        "from the text of the model the first time, in less than a minute, and kept in "
        "its folder (default: attention)",
    )


def add_data(command):
    """Add `--data`."""
    command.add_argument(
        "--data",
        type=_path,
        metavar="DIR",
        help="folder of the corpora (default: NMT_DATA, or the user's cache)",
    )


def add_no_verify(command):
    """Add `--no-verify`."""
    command.add_argument(
        "--no-verify",
        dest="verify",
        action="store_false",
        help="take a corpus whose checksum does not match",
    )


def number(kind, fits, expected):
    """Return a function that reads a number, for `type` of an argument.

    Args:
        kind: `int` or `float`.
        fits: Function that says whether a number is in its range.
        expected: What is expected, for the error.
    """

    def read(text):
        try:
            value = kind(text)
        except ValueError:
            value = None
        if value is None or not fits(value):
            raise argparse.ArgumentTypeError(f"must be {expected}; got {text!r}")
        return value

    return read


def whole(least: int, most: int):
    """Return a function that reads a whole number, for `type` of an argument."""
    expected = f"a whole number from {least} to {most}"
    return number(int, lambda n: least <= n <= most, expected)


positive = whole(1, LARGEST)


def _device(text):
    if not re.fullmatch(r"cpu|gpu(:\d{1,3})?", text):
        raise argparse.ArgumentTypeError(f"must be cpu, gpu or gpu:N; got {text!r}")
    return text


def _path(text):
    if not text:
        raise argparse.ArgumentTypeError("must be a path; got ''")
    return text


def model_folder(text):
    """Check that no other file is where a model should be; it may be missing."""
    if reason := why_no_folder(_path(text)):
        raise argparse.ArgumentTypeError(
            f"must be a folder made by nmt train, but {reason}"
        )
    return text
