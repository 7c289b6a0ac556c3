"""The command `nmt`: its parser, its exit status, and what it says when things fail.

Nothing heavy is imported here, nor at the top of a command's file, so that `--help`
answers at once.
"""

import argparse
import contextlib
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
    score,
    serve,
    train,
    translate,
)
from nmt.errors import UserError

OK, FAILED, USAGE, INTERRUPTED = 0, 1, 2, 130

COMMANDS = (demo, corpora, train, translate, score, align, evaluate, serve)


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
        with _ended_as_by_ctrl_c():
            status = args.run(args)
        sys.stdout.flush()
        return status or OK
    except SystemExit as end:  # argparse has printed the help
        return end.code or OK
    except UserError as error:
        return _fail(error, USAGE)
    except KeyboardInterrupt:
        resumes = args is not None and args.resumes
        then = " The same command goes on where it stopped." if resumes else ""
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
        description="Translation with attention: train, translate, see the attention.",
    )
    commands = root.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for command in COMMANDS:
        command.add_parser(commands)
    return root
