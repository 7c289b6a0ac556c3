"""Tests of `nmt score`, and of what it has in common with `nmt align`."""

import gzip
import json
from pathlib import Path

import pytest

from nmt.app.cli import main
from nmt.config import LONGEST, Config
from nmt.translation.translator import Translator

MODEL = Path(__file__).parents[1] / "data/before_rooms/nmt_model"
PAIRS = [
    ("the cat sleeps.", "el gato duerme."),
    ("", ""),
    ("a dog runs here now.", "un perro corre."),
    ("my son sings.", "mi hijo canta en casa."),
]
TSV = "".join(f"{source}\t{target}\n" for source, target in PAIRS).encode()


@pytest.fixture(scope="module")
def translator():
    return Translator.load(MODEL)


@pytest.fixture
def score(translator, monkeypatch, stdin, capsys):
    """Run the command on bytes; give the status, the lines and the notes."""
    monkeypatch.setattr("nmt.app.inputs.load_translator", lambda *given: translator)

    def run(content, *options):
        stdin(content)
        status = main(["score", "--model", str(MODEL), *map(str, options)])
        out, err = capsys.readouterr()
        return status, out.splitlines(), err.splitlines()

    return run


def test_each_pair_has_its_log_probability_and_that_of_a_word(score, translator):
    status, out, notes = score(TSV, "--batch-size", "2")
    assert (status, notes, out[1]) == (0, [], "")
    for line, (source, target) in zip(out, PAIRS, strict=True):
        if line:
            (forced,) = translator.force([source], [target])
            whole, per_word = map(float, line.split("\t"))
            assert whole == pytest.approx(forced.score, abs=2e-4)
            assert per_word == pytest.approx(whole / len(target.split()), abs=1e-3)


def test_files_are_scored_like_pairs_on_a_pipe(score, tmp_path):
    source, target = tmp_path / "text.en", tmp_path / "text.es.gz"
    source.write_text("".join(f"{line}\n" for line, _ in PAIRS), "utf-8")
    lines = "".join(f"{line}\r\n" for _, line in PAIRS)
    target.write_bytes(gzip.compress(lines.encode()))
    files = score(b"", "--source-file", source, "--target-file", target)
    assert files == score(TSV)


def test_an_object_has_the_score_of_each_word(score):
    _, out, _ = score(TSV, "--json")
    values = [json.loads(line) for line in out]
    assert values[0]["source"] == "the cat sleeps."
    assert values[0]["target"] == "el gato duerme."
    assert values[0]["words"] == ["el", "gato", "duerme.", "</s>"]
    assert sum(values[0]["word_scores"]) == pytest.approx(values[0]["score"], abs=1e-4)
    assert values[0]["score_per_word"] == pytest.approx(values[0]["score"] / 3)
    assert values[1].keys() == values[0].keys() and not any(values[1].values())


FAULTY = (
    *(b"the cat sleeps.\tel gato.", b"no tab", b"a cat\t ", b"the \xff\tel gato"),
    *(b"the cat\t" + b"gato " * LONGEST, b"my son sings.\tmi hijo canta."),
)


@pytest.mark.parametrize(
    ("number", "complaint"),
    [(2, "no tab"), (3, "one side is blank"), (4, "byte 0xff"), (5, "at most 1023")],
)
def test_a_faulty_pair_ends_the_work_after_the_scores_before_it(
    score, number, complaint
):
    status, out, (error,) = score(b"\n".join([FAULTY[0], FAULTY[number - 1]]))
    assert status == 2 and len(out) == 1
    assert "standard input, line 2: " in error and complaint in error


def test_a_faulty_pair_is_skipped_or_cut(score):
    content = b"\n".join(FAULTY)
    status, out, notes = score(content, "--on-error", "skip")
    assert (status, len(notes)) == (1, 4)
    assert [bool(line) for line in out] == [True, *[False] * 4, True]
    status, out, notes = score(content, "--on-error", "truncate")
    assert (status, len(notes)) == (1, 4)
    assert [bool(line) for line in out] == [True, False, False, True, True, True]


def test_files_of_unequal_length_are_told_after_the_scores(score, tmp_path):
    for name, lines in (("a", "x\ny\n"), ("b", "x\n")):
        (tmp_path / name).write_text(lines)
    files = ("--source-file", tmp_path / "a", "--target-file", tmp_path / "b")
    status, out, (error,) = score(b"", *files)
    assert status == 2 and len(out) == 1
    assert "line 2: " in error and "b has no such line. Line n of one must" in error


def test_what_is_missing_is_told(refused, tmp_path, monkeypatch):
    line = refused("score", "--model", "m", "--source-file", "x")
    assert line == "--target-file is missing. Give both files of the pair."
    line = refused("align", "--model", "m", "--target-file", "x")
    assert line.startswith("--source-file is missing.")
    files = ("--source-file", tmp_path / "x", "--target-file", tmp_path / "y")
    assert "x. Check the path." in refused("score", "--model", "m", *files)
    monkeypatch.setattr("sys.stdin", None)
    assert "standard input is closed" in refused("score", "--model", "m")


def test_a_model_without_attention_links_nothing(refused, stdin, tmp_path):
    stdin(b"")
    Config().replace(attention="none").save(tmp_path / "config.json")
    line = refused("align", "--model", tmp_path)
    assert line.endswith("attention: it links no words. Add --links best.")
