"""Tests of `nmt evaluate` on files."""

import json
from pathlib import Path

import pytest

from nmt.app.cli import main
from nmt.config import LONGEST
from nmt.translation.translator import Translator

MODEL = Path(__file__).parents[1] / "data/before_rooms/nmt_model"


@pytest.fixture
def model(monkeypatch):
    translator = Translator.load(MODEL)
    monkeypatch.setattr("nmt.app.inputs.load_translator", lambda *given: translator)
    return translator


def files(folder, source, target):
    for name, lines in (("news.en", source), ("news.es", target)):
        (folder / name).write_text("".join(f"{line}\n" for line in lines), "utf-8")
    paths = ["--source-file", folder / "news.en", "--target-file", folder / "news.es"]
    return ["evaluate", "--model", str(MODEL), "--beam", "2", *map(str, paths)]


def test_files_are_scored_like_a_split(model, tmp_path, capsys):
    sources = ["the dog eats here.", "", "the cat sleeps."]
    best = [model(text, beam_size=2).text if text else "" for text in sources]
    command = files(tmp_path, sources, best)
    assert main(command) == 0
    table = capsys.readouterr().out
    assert "news.en en-es, raw text, news.es: 3 sentences, beam 2" in table
    # The data folder has gold links.
    gold = tmp_path / "data/gold/golden.en-es.tsv"
    gold.parent.mkdir(parents=True)
    gold.write_text("the dog\tel perro\t0-0 1-1\n")
    assert main([*command, "--json", "--data", str(tmp_path / "data")]) == 0
    scores = json.loads(capsys.readouterr().out)
    assert scores["num_aligned"] == 1
    assert (scores["corpus"], scores["split"]) == ("news.en", "news.es")
    assert scores["scores"][0]["value"] == pytest.approx(100)
    assert scores["exact_match"] == 1


def test_penalties_of_the_search_are_those_that_are_given(model, tmp_path, capsys):
    sources = ["the dog eats here.", "the cat sleeps."]
    options = {"length_penalty": 0.0, "coverage_penalty": 3.0}
    wanted = [each.text for each in model(sources, beam_size=2, **options)]
    assert wanted != [each.text for each in model(sources, beam_size=2)]
    flags = ["--length-penalty", "0", "--coverage-penalty", "3", "--json"]
    assert main([*files(tmp_path, sources, wanted), *flags]) == 0
    scores = json.loads(capsys.readouterr().out)
    assert scores["exact_match"] == 1
    assert (scores["length_penalty"], scores["coverage_penalty"]) == (0, 3)


def test_references_are_in_the_form_that_the_model_writes(
    model, tmp_path, monkeypatch, capsys
):
    config = model.config.replace(text="tok")
    monkeypatch.setattr("nmt.app.inputs.load_config", lambda folder: config)
    tok = Translator(model.model, model.vocabulary, config)
    monkeypatch.setattr("nmt.app.inputs.load_translator", lambda *given: tok)
    scores = []
    for source, target in [
        ("The dog, here.", "El perro COME, aquí."),
        ("the dog , here .", "el perro come , aquí ."),
    ]:
        assert main([*files(tmp_path, [source], [target]), "--json"]) == 0
        scores.append(json.loads(capsys.readouterr().out))
        scores[-1].pop("seconds_per_sentence")
    assert scores[0] == scores[1]
    assert "tok:none" in scores[0]["scores"][0]["signature"]


def test_files_that_cannot_be_scored_are_refused(model, refused, tmp_path):
    command = files(tmp_path, ["a", "b"], ["c"])
    assert "news.en has 2 lines, but" in refused(*command)
    assert "--split has no use with files." in refused(*command, "--split", "test")
    assert "--no-verify has no use with files." in refused(*command, "--no-verify")
    assert "--target-file is missing." in refused(*command[:-2])


def test_each_file_is_counted_in_its_language(model, tmp_path, monkeypatch, capsys):
    counted = []

    def count_pieces(texts, side):
        counted.append((texts, side))
        return [LONGEST + (side == "target")] * len(texts)

    monkeypatch.setattr(model, "count_pieces", count_pieces)
    assert main(files(tmp_path, ["a"], ["b"])) == 2
    assert "news.es, line 1: " in capsys.readouterr().err
    assert counted == [(["a"], "source"), (["b"], "target")]


def test_a_line_that_is_too_long_is_told_by_its_number(model, tmp_path, capsys):
    assert main(files(tmp_path, ["a", "b"], ["c", "dog " * LONGEST])) == 2
    out, err = capsys.readouterr()
    assert out == "" and "news.es, line 2: " in err and "at most 1023 are" in err
