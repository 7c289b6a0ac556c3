"""Times our layers beside Keras' own, in one run, in turns.

Usage: python benchmarks/layers.py [--rounds 15]

Prints, for each pair, the median times of a forward pass and of a training step
(forward and gradient), both compiled, and the ratios of the medians. Multi-head
attention is timed at several sizes, with padding and without, and with rotary positions
beside the same layer without them. Timings of one machine vary; ratios of one run vary
less.
"""

import argparse
import os
import statistics
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf
from common import describe_run

import keras_attention as ka

D = 256


def bahdanau():
    layer = ka.BahdanauAttention(D)
    return [layer], lambda q, v, mask: layer(q, v, value_mask=mask)


def keras_additive():
    # Keras' layer has no projections: these make it the same function.
    query, value = keras.layers.Dense(D, use_bias=False), keras.layers.Dense(D)
    layer = keras.layers.AdditiveAttention()
    return [layer, query, value], lambda q, v, mask: layer(
        [query(q), v, value(v)], mask=[None, mask]
    )


def luong():
    layer = ka.LuongAttention(score="general")
    return [layer], lambda q, v, mask: layer(q, v, value_mask=mask)


def keras_dot():
    value = keras.layers.Dense(D, use_bias=False)
    layer = keras.layers.Attention()
    return [layer, value], lambda q, v, mask: layer([q, v, value(v)], mask=[None, mask])


def multi_head(**options):
    layer = ka.MultiHeadAttention(8, D // 8, **options)
    return [layer], lambda q, v, mask: layer(q, v, value_mask=mask)


def rotary():
    return multi_head(position="rotary")


def keras_multi_head():
    layer = keras.layers.MultiHeadAttention(8, D // 8)
    return [layer], lambda q, v, mask: layer(q, v, value_mask=mask)


ORDINARY = (32, 30)
SIZES = (ORDINARY, (128, 15), (64, 20), (8, 128), (2, 512), (1, 100), (1, 30), (1, 1))

# Which to time, and at which sizes (B, T).
PAIRS = {
    "BahdanauAttention / AdditiveAttention + Dense": (
        (bahdanau, keras_additive),
        [ORDINARY],
    ),
    "LuongAttention general / Attention + Dense": ((luong, keras_dot), [ORDINARY]),
    "MultiHeadAttention / Keras' own": ((multi_head, keras_multi_head), SIZES),
    "MultiHeadAttention rotary / without": ((rotary, multi_head), SIZES[:4]),
}


def runs(make, query, value, mask):
    """Compile a forward pass, and the gradient of a scalar for inputs and weights."""
    layers, call = make()
    call(query, value, mask)
    weights = [each.value for layer in layers for each in layer.trainable_variables]

    @tf.function
    def forward(query, value):
        return call(query, value, mask)

    @tf.function
    def step(query, value):
        with tf.GradientTape() as tape:
            tape.watch((query, value))
            total = tf.reduce_sum(call(query, value, mask) ** 2)
        return tape.gradient(total, (query, value, *weights))

    return lambda: forward(query, value).numpy(), lambda: step(query, value)[0].numpy()


def compare(one, other, rounds):
    """Run two functions in turns; give their median times, in ms."""
    times = [[], []]
    for run in (one, other):
        run()
    for _ in range(rounds):
        for run, kept in zip((one, other), times, strict=True):
            began = time.perf_counter()
            run()
            kept.append(time.perf_counter() - began)
    return [1e3 * statistics.median(each) for each in times]


def told(ours, theirs):
    return f"{ours:6.1f} / {theirs:6.1f} ms = {ours / theirs:.2f}"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15, help="timed runs of each")
    rounds = parser.parse_args().rounds
    keras.utils.set_random_seed(1)
    random = np.random.default_rng(1)
    print(describe_run(("tensorflow", "keras")))
    print(f"size {D}, T queries and keys")
    for name, (makers, sizes) in PAIRS.items():
        print(name)
        for batch, length in sizes:
            shape = (batch, length, D)
            query = tf.constant(random.normal(size=shape), tf.float32)
            value = tf.constant(random.normal(size=shape), tf.float32)
            padding = tf.constant(random.random(shape[:2]) < 0.8)
            for mask in (padding, None):
                pair = [runs(make, query, value, mask) for make in makers]
                kinds = zip(*pair, strict=True)
                forward, step = (told(*compare(*each, rounds)) for each in kinds)
                kind = "all real" if mask is None else "padding "
                print(
                    f"  B={batch:<4} T={length:<4} {kind}  forward {forward}   "
                    f"step {step}",
                    flush=True,
                )


if __name__ == "__main__":
    main()
