"""The source of the site, as `docs/lay_out.py` makes it: `make docs` builds it."""

import importlib.util
import re
from pathlib import Path

import nbformat
import pytest

import keras_attention as ka
import nmt
from nmt.app import cli

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The folder in which the source of the site lies."""
    spec = importlib.util.spec_from_file_location("lay_out", ROOT / "docs/lay_out.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    folder = tmp_path_factory.mktemp("site") / "source"
    module.lay_out(folder)
    return folder


def read(path):
    return path.read_text(encoding="utf-8")


@pytest.mark.parametrize("package", [ka, nmt], ids=lambda package: package.__name__)
def test_every_public_name_is_in_the_reference(site, package):
    page = read(site / "reference" / f"{package.__name__}.md")
    shown = re.findall(r"^\.\. auto(?:class|function):: ([\w.]+)$", page, re.M)
    assert sorted(shown) == sorted(f"{package.__name__}.{n}" for n in package.__all__)


def test_every_command_is_there_with_its_help(site):
    page = read(site / "reference/commands.md")
    for command in cli.COMMANDS:
        name = command.__name__.rpartition(".")[2]
        assert f"\n## nmt {name}\n" in page
        assert f"usage: nmt {name} " in page
    assert "--on-error {stop,skip,truncate}" in page


def test_every_page_and_notebook_can_be_reached_from_the_first_page(site):
    trees = re.findall(r"```\{toctree\}\n(.*?)```", read(site / "index.md"), re.S)
    listed = {
        re.sub(r".*<(.*)>", r"\1", line)
        for tree in trees
        for line in tree.splitlines()
        if line and not line.startswith(":")
    }
    there = {
        path.relative_to(site).with_suffix("").as_posix()
        for path in site.rglob("*")
        if path.suffix in (".md", ".ipynb")
    }
    assert listed == there - {"index"} | {"self"}
    notebooks = {f"notebooks/{path.stem}" for path in ROOT.glob("notebooks/*.ipynb")}
    assert notebooks and notebooks <= listed


def test_its_links_lead_to_its_own_pages_alone(site):
    for page in site.rglob("*.md"):
        for place in re.findall(r"\]\(([^)#:\s]+)(?:#[^):]*)?\)", read(page)):
            assert (page.parent / place).is_file(), (page, place)


def test_pictures_of_notebooks_keep_their_descriptions(site):
    described = 0
    for path in sorted((site / "notebooks").glob("*.ipynb")):
        for cell in nbformat.read(path, as_version=4).cells:
            for output in cell.get("outputs", []):
                alt = output.get("metadata", {}).get("image/png", {}).get("alt")
                if alt:
                    described += 1
                    assert cell.metadata["mystnb"]["image"]["alt"] == alt
    assert described > 10
