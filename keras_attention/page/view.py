"""Attention weights as an interactive page: one file that works offline.

NumPy arrays in, HTML out. Nothing here imports IPython; a notebook takes from the view
what it can show.
"""

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from os import PathLike
from pathlib import Path
from typing import Any, Literal, Self, TypeAlias, get_args

from numpy.typing import ArrayLike

from keras_attention.analysis import (
    POLICIES,
    Gold,
    Policy,
    Scheme,
    Spans,
    check_choice,
    check_strings,
    gold_links,
    readable,
    text_direction,
)
from keras_attention.files import write_whole
from keras_attention.page.data import Frame
from keras_attention.page.html import (
    attention_page,
    notebook_tables,
    page_table,
    text_blocks,
)
from keras_attention.page.prepare import (
    check_layers,
    drop_tokens,
    merge_layers,
    tell_row_sums,
)

Direction: TypeAlias = Literal["auto", "ltr", "rtl"]
Layout: TypeAlias = Literal["auto", "horizontal", "vertical"]
DIRECTIONS = get_args(Direction)
LAYOUTS = get_args(Layout)


def attention_view(
    weights: ArrayLike | Mapping[str, ArrayLike],
    source: Sequence[str],
    target: Sequence[str] | None = None,
    *,
    title: str = "Attention",
    gold: Gold | None = None,
    merge: Scheme | tuple[Spans, Spans] | None = None,
    special: Policy = "dim",
    source_direction: Direction = "auto",
    target_direction: Direction = "auto",
    layout: Layout = "auto",
) -> "AttentionView":
    """Make an interactive page of the weights of one example.

    The page shows both sentences. The word that is pointed at, or reached with the
    arrow keys, is joined by lines to the fewest words that have 90 % of its attention;
    a click or Enter holds it. Heads and layers are chosen by buttons: the mean of the
    chosen heads is shown, at first of all, and lines of each in a colour of its own.
    Beside or below is the whole as a heat map. Sentences and heat map can be saved
    together, as a PNG or an SVG.
    Weights show what a model attended to, which does not explain what it did.

    The page is one file without addresses: it fetches nothing and runs no text. Weights
    are rounded to 8 bits: one is off by at most 1/510 where rows sum to 1.

    Args:
        weights: Array or tensor of shape `(T, S)`, `(H, T, S)` or `(L, H, T, S)`, or a
            dict of arrays `(T, S)` or `(H, T, S)` by the name of the layer: one
            example, without batch axis.
        source: `S` strings, the words attended to.
        target: `T` strings, the words that attend. Default: `source`, for
            self-attention.
        title: Str. Heading of the page.
        gold: Hand-made links that are marked too: str such as `"0-0 2p1"`, source to
            target from 0 and `p` for possible ones; a pair of sets `(sure, possible)`;
            or pairs `(source, target)`, all of them sure. Of pieces, if `merge` is
            given. The alignment error rate is that of `plot_attention`.
        merge: How to make words of pieces before they are shown: a `scheme` of
            `merge_pieces`. Default: shows what it is given.
        special: `"dim"` shows tokens such as `</s>` small and grey, `"keep"` like any
            other; `"drop"` leaves them out, and says how much weight was on them.
        source_direction: `"ltr"`, `"rtl"`, or `"auto"`: from right to left where most
            letters are written so. Turns sentence and heat map round together.
        target_direction: The same for the target sentence.
        layout: How the page begins: `"horizontal"`, sentences run across, one above
            the other; `"vertical"`, they run down in two columns; `"auto"`, across
            where both fit beside the heat map in one row each, else down.

    Returns:
        An `AttentionView`.

    Raises:
        ValueError: If the numbers of words do not match the weights of each layer, if
            there are none, if a weight is NaN, negative or above 1, if a gold link is
            to no word, or an option is unknown.

    Example:
        ```python
        view = attention_view([[0.9, 0.1], [0.2, 0.8]], ["the", "cat"], ["le", "chat"])
        view.save("cat.html")
        ```
    """
    check_choice(special, "special", POLICIES)
    check_choice(layout, "layout", LAYOUTS)
    check_choice(source_direction, "source_direction", DIRECTIONS)
    check_choice(target_direction, "target_direction", DIRECTIONS)
    source = check_strings(source, "source")
    target = source if target is None else check_strings(target, "target")
    layers = check_layers(weights, len(target), len(source))
    links = None if gold is None else gold_links(gold, len(source), len(target))
    notes = tell_row_sums(layers)
    if merge is not None:
        layers, source, target, links = merge_layers(
            layers, source, target, links, merge
        )
    if special == "drop":
        layers, source, target, links, dropped = drop_tokens(
            layers, source, target, links
        )
        notes += dropped
    directions = (
        text_direction(source) if source_direction == "auto" else source_direction,
        text_direction(target) if target_direction == "auto" else target_direction,
    )
    frame = Frame(
        source=source,
        target=target,
        layers=layers,
        directions=directions,
        links=links,
        dim=special == "dim",
        notes=notes,
    )
    return AttentionView([frame], title=title, layout=layout)


