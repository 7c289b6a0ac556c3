"""Translating with a trained model: search, `Translator`, `Translation`.

What needs more than Python itself is loaded when it is used: TensorFlow takes seconds.
"""

from importlib import import_module

from nmt.translation.streams import (
    CHUNK,
    arriving_lines,
    check_utf8,
    checked_texts,
    chunks,
    fields,
    format_result,
    translated,
)

_LAZY = {
    "Translation": "translation",
    "Translator": "translator",
    "VOCABULARY_FILE": "folder",
    "WEIGHTS_FILE": "folder",
    "read_folder": "folder",
}

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
    "format_result",
    "read_folder",
    "translated",
]


def __getattr__(name):
    if name in _LAZY:
        return getattr(import_module(f"nmt.translation.{_LAZY[name]}"), name)
    raise AttributeError(f"module 'nmt.translation' has no attribute {name!r}")
