"""The limits of options, and what an option expects in place of a value beyond them."""

import math
from dataclasses import field

from nmt.errors import has_controls

LONGEST = 1024
"""Most pieces of a sentence that is trained on or translated, the end included: the
weights of a search need memory that grows with the square of it."""

LONGEST_LINE = 2**20
"""Most bytes of a line. What has more is no sentence, and may have no end."""

LARGEST = 8192
"""Largest size of a layer."""

MANY = 1_000_000_000
"""Limit of numbers without a limit of their own: what is computed from them fits."""


def option(default, help, choices=None, least=None, most=None, below=None):
    """Return the field of an option, for a dataclass.

    Args:
        default: Its default.
        help: What it is, for the command line.
        choices: Values that it can have; `None` for any.
        least: Least value.
        most: Greatest value.
        below: What it has to be less than.
    """
    limits = {"choices": choices, "least": least, "most": most, "below": below}
    return field(default=default, metadata={"help": help, **limits})


def misfit(option, value):
    """Say what an option expects, as in "at least 1", if a value is not that.

    Args:
        option: Its field.
        value: Any object.

    Returns:
        Text, or `None` if the value fits.
    """
    limits = option.metadata
    kinds = {int: (int,), float: (int, float), str: (str,), bool: (bool,)}
    kinds = kinds.get(option.type, (tuple,))
    if not isinstance(value, kinds) or (
        isinstance(value, bool) and option.type is not bool
    ):
        return f"of type {kinds[-1].__name__}"
    if limits["choices"] is not None and value not in limits["choices"]:
        return f"one of {', '.join(limits['choices'])}"
    if limits["least"] is not None and not value >= limits["least"]:
        return f"at least {limits['least']}"
    if isinstance(value, float) and not math.isfinite(value):
        return "finite"
    if limits["most"] is not None and not value <= limits["most"]:
        return f"at most {limits['most']}"
    if limits["below"] is not None and not value < limits["below"]:
        return f"less than {limits['below']}"
    if isinstance(value, str) and has_controls(value):
        return "without control characters"
    return None


def shown(value):
    """Return the `repr` of a value, cut where it is long."""
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:60]}... ({len(text)} characters)"


def flag(option):
    """Return the flag of an option, by its name."""
    return f"--{option.replace('_', '-')}"
