"""What the tests of this room share."""

from quick_graphs import quick_graphs

__all__ = ["quick_graphs"]
