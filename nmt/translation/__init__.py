"""Translating with a trained model: search, `Translator`, `Translation`.

`Translator` and `Translation` are loaded when they are used: they wait for TensorFlow.
"""

from nmt.translation.streams import (
    CHUNK,
    arriving_lines,
    check_utf8,
    checked_texts,
    chunks,
    fields,
    translated,
    written,
)

__all__ = [
    "CHUNK",
    "VOCABULARY_FILE",
    "WEIGHTS_FILE",
    "Translation",
    "Translator",
    "arriving_lines",
    "check_utf8",
    "checked_texts",
    "chunks",
    "fields",
    "translated",
    "written",
]


def __getattr__(name):
    if name in __all__:
        from nmt.translation import translator

        return getattr(translator, name)
    raise AttributeError(f"module 'nmt.translation' has no attribute {name!r}")
