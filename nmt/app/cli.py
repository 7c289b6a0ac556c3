"""The command `nmt`: its options, its exit status, and what it says when things fail.

Nothing heavy is imported here, so that `--help` answers at once: what a command does
stands in `nmt.commands`.
"""

import argparse
import contextlib
import dataclasses
import os
import signal
import sys
import threading
from collections.abc import Sequence

from nmt.config import PRESETS, ModelConfig, TrainingConfig, VocabularyConfig
from nmt.errors import UserError

OK, FAILED, USAGE, INTERRUPTED = 0, 1, 2, 130

OPTION_GROUPS = {
    "vocabulary": VocabularyConfig,
    "model": ModelConfig,
    "training": TrainingConfig,
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command.

    Args:
        argv: The arguments. Default: those of this process.

    Returns:
        Exit status: 0 done, 1 failed, 2 bad use or bad input, 130 interrupted.
    """
    # Read by TensorFlow when it is imported; what a user has set stays.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            # All text in and out is UTF-8, whatever the terminal is set to. Each line
            # goes out when it is written: who reads the log of a training waits.
            stream.reconfigure(
                encoding="utf-8", errors="backslashreplace", line_buffering=True
            )
    args = None
    try:
        args = parser().parse_args(argv)
        from nmt.app import commands_ as commands

        with _ended_as_by_ctrl_c():
            getattr(commands, args.command)(args)
        sys.stdout.flush()
        return OK
    except SystemExit as end:  # argparse has printed the help
        return end.code or OK
    except UserError as error:
        return _fail(error, USAGE)
    except KeyboardInterrupt:
        again = args is not None and args.command in ("demo", "train")
        then = " The same command goes on where it stopped." if again else ""
        print(f"\nnmt: interrupted.{then}", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # The reader has gone. Python would complain when it flushes at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        return _fail(f"{where}{error.strerror or error}.", FAILED)
    except Exception as error:
        # TensorFlow's is known by its name, as it may not be imported here.
        if type(error).__name__ != "ResourceExhaustedError" and not isinstance(
            error, MemoryError
        ):
            raise
        return _fail(
            "not enough memory. Try a smaller --beam, --batch-tokens or model, or "
            "shorter sentences.",
            FAILED,
        )


@contextlib.contextmanager
def _ended_as_by_ctrl_c():
    """Let SIGTERM end a command as Ctrl-C does, so that no half file is left behind."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before or signal.SIG_DFL)


def _fail(error, status: int) -> int:
    print("nmt: error:", " ".join(str(error).split()), file=sys.stderr)
    return status


class _Parser(argparse.ArgumentParser):
    """A parser whose complaints are one line, as all others of this program."""

    def __init__(self, **kwargs):
        super().__init__(allow_abbrev=False, **kwargs)

    def parse_known_args(self, args=None, namespace=None):
        namespace, unknown = super().parse_known_args(args, namespace)
        if unknown:  # here, so that the help pointed to is that of the command
            self.error(f"unrecognized arguments: {' '.join(unknown)}")
        return namespace, unknown

    def error(self, message):
        raise UserError(f"{message}. See: {self.prog} --help")


def parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command line."""
    root = _Parser(
        prog="nmt",
        description="Translation with attention: train, translate, see where it looks.",
    )
    commands = root.add_subparsers(dest="command", metavar="COMMAND", required=True)
    _add_demo(commands)
    _add_corpora(commands)
    _add_train(commands)
    _add_translate(commands)
    _add_evaluate(commands)
    _add_serve(commands)
    return root


def _add_demo(commands):
    command = _command(
        commands,
        "demo",
        "train on the built-in phrase book and show what it learns, in a few minutes",
    )
    command.add_argument(
        "--out", default="demo", metavar="DIR", help="folder made (default: demo)"
    )


def _add_corpora(commands):
    command = _command(
        commands, "corpora", "list the corpora, and what of them is on disk"
    )
    _add_data(command)


def _add_train(commands):
    command = _command(
        commands,
        "train",
        "train a model; the same command again goes on where it stopped",
        "Text of your own is a TSV file in place of CORPUS, or pairs of files with "
        "one sentence a line.",
    )
    text = command.add_argument_group("text")
    text.add_argument(
        "corpus",
        nargs="?",
        metavar="CORPUS",
        help="name of a corpus (see: nmt corpora), or a .tsv file: source TAB target",
    )
    uses = ("to train on", "to choose the best epoch by", "to score")
    for part, use in zip(("train", "validation", "test"), uses, strict=True):
        for side in ("source", "target"):
            text.add_argument(
                f"--{part}-{side}", metavar="FILE", help=f"{side} sentences {use}"
            )
    text.add_argument("--source", metavar="LANGUAGE", help="to translate from")
    text.add_argument("--target", metavar="LANGUAGE", help="to translate to")
    text.add_argument(
        "--text",
        choices=("raw", "tok"),
        default="raw",
        help="as people write, or as the publishers tokenised it (default: raw)",
    )
    _add_data(text)
    _add_no_verify(text)
    command.add_argument(
        "--out",
        metavar="DIR",
        help="folder of the model (default: models/CORPUS-SOURCE-TARGET[-tok])",
    )
    command.add_argument(
        "--preset",
        choices=tuple(PRESETS),
        help="settings to start from; the options below change them (default: the one "
        "made for the corpus: short for spa-eng, demo for phrasebook, base for others)",
    )
    command.add_argument(
        "--pictures",
        action="store_true",
        help="after each epoch draw where the model looks in the first validation "
        "sentence, see pictures/index.html in the folder",
    )
    command.add_argument(
        "--picture-of", metavar="TEXT", help="draw this sentence in its place"
    )
    for name, kind in OPTION_GROUPS.items():
        group = command.add_argument_group(f"{name} (defaults are those of base)")
        for option in dataclasses.fields(kind):
            _add_setting(group, option, getattr(PRESETS["base"], name))


def _add_setting(group, option: dataclasses.Field, defaults):
    """Add the flag of a field of the configuration, absent unless given."""
    flag = f"--{option.name.replace('_', '-')}"
    text = option.metadata["help"].replace("%", "%%")
    if option.type is bool:
        group.add_argument(
            flag,
            action=argparse.BooleanOptionalAction,
            default=argparse.SUPPRESS,
            help=f"{text} (default: {'yes' if option.default else 'no'})",
        )
        return
    choices = option.metadata["choices"]
    names = {int: "N", float: "X"}
    group.add_argument(
        flag,
        type=option.type,
        choices=choices,
        metavar=None if choices else names.get(option.type, "NAME"),
        default=argparse.SUPPRESS,
        help=f"{text} (default: {getattr(defaults, option.name)})",
    )


def _add_translate(commands):
    command = _command(
        commands,
        "translate",
        "translate text: one line out per line in",
        "Without TEXT and --input, standard input is translated as it comes.",
    )
    _add_model(command)
    command.add_argument("texts", nargs="*", metavar="TEXT", help="one sentence each")
    command.add_argument(
        "--input", metavar="FILE", help="file of one sentence a line (or .gz)"
    )
    _add_search(command.add_argument_group("search"))
    _add_sampling(command.add_argument_group("sampling"))
    _add_output(command.add_argument_group("output"))


def _add_search(group):
    _add_beam(group)
    group.add_argument(
        "--prefix",
        metavar="TEXT",
        help="how the translations have to begin",
    )
    group.add_argument(
        "--length-penalty",
        type=_length_penalty,
        metavar="X",
        help="0 to 10; more prefers longer translations (default: 1)",
    )
    group.add_argument(
        "--coverage-penalty",
        type=_not_negative,
        metavar="X",
        help="more prefers translations that looked at every word (default: 0)",
    )


def _add_sampling(group):
    group.add_argument(
        "--sample", action="store_true", help="draw the words in place of a search"
    )
    group.add_argument(
        "--temperature",
        type=_above_zero,
        metavar="X",
        help="below 1 likelier words, above 1 stranger ones (default: 1)",
    )
    group.add_argument(
        "--top-k",
        type=_positive,
        metavar="N",
        help="draw from the likeliest N pieces alone",
    )
    group.add_argument("--seed", type=int, metavar="N", help="the same words each time")


def _add_output(group):
    group.add_argument(
        "--n-best",
        type=_positive,
        default=1,
        metavar="N",
        help="translations of each sentence, at most as many as beams: lines of "
        "sentence number TAB score TAB translation",
    )
    group.add_argument(
        "--json",
        action="store_true",
        help="print an object a line: source, text, score, tokens, attention weights",
    )
    group.add_argument(
        "--plot",
        metavar="FILE",
        help="draw the attention: .png, .svg, .pdf or .html (the interactive page), "
        "FILE-1, FILE-2 ... of several; -: in the terminal",
    )


def _add_evaluate(commands):
    command = _command(
        commands, "evaluate", "score a model on the test splits of its corpus"
    )
    _add_model(command)
    command.add_argument(
        "--split",
        nargs="+",
        action="extend",
        metavar="NAME",
        help="splits to score (default: all test splits)",
    )
    _add_beam(command)
    _add_data(command)
    _add_no_verify(command)
    command.add_argument("--json", action="store_true", help="print an object a line")


def _add_serve(commands):
    command = _command(
        commands,
        "serve",
        "show a model in the browser: type, translate, see where it looks",
        "A demonstration for this machine alone, until Ctrl-C stops it (exit status "
        "0). With --export it writes pages in place of that, of the sentences in TEXT, "
        "--input or standard input.",
    )
    _add_model(command)
    command.add_argument(
        "--port",
        type=_port,
        metavar="N",
        help="port to listen on; 0: any free one (default: 8000)",
    )
    _add_beam(command)
    command.add_argument(
        "--export",
        metavar="DIR",
        help="folder for a page of each sentence, and an index.html",
    )
    command.add_argument("texts", nargs="*", metavar="TEXT", help="one sentence each")
    command.add_argument(
        "--input", metavar="FILE", help="file of one sentence a line (or .gz)"
    )


def _command(commands, name, purpose, more=""):
    opening = f"{purpose[0].upper()}{purpose[1:]}."
    return commands.add_parser(
        name, help=purpose, description=f"{opening} {more}".strip()
    )


def _add_model(command):
    command.add_argument(
        "--model", required=True, metavar="DIR", help="folder made by nmt train"
    )


def _add_beam(command):
    command.add_argument(
        "--beam",
        type=_positive,
        metavar="N",
        help="beams of the search; 1: greedy (default: 5)",
    )


def _add_data(command):
    command.add_argument(
        "--data",
        metavar="DIR",
        help="folder of the corpora (default: NMT_DATA, or the user's cache)",
    )


def _add_no_verify(command):
    command.add_argument(
        "--no-verify",
        dest="verify",
        action="store_false",
        help="take a corpus whose checksum does not match",
    )


def _number(kind, fits, expected):
    """Return a function that reads a number, for argparse."""

    def read(text):
        try:
            value = kind(text)
        except ValueError:
            value = None
        if value is None or not fits(value):
            raise argparse.ArgumentTypeError(f"must be {expected}; got {text!r}")
        return value

    return read


_positive = _number(int, lambda n: n >= 1, "a whole number of at least 1")
_port = _number(int, lambda n: 0 <= n < 65536, "a whole number from 0 to 65535")
_above_zero = _number(float, lambda x: 0 < x < float("inf"), "a number above 0")
_length_penalty = _number(float, lambda x: 0 <= x <= 10, "a number from 0 to 10")
_not_negative = _number(
    float, lambda x: 0 <= x < float("inf"), "a number of at least 0"
)
