"""Parallel text: public corpora, the built-in one, and the user's own files."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from nmt.config import CorpusConfig
from nmt.corpora.download import data_folder, fetch
from nmt.corpora.parallel import (
    ParallelText,
    decode_lines,
    pair_lines,
    read_lines,
    split_columns,
    without_blanks,
)
from nmt.corpora.published import (
    CORPORA,
    MULTI30K_SPLITS,
    SPA_ENG,
    multi30k_file,
    remote_files,
)
from nmt.corpora.splits import hold_out
from nmt.errors import UserError, has_controls


@dataclass(frozen=True)
class Corpus:
    """Parallel text in one direction of translation.

    Args:
        name: A public corpus' name, or one made from the name of a local file.
        source_language: Language code, such as `en`.
        target_language: Language code.
        text: `raw`, as people write, or `tok`, as the publishers tokenised it.
        splits: `train`, `validation`, then the test splits: `ParallelText`; to train
            on also `StreamedText`.
        grouped_references: Whether a test split is to be scored with one row per
            distinct source sentence, all its translations being references.
        files: Paths of the local files that it was read from: of a TSV file, or those
            that `from_files` takes, `""` for one that was not given.
    """

    name: str
    source_language: str
    target_language: str
    text: str
    splits: dict[str, Any]
    grouped_references: bool = False
    files: tuple[str, ...] = ()

    def settings(self) -> CorpusConfig:
        """Return what a model that is trained on it says of it."""
        return CorpusConfig(
            name=self.name,
            source=self.source_language,
            target=self.target_language,
            text=self.text,
            files=self.files,
            streamed=not isinstance(self.splits["train"], ParallelText),
        )


class CatalogueEntry(NamedTuple):
    """What `nmt corpora` tells of one form of one corpus.

    `size` is in bytes, as downloaded; `lines` counts the pairs of each split;
    `files` are the names inside the data folder, `on_disk` those already there.
    """

    name: str
    text: str
    languages: tuple[str, ...]
    size: int
    lines: dict[str, int]
    terms: str
    url: str
    files: tuple[str, ...]
    on_disk: tuple[str, ...]


def load(
    name: str,
    source: str | None = None,
    target: str | None = None,
    text: str = "raw",
    data: str | os.PathLike | None = None,
    verify: bool = True,
) -> Corpus:
    """Load a public corpus, downloading what is missing, or the built-in one.

    Args:
        name: `multi30k`, `spa-eng` or `phrasebook`.
        source: Language to translate from. Default: the corpus' first language
            that is not `target`.
        target: Language to translate to. Default: likewise, not `source`.
        text: `raw`, or `tok` where the publishers offer tokenised text.
        data: The data folder, see `nmt.corpora.data_folder`.
        verify: Whether checksums must match.

    Returns:
        The corpus in that direction.

    Raises:
        UserError: If the corpus, a language or the form of text is unknown, or a
            file cannot be had, read or trusted.
    """
    if name not in CORPORA:
        raise UserError(
            f"{_what_is(name)}. Known corpora: {', '.join(CORPORA)}; text of your own "
            "is taken from a .tsv file or from --train-source and --train-target."
        )
    source, target = _direction(name, source, target)
    if text not in CORPORA[name].lines:
        having = [other for other, facts in CORPORA.items() if text in facts.lines]
        raise UserError(
            f"{name} has no text {text!r}, only {', '.join(CORPORA[name].lines)}. "
            + (f"Corpora with {text}: {', '.join(having)}." if having else "")
        )
    if name == "phrasebook":
        splits = _phrasebook(source, target)
    elif name == "spa-eng":
        splits = _spa_eng(source, data_folder(data), verify)
    else:
        splits = _multi30k(source, target, text, data_folder(data), verify)
    grouped = CORPORA[name].grouped_references
    return Corpus(name, source, target, text, splits, grouped_references=grouped)


def from_files(
    train_source: str | os.PathLike | None,
    train_target: str | os.PathLike | None,
    validation_source: str | os.PathLike | None = None,
    validation_target: str | os.PathLike | None = None,
    test_source: str | os.PathLike | None = None,
    test_target: str | os.PathLike | None = None,
    source: str = "source",
    target: str = "target",
) -> Corpus:
    """Read pairs of UTF-8 files (or `.gz`) with one sentence a line.

    Without validation files, about 2 % of the training pairs are held out, by
    connected groups (`nmt.corpora.splits.hold_out`). Pairs with an empty side are left
    out of training and validation, with a logged warning; test files are kept line by
    line.

    Args:
        train_source: File of source sentences to train on.
        train_target: File of their translations.
        validation_source: File of source sentences to validate on.
        validation_target: File of their translations.
        test_source: File of source sentences to score.
        test_target: File of their reference translations.
        source: Language of the source files.
        target: Language of the target files.

    Returns:
        The corpus, named after the source file to train on.

    Raises:
        UserError: If half a pair of files is given, the files of a pair differ in
            length, a file is missing, empty or not UTF-8, or its path is not, or a
            language has no name that a folder can have.
    """
    check_languages(source, target)
    train = file_pair("train", train_source, train_target)
    if train is None or train_source is None:
        raise UserError("no training text. Give --train-source and --train-target.")
    train = without_blanks(train, train_source)
    validation = file_pair("validation", validation_source, validation_target)
    test = file_pair("test", test_source, test_target)
    if validation is None or validation_source is None:
        splits = _split(list(zip(*train, strict=True)), ("validation",))
    else:
        validation = without_blanks(validation, validation_source)
        splits = {"train": train, "validation": validation}
    if test is not None:
        splits["test"] = test
    paths = (
        *(train_source, train_target, validation_source),
        *(validation_target, test_source, test_target),
    )
    files = tuple("" if path is None else _whole_path(path) for path in paths)
    name = Path(train_source).stem
    return Corpus(name, source, target, "raw", splits, files=files)


def from_tsv(
    path: str | os.PathLike, source: str = "source", target: str = "target"
) -> Corpus:
    """Read one UTF-8 file (or `.gz`) of lines `source TAB target`.

    Further columns are ignored. Repeated pairs and pairs with an empty side are
    left out, the latter with a logged warning. About 2 % of the pairs each are held
    out for validation and test, by connected groups (`nmt.corpora.splits.hold_out`).

    Args:
        path: The file.
        source: Language of the first column.
        target: Language of the second column.

    Returns:
        The corpus, named after the file.

    Raises:
        UserError: If the file is missing, empty or not UTF-8, or its path is not, a
            line has no tab, there are too few unrelated pairs to split, or a language
            has no name that a folder can have.
    """
    check_languages(source, target)
    splits = _split(_distinct_pairs(read_lines(path), path), ("validation", "test"))
    return Corpus(
        Path(path).stem,
        source,
        target,
        "raw",
        splits,
        grouped_references=True,
        files=(_whole_path(path),),
    )


def catalogue(data: str | os.PathLike | None = None) -> list[CatalogueEntry]:
    """List the corpora that `load` knows, and which of their files are on disk.

    Args:
        data: The data folder, see `nmt.corpora.data_folder`.

    Returns:
        One entry for each form of text of each corpus.
    """
    folder = data_folder(data)
    entries = []
    for name, facts in CORPORA.items():
        for text, lines in facts.lines.items():
            files = remote_files(name, text)
            entry = CatalogueEntry(
                name=name,
                text=text,
                languages=facts.languages,
                size=sum(file.size for file in files),
                lines=dict(lines),
                terms=facts.terms,
                url=facts.url,
                files=tuple(file.name for file in files),
                on_disk=tuple(f.name for f in files if os.path.isfile(folder / f.name)),
            )
            entries.append(entry)
    return entries


def _what_is(name: str) -> str:
    """Say what a name may be that is no corpus'."""
    if os.path.isdir(name):
        return f"{name} is a folder, and no corpus"
    if os.path.exists(name):  # files were opened before: a pipe, a device
        return f"{name} is no regular file, and no corpus"
    if os.path.basename(name) != name or "." in name:
        return f"no file {name}, and no corpus of that name. Check the path"
    return f"unknown corpus {name!r}"


