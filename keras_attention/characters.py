"""Characters as readers see them: what belongs together, how wide, in which script."""

import unicodedata

JOINER = "\u200d"  # ZWJ: makes one emoji of several
EMOJI_STYLE = "\ufe0f"  # asks for the wide, coloured form
# Embeddings, overrides and isolates turn round whatever text comes after them.
TURNS = {"LRE", "RLE", "PDF", "LRO", "RLO", "LRI", "RLI", "FSI", "PDI"}

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


def readable(word):
    """`word` as one line of printable text: control characters are spelled out."""
    word = str(word)
    if word.isprintable():  # nothing to spell out: the usual case, and a fast one
        return word
    return "".join(
        char.encode("unicode_escape").decode()
        if unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp")
        or unicodedata.bidirectional(char) in TURNS
        or char in "\ufffe\uffff"
        else char
        for char in word
    )


def graphemes(text):
    """Split `text` into what readers take for single characters.

    Marks stay with their letter, and the parts of a joined emoji, and the two letters
    of a flag, with each other.
    """
    clusters: list[str] = []
    for char in text:
        before = clusters[-1] if clusters else ""
        flag = len(before) == 1 and _is_flag_letter(before) and _is_flag_letter(char)
        if before and (flag or before.endswith(JOINER) or _extends(char)):
            clusters[-1] += char
        else:
            clusters.append(char)
    return clusters


def clip(text, length):
    """The first `length` code points of `text`, the last a sign if there were more.

    No character is cut through: what does not fit whole is left out.
    """
    if len(text) <= length:
        return text
    kept = ""
    for cluster in graphemes(text[:length]):
        if len(kept) + len(cluster) > length - 1:
            break
        kept += cluster
    return kept + "…"


def columns(text):
    """Columns that `text` takes on a terminal."""
    return sum(_columns(cluster) for cluster in graphemes(text))


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


def _extends(char):
    category = unicodedata.category(char)
    skin = "\U0001f3fb" <= char <= "\U0001f3ff"
    return category in ("Mn", "Mc", "Me", "Cf") or skin


def _is_flag_letter(char):
    return "\U0001f1e6" <= char <= "\U0001f1ff"


def _columns(cluster):
    if unicodedata.category(cluster[0]) in ("Mn", "Me", "Cf"):
        return 0
    wide = unicodedata.east_asian_width(cluster[0]) in "WF"
    flag = len(cluster) > 1 and _is_flag_letter(cluster[0])
    return 2 if wide or flag or EMOJI_STYLE in cluster else 1
