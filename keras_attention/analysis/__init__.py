"""Weights as numbers, on NumPy alone: words from pieces, links, entropy, coverage."""

from keras_attention.analysis.alignment import (
    Gold,
    alignment_error_rate,
    gold_links,
    hard_links,
    parse_links,
)
from keras_attention.analysis.characters import (
    clip,
    columns,
    graphemes,
    readable,
    text_direction,
)
from keras_attention.analysis.checks import (
    TOLERANCE,
    check_choice,
    check_range,
    check_sentence_pair,
    check_strings,
)
from keras_attention.analysis.diagnostics import (
    FLAT,
    UNATTENDED,
    attention_concentration,
    attention_coverage,
    attention_diagnostics,
    attention_entropy,
)
from keras_attention.analysis.selection import (
    POLICIES,
    Policy,
    drop_special,
    is_special,
    select,
)
from keras_attention.analysis.subwords import (
    SPECIAL_TOKENS,
    WORD_START,
    Scheme,
    Spans,
    merge_links,
    merge_pieces,
    merge_spans,
    word_spans,
)

__all__ = [
    "FLAT",
    "Gold",
    "POLICIES",
    "Policy",
    "SPECIAL_TOKENS",
    "Scheme",
    "Spans",
    "TOLERANCE",
    "UNATTENDED",
    "WORD_START",
    "alignment_error_rate",
    "attention_concentration",
    "attention_coverage",
    "attention_diagnostics",
    "attention_entropy",
    "check_choice",
    "check_range",
    "check_sentence_pair",
    "check_strings",
    "clip",
    "columns",
    "drop_special",
    "gold_links",
    "graphemes",
    "hard_links",
    "is_special",
    "merge_links",
    "merge_pieces",
    "merge_spans",
    "parse_links",
    "readable",
    "select",
    "text_direction",
    "word_spans",
]
