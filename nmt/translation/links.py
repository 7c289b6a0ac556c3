"""Links between the words of a pair, by the attention of a forced target."""

from collections.abc import Sequence

import numpy as np

import keras_attention as ka


def word_links(weights, source: Sequence[int], target: Sequence[int]):
    """Link each word of a target to the source word that it attends to most.

    Args:
        weights: Attention weights between pieces, the ends left out, shape `(T, S)`.
        source: Number of pieces of each source word, `S` in all; 0 of a word of
            characters that no piece is made of, such as control characters.
        target: Number of pieces of each target word, `T` in all.

    Returns:
        Sorted list of (source word, target word), counted from 0.
    """
    if not weights.size:
        return []
    # Spans of words that have pieces, and which words these are.
    source_words, source_spans = _spans(source)
    target_words, target_spans = _spans(target)
    merged = ka.merge_spans(weights, source_spans, target_spans)
    return sorted(
        (int(source_words[i]), int(target_words[j])) for i, j in ka.hard_links(merged)
    )


def _spans(counts):
    words = np.repeat(np.arange(len(counts)), counts)
    return np.unique(words, return_inverse=True)
