"""The examples in the docstrings of what has no file of examples of its own."""

from pathlib import Path

import keras
import numpy as np
import pytest
from helpers import run_example

import keras_attention as ka

LAYERS_OWN = (
    # Run in the file of their module, beside the tests of what they do.
    *(name for name in ka.__all__ if isinstance(getattr(ka, name), type)),
    *("causal_mask", "combine_masks", "coverage_loss", "local_mask", "padding_mask"),
    "record_attention",
)
CLASSES = ("AttentionStatistics", "Cache", "Memory")
RUN = [name for name in ka.__all__ if name not in LAYERS_OWN] + list(CLASSES)


@pytest.fixture
def names(tmp_path, monkeypatch):
    """Gives what the examples speak of, in a folder of their own."""
    monkeypatch.chdir(tmp_path)
    random = np.random.default_rng(1)
    return {name: getattr(ka, name) for name in ka.__all__} | {
        "query": random.normal(size=(2, 3, 4)).astype("float32"),
        "value": random.normal(size=(2, 5, 4)).astype("float32"),
        "x": random.normal(size=(2, 3, 4)).astype("float32"),
        "mask": np.array([[True] * 5, [True] * 3 + [False] * 2]),
        "tokens": np.array([[4, 8, 5]]),
        "words": ["one", "two", "three"],
    }


@pytest.mark.parametrize("name", ka.__all__)
def test_every_public_name_has_an_example(name):
    assert "```python" in (getattr(ka, name).__doc__ or "")


@pytest.mark.parametrize("name", RUN)
def test_an_example_runs(name, names):
    if name.endswith("model_attention"):
        tokens = keras.Input((None,), dtype="int32")
        x = keras.layers.Embedding(10, 4)(tokens)
        attention = keras.layers.MultiHeadAttention(2, 2, name="attention")
        inner = keras.Model(tokens, attention(x, x), name="encoder")
        names["model"] = keras.Model(tokens, inner(tokens))
    left = run_example(getattr(ka, name), **names)
    assert set(left) >= set(names)
    if name == "save_figure":
        assert Path("cat.png").read_bytes().startswith(b"\x89PNG")
