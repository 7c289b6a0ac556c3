"""Tests of TensorFlow and Keras as a command finds them, each in its own process."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from nmt.app.cli import main
from nmt.app.commands import train
from nmt.errors import UserError

MODEL = Path(__file__).parents[1] / "data" / "before_rooms" / "nmt_model"


def translate(home, settings, redirected="", **environment):
    """Translate where Keras has these settings in its `keras.json`."""
    (home / "keras.json").write_text(settings, "utf-8")
    others = {k: v for k, v in os.environ.items() if k != "KERAS_BACKEND"}
    command = f'"{sys.executable}" -m nmt translate --model "{MODEL}" --beam 3'
    return subprocess.run(
        ["/bin/sh", "-c", f'{command} "the dog eats here." {redirected}'],
        env=others | {"KERAS_HOME": str(home)} | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_model_translates_whatever_keras_is_set_to_and_with_no_place_for_errors(
    tmp_path,
):
    settings = {"backend": "jax", "floatx": "float16", "epsilon": "none"}
    done = translate(tmp_path, json.dumps(settings), redirected="2>&-")
    assert (done.returncode, done.stdout) == (0, "el perro come aquí.\n")


def test_a_variable_that_keras_cannot_read_is_told_in_one_line(tmp_path):
    done = translate(tmp_path, "[]", KERAS_MAX_EPOCHS="many")
    assert done.returncode == 2 and done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith("nmt: error: Keras cannot be loaded: ")
    assert "environment variables that begin with KERAS" in line


def test_another_backend_is_refused(tmp_path):
    done = translate(tmp_path, "{}", KERAS_BACKEND="jax")
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr.startswith("nmt: error: KERAS_BACKEND is 'jax', but nmt runs")


def without(modules, argv, cwd, **environment):
    """Run a command where some modules cannot be imported."""
    code = (
        f"import sys\nsys.modules.update(dict.fromkeys({modules!r}))\n"
        f"from nmt.app.cli import main\nsys.exit(main({argv!r}))"
    )
    root = str(Path(__file__).parents[2])
    others = {k: v for k, v in os.environ.items() if k != "KERAS_BACKEND"}
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=cwd,
        env=others | {"PYTHONPATH": root} | environment,
        capture_output=True,
        text=True,
        check=False,
    )


TEXT = ["tensorflow_text"]
NONE = ["tensorflow", "tensorflow_text"]


@pytest.mark.parametrize(
    ("modules", "argv"),
    [
        (TEXT, ["demo"]),
        (NONE, ["train", "phrasebook", "--source", "en", "--target", "es"]),
        (TEXT, ["translate", "--model", str(MODEL), "the dog eats here."]),
        (NONE, ["score", "--model", str(MODEL)]),
        (TEXT, ["serve", "--model", str(MODEL), "--port", "0"]),
    ],
)
def test_a_command_says_in_one_line_what_is_missing(modules, argv, tmp_path):
    # As who set Keras to the backend that the layers run on there.
    done = without(modules, argv, tmp_path, KERAS_BACKEND="jax")
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    named = " and ".join(name.replace("_", "-") for name in modules)
    assert line.startswith(f"nmt: error: nmt needs {named}, not installed here.")


def test_what_needs_no_tensorflow_runs_without_it_and_without_file_locks(tmp_path):
    for argv in (["--help"], ["corpora"], ["train", "--help"]):
        done = without([*NONE, "fcntl"], argv, tmp_path)
        assert done.returncode == 0, done.stderr
        assert "train" in done.stdout or "phrasebook" in done.stdout


def test_whole_operations_are_each_done_by_one_core():
    code = (
        "from nmt.app.tensorflow_import import import_tensorflow\n"
        "import_tensorflow(whole_operations=True)\n"
        "import tensorflow as tf\n"
        "print(tf.config.threading.get_intra_op_parallelism_threads())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == "1\n"


@pytest.mark.parametrize(("cores", "whole"), [(1, True), (2, True), (3, False)])
def test_training_on_up_to_two_cores_has_whole_operations(
    monkeypatch, capsys, tmp_path, cores, whole
):
    def begin(device, *, whole_operations):
        assert (device, whole_operations) == (None, whole)
        raise UserError("enough")

    monkeypatch.setattr(train, "core_count", lambda: cores)
    monkeypatch.setattr(train, "import_tensorflow", begin)
    assert main(["train", "phrasebook", "--out", str(tmp_path / "model")]) == 2
    assert capsys.readouterr().err == "nmt: error: enough\n"
