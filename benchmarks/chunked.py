"""Measures a training step of chunked attention beside the full form.

Usage: python benchmarks/chunked.py [--rounds 3] [--additive 1024] [--dot 8192]

Prints, for each form at a quarter of a length and at the whole of it, the median time
of a step (forward and gradient, compiled) and the peak memory that it adds to that of a
process which did the same at length 16. Each figure comes from a process of its own.
From the first row to the second the pairs of queries and keys become 16 times as many:
memory that grows with T + S becomes about 4 times as much, that with T · S 16 times.

The additive form has a batch of 4 and 128 units, the dot product 8 heads of 64. The
full forms are `BahdanauAttention` without chunks and `keras.ops.dot_product_attention`.
"""

import argparse
import os
import resource
import statistics
import subprocess
import sys
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from common import describe_run

WARM_UP = 16


def additive(chunk_size):
    """A step of additive attention, as a function of the length, and its inputs."""
    import tensorflow as tf

    import keras_attention as ka

    units = 128
    layer = ka.BahdanauAttention(units, chunk_size=chunk_size)

    def inputs(length):
        return [tf.random.normal((4, length, units)) for _ in range(2)]

    return layer, inputs


def dot(chunk_size):
    """A step of attention by inner products, of 8 heads of 64."""
    import keras
    import tensorflow as tf

    import keras_attention as ka

    heads, size = 8, 64
    if chunk_size is None:
        attend = keras.ops.dot_product_attention
    else:
        attend = ka.ScaledDotProductAttention(chunk_size=chunk_size)

    def inputs(length):
        # Each has the layout that it wants: a transpose would cost both of them. To a
        # layer without projections the heads are a batch.
        axes = (heads, length) if chunk_size else (1, length, heads)
        return [tf.random.normal((*axes, size)) for _ in range(3)]

    return attend, inputs


FORMS = {"additive": additive, "dot": dot}


def measure(form, chunk_size, length, rounds):
    """Run steps at one length; give their median time and the memory they added."""
    import tensorflow as tf

    attend, make_inputs = FORMS[form](chunk_size)

    @tf.function(reduce_retracing=True)
    def step(*inputs):
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            total = tf.reduce_sum(attend(*inputs) ** 2)
        return tape.gradient(total, inputs)

    def run(inputs):
        return [gradient.numpy().sum() for gradient in step(*inputs)]

    run(make_inputs(WARM_UP))
    before = peak_memory()
    inputs = make_inputs(length)
    run(inputs)
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        run(inputs)
        times.append(time.perf_counter() - began)
    return statistics.median(times), peak_memory() - before


def peak_memory():
    """Give the most memory that this process ever held, in MB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1e6 if sys.platform == "darwin" else 1e3)


def measure_apart(*arguments):
    """Measure in a process of its own; `None` where the memory did not suffice."""
    command = [sys.executable, __file__, "--measure", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode < 0:  # killed
        return None
    if done.returncode:
        raise SystemExit(done.stderr)
    seconds, megabytes = done.stdout.split()[-2:]
    return float(seconds), float(megabytes)


def report(form, lengths, chunk_size, rounds):
    """Print the rows of one form, and how its figures compare."""
    print(f"\n{form}, chunks of {chunk_size}")
    print(f"{'length':>8}{'full':>22}{'chunked':>22}{'time ratio':>12}")
    peaks = {}
    for length in lengths:
        cells, times = [], []
        for size in (0, chunk_size):
            found = measure_apart(form, size, length, rounds)
            peaks[size, length] = found and found[1]
            times.append(found and found[0])
            cells.append(f"{found[0]:.3f} s {found[1]:8.0f} MB" if found else "killed")
        ratio = f"{times[1] / times[0]:.2f}" if all(times) else "-"
        print(f"{length:>8}{cells[0]:>22}{cells[1]:>22}{ratio:>12}", flush=True)
    growth = [
        f"{peaks[size, lengths[1]] / peaks[size, lengths[0]]:.1f}-fold"
        if peaks[size, lengths[1]] and peaks[size, lengths[0]]
        else "-"
        for size in (0, chunk_size)
    ]
    print(f"{'growth':>8}{growth[0]:>22}{growth[1]:>22}")


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=3, help="timed steps of each")
    parser.add_argument("--additive", type=int, default=1024, help="its length")
    parser.add_argument("--dot", type=int, default=8192, help="its length")
    parser.add_argument("--additive-chunk", type=int, default=64)
    parser.add_argument("--dot-chunk", type=int, default=1024)
    parser.add_argument("--measure", nargs=4, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        form, *numbers = options.measure
        chunk_size, length, rounds = map(int, numbers)
        print(*measure(form, chunk_size or None, length, rounds))
        return
    print(describe_run())
    for form, length, chunk_size in (
        ("additive", options.additive, options.additive_chunk),
        ("dot", options.dot, options.dot_chunk),
    ):
        report(form, (length // 4, length), chunk_size, options.rounds)


if __name__ == "__main__":
    main()
