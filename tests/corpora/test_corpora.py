"""Tests of `nmt.corpora`."""

import gzip
import os
import subprocess
import sys
import zipfile
from itertools import permutations
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

from nmt.corpora.corpora import catalogue, from_files, from_tsv, load
from nmt.corpora.download import data_folder, fetch
from nmt.corpora.parallel import ParallelText
from nmt.corpora.published import (
    CORPORA,
    MULTI30K_SPLITS,
    SPA_ENG,
    multi30k_file,
    remote_files,
)
from nmt.errors import UserError

DIRECTIONS = list(permutations(["en", "de", "fr"], 2))
PAIRS = [(f"I am {i}.", f"Soy {i}.") for i in range(150)]


def has_originals(name):
    return Path(os.environ.get("NMT_DATA", ""), name).is_file()


needs_multi30k = pytest.mark.skipif(
    not has_originals("multi30k/train.en.gz"), reason="needs multi30k in NMT_DATA"
)
needs_spa_eng = pytest.mark.skipif(
    not has_originals(SPA_ENG.name), reason=f"needs {SPA_ENG.name} in NMT_DATA"
)


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    """Make sure that nothing is downloaded: all files must come from the folder."""

    def refuse(file, *rest):
        raise AssertionError(f"tried to download {file.url}")

    monkeypatch.setattr("nmt.corpora.download._download", refuse)


@pytest.fixture
def fake_phrasebook(monkeypatch):
    phrase = SimpleNamespace(english="I run.", spanish="Corro.")
    book = SimpleNamespace(train=[phrase] * 3, validation=[phrase], test=[phrase] * 2)
    module = ModuleType("nmt.phrasebook")
    module.generate = lambda: book
    monkeypatch.setitem(sys.modules, "nmt.phrasebook", module)
    monkeypatch.setattr("nmt.phrasebook", module, raising=False)


def write(path, lines):
    path.parent.mkdir(exist_ok=True)
    path.write_bytes("".join(f"{line}\n" for line in lines).encode())
    return path


def write_multi30k(folder, text):
    """Write a small corpus laid out like Multi30k."""
    for split in MULTI30K_SPLITS:
        for language in CORPORA["multi30k"].languages:
            content = f"{language} {split} 1\n{language} {split} 2\n".encode()
            path = folder / multi30k_file(split, language, text).name
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(gzip.compress(content) if text == "raw" else content)


def write_spa_eng(folder, pairs):
    lines = "".join(f"{english}\t{spanish}\n" for english, spanish in pairs)
    with zipfile.ZipFile(folder / SPA_ENG.name, "w") as archive:
        archive.writestr(SPA_ENG.member, lines)


def pairs_of(text):
    return list(zip(*text, strict=True))


@pytest.mark.parametrize("text", ["raw", "tok"])
@pytest.mark.parametrize(("source", "target"), DIRECTIONS)
def test_multi30k_goes_from_any_of_its_languages_to_any(tmp_path, source, target, text):
    write_multi30k(tmp_path, text)
    corpus = load("multi30k", source, target, text, tmp_path, verify=False)
    assert (corpus.name, corpus.text) == ("multi30k", text)
    assert (corpus.source_language, corpus.target_language) == (source, target)
    assert list(corpus.splits) == list(MULTI30K_SPLITS)
    for split, pairs in corpus.splits.items():
        assert pairs_of(pairs) == [
            (f"{source} {split} {i}", f"{target} {split} {i}") for i in (1, 2)
        ]


@pytest.mark.parametrize(
    ("given", "direction"),
    [
        ({}, ("en", "de")),
        ({"source": "fr"}, ("fr", "en")),
        ({"target": "fr"}, ("en", "fr")),
        ({"target": "en"}, ("de", "en")),
    ],
)
def test_a_language_that_is_not_given_is_filled_in(tmp_path, given, direction):
    write_multi30k(tmp_path, "raw")
    corpus = load("multi30k", **given, data=tmp_path, verify=False)
    assert (corpus.source_language, corpus.target_language) == direction


def test_files_of_unequal_length_are_refused(tmp_path):
    write_multi30k(tmp_path, "tok")
    write(tmp_path / multi30k_file("train", "de", "tok").name, ["eins"])
    with pytest.raises(UserError, match=r"tok\.en has 2 lines, but .*tok\.de has 1"):
        load("multi30k", text="tok", data=tmp_path, verify=False)


