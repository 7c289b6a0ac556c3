"""Tests of `nmt.evaluation.evaluation`."""

import dataclasses
import json
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from nmt.corpora.corpora import Corpus
from nmt.corpora.parallel import ParallelText
from nmt.errors import UserError
from nmt.evaluation.evaluation import (
    evaluate,
    exact_match,
    group_references,
    in_chunks,
    translation_scores,
)

HYPOTHESES = ["Two dogs play in the snow .", "A man rides a red bike."]
REFERENCES = ["Two dogs play in deep snow .", "a man rides a bike."]


class Echo:
    """A translator that gives back its source; half of its first choices are right."""

    def __init__(self, attention="bahdanau"):
        self.config = SimpleNamespace(model=SimpleNamespace(attention=attention))
        self.asked = []

    def __call__(self, texts, beam_size=5, **options):
        self.asked.append((list(texts), beam_size))
        self.options = options
        return [SimpleNamespace(text=text) for text in texts]

    def count_pieces(self, texts, side="source"):
        return [len(text.split()) + 1 for text in texts]

    def force(self, sources, targets):
        assert all(map(str.strip, (*sources, *targets)))
        return [
            SimpleNamespace(
                weights=np.array([[0.5, 0.5], [0.0, 1.0]]),
                correct=np.array([True, False]),
            )
            for _ in sources
        ]


def corpus(pairs, text="raw", grouped=False):
    return Corpus("news", "en", "de", text, {"test": ParallelText(*pairs)}, grouped)


