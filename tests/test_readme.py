import importlib
import re

import keras
import numpy as np
import pytest
from markdown_blocks import ROOT, python_blocks, run_apart

import keras_attention as ka


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """The folder in which the examples ran: the first by itself, then the others."""
    folder = tmp_path_factory.mktemp("readme")
    blocks = python_blocks((ROOT / "README.md").read_text())
    check = """
assert weights.shape == (1, 3, 4)
assert float(weights.numpy()[0, :, 3].sum()) == 0
"""
    # What needs a trained model is run by the demo's test.
    rest = [block for block in blocks[1:] if "nmt" not in block]
    assert len(rest) == 2
    # Each in names of its own; a process would import TensorFlow once more.
    program = "".join(
        f"exec({code!r}, {{}})\n" for code in (blocks[0] + check, "\n".join(rest))
    )
    done = run_apart(program, folder)
    assert done.returncode == 0, done.stderr
    return folder


def test_the_first_example_runs(ran):
    assert (ran / "weights.svg").stat().st_size > 1000


def test_the_other_examples_run(ran):
    assert (ran / "attention.html").stat().st_size > 10_000


def test_every_picture_and_page_it_names_is_there():
    text = (ROOT / "README.md").read_text()
    for name in re.findall(r"\]\(([^)#:]+)\)", text):
        assert (ROOT / name).exists(), name


def test_every_public_name_in_its_tables_is_there():
    text = (ROOT / "README.md").read_text()
    tables = re.findall(r"\| name \| what \|\n\|---\|---\|\n(.*?)\n\n", text, re.S)
    assert len(tables) == 2
    rows = [row for table in tables for row in table.splitlines()]
    cells = " ".join(row.split("|")[1] for row in rows)
    names = re.findall(r"`(\w+)", cells)
    assert len(names) > 30
    for name in names:
        assert name in ka.__all__, name


def test_every_module_path_it_names_is_there():
    text = (ROOT / "README.md").read_text()
    names = set(re.findall(r"`((?:nmt|keras_attention)\.[\w.]+)`", text))
    assert names
    for name in names:
        module, _, attribute = name.rpartition(".")
        assert hasattr(importlib.import_module(module), attribute), name


def test_a_mask_that_keras_attaches_is_lost_where_it_says():
    def has_mask(tensor):
        return getattr(tensor, "_keras_mask", None) is not None

    embed = keras.layers.Embedding(5, 3, mask_zero=True)
    for tokens in (np.array([[1, 2, 0]]), keras.Input((3,), dtype="int32")):
        x = embed(tokens)
        assert has_mask(x)
        assert has_mask(keras.layers.Dense(3)(x))
        assert has_mask(keras.layers.Add()([x, x]))
        for lost in (x * 2, x + x, keras.ops.tanh(x)):
            assert not has_mask(lost)


def test_a_mask_that_keras_attaches_is_lost_at_a_tf_function():
    if keras.backend.backend() != "tensorflow":
        pytest.skip("a function of TensorFlow")
    import tensorflow as tf

    embed = keras.layers.Embedding(5, 3, mask_zero=True)
    seen = []

    @tf.function
    def run(x):
        seen.append(getattr(x, "_keras_mask", None))
        return x

    run(embed(np.array([[1, 2, 0]])))
    assert seen == [None]
