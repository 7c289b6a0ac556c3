"""Several processes, or several devices, that train one model."""

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf
from tiny_training import PAIRS

from nmt.errors import UserError
from nmt.training.workers import Workers, make_strategy

ROOT = Path(__file__).parents[2]
SECONDS = 300
"""Longest that a worker may take on a busy machine."""
PROGRAM = """
import hashlib, os, signal, sys
import keras, numpy as np, tensorflow as tf

how, out, kill_at, seed, epochs = sys.argv[1:]
kill_at = int(kill_at)
if how == "mirrored":
    cpu = tf.config.list_physical_devices("CPU")[0]
    device = tf.config.LogicalDeviceConfiguration()
    tf.config.set_logical_device_configuration(cpu, [device, device])
    strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
else:
    strategy = how

import nmt
from nmt.corpora import Corpus, ParallelText
from nmt.phrasebook import generate
from tests.tiny_training import CONFIG

class Each(keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        weights = b"".join(each.tobytes() for each in self.model.get_weights())
        print("step", logs["loss"], hashlib.sha256(weights).hexdigest(), flush=True)
        if self.model.optimizer.iterations == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)
    def on_train_end(self, logs=None):
        np.savez(out + ".npz", *self.model.get_weights())

book = generate(train_size=41, validation_size=5, test_size=0)
splits = {}
for part in ("train", "validation"):
    pairs = [(pair.english, pair.spanish) for pair in getattr(book, part)]
    splits[part] = ParallelText(*zip(*pairs))
corpus = Corpus("book", "en", "es", "raw", splits)
config = CONFIG.replace(
    epochs=int(epochs), batch_tokens=100, vocabulary_size=150, dropout=0.0,
    sampling_alpha=0.0,
    attention="luong", order="current", input_feeding=False, deterministic=True,
    seed=int(seed))
lines = []
try:
    nmt.train(corpus, config, out, report=lambda line: print(line, flush=True),
              callbacks=[Each()], strategy=strategy)
except nmt.UserError as error:
    sys.exit(f"error: {error}")
"""


def start(how, out, number=None, ports=(), kill_at=-1, seed=1, epochs=2):
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    environment["PYTHONPATH"] = f"{ROOT}{os.pathsep}{ROOT / 'tests'}"
    if number is not None:
        addresses = [f"127.0.0.1:{port}" for port in ports]
        task = {"type": "worker", "index": number}
        cluster = {"cluster": {"worker": addresses}, "task": task}
        environment["TF_CONFIG"] = json.dumps(cluster)
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, how, *map(str, (out, kill_at, seed, epochs))],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def free_ports():
    holders = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
    ports = [holder.getsockname()[1] for holder in holders]
    for holder in holders:
        holder.close()
    return ports


def start_two(out, kill_at=(-1, -1), seeds=(1, 1)):
    """Start two workers.

    The second is given a folder that it must not touch, and a number of epochs that
    does not count, as it may be another than that in the folder of the chief.
    """
    ports = free_ports()
    folders = out, out.with_name(f"{out.name}-of-worker-1")
    return [
        start("auto", folders[i], i, ports, kill_at[i], seeds[i], epochs=2 + i)
        for i in range(2)
    ]


def ended(process):
    told, wrong = process.communicate(timeout=SECONDS)
    return process.returncode, told.splitlines(), wrong.splitlines()[-1:]


def steps(lines):
    return [line.split()[1:] for line in lines if line.startswith("step")]


def final(out):
    with np.load(f"{out}.npz") as arrays:
        return [arrays[name] for name in arrays.files]


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """What one device learns, from the same batches."""
    out = tmp_path_factory.mktemp("alone") / "model"
    code, lines, _ = ended(start("one", out))
    assert code == 0
    return out, steps(lines)


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    out = tmp_path_factory.mktemp("both") / "model"
    return out, [ended(worker) for worker in start_two(out)]


