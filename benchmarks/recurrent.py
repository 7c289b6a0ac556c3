"""Times `AttentionRNN` beside the same decoder on `keras.layers.RNN`, in turns.

Usage: python benchmarks/recurrent.py [--rounds 21]

The decoder is Bahdanau's: a GRU cell of 256 units takes the piece before and the
context of additive attention of 256 units. The peer is `keras.layers.RNN` around a cell
that attends and closes over the memory, as one would write it by hand, with projected
keys outside the loop too. Both have the same weights; that their outputs are equal is
checked first.

Prints medians and minima of: a training step (forward and gradient) at batch 64, 20
steps, 20 keys, compiled; 32 decoding steps of one row and 30 keys in a compiled loop;
one such step as a call of its own, compiled and eager.
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
from keras import ops

import keras_attention as ka

UNITS = 256
BATCH, STEPS, KEYS = 64, 20, 20
DECODING_KEYS, LOOP = 30, 32


class AttendingCell(keras.layers.Layer):
    """A cell that attends to a memory, which is put on it before the loop."""

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.state_size = units
        self.cell = keras.layers.GRUCell(units)
        self.query = keras.layers.Dense(units, use_bias=False)
        self.vector = keras.layers.Dense(1, use_bias=False)
        self.keys = self.memory = self.mask = None

    def build(self, shape):
        batch, size = shape
        self.cell.build((batch, size + 2 * UNITS))
        self.query.build((batch, UNITS))
        self.vector.build((batch, UNITS))
        self.built = True

    def call(self, inputs, states):
        query = self.query(states[0])[:, None]
        scores = self.vector(ops.tanh(query + self.keys))[..., 0]
        weights = ops.softmax(ops.where(self.mask, scores, -1e9), axis=-1)
        context = ops.sum(weights[..., None] * self.memory, axis=1)
        output, states = self.cell(ops.concatenate([inputs, context], -1), states)
        return ops.concatenate([context, output], axis=-1), states


class Peer:
    """The decoder by hand: the projection of the keys, and the loop."""

    def __init__(self):
        self.key = keras.layers.Dense(UNITS)
        self.cell = AttendingCell(UNITS)
        self.loop = keras.layers.RNN(self.cell, return_sequences=True)

    def read(self, memory, mask):
        self.cell.keys, self.cell.memory = self.key(memory), memory
        self.cell.mask = mask

    def __call__(self, sequence, memory, mask):
        self.read(memory, mask)
        return self.loop(sequence)

    @property
    def weights(self):
        own = self.cell
        parts = own.cell, own.query, own.vector, self.key
        return [each for part in parts for each in part.trainable_weights]


class Ours:
    def __init__(self):
        self.layer = ka.AttentionRNN(
            keras.layers.GRUCell(UNITS), ka.BahdanauAttention(UNITS)
        )

    def __call__(self, sequence, memory, mask):
        return self.layer(sequence, memory, memory_mask=mask)

    @property
    def weights(self):
        cell, attention = self.layer.cells[0], self.layer.attention
        own = attention.query_kernel, attention.vector
        own = *own, attention.key_kernel, attention.bias
        return [*cell.trainable_weights, *own]


def make_inputs(batch, steps, keys):
    random = np.random.default_rng(1)
    sequence = tf.constant(random.normal(size=(batch, steps, UNITS)), tf.float32)
    memory = tf.constant(random.normal(size=(batch, keys, 2 * UNITS)), tf.float32)
    real = np.arange(keys) < random.integers(keys // 2, keys + 1, (batch, 1))
    return sequence, memory, tf.constant(real)


def training_step(model, inputs):
    """Compile a forward pass and the gradient, as the training of a model has it."""
    weights = [each.value for each in model.weights]

    @tf.function
    def step(sequence, memory, mask):
        with tf.GradientTape() as tape:
            tape.watch((sequence, memory))
            total = tf.reduce_sum(model(sequence, memory, mask) ** 2)
        return tape.gradient(total, (sequence, memory, *weights))

    return lambda: step(*inputs)[0].numpy()


def decoding_steps():
    """Make one step of a search of each, compiled and eager."""
    sequence, value, mask = make_inputs(1, 1, DECODING_KEYS)
    ours, peer = Ours(), Peer()
    ours(sequence, value, mask)
    row = sequence[:, 0]
    memory = ours.layer.prepare(value, mask)
    states = ours.layer.initial_states(memory)
    peer.read(value, mask)

    def own(row, *states):
        output, _, states = ours.layer.step(row, memory, states)
        return output, *states

    def other(row, *states):
        output, states = peer.cell(row, list(states))
        return output, *states

    compiled = [tf.function(each) for each in (own, other)]
    loops = [_loop(each) for each in (own, other)]
    return [
        (f"{LOOP} steps of decoding", [_call(f, row, states) for f in loops], 1),
        ("a decoding step, compiled", [_call(f, row, states) for f in compiled], 20),
        ("a decoding step, eager", [_call(f, row, states) for f in (own, other)], 1),
    ]


def _call(function, row, states):
    return lambda: function(row, *states)[0].numpy()


def _loop(function):
    """Compile a loop over steps, as a search has it."""

    @tf.function
    def run(row, *states):
        def body(position, row, states):
            output, *states = function(row, *states)
            return position + 1, row + 1e-6 * output[:, :UNITS], states

        start = 0, row, list(states)
        return tf.while_loop(lambda position, *_: position < LOOP, body, start)[1:]

    return run


def compare(pair, rounds, repeats):
    """Run two functions in turns, each so often; give the times of both, in ms."""
    times = [[], []]
    for run in pair:
        run()
    for _ in range(rounds):
        for run, kept in zip(pair, times, strict=True):
            began = time.perf_counter()
            for _ in range(repeats):
                run()
            kept.append(1e3 * (time.perf_counter() - began) / repeats)
    return times


def measure(rounds):
    """Give a row for each question: its name, and the times of ours and the peer."""
    ours, peer = Ours(), Peer()
    inputs = make_inputs(BATCH, STEPS, KEYS)
    ours(*inputs), peer(*inputs)
    for own, other in zip(ours.weights, peer.weights, strict=True):
        other.assign(own)
    np.testing.assert_allclose(ours(*inputs), peer(*inputs), rtol=1e-4, atol=1e-4)
    pair = [training_step(model, inputs) for model in (ours, peer)]
    rows = [("a training step", pair, 1), *decoding_steps()]
    return [(name, compare(pair, rounds, repeats)) for name, pair, repeats in rows]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=21, help="timed runs of each")
    args = parser.parse_args()
    print(describe_run(("tensorflow", "keras")))
    print("\n| what | ours, ms (least) | by hand | by hand / ours |")
    print("|---|---|---|---|")
    for name, times in measure(args.rounds):
        ours, peer = (
            f"{statistics.median(each):.2f} ({min(each):.2f})" for each in times
        )
        ratio = statistics.median(times[1]) / statistics.median(times[0])
        print(f"| {name} | {ours} | {peer} | {ratio:.2f} |")


if __name__ == "__main__":
    main()
