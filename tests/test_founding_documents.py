"""docs/founding_documents.md: each row has a line, and all that it names exists."""

import ast
import json
import re
import shlex
from functools import cache
from pathlib import Path

import pytest

from nmt.app.cli import parser
from nmt.errors import UserError

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs/founding_documents.md"
SIZES = {"A": 4, "B": 7, "C": 1, "D": 11, "E": 6, "F": 5}
"""Rows of each document."""

ROWS = re.findall(
    r"^\| ([A-F]\d+) \| (.+) \| (.+) \|$", PAGE.read_text(encoding="utf-8"), re.M
)
TESTS = re.compile(r"\[\w+\]\(\.\./(tests/[\w/]+\.py)\): (`test_\w+`(?:, `test_\w+`)*)")
HEADING = re.compile(
    r"(?:notebook (\d), )?\[(.+)\]\(\.\./(notebooks/(\w+)\.ipynb)#(.+)\)"
)
COMMAND = re.compile(r"`((?:nmt|make|python) [^`]+)`")


@cache
def names_of(path):
    """The names of the tests in a file."""
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return {one.name for one in tree.body if isinstance(one, ast.FunctionDef)}


@cache
def headings_of(path):
    """The headings of a notebook."""
    cells = json.loads((ROOT / path).read_text(encoding="utf-8"))["cells"]
    told = ["".join(c["source"]) for c in cells if c["cell_type"] == "markdown"]
    return set(re.findall(r"^#+ (.+)$", "\n".join(told), re.M))


def anchor(heading):
    """The place of a heading in a page of the site."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def check(shown):
    """Find what a row names; an error if something is not there."""
    for item in shown.split("; "):
        if match := TESTS.fullmatch(item):
            for name in re.findall(r"\w+", match[2]):
                if name not in names_of(match[1]):
                    raise ValueError(f"no {name} in {match[1]}")
        elif match := HEADING.fullmatch(item):
            number, heading, path, name, place = match.groups()
            if heading not in headings_of(path) or place != anchor(heading):
                raise ValueError(f"no {heading!r} in {path}")
            if number not in (None, name[0]):
                raise ValueError(f"{path} is not number {number}")
        elif match := COMMAND.fullmatch(item):
            check_command(shlex.split(match[1]))
        else:
            raise ValueError(f"not understood: {item}")


def check_command(words):
    if words[0] == "nmt":
        parser().parse_args(words[1:])
    elif words[0] == "make":
        makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
        if words[1] not in re.search(r"^\.PHONY: (.*)$", makefile, re.M)[1].split():
            raise ValueError(f"no target {words[1]}")
    elif not (ROOT / words[1]).is_file():
        raise ValueError(f"no file {words[1]}")


def test_every_row_has_its_line():
    expected = [f"{name}{n + 1}" for name, size in SIZES.items() for n in range(size)]
    assert [row for row, _, _ in ROWS] == expected


@pytest.mark.parametrize("shown", [pytest.param(row[2], id=row[0]) for row in ROWS])
def test_all_that_a_row_names_exists(shown):
    check(shown)


@pytest.mark.parametrize(
    "shown",
    [
        "",
        "everywhere",
        "[test_docs](../tests/test_docs.py): `test_nothing`",
        "[test_docs](../tests/test_docs.py): `test_nothing`; `make test`",
        "`make nothing`",
        "`nmt nothing`",
        "`nmt translate --nothing`",
        "`python benchmarks/nothing.py`",
    ],
)
def test_what_does_not_exist_is_found(shown):
    with pytest.raises((ValueError, UserError)):
        check(shown)


def test_a_heading_that_a_notebook_does_not_have_is_found():
    path = sorted((ROOT / "notebooks").glob("*.ipynb"))[0].relative_to(ROOT).as_posix()
    heading = min(headings_of(path))
    check(f"[{heading}](../{path}#{anchor(heading)})")
    for wrong in (f"[No {heading}](../{path}#{anchor(heading)})", f"[{heading}](x#x)"):
        with pytest.raises(ValueError):
            check(wrong)


def test_what_the_design_card_has_on_top_is_there():
    for name in ("setup.cfg", "README.md"):
        assert (ROOT / name).is_file()
    for name in ("keras_attention", "nmt", "tests", "notebooks"):
        assert (ROOT / name).is_dir()
