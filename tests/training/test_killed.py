"""A training that is killed, at any moment and at every rename, ends as if never."""

import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from nmt.errors import UserError
from nmt.translation.folder import read_folder

ROOT = Path(__file__).parents[2]
KILLS = 20
PROGRAM = """
import os, signal, sys, threading
import keras
from tests.tiny_training import CONFIG, run

out, numbers = sys.argv[1], map(float, sys.argv[2:])
last_rename, last_step, delay, save_minutes = numbers
replace, count = os.replace, 0

class Kill(keras.callbacks.Callback):
    def on_train_batch_begin(self, batch, logs=None):
        if self.model.optimizer.iterations == last_step:
            kill = threading.Timer(delay, os.kill, (os.getpid(), signal.SIGKILL))
            kill.start()

def counted(*paths):
    global count
    count += 1
    if count == last_rename:
        os.kill(os.getpid(), signal.SIGKILL)
    replace(*paths)

os.replace = counted
config = CONFIG.replace(deterministic=True, epochs=2, save_minutes=save_minutes)
run(out, config, callbacks=[Kill()])
print(count)
"""


def start(out, last_rename=0, last_step=-1, delay=0.0, save_minutes=0.0):
    numbers = (last_rename, last_step, delay, save_minutes)
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(out), *map(str, numbers)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests'}"},
        stdout=subprocess.PIPE,
        text=True,
    )


def finish(out, **how):
    process = start(out, **how)
    told, _ = process.communicate()
    assert process.returncode == 0
    return int(told.split()[-1])


def digest(out):
    assert not list(out.glob(".partial-*"))
    names = ("model.weights.h5", "vocabulary.model")
    sums = [hashlib.sha256((out / name).read_bytes()).hexdigest() for name in names]
    history = json.loads((out / "history.json").read_text("utf-8"))
    for row in history:
        del row["seconds"]  # differ from run to run
    return [*sums, history]


def check_folder_is_sound(out):
    """What a kill leaves is a folder of a model, or of none yet."""
    try:
        read_folder(out)
    except UserError as error:
        missing = "There is no|holds no".split("|")
        assert any(words in str(error) for words in missing)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    out = tmp_path_factory.mktemp("whole") / "model"
    began = time.monotonic()
    renames = finish(out)
    return digest(out), renames, time.monotonic() - began


@pytest.mark.slow
def test_killed_at_random_moments_it_ends_in_the_same_bits(whole, tmp_path):
    draw = random.Random(5).random
    expected, _, seconds = whole
    killed = ended = 0
    while killed < KILLS // 2:
        out = tmp_path / str(ended)
        process = start(out)
        try:
            process.communicate(timeout=draw() * seconds)
            ended += 1
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            killed += 1
        if out.exists():
            check_folder_is_sound(out)
    finish(out)
    for number in range(ended):
        assert digest(tmp_path / str(number)) == expected
    assert digest(out) == expected


@pytest.mark.slow
def test_killed_inside_epochs_it_ends_in_the_same_bits(whole, tmp_path):
    draw = random.Random(6)
    out, killed, ended = tmp_path / "0", 0, 0
    while killed < KILLS // 2:
        # In one of the next steps, or in what is saved after it.
        done = _steps(out)
        step, delay = done + draw.randrange(2), draw.random() / 10
        process = start(out, last_step=step, delay=delay, save_minutes=1e-9)
        process.communicate()
        check_folder_is_sound(out)
        if process.returncode == -signal.SIGKILL:
            killed += 1
        else:
            ended += 1
            assert digest(out) == whole[0]
            out = tmp_path / str(ended)
    finish(out, save_minutes=1e-9)
    assert digest(out) == whole[0]


def _steps(out):
    path = out / "training_state.npz"
    if not path.exists():
        return 0
    with np.load(path) as state:
        return json.loads(bytes(state["meta"]))["steps"]


@pytest.mark.slow
def test_killed_at_every_rename_it_ends_in_the_same_bits(whole, tmp_path):
    expected, renames, _ = whole
    assert renames == 12
    for rename in range(1, renames + 1):
        out = tmp_path / str(rename)
        process = start(out, rename)
        process.communicate()
        assert process.returncode == -signal.SIGKILL
        check_folder_is_sound(out)
        finish(out)
        assert digest(out) == expected
