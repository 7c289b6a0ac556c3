"""Pages of translations: the local one, and plain ones in a folder with an index."""

import base64
import hashlib
from collections.abc import Sequence
from html import escape
from importlib.resources import files
from pathlib import Path
from string import Template

import keras_attention as ka
from nmt.app.server import MAX_BEAMS, MAX_TEXT
from nmt.files import write_whole
from nmt.translation import fields

INDEX = "index.html"


def local_page(source: str, target: str, beam_size: int) -> tuple[str, str]:
    """Return the page with a form for a sentence, which shows its translation.

    Args:
        source: Language translated from.
        target: Language translated to.
        beam_size: Beams that the form begins with.

    Returns:
        `(html, policy)`, the policy being the page's Content-Security-Policy.
    """
    form = Template(_read("form.html")).substitute(
        source=escape(source),
        target=escape(target),
        beam_size=beam_size,
        max_beams=MAX_BEAMS,
        max_text=MAX_TEXT,
    )
    return ka.attention_page(
        None,
        form=form,
        style=_read("form.css"),
        script=_read("form.js"),
        connect=True,
    )


def payload(result) -> dict:
    """Return a `Translation` as JSON can hold it.

    Returns:
        What `nmt translate --json` prints, and in `view` what the page draws.
    """
    return {**fields(result), "view": result.view().data}


def export(results: Sequence, folder) -> Path:
    """Write a page of each translation, and an index that links them.

    The pages are whole in themselves: they can be sent, or opened from a disk.

    Args:
        results: `Translation` of each sentence.
        folder: Folder of the pages, made if need be.

    Returns:
        Path of the index.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    digits = len(str(len(results)))
    items = []
    for number, result in enumerate(results, 1):
        name = f"{number:0{digits}}.html"
        result.plot(folder / name)
        items.append(
            f'<li><bdi dir="auto">{escape(result.source)}</bdi>'
            f'<a href="{name}"><bdi dir="auto">{escape(result.text)}</bdi></a></li>'
        )
    style = _read("index.css")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    page = Template(_read(INDEX)).substitute(
        hash=f"sha256-{digest}", style=style, items="\n".join(items)
    )
    write_whole(folder / INDEX, lambda partial: partial.write_text(page, "utf-8"))
    return folder / INDEX


def _read(name):
    return (files("nmt.app") / "assets" / name).read_text("utf-8")
