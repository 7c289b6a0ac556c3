"""Tests of `nmt.text.published`."""

import gzip
import os
import re
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from nmt.text.published import _apostrophe, as_published, published_words
from nmt.text.vocabulary import split_words

DATA = os.environ.get("NMT_DATA")


@pytest.mark.parametrize(
    ("language", "text", "published"),
    [
        ("en", "Two dogs, one cat.", "two dogs , one cat ."),
        (
            "en",
            "The man's T-shirt isn't red!",
            "the man &apos;s t-shirt isn &apos;t red !",
        ),
        ("en", "In the 1990's: 3,500 people", "in the 1990 &apos;s : 3,500 people"),
        ("en", "“Yes” — he said…", "&quot; yes &quot; - he said ..."),
        ("en", 'A sign says "stop".', "a sign says &quot; stop . &quot;"),
        ("de", "Er sagt: „Halt.“", "er sagt : &quot; halt &quot; ."),
        ("de", "Die 10. Frau bei McDonald's", "die 10. frau bei mcdonald &apos; s"),
        ("fr", "L'homme s'assoit.", "l&apos; homme s&apos; assoit ."),
        ("fr", "(Il dort)\u00a0?", "( il dort ) ?"),
        (
            "en",
            "The U.S. Navy [A&B] | 5 < 6",
            "the u.s. navy &#91; a &amp; b &#93; &#124; 5 &lt; 6",
        ),
        ("es", "¿Qué?  ¡No!", "¿ qué ? ¡ no !"),
        ("en", "a_b  \t c", "a _ b c"),
        ("en", "", ""),
        ("en", "  ", ""),
    ],
)
def test_words_and_signs_are_set_apart_in_small_letters(language, text, published):
    assert as_published(text, language) == published
    assert as_published(published, language) == published


@given(st.text("aB .,'\"&;?-1_’äL"), st.sampled_from(["en", "de", "fr"]))
def test_what_was_changed_once_stays(text, language):
    published = as_published(text, language)
    assert as_published(published, language) == published


@given(
    st.text("aB .,'\"&;?-1_’äLΣ—\u00a0\x1c\n"),
    st.sampled_from(["en", "de", "fr"]),
)
@example("1 \x1c", "en")
def test_each_word_as_it_was_typed_has_its_published_words(text, language):
    words = published_words(text, language)
    assert len(words) == len(split_words(text))
    # Nothing is left of a word that is a control character.
    assert " ".join(filter(None, words)) == as_published(text, language)


def test_words_and_signs_belong_to_the_word_that_they_were_typed_in():
    words = published_words("The man's T-shirt (red) isn't old.", "en")
    assert words == ["the", "man &apos;s", "t-shirt", "( red )", "isn &apos;t", "old ."]
    assert published_words("l&apos; homme .", "fr") == ["l&apos;", "homme", "."]


@pytest.mark.parametrize("run", ["…", "."])
def test_a_long_run_of_full_stops_takes_time_that_grows_with_its_length_alone(run):
    # With the square of its length it would be many minutes.
    assert as_published("A" + run * 2**17, "de").startswith("a ...")


def test_of_a_text_with_an_apostrophe_its_neighbours_alone_are_read():
    read = []

    class Text(str):
        def __getitem__(self, place):
            part = super().__getitem__(place)
            read.append(len(part))
            return part

    for found in re.finditer("'", Text("'it's his' " * 9)):
        _apostrophe(found, "en")
    assert set(read) == {0, 1}


@pytest.mark.skipif(not DATA, reason="needs the folder of corpora, NMT_DATA")
@pytest.mark.parametrize("language", ["en", "de", "fr"])
def test_sentences_become_what_their_publishers_made_of_them(language):
    begin = Path(DATA, "multi30k", "test_2016_flickr")
    raw = gzip.open(f"{begin}.{language}.gz", "rt", encoding="utf-8").readlines()
    tok = Path(f"{begin}.lc.norm.tok.{language}").read_text("utf-8").splitlines()
    made = [as_published(line.rstrip("\n"), language) for line in raw]
    assert sum(map(str.__eq__, made, tok)) >= 999
    assert [as_published(line, language) for line in tok] == tok
