"""What training on streamed text of any size takes: memory, speed, the first step.

    python benchmarks/streaming.py
    python benchmarks/streaming.py --pairs 10000 1000000 --rounds 5

Sentences of made-up words and their reversals, so many pairs; for each size a process
of its own trains the preset of the demo for some steps, over several of the parts that
are in memory at once. The sizes come in turns, and the medians of all rounds are told.
"""

import argparse
import os
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from common import describe_run, megabytes

STEPS = 500
"""Steps that are timed, after the first: about four parts of `SHUFFLE_PAIRS`."""

SHUFFLE_PAIRS = 2000
"""Pairs that are in memory at once."""


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


def train(folder, began, steps, shuffle_pairs):
    """Train for some steps, and print what that took: MB, first step, seconds."""
    import keras

    import nmt
    from nmt.corpora import stream_files
    from nmt.presets import PRESETS

    class Clock(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if batch == 0:
                self.first = time.time()
            if batch == steps:
                self.seconds = time.time() - self.first
                self.model.stop_training = True

    names = [folder / f"{part}.{side}" for part in ("train", "held") for side in "ab"]
    clock = Clock()
    config = PRESETS["demo"].replace(
        epoch_steps=10 * steps, shuffle_pairs=shuffle_pairs
    )
    corpus = stream_files(*map(str, names))
    with tempfile.TemporaryDirectory() as out:
        nmt.train(corpus, config, out, lambda line: None, callbacks=[clock])
    peak = megabytes(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
    print(peak, clock.first - began, clock.seconds)


def measure(folder, args):
    """Train in a process of its own; give what it printed."""
    command = [sys.executable, __file__, "--folder", str(folder)]
    command += ["--steps", str(args.steps), "--shuffle-pairs", str(args.shuffle_pairs)]
    done = subprocess.run(
        [*command, "--began", str(time.time())],
        check=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    return [float(word) for word in done.stdout.splitlines()[-1].split()]


def main():
    """Print a line for each size."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    sizes = [10_000, 100_000, 1_000_000]
    parser.add_argument("--pairs", nargs="+", type=int, default=sizes)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--shuffle-pairs", type=int, default=SHUFFLE_PAIRS)
    parser.add_argument("--folder", help=argparse.SUPPRESS)
    parser.add_argument("--began", type=float, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.folder:
        train(Path(args.folder), args.began, args.steps, args.shuffle_pairs)
        return
    print(describe_run())
    with tempfile.TemporaryDirectory() as folder:
        folders = {count: Path(folder) / str(count) for count in args.pairs}
        for count, place in folders.items():
            place.mkdir()
            write_pairs(place, count)
        rounds = [
            {count: measure(place, args) for count, place in folders.items()}
            for _ in range(args.rounds)
        ]
    for count in folders:
        runs = zip(*(each[count] for each in rounds), strict=True)
        peak, first, seconds = map(statistics.median, runs)
        print(
            f"{count:9,} pairs  {peak:7,.0f} MB at most  first step after "
            f"{first:5.1f} s  {args.steps} steps {seconds:5.2f} s"
        )


if __name__ == "__main__":
    main()