class AttentionView:
    """An interactive page of attention weights, from `attention_view`.

    As the last line of a notebook cell it shows itself: as the page, and as a table
    where the notebook is not trusted to run scripts.

    Args:
        frames: List of `Frame`; the page has a slider over them if there are several.
        title: Str. Heading of the page.
        layout: `"auto"`, `"horizontal"` or `"vertical"`.
        frame_name: Str. What the slider is called.

    Example:
        ```python
        view = AttentionView.join(
            {
                "epoch 1": attention_view([[0.5, 0.5]], ["a", "dog"], ["Hund"]),
                "epoch 2": attention_view([[0.1, 0.9]], ["a", "dog"], ["Hund"]),
            },
            title="What training did",
        )
        page = view.html
        ```
    """

    def __init__(
        self,
        frames: Iterable[Frame],
        *,
        title: str = "Attention",
        layout: Layout = "auto",
        frame_name: str = "",
    ) -> None:
        self.frames = list(frames)
        self.title = title
        self.layout = layout
        self.frame_name = frame_name

    @classmethod
    def join(
        cls,
        views: Mapping[Any, Self],
        *,
        title: str | None = None,
        frame_name: str = "",
    ) -> Self:
        """Make one page with a slider of several views, the last in front.

        Args:
            views: Dict of views by what the slider calls them, such as epochs. They
                may differ in words, layers and heads.
            title: Str. Heading of the page. Default: that of the last view.
            frame_name: Str. What the slider is called, such as `"epoch"`.

        Returns:
            An `AttentionView`.

        Raises:
            ValueError: If there are no views.
        """
        if not views:
            raise ValueError(
                f"`views` must hold at least one view. Received: views={views!r}."
            )
        frames = [
            dataclasses.replace(frame, label=str(label))
            for label, view in views.items()
            for frame in view.frames
        ]
        last = list(views.values())[-1]
        return cls(
            frames,
            title=last.title if title is None else title,
            layout=last.layout,
            frame_name=frame_name,
        )

    @property
    def data(self) -> dict[str, Any]:
        """What the page draws, as JSON can hold it; `data.py` tells the form."""
        return {
            "title": readable(self.title),
            "layout": self.layout,
            "frame_name": self.frame_name,
            "frames": [frame.data() for frame in self.frames],
        }

    @property
    def html(self) -> str:
        """The whole page."""
        return attention_page(self.data, fallback=page_table(self.frames[-1])).html

    def save(self, path: str | PathLike[str]) -> None:
        """Write the page to a file, whole or not at all; missing folders are made.

        Args:
            path: File name that ends in .html.

        Raises:
            ValueError: If the name ends otherwise.
        """
        path = Path(path)
        if path.suffix.lower() not in (".html", ".htm"):
            raise ValueError(f"`path` must end in .html. Received: path={str(path)!r}.")
        write_whole(path, self.html.encode())

    def __str__(self) -> str:
        return text_blocks(self.frames[-1])

    def _repr_html_(self):
        # The page may run scripts, but as a stranger to the notebook around it. Where
        # notebooks take frames and scripts out, the tables are left.
        title = escape(readable(self.title))
        return (
            f'<iframe title="{title}" sandbox="allow-scripts allow-downloads" '
            f'srcdoc="{escape(self.html)}" width="100%" height="{self._height()}" '
            'style="border:0"></iframe>\n'
            f"<details><summary>{title} as a table</summary>"
            f"{notebook_tables(self.frames[-1])}</details>"
        )

    def _repr_mimebundle_(self, include=None, exclude=None):
        return {"text/html": self._repr_html_(), "text/plain": str(self)}

    def _height(self):
        """Pixels that the page needs, about: a frame does not know its content."""
        return min(700 + 56 * len(self.frames[-1].target), 1100)
