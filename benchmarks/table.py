"""Prints one table of ratios: ours beside peers, in one run, on the same data.

Usage: python benchmarks/table.py [--rounds 5] [--joey PYTHON] [--model DIR]

A ratio above 1 is ours being ahead: the peer's time (or memory) by ours. Beside a limit
it is the share of what the products alone would take at the rate of one large product,
measured in the same run. Each pair takes turns; figures are medians. It takes some
minutes; other work on the machine makes it worthless.

`--joey` names the Python of an environment with Joey NMT 2.3, `--model` the folder of a
model, for the start of the program; without them their rows are left out.
"""

import argparse
import os
import statistics

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import chunked
import layers
import numpy as np
import recurrent
import search
import start
import training
from common import describe_run

LENGTH, CHUNK = 4096, 512
SENTENCES = 92


def of_layers(rounds):
    import tensorflow as tf

    random = np.random.default_rng(1)
    for name, (makers, sizes) in layers.PAIRS.items():
        if "rotary" in name:
            continue
        batch, length = sizes[0]
        query, value = (
            tf.constant(random.normal(size=(batch, length, layers.D)), tf.float32)
            for _ in range(2)
        )
        padding = tf.constant(random.random((batch, length)) < 0.8)
        pair = [layers.runs(make, query, value, padding) for make in makers]
        forward, step = (
            layers.compare(*kind, rounds) for kind in zip(*pair, strict=True)
        )
        where = f"{name}, B={batch}, T={length}"
        yield f"{where}, forward", *_times(forward)
        yield f"{where}, training step", *_times(step)


def of_recurrent(rounds):
    for name, times in recurrent.measure(rounds):
        medians = map(statistics.median, times)
        yield f"AttentionRNN / keras.layers.RNN by hand, {name}", *_times(medians)


def of_chunks(rounds):
    for form in ("heads", "causal heads"):
        times = chunked.measure_apart("times", form, CHUNK, LENGTH, rounds)
        sizes = [
            chunked.measure_apart("memory", form, size, LENGTH) for size in (CHUNK, 0)
        ]
        name = f"{form} in chunks of {CHUNK} / Keras' own, T={LENGTH}, step"
        if times:
            yield name, *_times(1e3 * seconds for seconds in reversed(times))
        if all(sizes):
            (own,), (other,) = sizes
            yield f"{name}, memory", f"{own:.0f} MB", f"{other:.0f} MB", other / own


def of_search(rounds, joey):
    _, rows = search.measure(rounds, 256, joey)
    for name, own, other, limit in rows:
        name = f"search, {name}"
        if other:
            yield f"{name} / Joey NMT", _a_second(own), _a_second(other), own / other
        yield f"{name} / limit", _a_second(own), _a_second(limit), own / limit


def of_training(rounds, joey):
    own, other, limit = training.measure(rounds, SENTENCES, joey)
    name = f"training, pieces, batches of {SENTENCES} sentences"
    if other:
        yield f"{name} / Joey NMT", _a_second(own), _a_second(other), own / other
    yield f"{name} / limit", _a_second(own), _a_second(limit), own / limit


def of_start(rounds, model):
    found = start.measure(model, rounds)
    libraries = found[start.LIBRARIES]
    keras = found[start.KERAS]
    both = keras + found[start.OURS]
    yield "import keras_attention / import keras", *_times((1e3 * both, 1e3 * keras))
    if model:
        own = found[start.TRANSLATE]
        name = f"{start.TRANSLATE} / {start.LIBRARIES}"
        yield name, *_times((1e3 * own, 1e3 * libraries))
    own = found[start.HELP]
    yield f"{start.HELP} / {start.LIBRARIES}", *_times((1e3 * own, 1e3 * libraries))


def _times(pair):
    ours, theirs = pair
    return f"{ours:.1f} ms", f"{theirs:.1f} ms", theirs / ours


def _a_second(rate):
    return f"{rate:.1f}/s"


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--joey", metavar="PYTHON")
    parser.add_argument("--model", metavar="DIR")
    args = parser.parse_args()
    print(describe_run())
    print("\n| what | ours | peer or limit | ratio |\n|---|---|---|---|")
    fewer = max(1, args.rounds // 2)
    for rows in (
        of_layers(3 * args.rounds),
        of_recurrent(3 * args.rounds),
        of_chunks(fewer),
        of_search(fewer, args.joey),
        of_training(fewer, args.joey),
        of_start(fewer, args.model),
    ):
        for name, own, other, ratio in rows:
            print(f"| {name} | {own} | {other} | {ratio:.2f} |", flush=True)


if __name__ == "__main__":
    main()
