"""Parallel text that is read while it is trained on: files or shards of any size."""

import glob
import os
import stat
from collections.abc import Iterator, Sequence
from itertools import islice, zip_longest
from typing import NamedTuple

from nmt.corpora.corpora import Corpus, check_languages, file_pair
from nmt.corpora.parallel import decode_lines, reading, unzipped, without_blanks
from nmt.errors import UserError
from nmt.limits import LONGEST_LINE

READ_AT_ONCE = 2**18
"""Bytes of a file that are read at once."""


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
    with reading(pattern):
        if "://" in pattern:
            import tensorflow as tf

            found = tf.io.gfile.glob(pattern)
        else:
            found = glob.glob(pattern) or [pattern]
    if not found:
        raise UserError(f"no file {pattern}. Check the path.")
    for path in found:
        _check_regular(path)
    return tuple(sorted(found))


def _check_regular(path):
    """Refuse a pipe or a device, which is there once or never ends."""
    if "://" in path:
        return
    with reading(path):
        mode = os.stat(path).st_mode
    if stat.S_ISDIR(mode):
        raise UserError(f"{path} is a folder. Expected a text file.")
    if not stat.S_ISREG(mode):
        raise UserError(
            f"{path} is no regular file, and streamed text is read once for each pass. "
            "Give a file."
        )


def _size(path):
    with reading(path):
        if "://" in path:
            import tensorflow as tf

            return int(tf.io.gfile.stat(path).length)
        return os.path.getsize(path)


def _pairs(source, target):
    sides = zip_longest(_lines(source), _lines(target))
    for number, (one, other) in enumerate(sides):
        if one is None or other is None:
            raise UserError(
                f"{source} and {target} differ in length after line {number}. Line n "
                "of one must translate line n of the other."
            )
        yield one, other


def _lines(path):
    import tensorflow as tf

    number, offset, rest = 1, 0, b""
    with reading(path), tf.io.gfile.GFile(path, "rb") as file:
        # Not TensorFlow's own reader of gzip: it takes a file that is cut off.
        stream = unzipped(file, path)
        while block := stream.read(READ_AT_ONCE):
            *complete, rest = (rest + block).split(b"\n")
            _check_lengths([*complete, rest], path, number)
            if complete:
                data = b"\n".join([*complete, b""])
                yield from decode_lines(data, path, number, offset)
                number, offset = number + len(complete), offset + len(data)
        if rest not in (b"", b"\r"):  # a last line may lack its line feed
            yield from decode_lines(rest, path, number, offset)


def _check_lengths(lines, path, first):
    for number, line in enumerate(lines, first):
        if len(line) > LONGEST_LINE:
            raise UserError(
                f"{path}, line {number}: more than {LONGEST_LINE} bytes without a line "
                "end. Expected text, one sentence a line."
            )
