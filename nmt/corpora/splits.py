"""Fair splits of parallel text: related pairs are never in two parts of one.

A sentence is often in several pairs. Split by pairs, validation and test would
hold sentences that training has seen; so pairs that share a sentence, directly or
over others, form a group, and groups are what is held out.
"""

import hashlib
from collections import defaultdict
from collections.abc import Sequence

from nmt.errors import UserError

HELD_OUT_SHARE = 0.02
"""About this share of the groups goes into each held-out part,"""
HELD_OUT_MOST = 2000
"""and at most this many pairs."""


def connected_groups(pairs: Sequence[tuple[str, str]]) -> list[list[int]]:
    """Group pairs that share a source or a target sentence, directly or over others.

    Args:
        pairs: Source and target sentences.

    Returns:
        The groups, each the ascending positions of its pairs, in the order of
        their first pairs.
    """
    # Union-find over pairs, joined by the first pair that had the same sentence.
    parent = list(range(len(pairs)))

    def root(position: int) -> int:
        while parent[position] != position:
            parent[position] = parent[parent[position]]
            position = parent[position]
        return position

    for side in (0, 1):
        first: dict[str, int] = {}
        for position, pair in enumerate(pairs):
            parent[root(position)] = root(first.setdefault(pair[side], position))
    groups = defaultdict(list)
    for position in range(len(pairs)):
        groups[root(position)].append(position)
    return list(groups.values())


def hold_out(
    pairs: Sequence[tuple[str, str]], parts: Sequence[str]
) -> dict[str, list[int]]:
    """Split pairs into training and held-out parts by connected groups.

    A group's part follows from a hash of its sentences: it is the same on every
    machine, in every run, in both directions of translation, and does not change
    when unrelated pairs are added, as long as the parts do not overflow. A group
    too large for its part stays in training.

    Args:
        pairs: Source and target sentences.
        parts: Names of the parts to hold out, such as `("validation", "test")`.

    Returns:
        For `"train"` and every name in `parts` the ascending positions of its
        pairs. No part is empty.

    Raises:
        UserError: If there are too few unrelated pairs to fill every part.
    """
    groups = connected_groups(pairs)
    place = {group[0]: _place(pairs[i] for i in group) for group in groups}
    waiting = sorted(groups, key=lambda group: place[group[0]])
    # Twice the share leaves room for chance, but none for one giant group.
    room = max(1, min(HELD_OUT_MOST, round(2 * HELD_OUT_SHARE * len(pairs))))
    split = {}
    for number, part in enumerate(parts):
        low, high = number * HELD_OUT_SHARE, (number + 1) * HELD_OUT_SHARE
        inside = [group for group in waiting if low <= place[group[0]] < high]
        # In a small corpus the interval may be empty: then the next best one.
        chosen = _fill(inside, room) or _fill(waiting, room)[:1]
        taken = {group[0] for group in chosen}
        waiting = [group for group in waiting if group[0] not in taken]
        if not chosen or not waiting:
            raise UserError(
                f"cannot hold out a {part} part from {len(pairs)} pairs in "
                f"{len(groups)} unrelated groups (pairs that share a sentence stay "
                "together). Give more text, or files of its own for each part."
            )
        split[part] = sorted(position for group in chosen for position in group)
    rest = sorted(position for group in waiting for position in group)
    return {"train": rest, **split}


def _place(pairs) -> float:
    """Map a group to a number in [0, 1) that depends on its sentences alone."""
    smallest = min(sentence for pair in pairs for sentence in pair)
    return int.from_bytes(hashlib.sha256(smallest.encode()).digest()[:8], "big") / 2**64


def _fill(groups: list[list[int]], room: int) -> list[list[int]]:
    """Take groups in order, leaving out those for which no room is left."""
    chosen = []
    for group in groups:
        if len(group) <= room:
            chosen.append(group)
            room -= len(group)
    return chosen