@pytest.mark.parametrize("tokenized", [False, True])
def test_scores_equal_those_of_the_sacrebleu_command(tmp_path, tokenized):
    for name, lines in (("hypotheses", HYPOTHESES), ("references", REFERENCES)):
        (tmp_path / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
    done = subprocess.run(
        [
            *(sys.executable, "-m", "sacrebleu", tmp_path / "references"),
            *("-i", tmp_path / "hypotheses", "-m", "bleu", "chrf", "ter", "-w", "6"),
            *("--tokenize", "none" if tokenized else "13a", "--force"),
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    theirs = [
        (row["name"], row["score"], row["signature"]) for row in json.loads(done.stdout)
    ]
    ours = translation_scores(HYPOTHESES, [[r] for r in REFERENCES], tokenized)
    for (name, value, signature), score in zip(theirs, ours, strict=True):
        assert name.startswith(score.name)
        assert score.value == pytest.approx(value, abs=1e-5)
        assert score.signature == signature


def test_several_references_of_unequal_number_are_scored_with_and_without_case():
    scores = translation_scores(
        ["Two dogs play here now.", "a man rides a bike."],
        [["One dog.", "two dogs play here now."], ["A man rides a bike."]],
        grouped=True,
    )
    bleu, lowercased = scores[:2]
    assert (bleu.name, lowercased.name) == ("BLEU", "BLEU -lc")
    assert bleu.value < lowercased.value == pytest.approx(100)
    assert "nrefs:var|case:mixed" in bleu.signature
    assert "nrefs:var|case:lc" in lowercased.signature


def test_references_are_grouped_by_source():
    assert group_references(["a", "b", "a"], ["x", "y", "z"]) == (
        ["a", "b"],
        [["x", "z"], ["y"]],
    )


def test_an_exact_match_is_any_of_the_references():
    assert exact_match(["a", "b", "c"], [["x", "a"], ["b"], ["C"]]) == 2 / 3


def test_an_evaluation_counts_sentences_pieces_and_attention():
    echo = Echo()
    text = corpus((["one two three four", "five"], ["one two three four", "six"]))
    result = evaluate(echo, text, "test", beam_size=3)
    assert {beam for _, beam in echo.asked} == {3}
    assert (result.num_sentences, result.num_references) == (2, 2)
    assert result.exact_match == result.token_accuracy == 0.5
    assert result.entropy == pytest.approx(0.5)
    assert result.concentration == pytest.approx(0.75)
    assert result.alignment_error_rate is None
    assert result.seconds_per_sentence >= 0
    assert [score.name for score in result.scores] == ["BLEU", "chrF", "TER"]
    assert "tok:13a" in result.scores[0].signature


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({}, ""),
        ({"coverage_penalty": 0.2}, ", coverage penalty 0.2"),
        (
            {"length_penalty": 0.0, "coverage_penalty": 0.0},
            ", length penalty 0, coverage penalty 0",
        ),
    ],
)
def test_penalties_that_are_chosen_go_to_the_search_and_are_told(options, told):
    echo = Echo()
    result = evaluate(echo, corpus((["a"], ["a"])), "test", **options)
    assert echo.options == options
    heading = result.table().splitlines()[0]
    assert heading == f"news en-de, raw text, test: 1 sentences, beam 5{told}"
    values = result.to_dict()
    assert values["length_penalty"] == options.get("length_penalty")
    assert values["coverage_penalty"] == options.get("coverage_penalty")


def test_tokenised_text_is_scored_on_its_tokens():
    text = corpus((["a b"], ["a b"]), text="tok")
    bleu = evaluate(Echo(), text, "test").scores[0]
    assert "tok:none" in bleu.signature


def test_grouped_references_give_one_row_per_distinct_source():
    echo = Echo()
    pairs = (["hi there", "hi there", "so"], ["hello there", "hi there", "thus"])
    result = evaluate(echo, corpus(pairs, grouped=True), "test")
    assert echo.asked[-1][0] == ["hi there", "so"]
    assert (result.num_sentences, result.num_references) == (2, 3)
    assert result.exact_match == 0.5
    assert "2 sentences, 3 references" in result.table()


def test_blank_lines_of_a_test_file_are_kept_in_step():
    echo = Echo()
    result = evaluate(echo, corpus((["", "a"], ["", "b"])), "test")
    assert result.num_sentences == 2
    assert result.exact_match == 0.5


def test_a_split_without_a_single_pair_is_refused():
    with pytest.raises(UserError, match="test of news holds no pair of sentences"):
        evaluate(Echo(), corpus((["a", ""], ["", "b"])), "test")


def test_a_shortlist_is_told():
    result = evaluate(Echo(), corpus((["a"], ["a"])), "test", shortlist=200)
    assert "beam 5, shortlist 200\n" in result.table()
    assert result.to_dict()["shortlist"] == 200


def test_gold_links_are_read_before_anything_is_translated(tmp_path):
    (tmp_path / "gold").mkdir()
    (tmp_path / "gold" / "golden.en-es.tsv").write_text("a\tb\t0-9\n", "utf-8")
    text = dataclasses.replace(corpus((["a"], ["a"])), target_language="es")
    echo = Echo()
    with pytest.raises(UserError, match="must be links i-j"):
        evaluate(echo, text, "test", data=tmp_path)
    assert not echo.asked


def test_gold_links_of_another_text_are_told_by_their_file():
    result = evaluate(Echo(), corpus((["a"], ["a"])), "test")
    told = dataclasses.replace(result, num_aligned=3)
    assert "on 3 pairs of gold/golden.en-es.tsv\n" in told.table()
    own = dataclasses.replace(told, corpus="phrasebook")
    assert "on 3 pairs\n" in own.table()


def test_a_model_without_attention_has_no_attention_numbers():
    result = evaluate(Echo(attention="none"), corpus((["a"], ["a"])), "test")
    assert result.entropy is result.concentration is result.alignment_error_rate is None
    assert "no attention: nothing links words" in result.table()


def test_the_table_shows_every_number_and_signature():
    result = evaluate(Echo(), corpus((["a"], ["a"])), "test")
    table = result.table()
    assert "news en-de, raw text, test: 1 sentences, beam 5\n" in table
    assert "no gold links" in table
    for score in result.scores:
        assert score.signature in table
    for name in ("token accuracy", "entropy", "concentration", "alignment error"):
        assert name in table


def test_an_evaluation_can_be_written_as_json():
    result = evaluate(Echo(), corpus((["a"], ["b"])), "test")
    values = json.loads(json.dumps(result.to_dict()))
    assert values["split"] == "test"
    assert [score["name"] for score in values["scores"]] == ["BLEU", "chrF", "TER"]
    assert all(score["signature"] for score in values["scores"])


def test_an_unknown_split_is_refused_with_those_that_there_are():
    with pytest.raises(UserError, match=r"no split 'best'. Known: test"):
        evaluate(Echo(), corpus((["a"], ["a"])), "best")


def test_work_in_chunks_keeps_the_order(monkeypatch):
    monkeypatch.setattr("nmt.evaluation.evaluation.CHUNK", 2)
    seen = []

    def double(part):
        seen.append(len(part))
        return [2 * item for item in part]

    assert in_chunks(double, [1, 2, 3, 4, 5]) == [2, 4, 6, 8, 10]
    assert seen == [2, 2, 1]
