"""The notebooks: what is stored in them, and that each runs from top to bottom."""

import os
import re

import nbformat
import pytest
from markdown_blocks import ROOT
from nbclient import NotebookClient

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
# What takes minutes is made small, unless the environment says how large.
SMALL = {"NOTEBOOK_EPOCHS": "1", "NOTEBOOK_PAIRS": "400"}
OF_A_MACHINE = re.compile(
    r"/(?:home|Users|root|tmp|work|private|var/folders)/|[A-Z]:\\Users"
)

each_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def outputs(notebook):
    return [
        output
        for cell in notebook.cells
        if cell.cell_type == "code"
        for output in cell.outputs
    ]


def pictures(notebook):
    return [one for one in outputs(notebook) if "image/png" in one.get("data", {})]


def described(notebook):
    """Pictures of weights with a description for those who cannot see them."""
    return [
        one
        for one in pictures(notebook)
        if "not an explanation" in one.metadata.get("image/png", {}).get("alt", "")
    ]


@pytest.mark.notebook
@each_notebook
def test_a_notebook_runs_from_top_to_bottom(path, monkeypatch):
    for name, value in SMALL.items():
        monkeypatch.setenv(name, os.environ.get(name, value))
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(notebook, timeout=600, kernel_name="python3").execute()
    assert len(described(notebook)) >= 2


@each_notebook
def test_a_notebook_is_stored_with_clean_outputs_and_pictures(path):
    assert path.stat().st_size < 400_000
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    assert notebook.metadata.kernelspec.name == "python3"
    assert len(described(notebook)) >= 2
    for cell in notebook.cells:
        assert "execution" not in cell.metadata
    for output in outputs(notebook):
        assert output.output_type != "error"
        assert output.get("name") != "stderr"
        text = output.get("text", "") + "".join(
            str(data)
            for kind, data in output.get("data", {}).items()
            if not kind.startswith("image/")
        )
        found = OF_A_MACHINE.search(text)
        assert not found, text[max(0, found.start() - 50) :][:120]


@each_notebook
def test_a_notebook_uses_public_names_and_says_so_in_its_code(path):
    code = "\n".join(
        cell.source
        for cell in nbformat.read(path, as_version=4).cells
        if cell.cell_type == "code"
    )
    assert re.search("^import keras_attention", code, re.M)
    assert not re.search(r"(?:import|from) keras_attention\.", code)
