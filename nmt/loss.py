"""Cross-entropy of a large vocabulary, with its own gradient."""

import tensorflow as tf


def label_smoothed_loss(hidden, embedding, bias, targets, smoothing=0.0):
    """Score hidden vectors against the pieces that should follow them.

    logits = hidden · embeddingᵀ + bias; the wanted distribution has 1 - smoothing on
    the target and smoothing spread evenly over all pieces.

    The gradient of the logits is softmax minus the wanted distribution; it is made in
    the place of the logits and goes straight into the two matrix products, so that no
    second tensor of that size is stored between the forward and the backward pass.

    Shapes: `N` target pieces, `D` features, `V` pieces of the vocabulary.

    Args:
        hidden: Shape `(N, D)`.
        embedding: Shape `(V, D)`.
        bias: Shape `(V,)`.
        targets: Int32, shape `(N,)`.
        smoothing: Float in [0, 1).

    Returns:
        `(loss, nll)`: scalars, sums over the N pieces, in nats: the smoothed
        cross-entropy, and the negative log-likelihood of the targets alone, which has
        no gradient.

    Reference:
        [Szegedy et al., 2016](https://arxiv.org/abs/1512.00567), section 7.
    """
    dtype = hidden.dtype
    size = tf.cast(tf.shape(embedding)[0], dtype)

    @tf.custom_gradient
    def loss_of(hidden, embedding, bias):
        logits = tf.matmul(hidden, embedding, transpose_b=True) + bias  # N V
        log_sum = tf.reduce_logsumexp(logits, axis=1)
        of_target = tf.gather(logits, targets, batch_dims=1)
        nll = tf.reduce_sum(log_sum - of_target)
        even = tf.reduce_sum(log_sum - tf.reduce_mean(logits, axis=1))
        loss = (1 - smoothing) * nll + smoothing * even

        def gradient(upstream, _):
            gap = tf.exp(logits - log_sum[:, None]) - smoothing / size
            rows = tf.range(tf.shape(targets)[0])
            gap = tf.tensor_scatter_nd_sub(
                gap,
                tf.stack([rows, targets], axis=1),
                tf.fill(tf.shape(targets), tf.constant(1 - smoothing, dtype)),
            )
            gap *= upstream
            return (
                tf.matmul(gap, embedding),
                tf.matmul(gap, hidden, transpose_a=True),
                tf.reduce_sum(gap, axis=0),
            )

        return (loss, nll), gradient

    return loss_of(hidden, embedding, bias)
