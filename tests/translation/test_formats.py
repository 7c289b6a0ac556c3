"""Tests of `nmt.translation.formats`."""

import json
from types import SimpleNamespace

import numpy as np

from nmt.translation.formats import format_result


def translation(text="hola", score=-1.5):
    return SimpleNamespace(
        source="hello",
        text=text,
        score=score,
        source_tokens=["▁hello", "</s>"],
        target_tokens=["▁hola", "</s>"],
        weights=np.array([[0.9, 0.1], [0.25, 0.75]], "float32"),
        doubts=("low score",),
    )


def test_a_translation_is_one_line_and_a_blank_line_stays_blank():
    assert format_result(translation(), 1) == "hola"
    assert format_result(None, 1) == ""


def test_the_best_translations_are_lines_with_number_and_score():
    both = [translation(), translation("oye", -2)]
    assert format_result(both, 7, 2) == "7\t-1.5000\thola\n7\t-2.0000\toye"
    assert format_result(None, 7, 2) == ""


def test_an_object_holds_text_score_pieces_and_weights():
    values = json.loads(format_result(translation(), 1, as_json=True))
    assert values == {
        "source": "hello",
        "text": "hola",
        "score": -1.5,
        "source_tokens": ["▁hello", "</s>"],
        "target_tokens": ["▁hola", "</s>"],
        "weights": [[0.9, 0.1], [0.25, 0.75]],
        "doubts": ["low score"],
    }
    assert json.loads(format_result(None, 1, as_json=True)).keys() == values.keys()


def test_the_best_translations_are_a_list_of_objects():
    both = [translation(), translation("oye")]
    values = json.loads(format_result(both, 1, 2, as_json=True))
    assert [value["text"] for value in values] == ["hola", "oye"]
    assert json.loads(format_result(None, 1, 2, as_json=True)) == []
