"""Cross-entropy of a large vocabulary, with its own gradient."""

import tensorflow as tf


def label_smoothed_loss(
    hidden, embedding, bias, targets, smoothing=0.0, consistency=0.0
):
    """Score hidden vectors against the pieces that should follow them.

    logits = hidden · embeddingᵀ + bias; the wanted distribution has 1 - smoothing on
    the target and smoothing spread evenly over all pieces.

    The tensor of N × V numbers is the cost of it all, so it is made and read as rarely
    as can be: the softmax goes straight into the two matrix products of the gradient,
    and all that targets and smoothing add to loss and gradient needs a row or a sum
    over the vocabulary alone, apart from those products.

    Where rows are two draws of dropout of the same pieces, the divergence of what they
    predict may be added: `consistency / 2 · (KL(p₁ ‖ p₂) + KL(p₂ ‖ p₁))`.

    Shapes: `N` target pieces, `D` features, `V` pieces of the vocabulary.

    Args:
        hidden: Shape `(N, D)`. Products are in its type, all else in the weights'.
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

    of_products, of_weights = hidden.dtype, embedding.dtype

    def product(left, right, **how):
        left, right = (tf.cast(each, of_products) for each in (left, right))
        return tf.cast(tf.matmul(left, right, **how), of_weights)

    @tf.custom_gradient
    def loss_of(hidden, embedding, bias):
        logits = product(hidden, embedding, transpose_b=True) + bias  # N V
        shares = tf.nn.softmax(logits)
        # The largest share is one over the sum that divides them all.
        total = tf.reduce_max(logits, axis=1)
        total -= tf.math.log(tf.reduce_max(shares, axis=1))
        target_rows = tf.gather(embedding, targets)  # N D
        target_logit = tf.reduce_sum(hidden * target_rows, axis=1)
        target_logit += tf.gather(bias, targets)
        nll = tf.reduce_sum(total - target_logit)
        # The mean of the logits without reading them all again.
        mean_row = tf.reduce_mean(embedding, axis=0)  # D
        mean_logit = tf.linalg.matvec(hidden, mean_row) + tf.reduce_mean(bias)
        loss = nll + smoothing * tf.reduce_sum(target_logit - mean_logit)
        slope = shares
        if consistency:
            divergence, of_logits = _divergence(logits - total[:, None], shares)
            loss += consistency / 2 * divergence
            slope += consistency / 2 * of_logits

        def gradient(upstream, _):
            size = tf.shape(embedding)[0]
            each = smoothing / tf.cast(
                size, hidden.dtype
            )  # what every piece should get
            one = tf.ones_like(total)
            sums = tf.math.unsorted_segment_sum
            of_hidden = product(slope, embedding)
            of_hidden -= (1 - smoothing) * target_rows + smoothing * mean_row
            of_embedding = product(slope, hidden, transpose_a=True)
            of_embedding -= (1 - smoothing) * sums(hidden, targets, size)
            of_embedding -= each * tf.reduce_sum(hidden, axis=0)
            of_bias = tf.linalg.matvec(slope, one, transpose_a=True)
            of_bias -= (1 - smoothing) * sums(one, targets, size)
            of_bias -= each * tf.reduce_sum(one)
            return upstream * of_hidden, upstream * of_embedding, upstream * of_bias

        return (loss, nll), gradient

    return loss_of(tf.cast(hidden, of_weights), embedding, bias)


def _divergence(log_shares, shares):
    """Add up both divergences of two draws.

    With `d = log p₁ - log p₂` the gradient in the logits of the first draw is
    `p₁ - p₂ + p₁ · (d - KL(p₁ ‖ p₂))`.

    Args:
        log_shares: Shape `(N, V)`: the pieces of one draw, then of the other.
        shares: Their exponentials.

    Returns:
        Their sum, and its gradient in the logits.
    """
    first, second = tf.split(shares, 2)
    log_first, log_second = tf.split(log_shares, 2)
    difference = log_first - log_second
    kl_first = tf.reduce_sum(first * difference, axis=1, keepdims=True)
    kl_second = -tf.reduce_sum(second * difference, axis=1, keepdims=True)
    apart = first - second
    of_first = apart + first * (difference - kl_first)
    of_second = -apart - second * (difference + kl_second)
    divergence = tf.reduce_sum(kl_first) + tf.reduce_sum(kl_second)
    return divergence, tf.concat([of_first, of_second], axis=0)
