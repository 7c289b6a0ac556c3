"""From bytes to lines to pairs of sentences, with errors that say where they are."""

import gzip
import io
import logging
import os
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from nmt.errors import UserError

_log = logging.getLogger(__name__)
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class ParallelText(NamedTuple):
    """Sentences and their translations: `target[i]` translates `source[i]`."""

    source: tuple[str, ...]
    target: tuple[str, ...]


class DamagedFile(ValueError):
    """The content is not what it should be. A `ValueError`, so that pooch retries."""


def unpack(data: bytes, name: str, member: str | None = None) -> bytes:
    """Undo the compression of a file that was read whole.

    Args:
        data: The file's bytes.
        name: Its name; one that ends in `.gz` says gzip.
        member: The member to read if the file is a zip archive.

    Returns:
        The bytes inside, or `data` itself if it is not compressed.

    Raises:
        DamagedFile: If the data is damaged or the member is missing.
    """
    try:
        if member is not None:
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                return archive.read(member)
        return gzip.decompress(data) if name.endswith(".gz") else data
    except KeyError as error:
        raise DamagedFile(f"the zip archive holds no {member}") from error
    # RuntimeError: an archive with a password or an unknown compression.
    except (zipfile.BadZipFile, RuntimeError) as error:
        raise DamagedFile(f"not a readable zip archive ({error})") from error
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise DamagedFile(f"not a whole compressed file ({error})") from error


def decode_lines(data: bytes, where: str | os.PathLike) -> list[str]:
    """Split UTF-8 text into lines, at line feeds alone.

    Other characters that Unicode or `str.splitlines` takes for line ends stay inside
    their sentences, as one of them would shift all lines after it against the other
    language. A carriage return before the line feed and a byte order mark at the start
    are removed.

    Args:
        data: The bytes.
        where: Name of their file, for errors.

    Returns:
        The lines; at least one.

    Raises:
        UserError: If there is no line, or some bytes are not UTF-8.
    """
    skipped = len(_BYTE_ORDER_MARK) if data.startswith(_BYTE_ORDER_MARK) else 0
    try:
        text = data[skipped:].decode()
    except UnicodeDecodeError as error:
        offset = skipped + error.start
        number = data.count(b"\n", 0, offset) + 1
        raise UserError(
            f"{where}, line {number}: byte 0x{data[offset]:02x} at offset {offset} of "
            "the file is not UTF-8. Save the file as UTF-8."
        ) from error
    lines = [line.removesuffix("\r") for line in text.split("\n")]
    if not lines[-1]:  # what follows the last line feed is no line
        lines.pop()
    if not lines:
        raise UserError(f"{where} is empty. Expected one sentence a line.")
    return lines


def read_lines(path: str | os.PathLike) -> list[str]:
    """Read the lines of a UTF-8 file, or of a gzip file if its name ends in `.gz`.

    Args:
        path: The file.

    Returns:
        Its lines, see `decode_lines`.

    Raises:
        UserError: If it is missing, a folder, unreadable, empty or not UTF-8.
    """
    try:
        data = unpack(Path(path).read_bytes(), os.fspath(path))
    except FileNotFoundError as error:
        raise UserError(f"no file {path}. Check the path.") from error
    except IsADirectoryError as error:
        raise UserError(f"{path} is a folder. Expected a text file.") from error
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}.") from error
    except ValueError as error:
        raise UserError(f"cannot read {path}: {error}.") from error
    return decode_lines(data, path)


def split_columns(
    lines: Sequence[str], where: str | os.PathLike, width: int = 2
) -> list[tuple[str, ...]]:
    """Split lines at tabs and keep the first columns.

    Args:
        lines: The lines of a file.
        where: Its name, for errors.
        width: How many columns to keep; further ones are ignored.

    Returns:
        One tuple of `width` strings for each line; empty strings for a blank line.

    Raises:
        UserError: If a line that is not blank has fewer columns.
    """
    rows = []
    for number, line in enumerate(lines, 1):
        row = line.split("\t")[:width] if line.strip() else [""] * width
        if len(row) < width:
            raise UserError(
                f"{where}, line {number}: {len(row) - 1} tab(s), expected at least "
                f"{width - 1}: columns are separated by tabs."
            )
        rows.append(tuple(row))
    return rows


def pair_lines(
    source: Sequence[str],
    target: Sequence[str],
    source_name: str | os.PathLike,
    target_name: str | os.PathLike,
) -> ParallelText:
    """Join the lines of two files into pairs.

    Args:
        source: Lines of the source file.
        target: Lines of the target file.
        source_name: Name of the source file, for errors.
        target_name: Name of the target file, for errors.

    Returns:
        The pairs.

    Raises:
        UserError: If the numbers of lines differ.
    """
    if len(source) != len(target):
        raise UserError(
            f"{source_name} has {len(source)} lines, but {target_name} has "
            f"{len(target)}. Line n of one must translate line n of the other."
        )
    return ParallelText(tuple(source), tuple(target))


def without_blanks(text: ParallelText, where: str | os.PathLike) -> ParallelText:
    """Leave out pairs with an empty side, and log a warning that counts them.

    Args:
        text: The pairs.
        where: Name of their file, for the warning and errors.

    Returns:
        The pairs with words on both sides.

    Raises:
        UserError: If no pair is left.
    """
    pairs = list(zip(*text, strict=True))
    kept = [pair for pair in pairs if pair[0].strip() and pair[1].strip()]
    if not kept:
        raise UserError(f"{where} holds no pair of sentences: a side is always blank.")
    if len(kept) < len(pairs):
        _log.warning(
            "%s: left out %d of %d pairs, in which a side is blank.",
            where,
            len(pairs) - len(kept),
            len(pairs),
        )
    return ParallelText(*zip(*kept, strict=True))
