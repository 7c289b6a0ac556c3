"""What an aligner has learnt: how often words were linked, and the jumps between."""

from dataclasses import dataclass, fields, replace

import numpy as np

from nmt.links.hmm import LONGEST_JUMP
from nmt.links.pairs import NumberedPairs, look_up

PRIOR = 1e-4
"""Links of each word that are spread beforehand over all words by their number."""
STEM_PRIOR = 1.0
"""Links of each word that are spread beforehand as those of its stem are."""
NUM_JUMPS = 2 * LONGEST_JUMP + 1


@dataclass(frozen=True)
class Counts:
    """Expected numbers of what was seen in text.

    Attributes:
        keys: Pairs of words, ascending, as in `NumberedPairs`.
        links: How often each of them was linked.
        source_linked: How often each source word was linked.
        target_linked: How often each target word was linked.
        source_unlinked: How often each source word was linked to none.
        target_unlinked: How often each target word was linked to none.
        source_seen: How often each source word was seen.
        target_seen: How often each target word was seen.
        source_jumps: How often each jump was seen between source words that generate
            target words.
        target_jumps: The same the other way round.
    """

    keys: np.ndarray
    links: np.ndarray
    source_linked: np.ndarray
    target_linked: np.ndarray
    source_unlinked: np.ndarray
    target_unlinked: np.ndarray
    source_seen: np.ndarray
    target_seen: np.ndarray
    source_jumps: np.ndarray
    target_jumps: np.ndarray

    def keep(self, least: float) -> "Counts":
        """Return these counts without pairs of words that were linked less often."""
        kept = self.links >= least
        return replace(self, keys=self.keys[kept], links=self.links[kept])


def no_counts() -> Counts:
    """Return the counts of no text."""
    arrays = {field.name: np.zeros(0) for field in fields(Counts)}
    arrays["keys"] = np.zeros(0, np.int64)
    for name in ("source_jumps", "target_jumps"):
        arrays[name] = np.zeros(NUM_JUMPS)
    return Counts(**arrays)


def before_links(known: Counts, pairs: NumberedPairs, sizes) -> Counts:
    """Return what is known of the words of a text before its links are counted.

    Args:
        known: Counts of other text.
        pairs: The text.
        sizes: Number of source words and of target words that have a number.

    Returns:
        Counts with the keys of the text alone, its words being seen and not linked.
    """
    arrays = {}
    for side, size in zip(("source", "target"), sizes, strict=True):
        for what in ("linked", "unlinked", "seen"):
            numbers = getattr(known, f"{side}_{what}")
            arrays[f"{side}_{what}"] = np.pad(numbers, (0, size - len(numbers)))
        for group in pairs.groups:
            words = getattr(group, side).ravel()
            arrays[f"{side}_seen"] += np.bincount(words, minlength=size)
    links = look_up(known.keys, known.links, pairs.keys)
    return replace(known, keys=pairs.keys, links=links, **arrays)


@dataclass(frozen=True)
class Probabilities:
    """The parameters of both directions, estimated from counts.

    Attributes:
        target_given_source: Of each key of the text.
        source_given_target: Of each key of the text.
        target_given_none: Of each target word.
        source_given_none: Of each source word.
        source_jumps: Weights of jumps between source words.
        target_jumps: Weights of jumps between target words.
    """

    target_given_source: np.ndarray
    source_given_target: np.ndarray
    target_given_none: np.ndarray
    source_given_none: np.ndarray
    source_jumps: np.ndarray
    target_jumps: np.ndarray


def estimate(counts: Counts, pairs: NumberedPairs, stems=None) -> Probabilities:
    """Estimate the parameters that a text needs.

    Args:
        counts: Counts with the keys of the text.
        pairs: The text.
        stems: What `StemLinks.shares` returns, if stems are known.
    """
    source, target = pairs.key_words
    of_targets, of_sources = stems or ((0.0, 0.0), (0.0, 0.0))

    def given(condition, linked, outcome, seen, of_stems):
        share, all_shares = of_stems
        spread = PRIOR * seen[outcome] / seen.sum() + STEM_PRIOR * share
        found = counts.links + spread
        found /= linked[condition] + PRIOR + STEM_PRIOR * all_shares
        return found.astype(np.float32)

    def given_none(unlinked, seen):
        found = (unlinked + seen / seen.sum()) / (unlinked.sum() + 1)
        return found.astype(np.float32)

    return Probabilities(
        given(source, counts.source_linked, target, counts.target_seen, of_targets),
        given(target, counts.target_linked, source, counts.source_seen, of_sources),
        given_none(counts.target_unlinked, counts.target_seen),
        given_none(counts.source_unlinked, counts.source_seen),
        (counts.source_jumps + 1) / (counts.source_jumps + 1).sum(),
        (counts.target_jumps + 1) / (counts.target_jumps + 1).sum(),
    )
