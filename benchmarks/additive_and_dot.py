"""Compares additive with scaled and unscaled dot-product attention as sizes grow.

Usage: python benchmarks/additive_and_dot.py [--sizes 16 64 256 1024] [--steps 300]

Three questions, for each size of query and key:
- Cost: median time and peak memory of a training step (forward and gradient,
  compiled), B=4, T=S=128. The peak is that of a process of its own, less what it held
  before the first step.
- Sharpness: how much of the weight lies on one key, and the entropy (0 one key, 1 all
  alike), for inputs of unit variance and fresh weights.
- Learning: a query is one of S=16 keys turned by a fixed rotation, and the layer is to
  point at that key. Accuracy and mean gradient norm over `--steps` steps of Adam.

The dot products learn a projection of the query and one of the key, as additive
attention does, so that all three have the same freedom.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf
from common import begin_peak, describe_run, peak_memory
from keras import ops

import keras_attention as ka

B, T, S = 4, 128, 128
KEYS = 16
KINDS = ("additive", "scaled dot", "unscaled dot")


@keras.saving.register_keras_serializable(package="benchmarks")
class ProjectedDot(ka.ScoreAttention):
    """Inner products of projected queries and keys, scaled or not."""

    def __init__(self, units, scaled, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.factor = units**-0.5 if scaled else 1.0
        # Unit variance in, unit variance out: what the scaling argument assumes.
        spread = keras.initializers.VarianceScaling(1.0, "fan_in", "normal", seed=1)
        self.query_dense = keras.layers.Dense(
            units, use_bias=False, kernel_initializer=spread
        )
        spread = keras.initializers.VarianceScaling(1.0, "fan_in", "normal", seed=2)
        self.key_dense = keras.layers.Dense(
            units, use_bias=False, kernel_initializer=spread
        )

    def build(self, query_shape, value_shape, key_shape=None):
        super().build(query_shape, value_shape, key_shape)
        self.query_dense.build(query_shape)
        self.key_dense.build(key_shape or value_shape)

    def project_query(self, query):
        return self.query_dense(query) * self.factor

    def project_key(self, key):
        return self.key_dense(key)

    def score(self, query, key):
        return ops.matmul(query, ops.transpose(key, (0, 2, 1)))


def make(kind, size):
    """Make one of the three layers for queries and keys of a size."""
    if kind == "additive":
        return ka.BahdanauAttention(size, use_bias=False)
    return ProjectedDot(size, scaled=kind == "scaled dot")


def training_step(kind, size):
    """Compile a step on inputs of unit variance; give a function without arguments."""
    layer = make(kind, size)
    random = np.random.default_rng(1)
    query = tf.constant(random.normal(size=(B, T, size)), tf.float32)
    value = tf.constant(random.normal(size=(B, S, size)), tf.float32)
    layer(query[:1, :1], value[:1, :1])

    @tf.function
    def step(query, value):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(layer(query, value) ** 2)
        # All of them: TensorFlow leaves out what is not returned.
        return tape.gradient(loss, layer.trainable_variables)

    return lambda: [gradient.numpy() for gradient in step(query, value)]


def added_memory(kind, size):
    """Measure in a process of its own: MB that some steps add to its peak."""
    command = [sys.executable, __file__, "--peak", kind, str(size)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def print_peak(kind, size):
    """Print what a few steps add to the peak memory of this process, in MB."""
    # A tiny step first: what TensorFlow loads and compiles does not count.
    training_step(kind, 8)()
    step = training_step(kind, size)
    before = begin_peak()
    for _ in range(3):
        step()
    print(json.dumps(peak_memory() - before))


def sharpness(kind, size):
    """Give the mean largest weight, and the mean entropy, before any training."""
    random = np.random.default_rng(2)
    query = random.normal(size=(B, T, size)).astype("float32")
    value = random.normal(size=(B, S, size)).astype("float32")
    _, weights = make(kind, size)(query, value, return_attention_scores=True)
    weights = ops.convert_to_numpy(weights)
    largest = ka.attention_concentration(weights).mean()
    return float(largest), float(ka.attention_entropy(weights).mean())


def learning(kind, size, steps):
    """Train to point at a turned key; give the last accuracy and the gradient norm."""
    keras.utils.set_random_seed(3)
    random = np.random.default_rng(3)
    rotation, _ = np.linalg.qr(random.normal(size=(size, size)))
    rotation = tf.constant(rotation, tf.float32)
    layer = make(kind, size)
    layer(tf.zeros((1, 1, size)), tf.zeros((1, KEYS, size)))
    optimizer = keras.optimizers.Adam(1e-3)
    optimizer.build(layer.trainable_variables)

    @tf.function
    def step(keys, chosen):
        query = tf.gather(keys, chosen, batch_dims=1)[:, None] @ rotation
        with tf.GradientTape() as tape:
            _, weights = layer(query, keys, return_attention_scores=True)
            # Not from logits: this is the gradient that a model sees, through the
            # softmax of the attention.
            picked = tf.gather(weights[:, 0], chosen, batch_dims=1)
            loss = -tf.reduce_mean(picked)
        variables = layer.trainable_variables
        gradients = tape.gradient(loss, variables)
        optimizer.apply(gradients, variables)
        hits = tf.argmax(weights[:, 0], -1, tf.int32) == chosen
        return tf.reduce_mean(tf.cast(hits, tf.float32)), tf.linalg.global_norm(
            gradients
        )

    hits, norms = [], []
    for _ in range(steps):
        keys = random.normal(size=(64, KEYS, size)).astype("float32")
        hit, norm = step(keys, random.integers(KEYS, size=64).astype("int32"))
        hits.append(float(hit))
        norms.append(float(norm))
    return statistics.mean(hits[-20:]), statistics.mean(norms[:20])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[16, 64, 256, 1024])
    parser.add_argument("--steps", type=int, default=300, help="of the learning task")
    parser.add_argument("--rounds", type=int, default=11, help="timed steps of each")
    parser.add_argument("--peak", nargs=2, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.peak:
        return print_peak(args.peak[0], int(args.peak[1]))
    print(describe_run())
    print(
        "| size | kind | step, ms | memory, MB | largest weight | entropy | accuracy "
        "| gradient norm |\n|---|---|---|---|---|---|---|---|"
    )
    for size in args.sizes:
        steps = {kind: training_step(kind, size) for kind in KINDS}
        times = {kind: [] for kind in KINDS}
        for step in steps.values():
            step()
        for _ in range(args.rounds):  # in turns: a slow moment hits all three
            for kind, step in steps.items():
                began = time.perf_counter()
                step()
                times[kind].append(time.perf_counter() - began)
        for kind in KINDS:
            largest, entropy = sharpness(kind, size)
            accuracy, norm = learning(kind, size, args.steps)
            print(
                f"| {size} | {kind} | {1e3 * statistics.median(times[kind]):.1f} "
                f"| {added_memory(kind, size):.0f} | {largest:.3f} | {entropy:.3f} "
                f"| {accuracy:.1%} | {norm:.2g} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
