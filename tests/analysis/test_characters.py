import pytest

from keras_attention.analysis.characters import (
    clip,
    columns,
    graphemes,
    readable,
    text_direction,
)

FAMILY = "👨\u200d👩\u200d👧"
ACUTE = "e\u0301"


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", []),
        ("dog", ["d", "o", "g"]),
        (f"a{ACUTE}b", ["a", ACUTE, "b"]),
        (f"{FAMILY}!", [FAMILY, "!"]),
        ("👍🏽👍", ["👍🏽", "👍"]),
        ("❤\ufe0f", ["❤\ufe0f"]),
        ("🇩🇪🇫🇷", ["🇩🇪", "🇫🇷"]),
        ("\u0301a", ["\u0301", "a"]),
    ],
)
def test_what_readers_take_for_one_character_stays_together(text, parts):
    assert graphemes(text) == parts


def test_clipping_cuts_no_character_through():
    assert clip("abc", 3) == "abc"
    assert clip("abcd", 3) == "ab…"
    assert clip(ACUTE * 3, 4) == ACUTE + "…"
    assert clip("a" + FAMILY * 2, 4) == "a…"
    assert clip("ab" + "\u0301" * 5, 3) == "a…"


@pytest.mark.parametrize(
    ("text", "width"),
    [("dog", 3), ("猫", 2), (ACUTE, 1), (FAMILY, 2), ("🇩🇪", 2), ("❤\ufe0f", 2)],
)
def test_columns_are_those_of_a_terminal(text, width):
    assert columns(text) == width
    assert columns("\u200b" + text + "x") == width + 1


def test_control_characters_and_turns_of_direction_are_spelled_out():
    assert readable("a\nb\x1b[31m\u202e\u2028") == r"a\nb\x1b[31m\u202e\u2028"
    assert readable(f"نم {ACUTE}{FAMILY}") == f"نم {ACUTE}{FAMILY}"
    assert readable(3) == "3"


@pytest.mark.parametrize(
    ("tokens", "direction"),
    [
        (["שלום", "world", "עולם"], "rtl"),
        (["مرحبا", "</s>"], "rtl"),
        (["אב", "<unk>", "[SEP]"], "rtl"),  # special tokens are no text
        (["▁של", "ום", "12", "?"], "rtl"),
        (["the", "word", "שלום"], "ltr"),
        (["12", "?"], "ltr"),
        (["", "</s>"], "ltr"),
        ([], "ltr"),
    ],
)
def test_the_direction_is_that_of_most_letters(tokens, direction):
    assert text_direction(tokens) == direction
