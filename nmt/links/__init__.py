"""Word links learnt from text alone, by a hidden Markov model in both directions."""

from nmt.links.aligner import Aligner
from nmt.links.pairs import LONGEST

__all__ = ["LONGEST", "Aligner"]
