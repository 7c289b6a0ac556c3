"""The type of numbers that a training computes with."""

import contextlib
import time

import keras
import numpy as np
import tensorflow as tf

from nmt.errors import UserError

POLICIES = {"float32": "float32", "bfloat16": "mixed_bfloat16"} | {
    "float16": "mixed_float16"
}
"""Precision → Keras' policy: weights are float32 always."""

ENOUGH = 1.5
"""How many times as fast a product in bfloat16 has to be, so that a step gains."""

ROWS, UNITS, PIECES = 2048, 256, 6144
"""Sizes of the product that is timed: that of a batch with the output matrix."""

TRIES = 7


def choose_precision():
    """Return the precision that a training gains from on this device, and why.

    Half of a step's work is products of matrices, so these decide.

    Returns:
        `(precision, reason)`: strings, the first `float32` or `bfloat16`.
    """
    seconds = {name: _seconds(name) for name in ("float32", "bfloat16")}
    ratio = seconds["float32"] / seconds["bfloat16"]
    device = "GPU" if tf.config.list_logical_devices("GPU") else "CPU"
    reason = f"a product in bfloat16 is {ratio:.1f} times as fast on this {device}"
    return ("bfloat16" if ratio >= ENOUGH else "float32"), reason


def _seconds(dtype):
    random = np.random.default_rng(0)
    left = tf.cast(random.normal(size=(ROWS, UNITS)), dtype)
    right = tf.cast(random.normal(size=(UNITS, PIECES)), dtype)
    product = tf.function(lambda: tf.reduce_sum(tf.matmul(left, right)))
    product().numpy()
    times = []
    for _ in range(TRIES):
        began = time.perf_counter()
        product().numpy()  # waits for the device
        times.append(time.perf_counter() - began)
    return min(times)


def check_precision(precision, replicas):
    """Refuse what several devices, or workers, cannot compute in.

    Raises:
        UserError: If they are several, and it is `float16`.
    """
    if precision == "float16" and replicas > 1:
        raise UserError(
            "--precision float16 is for one device: Keras scales its loss on one "
            "alone. Give bfloat16 or float32."
        )


@contextlib.contextmanager
def computing_in(precision):
    """Let the layers that are made meanwhile compute in a precision."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(POLICIES[precision])
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)
