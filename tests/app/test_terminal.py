"""Tests of what is printed: control characters, closed and broken streams."""

import io
import os
import subprocess
import sys

import pytest

from nmt.app.cli import main
from nmt.app.terminal import LONGEST, one_line, printable

RED = "\x1b[31mred\x07\x9b0m\u202e"
SPELLED_OUT = r"\x1b[31mred\x07\x9b0m\u202e"


class Terminal(io.StringIO):
    """A stream that people look at."""

    def isatty(self):
        return True


def test_control_characters_are_spelled_out_and_all_text_is_kept():
    text = "Él dice: «¿猫?» שלום 👩\u200d🚀 e\u0301 \u00ad\u00a0"
    assert printable(text) == text
    assert printable(RED) == SPELLED_OUT
    assert printable("a\tb\rc\n", kept="\n\t") == "a\tb\\rc\n"


def test_a_message_is_one_line_however_long_what_it_quotes():
    assert one_line(ValueError(f"no\n  {RED}\u2028file")) == f"no {SPELLED_OUT} file"
    line = one_line("begins" + "x" * 10**6 + "ends")
    assert line.startswith("begins") and line.endswith("ends")
    assert len(line) < 2 * LONGEST


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_a_terminal_gets_no_control_characters_and_a_file_all(monkeypatch, stream):
    def work(args):
        print(RED, "été", sep="\t", file=getattr(sys, stream))

    monkeypatch.setattr("nmt.app.commands.demo.run", work)
    for kind, shown in ((Terminal, SPELLED_OUT), (io.StringIO, RED)):
        monkeypatch.setattr(f"sys.{stream}", kind())
        before = getattr(sys, stream)
        assert main(["demo"]) == 0
        assert getattr(sys, stream) is before
        assert before.getvalue() == f"{shown}\tété\n"


def test_a_progress_bar_goes_back_to_the_start_of_its_line(monkeypatch):
    def work(args):
        print("\r50%", file=sys.stderr)

    monkeypatch.setattr("nmt.app.commands.demo.run", work)
    monkeypatch.setattr("sys.stderr", Terminal())
    assert main(["demo"]) == 0
    assert sys.stderr.getvalue() == "\r50%\n"


def run_in_shell(command, **environment):
    """Run a line of a shell, in which `nmt` is the program."""
    nmt = f'nmt() {{ "{sys.executable}" -m nmt "$@"; }}'
    return subprocess.run(
        ["/bin/bash", "-c", f"{nmt}; {command}"],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | environment,
    )


@pytest.mark.skipif(os.name != "posix", reason="needs a POSIX shell")
@pytest.mark.parametrize(
    ("command", "status", "said"),
    [
        ("nmt corpora >&-", 2, "standard output is closed. Send it to a file"),
        ("nmt --help >&-", 2, "standard output is closed. Send it to a file"),
        ("nmt corpora >&- 2>&-", 2, ""),
        ("nmt corpora <&- >/dev/null 2>&-", 0, ""),
        ("nmt fly 2>&-", 2, ""),
        ("nmt fly 2</dev/null", 2, ""),
        ("nmt translate --model . <&-", 2, "standard input is closed"),
        ("nmt corpora | true; exit ${PIPESTATUS[0]}", 1, ""),
    ],
)
def test_closed_streams_end_in_a_line_or_in_silence(command, status, said):
    done = run_in_shell(command)
    assert done.returncode == status, done.stderr
    assert "Traceback" not in done.stderr and done.stdout == ""
    assert said in done.stderr and done.stderr.count("\n") == bool(said)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_a_full_disk_behind_standard_output_is_told():
    done = run_in_shell("nmt corpora >/dev/full")
    assert done.returncode == 1
    assert done.stderr == "nmt: error: No space left on device.\n"
