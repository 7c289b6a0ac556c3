"""Word links learnt from text alone, by a hidden Markov model in both directions."""

from nmt.links.aligner import Aligner

__all__ = ["Aligner"]