def test_two_workers_hold_the_same_weights_after_every_step(both):
    out, ends = both
    assert [code for code, _, _ in ends] == [0, 0]
    chief, other = (steps(lines) for _, lines, _ in ends)
    assert len(chief) >= 6
    assert chief == other


def check_equal_to_alone(out, lines, alone):
    of_one, one = alone
    losses = [float(loss) for loss, _ in steps(lines)]
    np.testing.assert_allclose(losses, [float(loss) for loss, _ in one], rtol=1e-5)
    for own, expected in zip(final(out), final(of_one), strict=True):
        np.testing.assert_allclose(own, expected, atol=2e-5)


def test_two_workers_learn_what_one_learns_from_the_same_batches(both, alone):
    out, ends = both
    check_equal_to_alone(out, ends[0][1], alone)


def test_two_devices_learn_what_one_learns_from_the_same_batches(tmp_path, alone):
    out = tmp_path / "model"
    code, lines, _ = ended(start("mirrored", out))
    assert code == 0
    assert lines[0] == "Trains on 2 CPUs."
    check_equal_to_alone(out, lines, alone)


def test_each_worker_tells_its_speed_and_the_chief_alone_writes(both):
    out, ends = both
    (_, chief, _), (_, other, _) = ends
    assert any(" pieces/s (" in line and " + " in line for line in chief)
    assert any("worker 1: " in line and "pieces/s" in line for line in other)
    assert other[-1] == "Ended after epoch 2. Worker 0 has the model."
    assert (out / "model.weights.h5").exists()
    assert not out.with_name("model-of-worker-1").exists()


def test_a_worker_that_is_killed_ends_all_and_starting_all_again_goes_on(
    both, tmp_path
):
    out = tmp_path / "model"
    whole = steps(both[1][0][1])
    half = len(whole) // 2  # an epoch
    chief, other = start_two(out, kill_at=(-1, half + 1))
    assert ended(other)[0] == -signal.SIGKILL
    told, wrong = chief.communicate(timeout=60)  # within a minute
    assert chief.returncode == 1
    assert wrong.splitlines()[-1].startswith(
        "error: worker 0 has lost another worker, which may say why."
    )
    (code, lines, _), (other_code, _, _) = map(ended, start_two(out))
    assert code == other_code == 0
    assert any(line.startswith("Going on after epoch 1") for line in lines)
    assert steps(lines) == whole[half:]


def test_workers_that_were_started_unlike_each_other_are_refused(tmp_path):
    chief, other = map(ended, start_two(tmp_path / "model", seeds=(1, 2)))
    assert other[2] == [
        "error: The options of worker 1 differ from those of worker 0. Start all "
        "workers with the same command, on the same text."
    ]
    assert chief[2][0].startswith("error: worker 0 has lost another worker")


