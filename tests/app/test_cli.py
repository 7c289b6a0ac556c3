"""Tests of what all commands share: help, ends, and what they write where."""

import io
import json
import os
import signal
import subprocess
import sys
import time
from importlib.metadata import version

import pytest
from small_training import write

from nmt.app.cli import main, parser
from nmt.errors import UserError

HEAVY = {
    *("keras", "matplotlib", "numpy", "pooch", "sacrebleu", "sentencepiece"),
    *("tensorflow", "tensorflow_text", "tqdm"),
}


@pytest.mark.parametrize(
    "command",
    [
        *([], ["demo"], ["corpora"], ["train"], ["translate"], ["score"], ["align"]),
        *(["evaluate"], ["serve"], ["export"]),
    ],
)
def test_help_loads_nothing_heavy(command):
    code = (
        "import sys\nfrom nmt.app.cli import main\n"
        f"status = main([*{command!r}, '--help'])\n"
        "print(*{name.partition('.')[0] for name in sys.modules})\n"
        "sys.exit(status)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    *said, loaded = done.stdout.splitlines()
    assert said[0].startswith(" ".join(["usage: nmt", *command]))
    assert not HEAVY & set(loaded.split())


def test_corpora_are_listed_with_what_is_on_disk(tmp_path, capsys):
    assert main(["corpora", "--data", str(tmp_path)]) == 0
    table = capsys.readouterr().out
    assert "multi30k" in table and "0 of 15 files" in table
    assert "phrasebook" in table and "built in" in table
    assert "CC BY 2.0" in table


def test_a_message_of_several_lines_becomes_one(monkeypatch, refused):
    def fail(args):
        raise UserError("first\n  second")

    monkeypatch.setattr("nmt.app.commands.demo.run", fail)
    assert refused("demo") == "first second"


def test_control_characters_of_an_error_do_not_reach_the_terminal(refused, tmp_path):
    line = refused("translate", "--model", tmp_path / "\x1b[2J\x9bx", "a")
    assert r"\x1b[2J\x9bx" in line and line.isprintable()
    write(tmp_path / "a\x07.tsv", *(f"word {i}\twort {i}" for i in range(40)))
    line = refused("train", tmp_path / "a\x07.tsv", "--out", tmp_path / "out")
    assert r"a\x07.tsv: the path of a text must be UTF-8, without control" in line
    assert line.isprintable()


def test_a_failure_of_the_system_is_one_line_and_status_1(monkeypatch, capsys):
    def fail(args):
        raise PermissionError(13, "Permission denied", "/locked/x")

    monkeypatch.setattr("nmt.app.commands.demo.run", fail)
    assert main(["demo"]) == 1
    assert capsys.readouterr().err == "nmt: error: /locked/x: Permission denied.\n"


@pytest.mark.parametrize(("command", "resumes"), [("demo", True), ("corpora", False)])
def test_an_interrupt_ends_in_one_line(monkeypatch, capsys, command, resumes):
    def interrupt(args):
        raise KeyboardInterrupt

    monkeypatch.setattr(f"nmt.app.commands.{command}.run", interrupt)
    assert main([command]) == 130
    (line,) = capsys.readouterr().err.split("\n", 1)[1].splitlines()
    assert line.startswith("nmt: interrupted.")
    assert ("goes on" in line) == resumes


def test_a_command_that_is_told_to_end_ends_as_by_ctrl_c(monkeypatch, capsys):
    cleaned = []

    def work(args):
        try:
            signal.raise_signal(signal.SIGTERM)
        finally:
            cleaned.append(True)

    monkeypatch.setattr("nmt.app.commands.demo.run", work)
    before = signal.getsignal(signal.SIGTERM)
    assert main(["demo"]) == 130
    assert cleaned and signal.getsignal(signal.SIGTERM) == before
    assert "nmt: interrupted." in capsys.readouterr().err


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("kind", [SystemError, UserError, OSError])
def test_what_an_interrupt_is_turned_into_is_told_as_an_interrupt(
    monkeypatch, capsys, number, kind
):
    def work(args):
        try:
            signal.raise_signal(number)
        except KeyboardInterrupt:
            raise kind("a result with an exception set") from None

    monkeypatch.setattr("nmt.app.commands.demo.run", work)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        assert main(["demo"]) == 130
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, before)
    assert capsys.readouterr().err.startswith("\nnmt: interrupted.")


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs POSIX timers")
def test_an_interrupt_that_was_lost_comes_again(monkeypatch, capsys):
    lost = []

    def work(args):
        for _ in range(3):  # as where it comes while Python deletes an object
            try:
                signal.raise_signal(signal.SIGTERM) if not lost else time.sleep(30)
            except KeyboardInterrupt:
                lost.append(True)
        time.sleep(30)

    monkeypatch.setattr("nmt.app.commands.demo.run", work)
    monkeypatch.setattr("nmt.app.cli.REPEATED_AFTER", 0.01)
    before = signal.getsignal(signal.SIGALRM)
    assert main(["demo"]) == 130
    assert len(lost) == 3
    assert signal.getsignal(signal.SIGALRM) == before
    assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)


