"""Scripts, and fonts that have their letters."""

import unicodedata

_CJK = [f"Noto Sans CJK {region}" for region in ("SC", "JP", "KR", "TC", "HK")]
# By the first word of a character's Unicode name: the script as readers call it, and
# fonts that have it, the first of them the one to install.
SCRIPTS = {
    "CJK": (
        "Chinese characters",
        [*_CJK, "PingFang SC", "Microsoft YaHei", "WenQuanYi Zen Hei"],
    ),
    "HIRAGANA": (
        "Japanese",
        ["Noto Sans CJK JP", *_CJK, "Hiragino Sans", "Yu Gothic", "IPAGothic"],
    ),
    "HANGUL": (
        "Korean",
        ["Noto Sans CJK KR", *_CJK, "Apple SD Gothic Neo", "Malgun Gothic"],
    ),
    "EMOJI": ("emoji", ["Noto Emoji", "Symbola", "Segoe UI Emoji"]),
    "SYMBOLS": (
        "symbols",
        ["Noto Sans Symbols 2", "Noto Emoji", "Symbola", "Segoe UI Symbol"],
    ),
}
SAME_SCRIPT = {
    "KATAKANA": "HIRAGANA",
    "KATAKANA-HIRAGANA": "HIRAGANA",
    "IDEOGRAPHIC": "CJK",
    "FULLWIDTH": "CJK",
    "HALFWIDTH": "HIRAGANA",
}
LAST_FONTS = ["Arial Unicode MS", "FreeSans", "FreeSerif", "Unifont"]


def script(char):
    """Name of the script of `char`, and fonts that have it, the best first."""
    name = unicodedata.name(char, "UNKNOWN").split()[0]
    name = SAME_SCRIPT.get(name, name)
    if name not in SCRIPTS and unicodedata.category(char)[0] not in "LM":
        name = "EMOJI" if char >= "\U0001f000" else "SYMBOLS"
    title = name.title()
    default = (title, [f"Noto Sans {title}", f"Noto Serif {title}", f"Lohit {title}"])
    label, fonts = SCRIPTS.get(name, default)
    return label, fonts + LAST_FONTS


def fallback_fonts(words, installed):
    """The installed fonts to fall back on for the scripts in `words`.

    Args:
        words: Strings.
        installed: Names of fonts.

    Returns:
        List of names. Japanese and Korean fonts come first where their own letters
        are, as they write Chinese characters in their own way too.
    """
    scripts = {}
    for char in dict.fromkeys("".join(words)):
        # What comes before are Latin letters, which every font has.
        if ord(char) > 0x24F:
            label, fonts = script(char)
            scripts[label] = fonts
    labels = sorted(scripts, key=lambda label: label not in ("Japanese", "Korean"))
    found = [
        next((font for font in scripts[label] if font in installed), None)
        for label in labels
    ]
    return list(dict.fromkeys(font for font in found if font))
