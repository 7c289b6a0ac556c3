"""Tests of TensorFlow and Keras as a command finds them, each in its own process."""

import json
import os
import subprocess
import sys
from pathlib import Path

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
