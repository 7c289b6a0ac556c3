"""Measures `nmt translate` as a part of a pipe: sentences a second, and memory.

Usage: python benchmarks/pipe.py --model DIR [--rounds 3] [--lines 20000]

Sends sentences of the phrase book, of another seed than any model was trained on,
through the command, once few and once many: the difference is what a sentence takes
without the start. Prints the median of the rounds for beam 1 and beam 5, and the peak
of the memory for few and many, which should be alike.

`make demo` trains such a model, in demo/model.
"""

import argparse
import contextlib
import os
import statistics
import subprocess
import sys
import time

from common import describe_run, megabytes

from nmt.phrasebook import generate

SEED = 77
FEW = 2000


def sentences(count):
    pairs = generate(seed=SEED, test_size=3000).test
    return [pairs[i % len(pairs)].english for i in range(count)]


def run(model, beam, lines):
    """Return the seconds and the peak in MB of one command."""
    command = [sys.executable, "-m", "nmt", "translate", "--model", model]
    start = time.perf_counter()
    process = subprocess.Popen(
        [*command, "--beam", str(beam)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    with contextlib.suppress(BrokenPipeError):  # its status says that it failed
        process.stdin.write("\n".join(lines) + "\n")
        process.stdin.close()
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{' '.join(command)} failed; try it in a shell.")
    return time.perf_counter() - start, megabytes(usage.ru_maxrss)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", required=True, metavar="DIR")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--lines", type=int, default=20_000)
    args = parser.parse_args()
    print(describe_run())
    few, many = sentences(FEW), sentences(args.lines)
    print(f"\n| beam | sentences/s | MB for {FEW} | MB for {args.lines} |")
    print("|---|---|---|---|")
    for beam in (1, 5):
        rates, peaks = [], []
        for _ in range(args.rounds):
            (short, low), (long, high) = (run(args.model, beam, x) for x in (few, many))
            rates.append((len(many) - len(few)) / (long - short))
            peaks.append((low, high))
        low, high = map(statistics.median, zip(*peaks, strict=True))
        rate = statistics.median(rates)
        print(f"| {beam} | {rate:,.0f} | {low:.0f} | {high:.0f} |", flush=True)


if __name__ == "__main__":
    main()
