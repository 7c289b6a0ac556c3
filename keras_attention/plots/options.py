"""Options of every heat map: the scale of its colours, the source's direction."""

from typing import Literal, TypeAlias, get_args

from keras_attention.analysis import check_choice, check_range, text_direction

SCALES = {
    "fixed": "attention weight, 0 to 1",
    "row-max": "attention weight / largest in row",
    "power": "attention weight, square-root scale",
    "log": "attention weight, log scale",
}
Scale: TypeAlias = Literal["fixed", "row-max", "power", "log"]
Direction: TypeAlias = Literal["ltr", "rtl"]
DIRECTIONS = get_args(Direction)


def check_scale(weights, scale):
    """Raise if a scale is unknown, or weights need one."""
    check_choice(scale, "scale", (*SCALES, None))
    if scale is None:
        names = ", ".join(map(repr, SCALES))
        check_range(weights, f" To draw them all the same, choose a `scale`: {names}.")


def direction_of(source, source_direction):
    """The direction that was chosen, or that of the source words."""
    check_choice(source_direction, "source_direction", (*DIRECTIONS, None))
    return source_direction or text_direction(source)
