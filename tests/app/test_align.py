"""Tests of `nmt align`; `test_score.py` has what it shares with `nmt score`."""

import json
from pathlib import Path

import pytest

from nmt.app.cli import main
from nmt.translation.translator import Translator

MODEL = str(Path(__file__).parents[1] / "data/before_rooms/nmt_model")
PAIRS = [("the cat sleeps.", "el gato duerme."), ("a big dog", "un perro")]
TSV = b"the cat sleeps.\tel gato duerme.\n\na big dog\tun perro\tby X\n"


@pytest.fixture(scope="module")
def loaded():
    return Translator.load(MODEL)


@pytest.fixture
def translator(loaded, monkeypatch):
    monkeypatch.setattr("nmt.app.inputs.load_translator", lambda *given: loaded)
    return loaded


def test_each_pair_has_its_links(translator, stdin, capsys):
    stdin(TSV)
    assert main(["align", "--model", MODEL]) == 0
    first, blank, last = capsys.readouterr().out.splitlines()
    assert blank == ""
    for line, pair in ((first, PAIRS[0]), (last, PAIRS[1])):
        links = [tuple(map(int, link.split("-"))) for link in line.split()]
        assert links == translator.align(*pair)
        assert {target for _, target in links} == set(range(len(pair[1].split())))
    stdin(TSV)
    assert main(["align", "--model", MODEL, "--json"]) == 0
    values = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert values[2]["source_words"] == ["a", "big", "dog"]
    assert values[2]["target_words"] == ["un", "perro"]
    assert [tuple(link) for link in values[2]["links"]] == translator.align(*PAIRS[1])
    assert values[1].keys() == values[0].keys() and not any(values[1].values())


def test_words_are_counted_as_they_were_typed(translator, stdin, capsys, monkeypatch):
    config = translator.config.replace(text="tok")
    monkeypatch.setattr(translator, "config", config)
    stdin("The cat's (big) dog, here!\tEl gato, ¿perro?\n".encode())
    assert main(["align", "--model", MODEL, "--json"]) == 0
    values = json.loads(capsys.readouterr().out)
    assert values["source_words"] == ["The", "cat's", "(big)", "dog,", "here!"]
    assert values["target_words"] == ["El", "gato,", "¿perro?"]
    assert {target for _, target in values["links"]} == {0, 1, 2}
    assert all(source < 5 for source, _ in values["links"])
