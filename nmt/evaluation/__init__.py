"""Scores of a model: BLEU, chrF, TER; word links and their error rate."""

from nmt.evaluation.alignment import alignment_error
from nmt.evaluation.evaluation import (
    Score,
    evaluate,
    exact_match,
    translation_scores,
)
from nmt.evaluation.gold import gold_sentences
from nmt.evaluation.learnt_links import learn_links

__all__ = [
    "Score",
    "alignment_error",
    "evaluate",
    "exact_match",
    "gold_sentences",
    "learn_links",
    "translation_scores",
]
