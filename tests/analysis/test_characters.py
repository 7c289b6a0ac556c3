import pytest

from keras_attention.analysis.characters import clip, columns, graphemes, readable
from keras_attention.plots.fonts import fallback_fonts, script

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
    ("char", "label", "font"),
    [
        ("猫", "Chinese characters", "Noto Sans CJK SC"),
        ("。", "Chinese characters", "Noto Sans CJK SC"),
        ("が", "Japanese", "Noto Sans CJK JP"),
        ("カ", "Japanese", "Noto Sans CJK JP"),
        ("가", "Korean", "Noto Sans CJK KR"),
        ("न", "Devanagari", "Noto Sans Devanagari"),
        ("😀", "emoji", "Noto Emoji"),
        ("⟿", "symbols", "Noto Sans Symbols 2"),
    ],
)
def test_a_character_has_a_script_and_a_font(char, label, font):
    assert script(char)[0] == label
    assert script(char)[1][0] == font


def test_fonts_are_chosen_by_the_scripts_of_the_words():
    installed = {"Noto Sans CJK SC", "Noto Sans CJK JP", "Noto Sans Thai", "FreeSans"}
    assert fallback_fonts(["dog", "Straße"], installed) == []
    assert fallback_fonts(["猫"], installed) == ["Noto Sans CJK SC"]
    assert fallback_fonts(["猫が"], installed)[0] == "Noto Sans CJK JP"
    assert fallback_fonts(["ไทย", "न"], installed) == ["Noto Sans Thai", "FreeSans"]
    assert fallback_fonts(["猫"], set()) == []
