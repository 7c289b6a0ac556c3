"""The interactive page as one file, and the tables and lines that need no script."""

import base64
import hashlib
import json
from html import escape
from pathlib import Path
from string import Template
from typing import Any, NamedTuple

import numpy as np

from keras_attention.analysis import clip, columns, readable
from keras_attention.page.data import describe_tokens

FOLDER = Path(__file__).with_name("assets")
SCRIPTS = (
    *(
        "weights.js",
        "colors.js",
        "sentences.js",
        "lines.js",
        "readout.js",
        "heatmap.js",
    ),
    *("table.js", "heads.js", "layout.js", "picture.js", "page.js"),
)
NONE, SELF = "'none'", "'self'"  # as a Content-Security-Policy writes them
WORTH_NAMING = 0.005  # what two decimals round to 0.01
MAX_TABLE = 2500  # cells of one table; what is larger names its largest weights only
MAX_TABLES = 6000  # cells of all tables of a notebook's output
BLOCKS = " ▁▂▃▄▅▆▇█"
# Background and text of cells by fifths of the weight, for notebooks: these may be
# light or dark, and take style sheets out. Stops of the page's ramp of blues.
TINTS = [
    ("#f7fbff", "#111111"),
    ("#deebf7", "#111111"),
    ("#9ecae1", "#111111"),
    ("#2171b5", "#ffffff"),
    ("#08306b", "#ffffff"),
]


class Page(NamedTuple):
    """An HTML document and the Content-Security-Policy that it holds."""

    html: str
    policy: str


def attention_page(
    data: dict[str, Any] | None,
    *,
    title: str = "Attention",
    form: str = "",
    foot: str = "",
    style: str = "",
    script: str = "",
    fallback: str = "",
    connect: bool = False,
) -> Page:
    """Assemble the interactive page in one document that fetches nothing.

    A program that serves the page adds a form, and a script that calls
    `showAttention(data)` with the JSON of an `AttentionView`.

    Args:
        data: `AttentionView.data`, or `None` for a page that begins empty.
        title: Heading of a page that begins empty.
        form: HTML to put above the sentences.
        foot: HTML to put at the foot.
        style: CSS to add.
        script: JavaScript to add.
        fallback: HTML for readers without scripts; the script takes it away.
        connect: Whether the script may send requests to where the page came from.

    Returns:
        `(html, policy)`. The policy allows this style and this script by their hashes
        and nothing else, so that a token could not run even if it were no text.

    Example:
        ```python
        view = attention_view([[0.9, 0.1]], ["the", "cat"], ["chat"])
        page, policy = attention_page(view.data, form="<form></form>")
        ```
    """
    style = _read("page.css") + style
    script = "".join(map(_read, SCRIPTS)) + script
    policy = "; ".join(
        [
            f"default-src {NONE}",
            f"script-src {_hash(script)}",
            f"style-src {_hash(style)}",
            "img-src data:",
            f"connect-src {SELF if connect else NONE}",
            f"base-uri {NONE}",
            f"form-action {NONE}",
        ]
    )
    title = data["title"] if data else title
    html = Template(_read("page.html")).substitute(
        policy=policy,
        title=escape(title),
        style=style,
        script=script,
        form=form,
        foot=foot,
        fallback=fallback,
        data=_json(data),
    )
    return Page(html, policy)


def _read(name):
    return (FOLDER / name).read_text(encoding="utf-8")


def _hash(text):
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def _json(data):
    """JSON that cannot end its element early: no `<`, `>` or `&`, and ASCII only."""
    text = json.dumps(data, ensure_ascii=True, separators=(",", ":"))
    for char in "<>&":
        text = text.replace(char, f"\\u{ord(char):04x}")
    return text


# ---- Tables


def page_table(frame):
    """The table for readers of the page without scripts: the first layer's mean."""
    name, weights = next(iter(frame.layers.items()))
    return (
        f'<section id="fallback" class="scroll">'
        f"{_table(frame, weights.mean(axis=0), _name(name, weights), styled=False)}"
        "</section>"
    )


def notebook_tables(frame):
    """Tables for notebooks: of every head, or of the layers' means if that is much."""
    cells = sum(weights.size for weights in frame.layers.values())
    tables = []
    for name, weights in frame.layers.items():
        if len(weights) > 1 and cells <= MAX_TABLES:
            for head, matrix in enumerate(weights):
                tables.append(_table(frame, matrix, f"{name}, head {head}"))
        else:
            tables.append(_table(frame, weights.mean(axis=0), _name(name, weights)))
    return "".join(tables)


def _name(name, weights):
    return f"{name}, mean of {len(weights)} heads" if len(weights) > 1 else name


def _table(frame, weights, name, styled=True):
    source = [_word(token) for token in describe_tokens(frame.source)]
    target = [_word(token) for token in describe_tokens(frame.target)]
    caption = f"Attention weights of 0.01 and more; {escape(name)}"
    if weights.size <= MAX_TABLE:
        heading = "".join(f'<th scope="col">{word}</th>' for word in source)
        rows = ["".join(_cell(weight, styled) for weight in row) for row in weights]
    else:
        heading = "<td>attends to</td>"
        rows = [f'<td class="text">{_largest(row, source)}</td>' for row in weights]
    body = "".join(
        f'<tr><th scope="row">{word}</th>{row}</tr>'
        for word, row in zip(target, rows, strict=True)
    )
    return (
        f'<table dir="{frame.directions[0]}"><caption>{caption}</caption>'
        f"<thead><tr><td></td>{heading}</tr></thead><tbody>{body}</tbody></table>"
    )


def _word(token):
    text = readable(token["text"])
    label = token.get("label", text)
    title = "" if label == text else f' title="{escape(text)}"'
    return f'<bdi dir="auto"{title}>{escape(label)}</bdi>'


def _cell(weight, styled):
    if weight < WORTH_NAMING:
        return "<td></td>"
    ground, text = TINTS[min(int(weight * len(TINTS)), len(TINTS) - 1)]
    style = f' style="background-color:{ground};color:{text}"' if styled else ""
    return f"<td{style}>{weight:.2f}</td>"


def _largest(row, source):
    order = np.argsort(-row, kind="stable")
    return ", ".join(
        f"{source[s]} {row[s]:.2f}" for s in order if row[s] >= WORTH_NAMING
    )


# ---- Lines of text


def text_blocks(frame):
    """The first layer's mean as lines of text: a block for each weight.

    One line for each target: its name, a column for each source word, and the two
    words with the largest weights.
    """
    name, weights = next(iter(frame.layers.items()))
    matrix = weights.mean(axis=0)
    source, target = (
        [token.get("label", token["text"]) for token in describe_tokens(side)]
        for side in (frame.source, frame.target)
    )
    names = [clip(word, 16) for word in target]
    width = max(columns(word) for word in names)
    lines = [f"{_name(name, weights)}; source: {' '.join(source)}"]
    for word, row in zip(names, matrix, strict=True):
        blocks = "".join(BLOCKS[round(min(weight, 1) * 8)] for weight in row)
        best = ", ".join(
            f"{source[s]} {row[s]:.2f}"
            for s in np.argsort(-row, kind="stable")[:2]
            if row[s] >= WORTH_NAMING
        )
        padding = " " * (width - columns(word))
        lines.append(f"{word}{padding} │{blocks}│ {best}".rstrip())
    return "\n".join(lines)
