"""Attention weights read as word links, and gold links to compare them with.

A link is a pair of ints `(source, target)`, both counted from 0.
"""

import re
from collections.abc import Iterable, Sequence
from operator import index
from typing import TypeAlias

from numpy.typing import ArrayLike

from keras_attention.analysis.checks import visible_weights

Link: TypeAlias = tuple[int, int]
Links: TypeAlias = set[Link] | frozenset[Link]
Gold: TypeAlias = str | tuple[Links, Links] | Iterable[Link]


def hard_links(weights: ArrayLike, threshold: float | None = None) -> set[Link]:
    """One link per target: to the source piece with the largest weight.

    Args:
        weights: Shape `(T, S)`, one sentence pair.
        threshold: Weight that a link needs at least. Default: anything above 0.

    Returns:
        Set of `(source, target)` pairs of int. Of equal weights the first counts. A
        row of zeros has no link.

    Raises:
        ValueError: If `weights` is not a matrix or holds negative numbers or NaN.

    Example:
        ```python
        hard_links([[0.9, 0.1], [0.2, 0.8]])  # {(0, 0), (1, 1)}
        ```
    """
    weights, _ = visible_weights(weights, None)
    if weights.ndim != 2:
        raise ValueError(
            "`weights` must have shape (target, source), one sentence pair. "
            f"Received: weights.shape={weights.shape}."
        )
    best = weights.argmax(axis=-1)
    return {
        (int(source), target)
        for target, source in enumerate(best)
        if weights[target, source] > 0
        and (threshold is None or weights[target, source] >= threshold)
    }


def alignment_error_rate(
    links: Links | Sequence[Links],
    sure: Links | Sequence[Links],
    possible: Links | Sequence[Links] | None = None,
) -> float:
    """Alignment error rate against gold links: 0 is perfect, 1 finds nothing.

        1 - (|links and sure| + |links and possible|) / (|links| + |sure|)

    Sure links always count as possible too. For a corpus, pass a sequence of sets for
    each argument, one set per sentence: the counts are added up before dividing, so
    that long sentences weigh more.

    Args:
        links: Set of `(source, target)` pairs of int, or a sequence of sets.
        sure: Set of gold links that must be found, or a sequence of sets.
        possible: Set of gold links that may be found, or a sequence of sets.
            Default: none but the sure ones.

    Returns:
        Float from 0 to 1. With no links and no sure links at all there is nothing to
        get wrong: 0.

    Raises:
        ValueError: If something else than sets of pairs is given, or sequences of
            unequal length.

    Example:
        ```python
        alignment_error_rate({(0, 0), (1, 1)}, sure={(0, 0)}, possible={(1, 1)})  # 0.0
        ```

    Reference:
        [Och and Ney, 2003](https://aclanthology.org/J03-1002)
    """
    if isinstance(links, set | frozenset):
        links, sure = [links], [sure]
        possible = None if possible is None else [possible]
    links, sure = _link_sets(links, "links"), _link_sets(sure, "sure")
    possible = sure if possible is None else _link_sets(possible, "possible")
    if not len(links) == len(sure) == len(possible):
        raise ValueError(
            "`links`, `sure` and `possible` must have one set per sentence each. "
            f"Received: {len(links)}, {len(sure)} and {len(possible)} sets."
        )
    found = total = 0
    for ours, must, may in zip(links, sure, possible, strict=True):
        found += len(ours & must) + len(ours & (may | must))
        total += len(ours) + len(must)
    return 1 - found / total if total else 0.0


def parse_links(text: str) -> tuple[set[Link], set[Link]]:
    """Read gold links in Pharaoh format, `"0-0 1p2"`.

    Args:
        text: Links separated by white space: `i-j` a sure link of source `i` and
            target `j`, `ipj` a possible one.

    Returns:
        `(sure, possible)`, two sets of `(source, target)` pairs, for
        `alignment_error_rate` and for `plot_attention(..., gold=...)`.

    Raises:
        ValueError: If a link has another form.

    Example:
        ```python
        parse_links("0-0 1p2")  # {(0, 0)}, {(1, 2)}
        ```
    """
    links: dict[str, set[Link]] = {"-": set(), "p": set()}
    for link in text.split():
        found = re.fullmatch("([0-9]+)([-p])([0-9]+)", link)
        if not found:
            raise ValueError(
                "Links must be written i-j if sure, ipj if possible, with ints from 0. "
                f"Received: {link!r}."
            )
        links[found[2]].add((int(found[1]), int(found[3])))
    return links["-"], links["p"]


def gold_links(
    gold: Gold, source_count: int, target_count: int
) -> tuple[set[Link], set[Link]]:
    """What plots take as `gold`, as `(sure, possible)`, checked against the sentences.

    Args:
        gold: Str as for `parse_links`, a pair of sets `(sure, possible)`, or an
            iterable of sure pairs.
        source_count: Number of source words.
        target_count: Number of target words.

    Returns:
        `(sure, possible)`, two sets of pairs of int without common members.

    Raises:
        ValueError: If `gold` is something else, or a link is to no word.
    """
    try:
        if isinstance(gold, str):
            sure, possible = parse_links(gold)
        else:
            gold = tuple(gold)
            both = len(gold) == 2 and all(isinstance(x, set | frozenset) for x in gold)
            sure, possible = _link_sets(gold if both else (gold, ()), "gold")
    except (TypeError, ValueError):
        raise ValueError(
            '`gold` must be str such as "0-0 1p2" (sure, possible), a pair of sets '
            f"(sure, possible), or pairs (source, target). Received: gold={gold!r}."
        ) from None
    for source, target in sorted(sure | possible):
        if not (0 <= source < source_count and 0 <= target < target_count):
            raise ValueError(
                f"`gold` must link {source_count} source and {target_count} target "
                f"words, counted from 0. Received: the link {source}-{target}."
            )
    return sure, possible - sure


def _link_sets(sentences, name):
    try:
        return [
            {(index(source), index(target)) for source, target in links}
            for links in sentences
        ]
    except (TypeError, ValueError):
        raise ValueError(
            f"`{name}` must be a set of (source, target) pairs, or a sequence of such "
            f"sets, as `links` is. Received: {name}={sentences!r}."
        ) from None
