"""The command `nmt`: its parser, its exit status, and what it says when things fail.

Nothing heavy is imported here, nor at the top of a command's file, so that `--help`
answers at once.
"""

import argparse
import contextlib
import errno
import os
import signal
import sys
import threading
from collections.abc import Sequence

from nmt.app.commands import (
    align,
    corpora,
    demo,
    evaluate,
    export,
    score,
    serve,
    train,
    translate,
)
from nmt.app.terminal import guarded_terminals, one_line
from nmt.errors import UserError

OK, FAILED, USAGE, INTERRUPTED = 0, 1, 2, 130

BAD_PATH = (errno.ELOOP, errno.ENAMETOOLONG, errno.ENOTDIR, errno.EISDIR)
"""What the system says of a path that the user has to change."""

REPEATED_AFTER = 10
"""Seconds after which an interrupt that has not ended a command comes again."""

COMMANDS = (demo, corpora, train, translate, score, align, evaluate, serve, export)


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command.

    Args:
        argv: The arguments. Default: those of this process.

    Returns:
        Exit status: 0 done, 1 failed, 2 bad use or bad input, 130 interrupted.
    """
    # Read by TensorFlow when it is imported; what a user has set stays.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    _stand_in_for_closed_streams()
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            # All text in and out is UTF-8, whatever the terminal is set to. Each line
            # goes out when it is written: who reads the log of a training waits.
            stream.reconfigure(
                encoding="utf-8", errors="backslashreplace", line_buffering=True
            )
    args = None
    try:
        if sys.stdout is None:
            raise UserError(
                "standard output is closed. Send it to a file, or to /dev/null."
            )
        args = parser().parse_args(argv)
        with _ended_as_by_ctrl_c(), guarded_terminals():
            status = args.run(args)
        sys.stdout.flush()
        return status or OK
    except SystemExit as end:  # argparse has printed the help
        return end.code if isinstance(end.code, int) else OK
    except UserError as error:
        return _fail(error, USAGE)
    except KeyboardInterrupt:
        resumes = args is not None and args.resumes
        then = " The same command goes on from what was saved last." if resumes else ""
        _tell(f"\nnmt: interrupted.{then}")
        return INTERRUPTED
    except BrokenPipeError:  # the reader has gone
        _give_up_broken_streams()
        return FAILED
    except OSError as error:
        _give_up_broken_streams()
        where = f"{error.filename}: " if error.filename else ""
        told = f"{where}{error.strerror or error}."
        return _fail(told, USAGE if error.errno in BAD_PATH else FAILED)
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
    """Let SIGTERM end a command as Ctrl-C does, so that no half file is left behind.

    TensorFlow's C++ may turn an interrupt into another exception, or lose it. So any
    exception that follows one is taken for it, and one that ends nothing is repeated.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came = []
    repeats = hasattr(signal, "setitimer")  # not on Windows

    def interrupt(number, frame):
        came.append(number)
        if repeats:
            signal.setitimer(signal.ITIMER_REAL, REPEATED_AFTER)
        raise KeyboardInterrupt

    numbers = [signal.SIGTERM]
    if repeats:
        numbers.append(signal.SIGALRM)
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # not ignored
        numbers.append(signal.SIGINT)
    before = {number: signal.signal(number, interrupt) for number in numbers}
    try:
        yield
    except Exception as error:
        if came:
            raise KeyboardInterrupt from error
        raise
    finally:
        if came and repeats:
            signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in before.items():
            signal.signal(number, handler or signal.SIG_DFL)


def _stand_in_for_closed_streams():
    """Open what was closed when the program began, as by `2>&-`, on nothing.

    Else the next file that is opened would take its number, and what libraries write
    to standard error would end up in that file.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")


def _give_up_broken_streams():
    """Send to nowhere what cannot be written: Python would complain at the end."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _fail(error, status: int) -> int:
    _tell(f"nmt: error: {one_line(error)}")
    return status


def _tell(line: str):
    try:
        print(line, file=sys.stderr)
    except OSError:  # nobody can be told
        _give_up_broken_streams()


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


class _Version(argparse.Action):
    """Prints the version, which is looked up then alone: that takes a while."""

    def __call__(self, parser, namespace, values, option_string=None):
        from importlib.metadata import version

        print(f"nmt {version('keras-attention-nmt')}")
        parser.exit()


def parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command line."""
    root = _Parser(
        prog="nmt",
        description="Translation with attention: train, translate, see the attention.",
    )
    root.add_argument(
        "--version", action=_Version, nargs=0, help="show the version and exit"
    )
    commands = root.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for command in COMMANDS:
        command.add_parser(commands)
    return root
