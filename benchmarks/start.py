"""Measures how long the program takes to start.

Usage: python benchmarks/start.py --model DIR [--rounds 5]

Prints the median seconds of `nmt --help`, of `nmt translate` of one sentence, and of
importing TensorFlow and tensorflow-text, which the second has to do. Each is a process
of its own; they take turns. `import keras_attention` is timed inside its process, after
`import keras`. Python keeps what it compiled, as `pip install` does, even where
`PYTHONDONTWRITEBYTECODE` is set.
"""

import argparse
import os
import statistics
import subprocess
import sys
import time

HELP, TRANSLATE, LIBRARIES = "nmt --help", "nmt translate", "TensorFlow and its text"
KERAS, OURS = "import keras", "import keras_attention, after keras"
MEASURED_INSIDE = """
import time, keras
began = time.perf_counter()
import keras_attention
print(time.perf_counter() - began)
"""


def commands(model):
    python = [sys.executable]
    nmt = [*python, "-m", "nmt"]
    found = {
        HELP: [*nmt, "--help"],
        KERAS: [*python, "-c", KERAS],
        OURS: [*python, "-c", MEASURED_INSIDE],
        LIBRARIES: [*python, "-c", "import tensorflow, tensorflow_text"],
    }
    if model:
        found[TRANSLATE] = [*nmt, "translate", "--model", model, "the dog sleeps"]
    return found


def measure(model, rounds):
    """Give the median seconds of each command that can be run."""
    chosen = commands(model)
    times = {name: [] for name in chosen}
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": ""}
    for _ in range(rounds + 1):  # the first is for the disk and what is compiled
        for name, command in chosen.items():
            began = time.perf_counter()
            done = subprocess.run(
                command, check=True, capture_output=True, env=environment
            )
            seconds = time.perf_counter() - began
            times[name].append(float(done.stdout) if name == OURS else seconds)
    return {name: statistics.median(each[1:]) for name, each in times.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", required=True, metavar="DIR")
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    from common import describe_run

    print(describe_run())
    found = measure(args.model, args.rounds)
    print("\n| what | seconds |\n|---|---|")
    for name, seconds in found.items():
        print(f"| {name} | {seconds:.3g} |")
    ratio = found[TRANSLATE] / found[LIBRARIES]
    print(f"\na translation takes {ratio:.2f} × the libraries")


if __name__ == "__main__":
    main()
