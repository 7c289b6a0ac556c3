"""What every test runs under: quiet backends, no display, known random numbers."""

import os
import random

# Read at import by TensorFlow, JAX and matplotlib, so set before any of them.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("JAX_PLATFORMS", "cpu")
os.environ["MPLBACKEND"] = "Agg"

import hypothesis
import keras
import pytest

SEED = 7

# A first call traces and compiles: its time says nothing about the next.
hypothesis.settings.register_profile("local", deadline=None, max_examples=25)
hypothesis.settings.register_profile(
    "ci", hypothesis.settings.get_profile("local"), derandomize=True
)
hypothesis.settings.load_profile("ci" if os.environ.get("CI") else "local")


@pytest.fixture(autouse=True)
def _known_random_numbers():
    """Starts each test from one seed, whichever tests ran before it."""
    if keras.backend.backend() == "tensorflow":
        keras.utils.set_random_seed(SEED)
    else:
        # `set_random_seed` imports TensorFlow on every backend. Keras draws the seeds
        # of its fresh state from Python's generator.
        keras.utils.clear_session(free_memory=False)
        random.seed(SEED)
