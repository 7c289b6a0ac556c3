"""Measures a training step of chunked attention beside the full form.

Usage: python benchmarks/chunked.py [--rounds 5] [--additive 1024] [--dot 8192] …

Prints, for each form at a quarter of a length and at the whole of it, the median time
of a step (forward and gradient, compiled), both forms taking turns in one process, and
the peak memory that a step adds to a process of its own which did the same at length
16. From the first row to the second the pairs of queries and keys become 16 times as
many: memory that grows with T + S becomes about 4 times as much, that with T · S 16
times. Heads are measured at half and whole instead, and causal too, and forward alone
at `--longest`.

The additive form has a batch of 4 and 128 units, the dot product 8 heads of 64, and so
have heads, which are a whole layer with its projections. The full forms are
`BahdanauAttention` without chunks, `keras.ops.dot_product_attention`, and
`keras.layers.MultiHeadAttention`.
"""

import argparse
import os
import statistics
import subprocess
import sys
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from common import begin_peak, describe_run, peak_memory

WARM_UP = 16


def additive(chunk_size):
    """A step of additive attention, a function that makes its inputs, and weights."""
    import tensorflow as tf

    import keras_attention as ka

    units = 128
    layer = ka.BahdanauAttention(units, chunk_size=chunk_size)
    layer.build((4, None, units), (4, None, units))

    def inputs(length):
        return [tf.random.normal((4, length, units)) for _ in range(2)]

    return layer, inputs, [variable.value for variable in layer.trainable_variables]


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

    return attend, inputs, []


def heads(chunk_size, causal=False):
    """A step of a layer with 8 heads of 64; the full form is Keras' own layer."""
    import keras
    import tensorflow as tf

    import keras_attention as ka

    if chunk_size is None:
        layer = keras.layers.MultiHeadAttention(8, 64)
    else:
        layer = ka.MultiHeadAttention(8, 64, chunk_size=chunk_size)
    layer.build((1, None, 512), (1, None, 512))

    def inputs(length):
        return [tf.random.normal((1, length, 512))]

    weights = [variable.value for variable in layer.trainable_variables]
    return lambda x: layer(x, x, use_causal_mask=causal), inputs, weights


def causal_heads(chunk_size):
    """A step as `heads`, each query attending to no later key."""
    return heads(chunk_size, causal=True)


FORMS = {
    "additive": additive,
    "dot": dot,
    "heads": heads,
    "causal heads": causal_heads,
}


def make_run(form, chunk_size, forward=False):
    """Make a function that runs a step, and that which makes its inputs."""
    import tensorflow as tf

    attend, make_inputs, weights = FORMS[form](chunk_size)
    # Lengths are open, so that nothing is traced while it is measured.
    shapes = [each.shape.as_list() for each in make_inputs(WARM_UP)]
    signature = [tf.TensorSpec([shape[0], None, *shape[2:]]) for shape in shapes]

    @tf.function(input_signature=signature)
    def step(*inputs):
        if forward:
            return [attend(*inputs)]
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            total = tf.reduce_sum(attend(*inputs) ** 2)
        return tape.gradient(total, [*inputs, *weights])

    def run(inputs):
        return [result.numpy().sum() for result in step(*inputs)]

    run(make_inputs(WARM_UP))
    return run, make_inputs


def measure_memory(form, chunk_size, length, forward=False):
    """Run three steps at one length; give the memory they added, in MB."""
    run, make_inputs = make_run(form, chunk_size, forward)
    before = begin_peak()
    inputs = make_inputs(length)
    for _ in range(1 if forward else 3):
        run(inputs)
    return peak_memory() - before


def measure_times(form, chunk_size, length, rounds):
    """Run both forms in turns at one length; give their median times, in seconds."""
    runs = []
    for size in (None, chunk_size):
        run, make_inputs = make_run(form, size)
        inputs = make_inputs(length)
        run(inputs)
        runs.append((run, inputs, []))
    for _ in range(rounds):
        for run, inputs, times in runs:
            began = time.perf_counter()
            run(inputs)
            times.append(time.perf_counter() - began)
    return [statistics.median(times) for _, _, times in runs]


def measure_apart(what, *arguments):
    """Measure in a process of its own; `None` where the memory did not suffice."""
    command = [sys.executable, __file__, f"--measure-{what}", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode < 0:  # killed
        return None
    if done.returncode:
        raise SystemExit(done.stderr)
    return [float(number) for number in done.stdout.splitlines()[-1].split()]


def report(form, lengths, chunk_size, rounds):
    """Print the rows of one form, and how its figures compare."""
    print(f"\n{form}, chunks of {chunk_size}")
    print(f"{'length':>8}{'full':>22}{'chunked':>22}{'time ratio':>12}{'memory':>9}")
    peaks = {}
    for length in lengths:
        for size in (0, chunk_size):
            found = measure_apart("memory", form, size, length)
            peaks[size, length] = found and found[0]
        times = measure_apart("times", form, chunk_size, length, rounds)
        cells = [
            f"{times[i]:.3f} s {peaks[size, length]:8.0f} MB"
            if times and peaks[size, length]
            else "killed"
            for i, size in enumerate((0, chunk_size))
        ]
        ratio = f"{times[1] / times[0]:.2f}" if times else "-"
        share = _ratio(peaks[0, length], peaks[chunk_size, length])
        print(
            f"{length:>8}{cells[0]:>22}{cells[1]:>22}{ratio:>12}{'1/' + share:>9}",
            flush=True,
        )
    growth = [
        _ratio(peaks[size, lengths[1]], peaks[size, lengths[0]]) + "-fold"
        for size in (0, chunk_size)
    ]
    print(f"{'growth':>8}{growth[0]:>22}{growth[1]:>22}")


def _ratio(one, other):
    return f"{one / other:.1f}" if one and other else "-"


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5, help="timed steps of each")
    parser.add_argument("--additive", type=int, default=1024, help="its length")
    parser.add_argument("--dot", type=int, default=8192, help="its length")
    parser.add_argument("--heads", type=int, default=8192, help="its length")
    parser.add_argument("--longest", type=int, default=32768, help="of heads, forward")
    parser.add_argument("--additive-chunk", type=int, default=64)
    parser.add_argument("--dot-chunk", type=int, default=512)
    parser.add_argument("--only", choices=FORMS, nargs="+", default=list(FORMS))
    parser.add_argument("--measure-memory", nargs="+", help=argparse.SUPPRESS)
    parser.add_argument("--measure-times", nargs=4, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure_memory:
        form, size, length, *forward = options.measure_memory
        print(measure_memory(form, int(size) or None, int(length), bool(forward)))
        return
    if options.measure_times:
        form, *numbers = options.measure_times
        print(*measure_times(form, *map(int, numbers)))
        return
    print(describe_run())
    for form, length, chunk_size, part in (
        ("additive", options.additive, options.additive_chunk, 4),
        ("dot", options.dot, options.dot_chunk, 4),
        ("heads", options.heads, options.dot_chunk, 2),
        ("causal heads", options.heads, options.dot_chunk, 2),
    ):
        if form in options.only:
            report(form, (length // part, length), chunk_size, options.rounds)
    if "heads" in options.only:
        size, longest = options.dot_chunk, options.longest
        peak = measure_apart("memory", "heads", size, longest, "forward")
        said = f"{peak[0]:.0f} MB" if peak else "killed"
        print(f"\nheads, forward alone, length {longest}: {said}")


if __name__ == "__main__":
    main()
