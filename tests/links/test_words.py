"""Tests of `nmt.links.words`."""

from nmt.links.words import tokens_of_words


def test_signs_are_tokens_and_those_of_a_word_have_no_links_of_their_own():
    tokens, owners = tokens_of_words(["¿Dónde", "está", "(él)", "?", "don't", "..."])
    assert tokens == [
        *("¿", "dónde", "está", "(", "él", ")", "?", "don", "'", "t"),
        *(".", ".", "."),
    ]
    assert owners == [None, 0, 1, None, 2, None, 3, 4, None, 4, 5, 5, 5]


def test_the_signs_that_publishers_write_by_name_are_signs():
    assert tokens_of_words(["&apos;s", "&quot;"]) == (["'", "s", '"'], [None, 0, 1])


def test_a_word_of_no_known_characters_is_a_token():
    assert tokens_of_words(["\x1c", "a"]) == (["\x1c", "a"], [0, 1])


def test_a_word_that_stands_for_no_character_is_taken_as_it_is():
    tokens, owners = tokens_of_words(["&#x1;", "a"])
    assert tokens == ["&", "#", "x1", ";", "a"]
    assert owners == [None, None, 0, None, 1]


def test_marks_stay_with_their_letters():
    words = ["हिन्दी", "İstanbul", "cafe\u0301,"]
    tokens, owners = tokens_of_words(words)
    assert tokens == ["हिन्दी", "i\u0307stanbul", "cafe\u0301", ","]
    assert owners == [0, 1, 2, None]
