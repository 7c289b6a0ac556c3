import numpy as np
import pytest

tf = pytest.importorskip("tensorflow")

from nmt.training.loss import label_smoothed_loss  # noqa: E402

N, D, V = 11, 5, 7


def plain_loss(hidden, embedding, bias, targets, smoothing):
    logits = tf.matmul(hidden, embedding, transpose_b=True) + bias
    wanted = tf.one_hot(targets, V, dtype=logits.dtype) * (1 - smoothing)
    wanted += smoothing / V
    return -tf.reduce_sum(wanted * tf.nn.log_softmax(logits))


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.5])
def test_loss_and_gradients_equal_the_plain_form(smoothing):
    random = np.random.default_rng(3)
    inputs = [tf.constant(random.normal(size=s)) for s in ((N, D), (V, D), (V,))]
    targets = tf.constant(random.integers(0, V, N), tf.int32)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(inputs)
        loss, nll = label_smoothed_loss(*inputs, targets, smoothing)
        scaled = 3.0 * loss
        plain = 3.0 * plain_loss(*inputs, targets, smoothing)
    np.testing.assert_allclose(scaled, plain, rtol=1e-12)
    np.testing.assert_allclose(nll, plain_loss(*inputs, targets, 0.0), rtol=1e-12)
    for ours, theirs in zip(
        tape.gradient(scaled, inputs), tape.gradient(plain, inputs), strict=True
    ):
        np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-12)


def plain_divergence(hidden, embedding, bias):
    logits = tf.matmul(hidden, embedding, transpose_b=True) + bias
    first, second = tf.split(tf.nn.log_softmax(logits), 2)
    return tf.reduce_sum((tf.exp(first) - tf.exp(second)) * (first - second))


@pytest.mark.parametrize("consistency", [0.5, 5.0])
def test_the_divergence_of_two_draws_equals_the_plain_form(consistency):
    random = np.random.default_rng(4)
    inputs = [tf.constant(random.normal(size=s)) for s in ((2 * N, D), (V, D), (V,))]
    targets = tf.constant(np.tile(random.integers(0, V, N), 2), tf.int32)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(inputs)
        loss, nll = label_smoothed_loss(*inputs, targets, 0.1, consistency)
        plain = plain_loss(*inputs, targets, 0.1)
        plain += consistency / 2 * plain_divergence(*inputs)
    np.testing.assert_allclose(loss, plain, rtol=1e-12)
    np.testing.assert_allclose(nll, plain_loss(*inputs, targets, 0.0), rtol=1e-12)
    for ours, theirs in zip(
        tape.gradient(loss, inputs), tape.gradient(plain, inputs), strict=True
    ):
        np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-12)


def test_no_pieces_give_no_loss_and_no_gradient():
    hidden, embedding = tf.zeros((0, D)), tf.ones((V, D))
    with tf.GradientTape() as tape:
        tape.watch(embedding)
        loss, _ = label_smoothed_loss(
            hidden, embedding, tf.zeros(V), tf.zeros(0, tf.int32), 0.1
        )
    assert float(loss) == 0
    np.testing.assert_array_equal(tape.gradient(loss, embedding), np.zeros((V, D)))
