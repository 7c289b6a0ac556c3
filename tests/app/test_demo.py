"""Tests of `nmt.app.demo`."""

import ast
import dataclasses
import io
import re
from contextlib import redirect_stdout
from functools import partial
from pathlib import Path

import pytest

from nmt.app import demo
from nmt.app.demo import run, telling_phrases
from nmt.errors import UserError
from nmt.phrasebook import Phrase, generate
from nmt.presets import PRESETS

TINY = PRESETS["demo"].replace(
    vocabulary_size=150,
    embedding_size=8,
    units=8,
    attention_units=8,
    epochs=1,
    batch_tokens=400,
)


def small_book():
    """The phrase book, with few sentences."""
    return generate(train_size=80, validation_size=10, test_size=12)


@pytest.fixture(scope="module")
def shown(tmp_path_factory):
    """The folder that a demonstration made, its results, and what it printed."""
    out = tmp_path_factory.mktemp("demo")
    printed = io.StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(printed):
        book = small_book()
        patch.setattr("nmt.phrasebook.generate", lambda: book)
        results = run(out, TINY)
        again = run(out, TINY)
        with pytest.raises(UserError, match="units is 8 there and 9 now"):
            run(out, TINY.replace(units=9))
    return out, results, again, printed.getvalue()


def test_at_least_four_pictures_are_drawn_and_named(shown):
    out, _, _, printed = shown
    pictures = sorted(out.glob("*.svg"))
    assert len(pictures) >= 4
    for picture in pictures:
        assert str(picture) in printed
        assert "<desc>Attention weights" in picture.read_text(encoding="utf-8")


def test_a_page_of_each_sentence_is_written_and_named(shown):
    out, _, _, printed = shown
    pages = out / "pages"
    assert len(list(pages.glob("[0-9]*.html"))) == len(list(out.glob("*.svg")))
    assert str(pages / "index.html") in printed
    index = (pages / "index.html").read_text(encoding="utf-8")
    assert 'href="1.html"' in index


def test_the_model_without_attention_is_scored_beside_the_other(shown):
    _, results, _, printed = shown
    attending, other = results
    assert (attending.name, other.name) == ("with attention", "without attention")
    assert 0 <= attending.alignment_error_rate <= 1
    assert other.alignment_error_rate is None
    for result in results:
        assert 0 <= result.exact_match <= 1
        assert f"{result.bleu.value:.2f}" in printed
    assert "pairs: train 80, validation 10, test 12;" in printed
    assert "On 12 sentences" in printed
    assert f"BLEU: {attending.bleu.signature}" in printed
    assert "alignment error rate" in printed and "exact match" in printed


def test_held_out_sentences_are_printed_with_their_translations(shown):
    _, _, _, printed = shown
    for phrase in telling_phrases(small_book().test):
        assert phrase.english in printed


def test_a_second_demonstration_uses_what_is_there(shown):
    _, results, again, printed = shown
    assert again == results
    assert printed.count("finished before") == 2


def test_the_readmes_example_runs_with_the_model_of_the_demo(
    shown, tmp_path, monkeypatch, capsys
):
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", readme, re.DOTALL)
    (example,) = [block for block in blocks if "nmt" in block]
    (tmp_path / "demo").symlink_to(shown[0])
    monkeypatch.chdir(tmp_path)
    exec(example, {})
    assert (tmp_path / "alignment.svg").stat().st_size > 1000
    links = ast.literal_eval(capsys.readouterr().out.splitlines()[-1])
    assert links and all(len(link) == 2 for link in links)


def test_pages_made_by_others_are_refused_before_the_training(tmp_path):
    page = tmp_path / "pages/index.html"
    page.parent.mkdir()
    page.write_text("mine")
    with pytest.raises(UserError, match="index.html was not made by nmt"):
        run(tmp_path, TINY)
    assert page.read_text() == "mine"
    assert [path.name for path in tmp_path.iterdir()] == ["pages"]


def test_both_models_are_trained_alike_but_for_the_attention(monkeypatch):
    asked = []

    class Stop(Exception):
        pass

    def train(corpus, config, out):
        asked.append((config, out.name))
        if len(asked) == 2:
            raise Stop

    monkeypatch.setattr(demo.training, "train", train)
    monkeypatch.setattr(demo.Translator, "load", lambda folder: None)
    with pytest.raises(Stop):
        run("anywhere")
    (attending, first), (other, second) = asked
    assert attending == PRESETS["demo"]
    assert other == attending.replace(attention="none")
    assert first != second


def test_phrases_whose_words_change_their_order_are_shown_first():
    phrase = partial(Phrase, spanish="x", possible=frozenset())
    straight = phrase(english="a b", sure=frozenset({(0, 0), (1, 1)}))
    crossed = phrase(english="c d", sure=frozenset({(0, 1), (1, 0)}))
    long = dataclasses.replace(crossed, english="e " * 12)
    assert telling_phrases([straight, long, crossed], 2) == [crossed, straight]
    again = phrase(english="c e", sure=crossed.sure)
    assert telling_phrases([crossed, again, straight]) == [crossed, straight, again]
    assert telling_phrases([long], 2) == [long]
