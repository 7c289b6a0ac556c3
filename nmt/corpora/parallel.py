"""From bytes to lines to pairs of sentences, with errors that say where they are."""

import contextlib
import gzip
import logging
import lzma
import os
import struct
import zipfile
import zlib
from collections.abc import Sequence
from typing import IO, BinaryIO, NamedTuple

from nmt.errors import UserError

MOST_BYTES = 1 << 30
"""Most bytes of text that one file may hold, unpacked: it is read into memory."""

_log = logging.getLogger(__name__)
_BLOCK = 1 << 20
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class ParallelText(NamedTuple):
    """Sentences and their translations: `target[i]` translates `source[i]`."""

    source: tuple[str, ...]
    target: tuple[str, ...]


class DamagedFile(ValueError):
    """The content is not what it should be. A `ValueError`, so that pooch retries."""


class LargeFile(DamagedFile):
    """There is more of it than there should be."""


def read_at_most(stream: IO[bytes] | gzip.GzipFile, most: int) -> bytes:
    """Read a stream to its end, and no further than told.

    A few MB may unpack to many GB, and some devices never end.

    Args:
        stream: Binary stream.
        most: How many bytes it may hold.

    Returns:
        All its bytes.

    Raises:
        LargeFile: If there are more.
    """
    blocks, count = [], 0
    while block := stream.read(_BLOCK):
        blocks.append(block)
        count += len(block)
        if count > most:
            raise LargeFile(f"it holds more than the {most:,} bytes expected")
    return b"".join(blocks)


def unzipped(file, name: str) -> IO[bytes] | gzip.GzipFile:
    """Return the stream of an open file: its text, if its name says gzip by `.gz`."""
    return gzip.GzipFile(fileobj=file) if name.endswith(".gz") else file


def unpack(
    file: BinaryIO, name: str, most: int = MOST_BYTES, member: str | None = None
) -> bytes:
    """Read a file, and undo its compression.

    Args:
        file: The file, open.
        name: Its name; one that ends in `.gz` says gzip.
        most: How many bytes there may be, unpacked.
        member: The member to read if the file is a zip archive.

    Returns:
        The bytes inside, or those of the file if it is not compressed.

    Raises:
        DamagedFile: If the data is damaged, the member is missing, or there are more
            than `most` bytes.
    """
    if member is not None:
        return _unpack_member(file, member, most)
    try:
        return read_at_most(unzipped(file, name), most)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise DamagedFile(f"not a whole compressed file ({error})") from error


def _unpack_member(file, member, most):
    try:
        with zipfile.ZipFile(file) as archive, archive.open(member) as unpacked:
            return read_at_most(unpacked, most)
    except KeyError as error:
        raise DamagedFile(f"the zip archive holds no {member}") from error
    except DamagedFile:
        raise
    # Damage shows in many ways; RuntimeError: a password, an unknown compression.
    except (
        *(zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError),
        *(RuntimeError, ValueError, struct.error),
    ) as error:
        raise DamagedFile(f"not a readable zip archive ({error})") from error


def decode_lines(
    data: bytes, where: str | os.PathLike, number: int = 1, offset: int = 0
) -> list[str]:
    """Split UTF-8 text into lines, at line feeds alone.

    Other characters that Unicode or `str.splitlines` takes for line ends stay inside
    their sentences, as one of them would shift all lines after it against the other
    language. A carriage return before the line feed and a byte order mark at the start
    are removed.

    Args:
        data: The bytes.
        where: Name of their file, for errors.
        number: Number in the file of the first line.
        offset: Number of the bytes of the file before it.

    Returns:
        The lines; at least one.

    Raises:
        UserError: If there is no line, some bytes are not UTF-8, or one is 0, which
            is in no text.
    """
    marked = not offset and data.startswith(_BYTE_ORDER_MARK)
    skipped = len(_BYTE_ORDER_MARK) if marked else 0
    try:
        text = data[skipped:].decode()
    except UnicodeDecodeError as error:
        place = skipped + error.start
        number += data.count(b"\n", 0, place)
        raise UserError(
            f"{where}, line {number}: byte 0x{data[place]:02x} at offset "
            f"{offset + place} of the file is not UTF-8. Save the file as UTF-8."
        ) from error
    if b"\0" in data:
        number += data.count(b"\n", 0, data.index(b"\0"))
        raise UserError(
            f"{where}, line {number}: a byte is 0, which no text in UTF-8 has. Save "
            "the file as text in UTF-8."
        )
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
        UserError: If it is missing, a folder, unreadable, empty, too large or not
            UTF-8.
    """
    if not os.fspath(path):
        raise UserError("the name of a file is empty. Expected the path of a text.")
    try:
        with reading(path), open(path, "rb") as file:
            data = read_at_most(unzipped(file, os.fspath(path)), MOST_BYTES)
    except LargeFile as error:
        raise UserError(
            f"{path} holds more than {MOST_BYTES:,} bytes of text, and nmt reads it "
            "into memory. Give a part of it; nmt train takes text of any size by "
            "--stream."
        ) from error
    return decode_lines(data, path)


@contextlib.contextmanager
def reading(path: str | os.PathLike):
    """Say in one line why a file cannot be read.

    Args:
        path: Its path, for errors.

    Raises:
        UserError: If reading raises an error of the system, of gzip or of TensorFlow.
    """
    try:
        yield
    except LargeFile:
        raise
    except FileNotFoundError as error:
        raise UserError(f"no file {path}. Check the path.") from error
    except IsADirectoryError as error:
        raise UserError(f"{path} is a folder. Expected a text file.") from error
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise UserError(f"{path} is not a whole compressed file ({error}).") from error
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}.") from error
    except ValueError as error:  # a null byte in the path
        raise UserError(f"cannot read {os.fspath(path)!r}: {error}.") from error
    except Exception as error:
        # TensorFlow's own, which are named without importing it.
        if not hasattr(error, "error_code"):
            raise
        reason = (str(getattr(error, "message", error)).splitlines() or [""])[0]
        raise UserError(f"cannot read {path}: {reason[:200]}.") from error


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
