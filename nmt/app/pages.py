"""Pages of translations in a folder, with an index that shows and links them."""

import base64
import hashlib
import re
from collections.abc import Sequence
from html import escape
from importlib.resources import files
from pathlib import Path
from string import Template

import numpy as np

from nmt.errors import UserError
from nmt.files import remove_partial_files, write_whole

INDEX = "index.html"
# What tells files that were made here from others.
INDEX_MARK = b"<title>Translations and where the model looked</title>"
PAGE_MARK = b'<script type="application/json" id="data">'
LEVELS = 5  # shades of a small picture


def export(results: Sequence, folder) -> Path:
    """Write a page of each translation, and an index that shows and links them.

    The pages are whole in themselves: they can be sent, or opened from a disk. Those of
    an earlier export are replaced or removed; other files stay.

    Args:
        results: `Translation` of each sentence.
        folder: Folder of the pages, made if need be.

    Returns:
        Path of the index.

    Raises:
        UserError: If a file of another origin has the name of a page.
    """
    folder = Path(folder)
    check_replaceable(folder, len(results))
    folder.mkdir(parents=True, exist_ok=True)
    remove_partial_files(folder)
    names = _names(len(results))
    items = [
        _item(result, result.plot(folder / name).frames[0], name)
        for result, name in zip(results, names, strict=True)
    ]
    for name in _listed(folder) - set(names):
        if _is_made_here(folder / name, PAGE_MARK):
            (folder / name).unlink()
    page = _index(items)
    write_whole(folder / INDEX, lambda partial: partial.write_text(page, "utf-8"))
    return folder / INDEX


def check_replaceable(folder, count: int):
    """Refuse a folder in which pages would replace files that were not made here.

    Args:
        folder: Folder of the pages.
        count: How many pages, the index apart.
    """
    marks = {INDEX: INDEX_MARK, **dict.fromkeys(_names(count), PAGE_MARK)}
    for name, mark in marks.items():
        path = Path(folder) / name
        if path.exists() and not _is_made_here(path, mark):
            raise UserError(
                f"{path} was not made by nmt and would be overwritten. Move it, or "
                "choose another folder."
            )


def _names(count):
    digits = len(str(count))
    return [f"{number:0{digits}}.html" for number in range(1, count + 1)]


def _listed(folder):
    """Return the names of the pages of an earlier export."""
    index = folder / INDEX
    if not _is_made_here(index, INDEX_MARK):
        return set()
    found = re.findall(rb'href="(\d+\.html)"', index.read_bytes())
    return {name.decode() for name in found}


def _is_made_here(path, mark):
    return path.is_file() and mark in path.read_bytes()


def _index(items):
    style = read_asset("index.css")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return Template(read_asset(INDEX)).substitute(
        hash=f"sha256-{digest}", style=style, items="\n".join(items)
    )


def _item(result, frame, name):
    return (
        f'<li><a href="{name}">{_small_picture(frame)}<span>'
        f'<bdi dir="auto">{escape(result.source)}</bdi>'
        f'<bdi dir="auto">{escape(result.text)}</bdi></span></a></li>'
    )


def _small_picture(frame):
    """Draw the weights of a `Frame`, a square for each but those near 0, as SVG."""
    weights = next(iter(frame.layers.values())).mean(axis=0)
    if frame.directions[0] == "rtl":
        weights = weights[:, ::-1]
    rows, columns = weights.shape
    levels = np.rint(LEVELS * np.minimum(weights, 1))
    paths = ""
    for level in range(1, LEVELS + 1):
        cells = np.argwhere(levels == level)
        path = "".join(f"M{column} {row}h1v1h-1z" for row, column in cells)
        paths += f'<path fill-opacity="{level / LEVELS}" d="{path}"/>' if path else ""
    return f'<svg viewBox="0 0 {columns} {rows}" aria-hidden="true">{paths}</svg>'


def read_asset(name: str) -> str:
    """Return the text of a file of `assets`."""
    return (files("nmt.app") / "assets" / name).read_text("utf-8")