def test_spa_eng_is_split_alike_in_both_directions(tmp_path):
    write_spa_eng(tmp_path, PAIRS + PAIRS[:20])
    there = load("spa-eng", data=tmp_path, verify=False)
    back = load("spa-eng", "es", "en", data=tmp_path, verify=False)
    assert there.grouped_references and back.grouped_references
    assert list(there.splits) == list(back.splits) == ["train", "validation", "test"]
    assert sorted(sum(map(pairs_of, there.splits.values()), [])) == sorted(PAIRS)
    for split, pairs in there.splits.items():
        assert back.splits[split] == ParallelText(pairs.target, pairs.source)


def test_spa_eng_with_another_text_is_refused_unless_told(tmp_path):
    write_spa_eng(tmp_path, PAIRS)
    with pytest.raises(UserError, match=rf"expected {SPA_ENG.sha256}.*--no-verify"):
        load("spa-eng", data=tmp_path)


def test_the_phrase_book_is_built_in(fake_phrasebook):
    there, back = load("phrasebook"), load("phrasebook", source="es")
    assert {split: len(text.source) for split, text in there.splits.items()} == {
        "train": 3,
        "validation": 1,
        "test": 2,
    }
    assert pairs_of(there.splits["validation"]) == [("I run.", "Corro.")]
    assert pairs_of(back.splits["validation"]) == [("Corro.", "I run.")]


def test_the_phrase_book_that_is_built_in_serves_both_directions():
    there, back = load("phrasebook"), load("phrasebook", source="es")
    told = CORPORA["phrasebook"].lines["raw"]
    assert {split: len(text.source) for split, text in there.splits.items()} == told
    for split, text in there.splits.items():
        assert len(text.source) == len(text.target)
        assert back.splits[split] == ParallelText(text.target, text.source)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("multi31k",), "unknown corpus 'multi31k'. Known corpora: multi30k, spa-eng"),
        (("x.txt",), "no file x.txt, and no corpus of that name. Check the path."),
        (("texts/x",), "no file texts/x, and no corpus of that name. Check the path."),
        ((".",), "^. is a folder, and no corpus. Known corpora: "),
        (("/dev/null",), "/dev/null is no regular file, and no corpus."),
        (("multi30k", "en", "xx"), "no language 'xx'. Known: en, de, fr"),
        (("spa-eng", "de", "en"), "no language 'de'. Known: en, es"),
        (("multi30k", "en", "en"), "both 'en'. Choose two of: en, de, fr"),
        (("spa-eng", "en", "es", "tok"), "no text 'tok', only raw. .* tok: multi30k"),
        (("phrasebook", "en", "es", "tok"), "no text 'tok', only raw"),
        (("multi30k", "en", "de", "bpe"), "no text 'bpe', only raw, tok"),
    ],
)
def test_what_no_corpus_has_is_refused_with_what_there_is(arguments, message):
    with pytest.raises(UserError, match=message):
        load(*arguments)


def test_the_catalogue_tells_what_is_on_disk(tmp_path):
    write_multi30k(tmp_path, "tok")
    entries = {(entry.name, entry.text): entry for entry in catalogue(tmp_path)}
    assert list(entries) == [
        ("multi30k", "raw"),
        ("multi30k", "tok"),
        ("spa-eng", "raw"),
        ("phrasebook", "raw"),
    ]
    tokenised, raw = entries["multi30k", "tok"], entries["multi30k", "raw"]
    assert tokenised.on_disk == tokenised.files and len(tokenised.files) == 15
    assert raw.on_disk == () and raw.lines["train"] == 29_000
    assert entries["spa-eng", "raw"].files == (SPA_ENG.name,)
    built_in = entries["phrasebook", "raw"]
    assert (built_in.size, built_in.files) == (0, ())
    assert built_in.lines == CORPORA["phrasebook"].lines["raw"]


def test_the_catalogue_makes_no_phrase_book(monkeypatch):
    monkeypatch.setitem(sys.modules, "nmt.phrasebook", None)  # importing it fails
    assert {entry.name for entry in catalogue()} == set(CORPORA)


@pytest.fixture
def files(tmp_path):
    """Write two pairs of files; return a function from file name to path."""
    write(tmp_path / "my.en", [english for english, _ in PAIRS])
    write(tmp_path / "my.es", [spanish for _, spanish in PAIRS])
    write(tmp_path / "other.en", ["one", "", "three"])
    write(tmp_path / "other.es", ["uno", "dos", "tres"])
    return lambda name: tmp_path / name


