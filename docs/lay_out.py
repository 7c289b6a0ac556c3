"""Lays out the source of the site: pages as they stand, and those made from the code.

The pages keep their places beside each other, so that their links hold. What is made:
a page for each package from its `__all__`, the help of the commands, and a list of all
at the end of the first page, which is the README.
"""

import json
import os
import re
import shutil
import sys
from pathlib import Path

import keras_attention as ka
import nmt
from nmt.app import cli

ROOT = Path(__file__).resolve().parent.parent
PAGES = ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md")
FOLDERS = {"docs": ("*.md", "*.svg", "*.png"), "notebooks": ("*.ipynb",)}
FIRST_PAGE = "index.md"
MEASURED = tuple(f"benchmarks/{name}.md" for name in ("results", "quality", "README"))
FIRST = (
    *("overview", "recipes", "translation", "several_machines", "serving"),
    *("coming_from", "founding_documents"),
)
PACKAGES = (ka, nmt)
STOP = "Layer, Operation, Callback, Initializer, Mapping, tuple, object"
"""Classes whose own methods are told elsewhere."""


def lay_out(target):
    """Write the source of the site into a folder, anew.

    Args:
        target: The folder; what was in it is removed.
    """
    target = Path(target)
    shutil.rmtree(target, ignore_errors=True)
    for path in pages():
        place = target / on_the_site(path)
        place.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".md":
            place.write_text(without_links_to_code(path), encoding="utf-8")
        elif path.suffix == ".ipynb":
            place.write_text(with_alt_texts(path), encoding="utf-8")
        else:
            shutil.copy(path, place)
    (target / "reference").mkdir()
    for package in PACKAGES:
        page = target / "reference" / f"{package.__name__}.md"
        page.write_text(reference(package), encoding="utf-8")
    (target / "reference/commands.md").write_text(commands(), encoding="utf-8")
    with open(target / FIRST_PAGE, "a", encoding="utf-8") as first:
        first.write(contents())


def pages():
    """Return the files of the repository that the site shows."""
    found = [ROOT / name for name in (*PAGES, *MEASURED)]
    for folder, patterns in FOLDERS.items():
        for pattern in patterns:
            found += sorted((ROOT / folder).glob(pattern))
    return found


def on_the_site(page):
    """Return where a page of the repository is on the site."""
    place = page.relative_to(ROOT)
    return Path(FIRST_PAGE) if place == Path("README.md") else place


def without_links_to_code(page):
    """Return the text of a page whose links lead to pages of the site alone.

    A link to a folder or to a file of code becomes its words: the site has neither.
    """
    shown = set(pages())

    def keep(match):
        words, (place, mark, heading) = match[1], match[2].partition("#")
        if ":" in place or not place:
            return match[0]
        path = (page.parent / place).resolve()
        if path not in shown:
            return words
        place = os.path.relpath(ROOT / on_the_site(path), page.parent)
        return f"[{words}]({place}{mark}{heading})"

    text = page.read_text(encoding="utf-8")
    return re.sub(r"(?<!!)\[([^\]]*)\]\(([^)\s]+)\)", keep, text)


def with_alt_texts(notebook):
    """Return a notebook whose pictures keep their descriptions on the site.

    They are stored with the outputs; the site takes them from the cells.
    """
    content = json.loads(notebook.read_text(encoding="utf-8"))
    for cell in content["cells"]:
        for output in cell.get("outputs", []):
            alt = output.get("metadata", {}).get("image/png", {}).get("alt")
            if alt:
                cell["metadata"]["mystnb"] = {"image": {"alt": alt}}
    return json.dumps(content, ensure_ascii=False)


def reference(package):
    """Return the page of a package: each of its public names."""
    name = package.__name__
    lines = [f"# {name}", "", f"```{{py:module}} {name}", "```", "", package.__doc__]
    names = sorted(package.__all__, key=str.lower)
    classes = [n for n in names if isinstance(getattr(package, n), type)]
    functions = [n for n in names if n not in classes]
    for title, chosen in (("Classes", classes), ("Functions", functions)):
        lines += ["", f"## {title}"]
        for public in chosen:
            kind = "class" if public in classes else "function"
            lines += ["", f"### {public}", "", "```{eval-rst}"]
            lines += [f".. auto{kind}:: {name}.{public}"]
            if kind == "class":
                lines += ["   :members:", f"   :inherited-members: {STOP}"]
            lines += ["```"]
    return "\n".join(lines) + "\n"


def commands():
    """Return the page of the command line: what each command says of itself."""
    columns, os.environ["COLUMNS"] = os.environ.get("COLUMNS"), "80"
    try:
        parts = [("nmt", cli.parser().format_help())]
        for command in cli.COMMANDS:
            name = command.__name__.rpartition(".")[2]
            parts.append((f"nmt {name}", help_of(name)))
    finally:
        del os.environ["COLUMNS"]
        if columns is not None:
            os.environ["COLUMNS"] = columns
    told = "".join(f"\n## {name}\n\n```text\n{text}```\n" for name, text in parts)
    return f"# The command line\n\nWhat `--help` says of each command.\n{told}"


def help_of(name):
    """Return the help of one command."""
    (choices,) = (
        action.choices
        for action in cli.parser()._actions
        if isinstance(action.choices, dict)
    )
    return choices[name].format_help()


def contents():
    """Return what the first page, the README, has for the list of all pages."""
    have = [path.stem for path in (ROOT / "docs").glob("*.md")]
    order = [name for name in FIRST if name in have]
    order += sorted(set(have) - set(order))
    notebooks = sorted(path.stem for path in (ROOT / "notebooks").glob("*.ipynb"))
    parts = {
        "Start": ["Install and first example <self>"]
        + [f"docs/{name}" for name in order],
        "Notebooks": [f"notebooks/{name}" for name in notebooks],
        "Reference": [f"reference/{package.__name__}" for package in PACKAGES]
        + ["reference/commands"],
        "Project": [
            *(page.removesuffix(".md") for page in MEASURED),
            *("ARCHITECTURE", "CONTRIBUTING", "CHANGELOG"),
        ],
    }
    lines = []
    for caption, entries in parts.items():
        lines += ["", "```{toctree}", ":hidden:", ":maxdepth: 1"]
        lines += [f":caption: {caption}", "", *entries, "```"]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    lay_out(sys.argv[1])