def test_ctrl_c_stays_ignored_where_a_shell_had_it_ignored(monkeypatch):
    def work(args):
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr("nmt.app.commands.demo.run", work)
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        assert main(["demo"]) == 0
    finally:
        signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize(
    "kind", [MemoryError, type("ResourceExhaustedError", (Exception,), {})]
)
def test_too_little_memory_is_one_line_and_status_1(monkeypatch, capsys, kind):
    def work(args):
        raise kind("many\nlines")

    monkeypatch.setattr("nmt.app.commands.demo.run", work)
    assert main(["demo"]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("nmt: error: not enough memory. Try a smaller --beam")


def test_a_log_gets_each_line_when_it_is_told(monkeypatch):
    log, seen = io.BytesIO(), []

    def work(args):
        print("epoch 1")
        seen.append(log.getvalue())

    monkeypatch.setattr("nmt.app.commands.demo.run", work)
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(log, encoding="utf-8"))
    assert main(["demo"]) == 0
    assert seen == [b"epoch 1\n"]


@pytest.mark.skipif(not hasattr(signal, "SIGPIPE"), reason="needs POSIX pipes")
def test_a_reader_that_goes_away_is_no_error_message():
    read, write_end = os.pipe()
    os.close(read)
    done = subprocess.run(
        [sys.executable, "-m", "nmt", "corpora", "--data", "."],
        stdout=write_end,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    os.close(write_end)
    assert (done.returncode, done.stderr) == (1, "")


def test_the_parser_takes_no_shortened_flags():
    with pytest.raises(UserError, match="unrecognized arguments: --uni"):
        parser().parse_args(["train", "multi30k", "--uni", "3"])


@pytest.mark.parametrize("epsilon", [1e-7, "none"])
def test_what_keras_json_says_is_for_other_programs(tmp_path, epsilon):
    settings = {"backend": "jax", "floatx": "float16", "epsilon": epsilon}
    (tmp_path / "keras.json").write_text(json.dumps(settings))
    code = (
        "import os\n"
        "from nmt.app.tensorflow_import import import_tensorflow\n"
        "import_tensorflow()\nimport keras\n"
        "print(keras.config.backend(), keras.config.dtype_policy().name)\n"
        "print(os.environ['KERAS_HOME'])\n"
    )
    env = {key: value for key, value in os.environ.items() if key != "KERAS_BACKEND"}
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**env, "KERAS_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == f"tensorflow float32\n{tmp_path}\n"
    assert json.loads((tmp_path / "keras.json").read_text()) == settings


def test_another_keras_backend_is_told(monkeypatch, capsys, tmp_path):
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    assert main(["demo", "--out", str(tmp_path / "demo")]) == 2
    assert "KERAS_BACKEND is 'jax', but nmt runs on TensorFlow" in (
        capsys.readouterr().err
    )


def test_the_version_is_that_of_the_package(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"nmt {version('keras-attention-nmt')}\n"
