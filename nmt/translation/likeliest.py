"""The likeliest tokens of each row, at the cost of little more than reading them."""

import numpy as np
import tensorflow as tf

STRIDE = 16


def likeliest(logits, count):
    """Find the `count` highest logits of each row, and what normalises them.

    A row is read as `STRIDE` parts. The `count` highest are in the `count` columns
    whose maximum over the parts is highest: a sort of `V / STRIDE` maxima and of
    `count * STRIDE` logits takes the place of a sort of `V`.

    Args:
        logits: Float32, shape `(R, V)`, `V` known.
        count: Int, at most `V`.

    Returns:
        values: The logits, highest first, shape `(R, count)`.
        tokens: Their places, int32, shape `(R, count)`.
        total: Shape `(R, 1)`; `logits - total` are log-probabilities.
    """
    size = logits.shape[-1]
    if size < 4 * STRIDE * count:
        values, tokens = tf.math.top_k(logits, count)
    else:
        columns = -(-size // STRIDE)
        padding = columns * STRIDE - size
        padded = logits
        if padding:
            padded = tf.pad(logits, [[0, 0], [0, padding]], constant_values=-np.inf)
        maxima = tf.reduce_max(tf.reshape(padded, (-1, STRIDE, columns)), axis=1)
        _, best = tf.math.top_k(maxima, count)
        parts = tf.range(STRIDE)[:, None] * columns
        places = tf.reshape(best[:, None] + parts, (-1, STRIDE * count))
        values, found = tf.math.top_k(tf.gather(padded, places, batch_dims=1), count)
        # Padding is found where fewer logits than wanted are finite.
        tokens = tf.minimum(tf.gather(places, found, batch_dims=1), size - 1)
    # The likeliest one's probability tells the total: the softmax is the fastest sum of
    # exponentials that there is.
    likeliest = tf.gather(tf.nn.softmax(logits), tokens[:, :1], batch_dims=1)
    return values, tokens, values[:, :1] - tf.math.log(likeliest)
