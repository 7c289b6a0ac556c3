"""Scripts and the fonts that have them."""

import pytest

from keras_attention.plots.fonts import fallback_fonts, script


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
