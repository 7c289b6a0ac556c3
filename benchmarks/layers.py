"""Times a training step of our layers beside Keras' own, in one run, in turns.

Usage: python benchmarks/layers.py [--rounds 15]

Prints, for each pair, the median time of a step (forward and gradient, compiled) and
the ratio of the medians. Timings of one machine vary; ratios of one run vary less.
"""

import argparse
import os
import platform
import statistics
import sys
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf

import keras_attention as ka

B, T, S, D = 32, 30, 30, 256


def bahdanau():
    layer = ka.BahdanauAttention(D)
    return layer, lambda q, v, mask: layer(q, v, value_mask=mask)


def keras_additive():
    # Keras' layer has no projections: these make it the same function.
    query, value = keras.layers.Dense(D, use_bias=False), keras.layers.Dense(D)
    layer = keras.layers.AdditiveAttention()
    return layer, lambda q, v, mask: layer([query(q), v, value(v)], mask=[None, mask])


def luong():
    layer = ka.LuongAttention(score="general")
    return layer, lambda q, v, mask: layer(q, v, value_mask=mask)


def keras_dot():
    value = keras.layers.Dense(D, use_bias=False)
    layer = keras.layers.Attention()
    return layer, lambda q, v, mask: layer([q, v, value(v)], mask=[None, mask])


def multi_head():
    layer = ka.MultiHeadAttention(8, D // 8)
    return layer, lambda q, v, mask: layer(q, v, value_mask=mask)


def keras_multi_head():
    layer = keras.layers.MultiHeadAttention(8, D // 8)
    return layer, lambda q, v, mask: layer(q, v, value_mask=mask)


PAIRS = {
    "BahdanauAttention / AdditiveAttention + Dense": (bahdanau, keras_additive),
    "LuongAttention general / Attention + Dense": (luong, keras_dot),
    "MultiHeadAttention / Keras' own": (multi_head, keras_multi_head),
}


def training_step(make, query, value, mask):
    """Compile a step: the gradient of a scalar with respect to both inputs."""
    _, call = make()
    call(query, value, mask)

    @tf.function
    def step(query, value):
        with tf.GradientTape() as tape:
            tape.watch((query, value))
            total = tf.reduce_sum(call(query, value, mask) ** 2)
        return tape.gradient(total, (query, value))

    step(query, value)
    return lambda: step(query, value)[0].numpy()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15, help="timed steps of each")
    rounds = parser.parse_args().rounds
    keras.utils.set_random_seed(1)
    random = np.random.default_rng(1)
    query = tf.constant(random.normal(size=(B, T, D)), tf.float32)
    value = tf.constant(random.normal(size=(B, S, D)), tf.float32)
    mask = tf.constant(random.random((B, S)) < 0.8)
    print(f"$ python {' '.join(sys.argv)}")
    print(
        f"Python {platform.python_version()}, Keras {keras.__version__}, TensorFlow "
        f"{tf.__version__}, {os.cpu_count()} processors, B={B} T={T} S={S} D={D}"
    )
    for name, makers in PAIRS.items():
        steps = [training_step(make, query, value, mask) for make in makers]
        times = [[], []]
        for _ in range(rounds):
            for step, kept in zip(steps, times, strict=True):
                began = time.perf_counter()
                step()
                kept.append(time.perf_counter() - began)
        ours, theirs = map(statistics.median, times)
        print(
            f"{name:<48} {1e3 * ours:7.1f} ms / {1e3 * theirs:7.1f} ms = "
            f"{ours / theirs:.2f}"
        )


if __name__ == "__main__":
    main()
