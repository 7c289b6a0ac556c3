"""Text that comes in line by line, whatever is wrong with some of the lines."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, zip_longest
from typing import NamedTuple

from nmt.errors import UserError
from nmt.limits import LONGEST_LINE

CHUNK = 640
"""Most lines handed on at a time: some batches of sentences of like lengths."""

CHUNK_CHARACTERS = 2**20
"""Most characters handed on at a time, unless a single line has more."""

BYTE_ORDER_MARK = b"\xef\xbb\xbf"

PASSED_OVER = 64 * LONGEST_LINE
"""Bytes of a longer line that are read to find its end."""


class Fault(NamedTuple):
    """Why a line cannot be worked on as it is.

    Attributes:
        what: What is wrong with it.
        mend: What its writer can do.
        repair: What can be done to work on it all the same; `None` if nothing.
    """

    what: str
    mend: str
    repair: str | None = None

    def refusal(self, where: str) -> UserError:
        """Return the error that ends a stream at the line that is there."""
        return UserError(f"{where}: {self.what}. {self.mend}.")


ONE_SIDE = Fault("one side is blank", "Give a sentence and its translation")


@dataclass(frozen=True)
class Line:
    """A line of a stream, or lines of two streams that translate each other.

    Attributes:
        number: Its number, from 1.
        where: What messages call it, such as `standard input, line 3`.
        texts: Its text, repaired if there is a fault; the source and the target where
            pairs are read.
        fault: What is wrong with it.
    """

    number: int
    where: str
    texts: tuple[str, ...]
    fault: Fault | None = None

    @property
    def is_blank(self) -> bool:
        """Whether there is no text."""
        return not any(text.strip() for text in self.texts)


def argument_lines(texts: Sequence[str]) -> list[Line]:
    """Return the arguments of a command as lines to translate.

    Raises:
        UserError: If one is blank or was not typed in UTF-8.
    """
    lines = []
    for number, text in enumerate(texts, 1):
        where = f"argument {number} to translate"
        if not text.strip():
            raise UserError(
                f"{where} is empty. Expected a sentence; only --input and standard "
                "input may have blank lines."
            )
        check_utf8(text, where)
        lines.append(Line(number, where, (text,)))
    return lines


def check_utf8(text: str, what: str):
    """Check an argument that Python could not decode.

    Raises:
        UserError: If it was not typed in UTF-8.
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        raise UserError(f"{what} is not UTF-8. Set the terminal to UTF-8.") from None


def arriving_lines(stream, where: str) -> Iterator[list[Line]]:
    """Yield the lines of a stream as they arrive, some at a time.

    What has arrived is handed on at once, so that a person typing sees each answer and
    a long input begins to be answered before it ends. Of a line that is too long the
    beginning is handed on before its end is looked for.

    Args:
        stream: Binary stream with `read1`.
        where: Its name, for messages.

    Raises:
        UserError: If no line end comes after a line that is too long.
    """
    rest, number, passed_over = b"", 0, 0
    while arrived := stream.read1(1 << 16):
        if passed_over:
            before, newline, arrived = arrived.partition(b"\n")
            passed_over = 0 if newline else passed_over + len(before)
            if passed_over > PASSED_OVER:
                raise UserError(
                    f"{where}, line {number}: no line end in {PASSED_OVER} bytes. "
                    "Expected text, one sentence a line."
                )
        *complete, rest = (rest + arrived).split(b"\n")
        if len(rest) > LONGEST_LINE:
            complete.append(rest)
            rest, passed_over = b"", 1
        if complete:
            yield from chunks(_decoded(complete, where, number))
            number += len(complete)
    # A last line may lack its line feed.
    if rest and (number or rest != BYTE_ORDER_MARK):
        yield list(_decoded([rest], where, number))


def _decoded(data, where, lines_before):
    for number, line in enumerate(data, lines_before + 1):
        line = line.removesuffix(b"\r")
        if number == 1:
            line = line.removeprefix(BYTE_ORDER_MARK)
        fault = None
        if len(line) > LONGEST_LINE:
            fault = Fault(
                f"more than {LONGEST_LINE} bytes without a line end",
                "Expected text, one sentence a line",
                "cut",
            )
            line = line[:LONGEST_LINE]
        try:
            text = line.decode()
        except UnicodeDecodeError as error:
            fault = fault or Fault(
                f"byte 0x{line[error.start]:02x} is not UTF-8",
                "Convert the text to UTF-8",
                "replaced by U+FFFD",
            )
            text = line.decode(errors="replace")
        yield Line(number, f"{where}, line {number}", (text,), fault)


def chunks(lines: Iterable[Line]) -> Iterator[list[Line]]:
    """Yield lines in lists of `CHUNK` lines, or fewer if they are very long."""
    chunk: list[Line] = []
    characters = 0
    for line in lines:
        length = sum(map(len, line.texts))
        if chunk and (len(chunk) == CHUNK or characters + length > CHUNK_CHARACTERS):
            yield chunk
            chunk, characters = [], 0
        chunk.append(line)
        characters += length
    if chunk:
        yield chunk


def tab_pairs(lines: Iterable[Line]) -> list[Line]:
    """Split lines `source TAB target` into pairs; further columns are ignored."""
    return [_pair(line, line.texts[0].split("\t")[:2]) for line in lines]


def side_by_side(sources, targets, source_name, target_name) -> Iterator[list[Line]]:
    """Yield the lines of two streams as pairs.

    Args:
        sources: What `arriving_lines` gave of the source sentences.
        targets: What it gave of their translations.
        source_name: Name of the first stream.
        target_name: Name of the second stream.
    """
    both = zip_longest(chain.from_iterable(sources), chain.from_iterable(targets))
    where = f"{source_name} and {target_name}"

    def pairs():
        for number, (source, target) in enumerate(both, 1):
            line = Line(number, f"{where}, line {number}", ())
            if source is None or target is None:
                shorter = source_name if source is None else target_name
                mend = "Line n of one must translate line n of the other"
                fault = Fault(f"{shorter} has no such line", mend)
                yield replace(line, fault=fault)
            else:
                line = replace(line, fault=source.fault or target.fault)
                yield _pair(line, source.texts + target.texts)

    yield from chunks(pairs())


def _pair(line, texts):
    fault = line.fault
    filled = [bool(text.strip()) for text in texts]
    if not any(filled):
        texts = ("", "")
    elif len(texts) < 2:
        fault = Fault("no tab", "Expected a sentence, a tab and its translation")
    elif not all(filled):
        fault = ONE_SIDE
    return replace(line, texts=tuple(texts), fault=fault)


def translated(translator, lines: Sequence[str], **search) -> list:
    """Return the translation of each line, `None` for one that has no pieces.

    Args:
        translator: `nmt.Translator`.
        lines: The lines.
        **search: Options of the translator.
    """
    counts = translator.count_pieces(lines)
    texts = [line for line, count in zip(lines, counts, strict=True) if count > 1]
    results = iter(translator(texts, **search) if texts else [])
    return [next(results) if count > 1 else None for count in counts]
