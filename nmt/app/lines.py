"""Working through lines of which some cannot be worked on as they are."""

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from nmt.config import LONGEST
from nmt.errors import UserError
from nmt.translation import ONE_SIDE, Fault, Line

ROOM = 2**24
"""Most attention weights of the results that are held at a time."""

SIDES = ("source", "target")
"""Whose texts a line has, in their order."""

MOST_NOTES = 20
"""Lines that are told of one by one; further ones are counted."""


class Worker:
    """Works through lines in their order, and tells what became of faulty ones.

    Args:
        translator: `nmt.Translator`.
        work: Function of the texts of several lines, a sequence for each stream, that
            returns a result for each line.
        on_error: One of `options.ON_ERROR`. At a faulty line `stop` raises its error
            once what was before it has been handed on, `skip` gives it no result, and
            `truncate` cuts it or replaces its wrong bytes, where that is enough.
        weights: Function of the pieces of a line that tells how many attention weights
            its result has at most. Default: their square.
    """

    def __init__(
        self,
        translator,
        work: Callable[..., Sequence],
        on_error: str,
        weights: Callable[[int], int] = lambda pieces: pieces**2,
    ):
        self._translator = translator
        self._work = work
        self._on_error = on_error
        self._weights = weights
        self._faults = 0

    def results(self, lines: Sequence[Line]) -> Iterator[tuple]:
        """Yield each line with its result, `None` for a blank or a skipped one.

        Raises:
            UserError: At the first faulty line, if that is to stop the work.
        """
        ready, faulty = self._settled(lines)
        for group in self._that_fit(ready):
            texts = [line.texts for line, _ in group if not line.is_blank]
            results = iter(self._work(*zip(*texts, strict=True)) if texts else ())
            for line, _ in group:
                yield line, None if line.is_blank else next(results)
        if faulty is not None:
            refusal = faulty.fault.refusal(faulty.where)
            raise UserError(f"{refusal} Or add --on-error skip or truncate.")

    def tell(self):
        """Print how many lines were faulty, if not each of them was told of."""
        if self._faults > MOST_NOTES:
            print(f"nmt: note: {self._faults} such lines in all.", file=sys.stderr)

    def status(self) -> int:
        """Return the exit status: 1 if there was a faulty line, else 0."""
        return int(self._faults > 0)

    def _settled(self, lines):
        """Return lines to work on, with their pieces, and the one that ends it all."""
        ready: list[tuple[Line, int]] = []
        # Those that are faulty already are not split into pieces: they may be huge.
        sound = [line for line in lines if line.fault is None]
        counts = iter(_count_pieces(self._translator, sound))
        for line in lines:
            pieces = 0
            if line.fault is None:
                line, pieces = _judged(line, next(counts))
            if line.fault is not None:
                if self._on_error == "stop":
                    return ready, line
                line = self._settle(line)
                line, pieces = _judged(line, *_count_pieces(self._translator, [line]))
                if line.fault is not None:  # nothing is left of a side
                    line = replace(line, texts=(), fault=None)
            ready.append((line, pieces))
        return ready, None

    def _settle(self, line):
        """Skip a faulty line, or repair it, and tell so."""
        self._faults += 1
        repair = line.fault.repair if self._on_error == "truncate" else None
        if self._faults <= MOST_NOTES:
            done = repair or "skipped"
            told = f"nmt: note: {line.where}: {line.fault.what}; {done}."
            print(told, file=sys.stderr)
        texts = map(self._translator.shorten, line.texts, SIDES) if repair else ()
        return replace(line, texts=tuple(texts), fault=None)

    def _that_fit(self, lines):
        """Cut lines into groups whose results have room."""
        group: list[tuple[Line, int]] = []
        total = 0
        for line, pieces in lines:
            weights = self._weights(pieces)
            if group and total + weights > ROOM:
                yield group
                group, total = [], 0
            group.append((line, pieces))
            total += weights
        if group:
            yield group


def check_lengths(translator, lines: Sequence[Line], side: str = "source"):
    """Refuse lines of which one is too long, and say which.

    Args:
        translator: `nmt.Translator`.
        lines: Lines of one text each.
        side: Whose language they are in, `source` or `target`.
    """
    counts = translator.count_pieces([line.texts[0] for line in lines], side)
    for line, pieces in zip(lines, counts, strict=True):
        if pieces > LONGEST:
            raise _too_long(pieces).refusal(line.where)


def _count_pieces(translator, lines: Sequence[Line]) -> list[list[int]]:
    """Return the pieces of each line, of each of its texts."""
    found: list[list[int]] = [[] for _ in lines]
    for number, side in enumerate(SIDES):
        having = [i for i, line in enumerate(lines) if len(line.texts) > number]
        texts = [lines[i].texts[number] for i in having]
        counts = translator.count_pieces(texts, side)
        for i, count in zip(having, counts, strict=True):
            found[i].append(count)
    return found


def _judged(line: Line, counts: list[int]) -> tuple[Line, int]:
    """Return a line and the pieces of its longest text; blank if there are none.

    What cannot be seen, as a zero-width space, is a blank to the vocabulary too.
    """
    pieces = max(counts, default=0)
    if pieces > LONGEST:
        return replace(line, fault=_too_long(pieces)), pieces
    if pieces <= 1:
        return replace(line, texts=()), pieces
    if min(counts) == 1:
        return replace(line, fault=ONE_SIDE), pieces
    return line, pieces


def _too_long(pieces):
    return Fault(
        f"{pieces - 1} pieces, at most {LONGEST - 1} are allowed",
        "Split it into sentences, one a line",
        "cut",
    )