@pytest.fixture
def start_command(tmp_path):
    """Start `nmt train` as a job of a cluster; end it when the test has ended."""
    text = tmp_path / "text.tsv"
    text.write_text("".join(f"{one}\t{other}\n" for one, other in PAIRS * 9))
    begun = []

    def begin(cluster, job):
        task = {"type": job, "index": 0}
        config = json.dumps({"cluster": cluster, "task": task})
        out = ["--out", str(tmp_path / job), "--vocabulary-size", "60"]
        endless = ["--epochs", "1000", "--patience", "1000"]
        begun.append(
            subprocess.Popen(
                [sys.executable, "-m", "nmt", "train", str(text), *out, *endless],
                env={**os.environ, "PYTHONPATH": str(ROOT), "TF_CONFIG": config},
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
        )
        return begun[-1]

    yield begin
    for process in begun:
        process.kill()
        process.communicate()


def test_sigterm_ends_a_worker_as_ctrl_c_does_and_the_others_say_that_it_is_lost(
    start_command,
):
    chief, other = (f"127.0.0.1:{port}" for port in free_ports())
    cluster = {"chief": [chief], "worker": [other]}
    first = start_command(cluster, "chief")
    told = first.stdout.readline()
    assert told == f"This is worker 0 of 2 (the first is 0). Waits for {other}.\n"
    second = start_command(cluster, "worker")
    for process in (first, second):
        assert "Trains on 2 workers, each on 1 CPU.\n" in process.stdout
    second.send_signal(signal.SIGTERM)
    wrong = second.communicate(timeout=60)[1]
    assert second.returncode == 130
    assert "nmt: interrupted. The same command goes on" in wrong
    wrong = first.communicate(timeout=60)[1]
    assert first.returncode == 2
    line = wrong.splitlines()[-1]
    assert line.startswith("nmt: error: worker 0 has lost another worker")


def joined(jobs, job, index, replicas, device="CPU"):
    """Give the strategy of a worker as if it had joined a cluster."""

    class Joined(tf.distribute.MultiWorkerMirroredStrategy):
        cluster_resolver = SimpleNamespace(
            cluster_spec=lambda: tf.train.ClusterSpec(jobs),
            task_type=job,
            task_id=index,
        )
        num_replicas_in_sync = replicas
        extended = SimpleNamespace(
            worker_devices=[f"/job:{job}/task:{index}/device:{device}:0"]
        )

    return object.__new__(Joined)


@pytest.mark.parametrize(
    "others", [{}, {"evaluator": ["e:1"]}, {"ps": ["p:1", "p:2", "p:3", "p:4"]}]
)
def test_the_chief_and_the_workers_alone_are_counted(others):
    jobs = {"chief": ["c:1"], "worker": ["a:1", "b:1"], **others}
    batch = np.arange(7)
    numbers, rows = [], []
    for job, index in (("chief", 0), ("worker", 0), ("worker", 1)):
        workers = Workers(joined(jobs, job, index, replicas=3))
        assert workers.count == 3
        assert workers.is_chief == (job == "chief")
        numbers.append(workers.number)
        rows += [own.tolist() for own in workers.own_rows(batch)]
    assert numbers == [0, 1, 2]
    assert rows == [[0, 3, 6], [1, 4], [2, 5]]


@pytest.mark.parametrize(
    ("replicas", "device", "line"),
    [
        (2, "CPU", "Trains on 2 workers, each on 1 CPU."),
        (8, "GPU", "Trains on 2 workers, each on 4 GPUs."),
    ],
)
def test_workers_say_what_trains(replicas, device, line):
    strategy = joined({"worker": ["a:1", "b:1"]}, "worker", 0, replicas, device)
    assert Workers(strategy).told() == line


def test_what_tensorflow_raises_in_one_process_is_not_told_as_a_lost_worker():
    two = joined({"worker": ["a:1", "b:1"]}, "worker", 1, replicas=2)
    gone = tf.errors.CancelledError(None, None, "gone")
    with pytest.raises(tf.errors.CancelledError), Workers().losses_told():
        raise gone
    with (
        pytest.raises(UserError, match="^worker 1 has lost another worker"),
        Workers(two).losses_told(),
    ):
        raise gone


def test_mirrored_needs_a_gpu(monkeypatch):
    monkeypatch.setattr(tf.config, "get_visible_devices", lambda kind: [])
    with pytest.raises(UserError, match="^--strategy mirrored trains on all GPUs"):
        make_strategy("mirrored")


def test_all_gpus_of_a_machine_need_no_cluster(monkeypatch):
    found = []
    monkeypatch.setattr(tf.config, "get_visible_devices", lambda kind: [1, 2])
    monkeypatch.setattr(
        tf.distribute,
        "MirroredStrategy",
        lambda: found.append("TF_CONFIG" in os.environ),
    )
    for value in ("", "{"):
        monkeypatch.setenv("TF_CONFIG", value)
        make_strategy("mirrored")
        assert os.environ["TF_CONFIG"] == value
    assert found == [False, False]
