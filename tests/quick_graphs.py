"""A fixture for rooms that compile many graphs and run each of them a few times."""

import pytest
import tensorflow as tf


@pytest.fixture(scope="module", autouse=True)
def quick_graphs():
    """Leaves graphs as they are traced: to make them fast takes longer than to run."""
    before = tf.config.optimizer.get_experimental_options()
    tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})
    yield
    tf.config.optimizer.set_experimental_options(
        {"disable_meta_optimizer": before.get("disable_meta_optimizer", False)}
    )