def _direction(name: str, source: str | None, target: str | None) -> tuple[str, str]:
    """Check the languages that are given, and fill in those that are not."""
    known = CORPORA[name].languages
    for language in (source, target):
        if language is not None and language not in known:
            raise UserError(
                f"{name} has no language {language!r}. Known: {', '.join(known)}."
            )
    if source is not None and source == target:
        raise UserError(
            f"source and target are both {source!r}. Choose two of: {', '.join(known)}."
        )
    source = source or next(language for language in known if language != target)
    target = target or next(language for language in known if language != source)
    return source, target


def _whole_path(path) -> str:
    """Return the path of a text from the root, which the folder of a model keeps."""
    whole = os.path.abspath(os.fsdecode(path))
    if has_controls(whole):
        raise UserError(
            f"{path}: the path of a text must be UTF-8, without control characters. "
            "Rename it."
        )
    return whole


def check_languages(source: str, target: str) -> None:
    """Refuse what would lead out of the folder that is named after the languages.

    Args:
        source: Language to translate from.
        target: Language to translate to.

    Raises:
        UserError: If one has no name that a folder can have.
    """
    for side, language in (("source", source), ("target", target)):
        if not language.strip() or "/" in language or not language.isprintable():
            raise UserError(
                f"the {side} language must have a short name, such as en; got "
                f"{language!r}."
            )


