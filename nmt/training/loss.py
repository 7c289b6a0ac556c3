"""Cross-entropy of a large vocabulary, with its own gradient."""

import tensorflow as tf


def label_smoothed_loss(
    hidden, embedding, bias, targets, smoothing=0.0, consistency=0.0
):
    """Score hidden vectors against the pieces that should follow them.

    logits = hidden · embeddingᵀ + bias; the wanted distribution has 1 - smoothing on
    the target and smoothing spread evenly over all pieces.

    The tensor of N × V numbers is the cost of it all, so it is made and read as rarely
    as can be: one kernel gives both the likelihoods and `softmax - one_hot`, which goes
    straight into the two matrix products of the gradient; and what smoothing adds to
    loss and gradient needs sums over the vocabulary alone, which are taken before the
    product with `hidden`.

    Where rows are two draws of dropout of the same pieces, the divergence of what they
    predict may be added: `consistency / 2 · (KL(p₁ ‖ p₂) + KL(p₂ ‖ p₁))`.

    Shapes: `N` target pieces, `D` features, `V` pieces of the vocabulary.

    Args:
        hidden: Shape `(N, D)`.
        embedding: Shape `(V, D)`.
        bias: Shape `(V,)`.
        targets: Int32, shape `(N,)`.
        smoothing: Float in [0, 1).
        consistency: Float, α of the second paper. Above 0 the rows are the pieces of
            one draw, then the same pieces of another; `targets` too.

    Returns:
        `(loss, nll)`: scalars, sums over the N rows, in nats: the smoothed
        cross-entropy with the divergence, and the negative log-likelihood of the
        targets alone, which has no gradient.

    Reference:
        [Szegedy et al., 2016](https://arxiv.org/abs/1512.00567), section 7;
        [Liang et al., 2021](https://arxiv.org/abs/2106.14448), equations 1 to 3.
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
        slope = gap
        if consistency:
            divergence, of_logits, of_target = _divergence(logits, each, gap, targets)
            loss += consistency / 2 * divergence
            slope = gap + consistency / 2 * of_logits
            pull = consistency / 2 * of_target

        def gradient(upstream, _):
            of_hidden = tf.matmul(slope, embedding)
            of_embedding = tf.matmul(slope, hidden, transpose_a=True)
            of_bias = tf.reduce_sum(slope, axis=0)
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
            if consistency:
                of_hidden += pull[:, None] * target_rows
                of_embedding += tf.math.unsorted_segment_sum(
                    pull[:, None] * hidden, targets, size
                )
                of_bias += tf.math.unsorted_segment_sum(pull, targets, size)
            return upstream * of_hidden, upstream * of_embedding, upstream * of_bias

        return (loss, nll), gradient

    return loss_of(hidden, embedding, bias)


def _divergence(logits, each, gap, targets):
    """Compare two draws, with `gap = softmax - one_hot`, the same one_hot in both.

    With `d = log p₁ - log p₂` the sum of both divergences has the gradient
    `gap₁ - gap₂ + p₁ · (d - KL(p₁ ‖ p₂))` in the logits of the first draw.

    Returns:
        Their sum; its gradient in the logits without what the one_hot of `p` adds to
        it; and that, which is in the target's column alone, shape `(N,)`.
    """
    target_logit = tf.gather(logits, targets, batch_dims=1)
    first, second = tf.split(logits - (each + target_logit)[:, None], 2)
    difference = first - second
    of_target = tf.split(-each, 2)
    of_target = of_target[0] - of_target[1]
    gap_1, gap_2 = tf.split(gap, 2)
    kl_1 = tf.reduce_sum(gap_1 * difference, axis=1) + of_target
    kl_2 = -tf.reduce_sum(gap_2 * difference, axis=1) - of_target
    apart = gap_1 - gap_2
    of_logits = [
        apart + gap_1 * (difference - kl_1[:, None]),
        -apart - gap_2 * (difference + kl_2[:, None]),
    ]
    of_targets = [of_target - kl_1, -of_target - kl_2]
    return tf.reduce_sum(kl_1 + kl_2), tf.concat(of_logits, 0), tf.concat(of_targets, 0)