def test_local_files_are_read_line_by_line(files):
    mine, other = (files("my.en"), files("my.es")), (files("other.en"),) * 2
    corpus = from_files(*mine, *mine, *other, source="en", target="es")
    assert (corpus.name, corpus.text) == ("my", "raw")
    assert (corpus.source_language, corpus.target_language) == ("en", "es")
    assert not corpus.grouped_references
    assert list(corpus.splits) == ["train", "validation", "test"]
    assert pairs_of(corpus.splits["train"]) == PAIRS
    assert pairs_of(corpus.splits["validation"]) == PAIRS
    assert len(corpus.splits["test"].source) == 3


def test_without_validation_files_some_training_pairs_are_held_out(files):
    corpus = from_files(files("my.en"), files("my.es"))
    assert list(corpus.splits) == ["train", "validation"]
    train, validation = map(pairs_of, corpus.splits.values())
    assert sorted(train + validation) == sorted(PAIRS)
    assert 1 <= len(validation) <= 6


def test_blank_sides_are_left_out_except_from_the_test(files, caplog):
    other = files("other.en"), files("other.es")
    splits = from_files(*other, *other, *other).splits
    for part in ("train", "validation"):
        assert pairs_of(splits[part]) == [("one", "uno"), ("three", "tres")]
    assert pairs_of(splits["test"])[1] == ("", "dos")
    assert caplog.text.count("left out 1 of 3 pairs") == 2


@pytest.mark.parametrize("part", ["train", "validation", "test"])
@pytest.mark.parametrize("side", ["source", "target"])
def test_half_a_pair_of_files_is_refused(files, part, side):
    given = {"train_source": files("my.en"), "train_target": files("my.es")}
    other = "target" if side == "source" else "source"
    given |= {f"{part}_{side}": files("my.en"), f"{part}_{other}": None}
    with pytest.raises(UserError, match=f"--{part}-{side} .* without --{part}-{other}"):
        from_files(**given)


def test_no_training_files_at_all_are_refused():
    with pytest.raises(UserError, match="no training text. Give --train-source"):
        from_files(None, None)


def test_local_files_of_unequal_length_are_refused(files):
    with pytest.raises(UserError, match=r"my\.en has 150 lines, .*other\.es has 3"):
        from_files(files("my.en"), files("other.es"))


def test_a_tsv_is_split_and_its_repetitions_left_out(tmp_path, caplog):
    lines = [f"{english}\t{spanish}\tCC BY 2.0" for english, spanish in PAIRS]
    path = write(tmp_path / "mine.tsv", lines + lines[:9] + ["", "so\t\t"])
    corpus = from_tsv(path, "en", "es")
    assert (corpus.name, corpus.grouped_references) == ("mine", True)
    assert list(corpus.splits) == ["train", "validation", "test"]
    assert sorted(sum(map(pairs_of, corpus.splits.values()), [])) == sorted(PAIRS)
    assert "left out 2 of 161 pairs" in caplog.text


def test_a_tsv_line_without_tab_is_refused(tmp_path):
    path = write(tmp_path / "mine.tsv", ["a\tb", "c d"])
    with pytest.raises(UserError, match=r"mine\.tsv, line 2: 0 tab"):
        from_tsv(path)


def test_the_corpora_are_loaded_without_tensorflow():
    script = (
        "import sys, nmt.corpora; "
        "print({'tensorflow', 'keras', 'pooch', 'requests'} & set(sys.modules))"
    )
    run = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert run.stdout.strip() == "set()"


@needs_multi30k
@pytest.mark.parametrize("text", ["raw", "tok"])
@pytest.mark.parametrize(("source", "target"), [("en", "de"), ("fr", "en")])
def test_the_real_multi30k_has_its_published_lines(source, target, text):
    corpus = load("multi30k", source, target, text)
    assert {
        split: len(pairs.source) for split, pairs in corpus.splits.items()
    } == CORPORA["multi30k"].lines[text]
    assert all(
        line for pairs in corpus.splits.values() for side in pairs for line in side
    )


@needs_multi30k
@needs_spa_eng
def test_the_real_files_unpack_to_their_published_sizes():
    for corpus in ("multi30k", "spa-eng"):
        for file in remote_files(corpus, "raw"):
            assert len(fetch(file, data_folder())) == file.text_size


@needs_spa_eng
def test_the_real_spa_eng_is_split_without_leaks():
    corpus = load("spa-eng", "es", "en")
    assert {
        split: len(pairs.source) for split, pairs in corpus.splits.items()
    } == CORPORA["spa-eng"].lines["raw"]
    for side in ("source", "target"):
        parts = [set(getattr(pairs, side)) for pairs in corpus.splits.values()]
        assert sum(map(len, parts)) == len(set.union(*parts))
