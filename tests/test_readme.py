"""README.md and the pages beside it: their examples, commands, names and links."""

import importlib
import os
import re
import shlex
import subprocess
import sys

import keras
import numpy as np
import pytest
from markdown_blocks import ROOT
from markdown_blocks import python_blocks as all_blocks

import keras_attention as ka
from nmt.app.cli import parser

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
EVERY_PAGE = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)


def read(name):
    return (ROOT / name).read_text(encoding="utf-8")


def python_blocks(text):
    """The examples, but for those that need a trained model: see `test_demo`."""
    return [block for block in all_blocks(text) if "nmt" not in block]


def commands(text):
    """What a reader types, without the comments."""
    blocks = re.findall(r"```console\n(.*?)```", text, re.S)
    lines = re.findall(r"^\$ (.*)$", "".join(blocks).replace("\\\n", " "), re.M)
    return [shlex.split(line, comments=True) for line in lines]


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """The folder in which the examples ran, each in names of its own."""
    folder = tmp_path_factory.mktemp("readme")
    (first,) = python_blocks(read("README.md"))
    check = """
assert said[1:] == list(example[0, ::-1])
assert np.all(np.diag(np.asarray(weights[0])[:, ::-1]) > 0.5)
"""
    # Those of one page go on from each other; a process imports TensorFlow but once.
    programs = [first + check]
    for page in PAGES[1:]:
        # Run by tests of their own, the second in test_export, or on a cluster.
        if page.stem not in ("recipes", "serving", "several_machines"):
            programs.append("\n".join(python_blocks(page.read_text(encoding="utf-8"))))
    subprocess.run(
        [sys.executable, "-c", "".join(f"exec({code!r}, {{}})\n" for code in programs)],
        check=True,
        timeout=600,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    return folder


def test_the_first_example_learns_to_look_back(ran):
    assert (ran / "reversal.svg").stat().st_size > 1000


def test_the_other_examples_run(ran):
    assert (ran / "attention.html").stat().st_size > 10_000


def test_the_readme_stays_short():
    assert len(read("README.md").splitlines()) < 200


@EVERY_PAGE
def test_every_command_is_one_that_is_there(page):
    targets = re.search(r"^\.PHONY: (.*)$", read("Makefile"), re.M)[1].split()
    for words in commands(page.read_text(encoding="utf-8")):
        if words[0] == "nmt":
            parser().parse_args(words[1:])
        elif words[0] == "make":
            assert words[1] in targets
        else:
            assert words in ([".", ".venv/bin/activate"], ["pip", "install", "."])


def test_the_readme_trains_translates_and_shows():
    typed = [words[:2] for words in commands(read("README.md"))]
    for name in ("train", "translate", "serve"):
        assert ["nmt", name] in typed


@EVERY_PAGE
def test_every_picture_and_page_it_names_is_there(page):
    text = page.read_text(encoding="utf-8")
    for name in re.findall(r"\]\(([^)#:]+)(?:#[^):]*)?\)", text):
        assert (page.parent / name).exists(), name


def test_every_public_name_in_the_tables_is_there():
    text = read("docs/overview.md")
    tables = re.findall(r"\| name \| what \|\n\|---\|---\|\n(.*?)\n\n", text, re.S)
    assert len(tables) == 2
    rows = [row for table in tables for row in table.splitlines()]
    cells = " ".join(row.split("|")[1] for row in rows)
    names = re.findall(r"`(\w+)", cells)
    assert len(names) > 30
    for name in names:
        assert name in ka.__all__, name


def test_every_module_path_it_names_is_there():
    text = "".join(page.read_text(encoding="utf-8") for page in PAGES)
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
