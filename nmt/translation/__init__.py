"""Translating with a trained model: search, `Translator`, export.

What needs more than Python itself is loaded when it is used: TensorFlow takes seconds.
"""

from importlib import import_module

from nmt.translation.batching import HYPOTHESES, most_pieces
from nmt.translation.formats import fields, format_result
from nmt.translation.streams import (
    CHUNK,
    ONE_SIDE,
    Fault,
    Line,
    argument_lines,
    arriving_lines,
    check_utf8,
    chunks,
    side_by_side,
    tab_pairs,
    translated,
)

_LAZY = {
    "Translation": "translation",
    "Translator": "translator",
    "Shortlist": "shortlist",
    "VOCABULARY_FILE": "folder",
    "WEIGHTS_FILE": "folder",
    "changing_checksums": "folder",
    "check_model_file": "folder",
    "check_text_files": "folder",
    "draw_weights": "translation",
    "errors_of_the_system": "system_errors",
    "export_model": "export",
    "model_file_sums": "folder",
    "load_aligner": "aligners",
    "read_checksums": "folder",
    "read_folder": "folder",
    "save_aligner": "aligners",
    "text_file_sums": "folder",
    "write_model_file": "folder",
}

__all__ = [
    "CHUNK",
    "HYPOTHESES",
    "ONE_SIDE",
    "VOCABULARY_FILE",
    "WEIGHTS_FILE",
    "Fault",
    "Line",
    "Shortlist",
    "Translation",
    "Translator",
    "argument_lines",
    "arriving_lines",
    "changing_checksums",
    "check_model_file",
    "check_text_files",
    "check_utf8",
    "chunks",
    "draw_weights",
    "errors_of_the_system",
    "export_model",
    "fields",
    "format_result",
    "model_file_sums",
    "load_aligner",
    "most_pieces",
    "read_checksums",
    "read_folder",
    "save_aligner",
    "side_by_side",
    "tab_pairs",
    "text_file_sums",
    "translated",
    "write_model_file",
]


def __getattr__(name):
    if name in _LAZY:
        return getattr(import_module(f"nmt.translation.{_LAZY[name]}"), name)
    raise AttributeError(f"module 'nmt.translation' has no attribute {name!r}")
