"""Text that comes in line by line, and translations that go out line by line."""

import json
from collections.abc import Iterable, Iterator, Sequence

from nmt.errors import UserError

CHUNK = 640
"""Most lines handed on at a time: some batches of sentences of like lengths."""


def checked_texts(texts: Sequence[str]) -> list[str]:
    """Return the arguments of a command as texts to translate.

    Raises:
        UserError: If one is blank or was not typed in UTF-8.
    """
    for number, text in enumerate(texts, 1):
        if not text.strip():
            raise UserError(
                f"argument {number} to translate is empty. Expected a sentence; only "
                "--input and standard input may have blank lines."
            )
        check_utf8(text, f"argument {number} to translate")
    return list(texts)


def check_utf8(text: str, what: str):
    """Check an argument that Python could not decode.

    Raises:
        UserError: If it was not typed in UTF-8.
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        raise UserError(f"{what} is not UTF-8. Set the terminal to UTF-8.") from None


def arriving_lines(stream, where: str) -> Iterator[list[str]]:
    """Yield the lines of a stream as they arrive, some at a time.

    What has arrived is handed on at once, so that a person typing sees each answer and
    a long input begins to be answered before it ends.

    Args:
        stream: Binary stream with `read1`.
        where: Its name, for errors.

    Raises:
        UserError: If a line is not UTF-8.
    """
    rest, number = b"", 0
    while True:
        arrived = stream.read1(1 << 16)
        complete, newline, rest = (rest + arrived).rpartition(b"\n")
        if not arrived:  # the end: a last line may lack its line feed
            complete, newline, rest = rest, b"", b""
        if complete or newline:
            lines = _decoded(complete + newline, where, number)
            number += len(lines)
            yield from chunks(lines)
        if not arrived:
            return


def _decoded(data, where, lines_before):
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        line = lines_before + data.count(b"\n", 0, error.start) + 1
        raise UserError(
            f"{where}, line {line}: byte 0x{data[error.start]:02x} is not UTF-8. "
            "Convert the text to UTF-8."
        ) from None
    if not lines_before:
        text = text.removeprefix("\ufeff")  # a byte order mark
    lines = text.split("\n")
    if not lines[-1]:  # what follows the last line feed is no line
        lines.pop()
    return [line.removesuffix("\r") for line in lines]


def chunks(lines: Iterable[str]) -> Iterator[list[str]]:
    """Yield the lines in lists of `CHUNK` lines, the last one shorter."""
    lines = list(lines)
    for start in range(0, len(lines), CHUNK):
        yield lines[start : start + CHUNK]


def translated(translator, lines: Sequence[str], **search) -> list:
    """Return the translation of each line, `None` for a blank one.

    Args:
        translator: `nmt.Translator`.
        lines: The lines.
        **search: Options of the translator.
    """
    texts = [line for line in lines if line.strip()]
    results = iter(translator(texts, **search) if texts else [])
    return [next(results) if line.strip() else None for line in lines]


def format_result(result, number: int, n_best: int = 1, as_json: bool = False) -> str:
    """Return what is printed for one line of input.

    Args:
        result: `Translation`; a list of them if `n_best` is above 1; `None` for a
            blank line.
        number: Number of the input line, from 1.
        n_best: Number of translations asked for.
        as_json: Whether to return a JSON object (a list of them if `n_best` is above
            1) in place of text.
    """
    if as_json:
        if n_best > 1:
            return _json([fields(one) for one in result or []])
        return _json(fields(result))
    if result is None:
        return ""
    if n_best > 1:
        return "\n".join(f"{number}\t{one.score:.4f}\t{one.text}" for one in result)
    return result.text


def fields(translation) -> dict:
    """Return what `--json` prints of a `Translation`; `None` gives an empty one."""
    if translation is None:
        empty = ("source_tokens", "target_tokens", "weights")
        return {"source": "", "text": "", "score": 0.0, **{name: [] for name in empty}}
    weights = translation.weights.astype("float64").round(6)
    return {
        "source": translation.source,
        "text": translation.text,
        "score": float(translation.score),
        "source_tokens": list(translation.source_tokens),
        "target_tokens": list(translation.target_tokens),
        "weights": weights.tolist(),
    }


def _json(value):
    return json.dumps(value, ensure_ascii=False)