def _multi30k(
    source: str, target: str, text: str, folder: Path, verify: bool
) -> dict[str, ParallelText]:
    splits = {}
    for split in MULTI30K_SPLITS:
        files = [multi30k_file(split, language, text) for language in (source, target)]
        one, other = (decode_lines(fetch(f, folder, verify), f.name) for f in files)
        splits[split] = pair_lines(one, other, *(f.name for f in files))
    return splits


def _spa_eng(source: str, folder: Path, verify: bool) -> dict[str, ParallelText]:
    where = f"{SPA_ENG.name}, {SPA_ENG.member}"
    lines = decode_lines(fetch(SPA_ENG, folder, verify), where)
    pairs = _distinct_pairs(lines, where)  # English, Spanish
    if source == "es":
        pairs = [(spanish, english) for english, spanish in pairs]
    return _split(pairs, ("validation", "test"))


def _phrasebook(source: str, target: str) -> dict[str, ParallelText]:
    from nmt import phrasebook

    side = {"en": "english", "es": "spanish"}
    book = phrasebook.generate()
    splits = {}
    for split in ("train", "validation", "test"):
        phrases = getattr(book, split)
        splits[split] = ParallelText(
            tuple(getattr(phrase, side[source]) for phrase in phrases),
            tuple(getattr(phrase, side[target]) for phrase in phrases),
        )
    return splits


def file_pair(part: str, source, target) -> ParallelText | None:
    """Read the two files of one part, or say that none are given.

    Args:
        part: Name of the part.
        source: File of its source sentences, or `None`.
        target: File of their translations, or `None`.

    Raises:
        UserError: If half a pair is given, or a file cannot be read.
    """
    if source is None and target is None:
        return None
    if source is None or target is None:
        given = "target" if source is None else "source"
        missing = "source" if source is None else "target"
        raise UserError(
            f"--{part}-{given} was given without --{part}-{missing}. Parallel text is "
            "a pair of files: give both."
        )
    return pair_lines(read_lines(source), read_lines(target), source, target)


def _distinct_pairs(
    lines: Sequence[str], where: str | os.PathLike
) -> list[tuple[str, str]]:
    """Read lines `source TAB target`, leaving out blanks and repetitions."""
    rows = split_columns(lines, where)
    kept = without_blanks(ParallelText(*zip(*rows, strict=True)), where)
    return list(dict.fromkeys(zip(*kept, strict=True)))


def _split(pairs: Sequence[tuple[str, str]], parts) -> dict[str, ParallelText]:
    return {
        part: ParallelText(*zip(*(pairs[i] for i in positions), strict=True))
        for part, positions in hold_out(pairs, parts).items()
    }
