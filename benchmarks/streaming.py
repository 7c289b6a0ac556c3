"""What training on streamed text of any size takes: memory, speed, the first step.

    python benchmarks/streaming.py
    python benchmarks/streaming.py --pairs 10000 1000000

Sentences of made-up words and their reversals, so many pairs; for each size a process
of its own trains the preset of the demo for some steps.
"""

import argparse
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from common import describe_run

STEPS = 60
"""Steps that are timed, after the first."""


def write_pairs(folder, count):
    """Write text to train and to validate on."""
    draw = random.Random(1)
    letters = "abcdefghijklmnopqrstuvwxyz"
    words = ["".join(draw.choices(letters, k=draw.randint(2, 7))) for _ in range(3000)]
    sides = [open(folder / f"train.{side}", "w") for side in "ab"]
    held_out = [open(folder / f"held.{side}", "w") for side in "ab"]
    for number in range(count):
        drawn = draw.choices(words, k=draw.randint(4, 14))
        for way, files in ((1, 0), (-1, 1)):
            line = " ".join(drawn[::way]) + "\n"
            sides[files].write(line)
            if number < 50:
                held_out[files].write(line)
    for file in (*sides, *held_out):
        file.close()


def train(folder, began):
    """Train for some steps, and print what that took."""
    import keras

    import nmt
    from nmt.config import PRESETS
    from nmt.corpora import stream_files

    class Clock(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if batch == 0:
                self.first = time.time()
            if batch == STEPS:
                self.seconds = time.time() - self.first
                self.model.stop_training = True

    names = [folder / f"{part}.{side}" for part in ("train", "held") for side in "ab"]
    clock = Clock()
    config = PRESETS["demo"].replace(epoch_steps=10 * STEPS)
    corpus = stream_files(*map(str, names))
    nmt.train(corpus, config, folder / "model", lambda line: None, callbacks=[clock])
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{peak:7,.0f} MB at most  first step after {clock.first - began:5.1f} s  "
        f"{STEPS} steps {clock.seconds:5.2f} s"
    )


def main():
    """Print a line for each size."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    sizes = [10_000, 100_000, 1_000_000]
    parser.add_argument("--pairs", nargs="+", type=int, default=sizes)
    parser.add_argument("--folder", help=argparse.SUPPRESS)
    parser.add_argument("--began", type=float, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.folder:
        train(Path(args.folder), args.began)
        return
    print(describe_run())
    for count in args.pairs:
        with tempfile.TemporaryDirectory() as folder:
            write_pairs(Path(folder), count)
            command = [sys.executable, __file__, "--folder", folder]
            done = subprocess.run(
                [*command, "--began", str(time.time())],
                check=True,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
            )
            print(f"{count:9,} pairs  {done.stdout.splitlines()[-1]}", flush=True)


if __name__ == "__main__":
    main()
