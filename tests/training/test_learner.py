"""What one step of training does."""

import keras
import numpy as np
import pytest
import tiny_training

from nmt.text import make_batch
from nmt.training.learner import Learner

SIZE = 60


def first_loss(**options):
    keras.utils.set_random_seed(3)
    learner = Learner(tiny_training.CONFIG.replace(**options), SIZE)
    random = np.random.default_rng(1)
    ids = [random.integers(4, SIZE, size).tolist() for size in (3, 6, 5)]
    return float(learner.learn(make_batch(ids, ids[::-1])))


def test_draws_that_are_alike_do_not_differ():
    alone = first_loss(dropout=0.0)
    assert first_loss(dropout=0.0, consistency=5.0) == pytest.approx(alone, rel=1e-5)


def test_what_two_draws_of_dropout_predict_differs_and_counts():
    losses = [first_loss(dropout=0.5, consistency=weight) for weight in (1.0, 3.0, 5.0)]
    # The same two draws: the loss is linear in the weight.
    assert losses[0] < losses[1] < losses[2]
    assert losses[2] - losses[1] == pytest.approx(losses[1] - losses[0], rel=1e-3)


@pytest.mark.parametrize("decay", [0.0, 0.9])
def test_a_search_in_between_changes_nothing_that_is_learnt(decay):
    # RNNs of Keras draw dropout of their states in a search too.
    config = tiny_training.CONFIG.replace(recurrent_dropout=0.3, average_decay=decay)
    batch = make_batch([[5, 6, 7]], [[7, 8]])

    def trained(search):
        keras.utils.set_random_seed(3)
        learner = Learner(config, SIZE)
        learner.learn(batch)
        if search:
            learner.with_averages(lambda: learner.model.encode(batch.source))
        learner.learn(batch)
        return [np.asarray(variable) for variable in learner.variables()]

    for one, other in zip(trained(False), trained(True), strict=True):
        np.testing.assert_array_equal(one, other)
