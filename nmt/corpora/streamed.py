"""Parallel text that is read while it is trained on: files or shards of any size."""

import contextlib
import glob
import gzip
import os
import zlib
from collections.abc import Iterator, Sequence
from itertools import islice, zip_longest
from typing import NamedTuple

from nmt.corpora.corpora import Corpus, check_languages, file_pair
from nmt.corpora.parallel import without_blanks
from nmt.errors import UserError

READ_AT_ONCE = 1000
"""Lines that are read at once."""


class StreamedText(NamedTuple):
    """Files of sentences and of their translations, line by line, shard by shard."""

    source_files: tuple[str, ...]
    target_files: tuple[str, ...]

    def pairs(self, order: Sequence[int] | None = None) -> Iterator[tuple[str, str]]:
        """Yield the pairs that have words on both sides.

        Args:
            order: Numbers of the shards, in the order to be read. Default: as they are.

        Raises:
            UserError: If the files of a shard differ in length, or one cannot be read,
                or is not UTF-8.
        """
        shards = list(zip(self.source_files, self.target_files, strict=True))
        for number in range(len(shards)) if order is None else order:
            for source, target in _pairs(*shards[number]):
                if source.strip() and target.strip():
                    yield source, target

    def sample(self, count: int) -> list[tuple[str, str]]:
        """Return the first pairs of each shard, about as many as told in all."""
        shards = range(len(self.source_files))
        each = -(-count // len(shards))
        return [pair for shard in shards for pair in islice(self.pairs([shard]), each)]

    def described(self) -> list[tuple[str, int]]:
        """Return name and size of each file: what they hold may be too much to read."""
        files = (*self.source_files, *self.target_files)
        return [(os.path.basename(path), _size(path)) for path in files]


def stream_files(
    train_source: str,
    train_target: str,
    validation_source: str,
    validation_target: str,
    source: str = "source",
    target: str = "target",
) -> Corpus:
    """Name the files of a corpus that is read while it is trained on.

    Args:
        train_source: Files of source sentences to train on, plain or `.gz`: a path, or
            a pattern such as `part-*.en.gz`, of any place that TensorFlow reads from.
        train_target: Files of their translations; in the order of their names each
            belongs to one of the source.
        validation_source: File of source sentences to validate on.
        validation_target: File of their translations.
        source: Language of the source files.
        target: Language of the target files.

    Raises:
        UserError: If there are no such files, or not as many of either side, or see
            `from_files`.
    """
    check_languages(source, target)
    files = [_files(path) for path in (train_source, train_target)]
    if len(files[0]) != len(files[1]):
        raise UserError(
            f"{train_source} names {len(files[0])} files, but {train_target} "
            f"{len(files[1])}. File n of one must translate file n of the other."
        )
    validation = file_pair("validation", validation_source, validation_target)
    if validation is None:
        raise UserError(
            "text that is streamed cannot be split. Give --validation-source and "
            "--validation-target."
        )
    splits = {
        "train": StreamedText(*files),
        "validation": without_blanks(validation, validation_source),
    }
    name = os.path.basename(files[0][0]).split(".")[0]
    return Corpus(name, source, target, "raw", splits)


def _files(pattern):
    with _told(pattern):
        if "://" in pattern:
            import tensorflow as tf

            found = tf.io.gfile.glob(pattern)
        else:
            found = glob.glob(pattern) or [pattern] * os.path.exists(pattern)
    if not found:
        raise UserError(f"no file {pattern}. Check the path.")
    for path in found:
        if os.path.isdir(path):
            raise UserError(f"{path} is a folder. Expected a text file.")
    return tuple(sorted(found))


def _size(path):
    with _told(path):
        if "://" in path:
            import tensorflow as tf

            return int(tf.io.gfile.stat(path).length)
        return os.path.getsize(path)


def _pairs(source, target):
    none: list[str] = []
    for number, (one, other) in enumerate(
        zip_longest(_lines(source), _lines(target), fillvalue=none)
    ):
        if len(one) != len(other):
            raise UserError(
                f"{source} and {target} differ in length after line "
                f"{READ_AT_ONCE * number + min(len(one), len(other))}. Line n of one "
                "must translate line n of the other."
            )
        yield from zip(one, other, strict=True)


def _lines(path):
    """Yield the lines of a file, in lists."""
    import tensorflow as tf

    first = 1
    with _told(path), tf.io.gfile.GFile(path, "rb") as file:
        # Not TensorFlow's own reader of lines: it takes a gzip file that is cut off.
        lines = gzip.GzipFile(fileobj=file) if path.endswith(".gz") else file
        while block := list(islice(lines, READ_AT_ONCE)):
            yield _decoded(block, path, first)
            first += len(block)


def _decoded(block, path, first):
    lines = []
    for number, line in enumerate(block, first):
        if number == 1:
            line = line.removeprefix(b"\xef\xbb\xbf")
        line = line.removesuffix(b"\n").removesuffix(b"\r")
        try:
            lines.append(line.decode())
        except UnicodeDecodeError as error:
            raise UserError(
                f"{path}, line {number}: byte 0x{line[error.start]:02x} is not UTF-8. "
                "Save the file as UTF-8."
            ) from None
        if b"\0" in line:
            raise UserError(
                f"{path}, line {number}: a byte is 0, which no text in UTF-8 has. Save "
                "the file as text in UTF-8."
            )
    return lines


@contextlib.contextmanager
def _told(path):
    """Say in one line why a file cannot be read."""
    try:
        yield
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise UserError(f"{path} is not a whole compressed file ({error}).") from None
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}.") from None
    except ValueError as error:
        raise UserError(f"cannot read {path!r}: {error}.") from None
    except Exception as error:
        # TensorFlow's own, which are named without importing it.
        if not hasattr(error, "error_code"):
            raise
        reason = (str(getattr(error, "message", error)).splitlines() or [""])[0]
        raise UserError(f"cannot read {path}: {reason[:200]}.") from None
