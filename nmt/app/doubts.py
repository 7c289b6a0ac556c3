"""Telling which lines are far from what a model knows."""

import sys

MOST_NUMBERS = 10
"""Lines that are named for each reason; further ones are counted."""


class Doubts:
    """Collects the lines whose translations are doubtful, and why."""

    def __init__(self):
        self._lines = 0
        self._doubtful = 0
        self._numbers: dict[str, list[int]] = {}
        self._counts: dict[str, int] = {}

    def add(self, number: int, translation):
        """Look at the `Translation` of the line of this number."""
        self._lines += 1
        self._doubtful += bool(translation.doubts)
        for reason in translation.doubts:
            self._counts[reason] = self._counts.get(reason, 0) + 1
            numbers = self._numbers.setdefault(reason, [])
            if len(numbers) < MOST_NUMBERS:
                numbers.append(number)

    def tell(self):
        """Print a note on standard error, if there is something to tell."""
        if not self._doubtful:
            return
        reasons = []
        for reason, numbers in self._numbers.items():
            more = self._counts[reason] - len(numbers)
            named = ", ".join(map(str, numbers)) + (f" and {more} more" if more else "")
            reasons.append(f"{reason}: line{'s'[: len(numbers) > 1]} {named}")
        print(
            f"nmt: note: {self._doubtful} of {self._lines} lines may be far from what "
            f"the model knows; {'; '.join(reasons)}.",
            file=sys.stderr,
        )
