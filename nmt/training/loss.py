"""Cross-entropy of a large vocabulary, with its own gradient."""

import tensorflow as tf


def label_smoothed_loss(hidden, embedding, bias, targets, smoothing=0.0):
    """Score hidden vectors against the pieces that should follow them.

    logits = hidden · embeddingᵀ + bias; the wanted distribution has 1 - smoothing on
    the target and smoothing spread evenly over all pieces.

    The tensor of N × V numbers is the cost of it all, so it is made and read as rarely
    as can be: one kernel gives both the likelihoods and `softmax - one_hot`, which goes
    straight into the two matrix products of the gradient; and what smoothing adds to
    loss and gradient needs sums over the vocabulary alone, which are taken before the
    product with `hidden`.

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

    @tf.custom_gradient
    def loss_of(hidden, embedding, bias):
        logits = tf.matmul(hidden, embedding, transpose_b=True) + bias  # N V
        each, gap = tf.raw_ops.SparseSoftmaxCrossEntropyWithLogits(
            features=logits, labels=targets
        )
        nll = tf.reduce_sum(each)
        mean_row = tf.reduce_mean(embedding, axis=0)  # D
        target_rows = tf.gather(embedding, targets)  # N D
        # The mean of the logits, and the target's, without reading them all again.
        mean_logit = tf.linalg.matvec(hidden, mean_row) + tf.reduce_mean(bias)
        target_logit = tf.reduce_sum(hidden * target_rows, axis=1)
        target_logit += tf.gather(bias, targets)
        loss = nll + smoothing * tf.reduce_sum(target_logit - mean_logit)

        def gradient(upstream, _):
            of_hidden = tf.matmul(gap, embedding)
            of_embedding = tf.matmul(gap, hidden, transpose_a=True)
            of_bias = tf.reduce_sum(gap, axis=0)
            # Smoothing moves `smoothing` of each target's mass to all pieces evenly.
            size = tf.shape(embedding)[0]
            share = 1 / tf.cast(size, hidden.dtype)
            of_hidden += smoothing * (target_rows - mean_row)
            of_embedding += smoothing * (
                tf.math.unsorted_segment_sum(hidden, targets, size)
                - share * tf.reduce_sum(hidden, axis=0)
            )
            counts = tf.math.unsorted_segment_sum(tf.ones_like(each), targets, size)
            of_bias += smoothing * (counts - share * tf.reduce_sum(counts))
            return upstream * of_hidden, upstream * of_embedding, upstream * of_bias

        return (loss, nll), gradient

    return loss_of(hidden, embedding, bias)
