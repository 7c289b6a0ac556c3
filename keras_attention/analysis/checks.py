"""Checks of weights as NumPy arrays, of their words, and of options by name."""

import numpy as np

from keras_attention.analysis.characters import readable

TOLERANCE = 2**-8  # to which a row of weights in bfloat16 sums to 1


def check_sentence_pair(weights, source, target, *ndims):
    """The arguments as a float array and lists of str; whether target was left out."""
    own = target is None
    source = _words(source, "source")
    target = source if own else _words(target, "target")
    weights = np.asarray(weights, dtype="float64")
    expected = (len(target), len(source))
    if weights.ndim not in ndims or weights.shape[-2:] != expected:
        lead = {2: "", 3: "heads, ", 4: "layers, heads, "}
        shapes = " or ".join(f"({lead[n]}{len(target)}, {len(source)})" for n in ndims)
        mend = ""
        if weights.ndim in (2, 3, 4) and weights.ndim not in ndims:
            other = "_heads" if ndims == (2,) else ""
            mend = f" plot_attention{other} draws {weights.ndim} axes."
        elif weights.shape[-2:] == expected[::-1]:
            mend = " Targets are the rows: swap the last two axes."
        raise ValueError(
            f"`weights` must have shape {shapes} for {len(target)} target and "
            f"{len(source)} source words. Received: "
            f"weights.shape={weights.shape}.{mend}"
        )
    if 0 in weights.shape:
        raise ValueError(
            "`weights` must have at least one row, column and head. "
            f"Received: weights.shape={weights.shape}."
        )
    return weights, source, target, own


def check_range(weights, mend=""):
    """Raise if a number in `weights` can be no attention weight."""
    if not ((weights >= 0) & (weights <= 1 + TOLERANCE)).all():
        raise ValueError(
            "`weights` must lie between 0 and 1. Received: numbers from "
            f"{weights.min():.4g} to {weights.max():.4g}.{mend}"
        )


def check_choice(value, name, choices):
    """Raise if `value` is none of the choices; `None` is one if it is among them."""
    if value not in choices:
        raise ValueError(
            f"`{name}` must be one of {', '.join(map(repr, choices))}. "
            f"Received: {name}={value!r}."
        )


def check_strings(pieces, name):
    """`pieces` as a list of str."""
    if isinstance(pieces, str):
        raise ValueError(
            f"`{name}` must be a sequence of str, one per piece. "
            f"Received: {name}={pieces!r}."
        )
    return [str(piece) for piece in pieces]


def check_matrices(weights):
    """`weights` as a float array of at least two axes, the last two not empty."""
    weights = np.asarray(weights, dtype="float64")
    if weights.ndim < 2 or 0 in weights.shape[-2:]:
        raise ValueError(
            "`weights` must have shape (..., target, source), neither of them empty. "
            f"Received: weights.shape={weights.shape}."
        )
    return weights


def visible_weights(weights, mask):
    """`weights` with 0 where hidden, and `mask` with as many axes as `weights`."""
    weights = check_matrices(weights)
    if not (weights >= 0).all():
        raise ValueError(
            "`weights` must be 0 or more. Received: "
            f"{int((weights < 0).sum())} negative numbers and "
            f"{int(np.isnan(weights).sum())} NaN."
        )
    mask = np.ones(weights.shape[-1:], bool) if mask is None else np.asarray(mask)
    if mask.dtype.kind == "f":
        raise ValueError(
            "`mask` must be boolean, True = attend. Received: mask of type "
            f"{mask.dtype}. Compare it, as mask == 0 or mask > 0."
        )
    mask = mask.astype(bool)
    lead = mask.shape[:-1]
    fits = mask.ndim and mask.shape[-1] == weights.shape[-1]
    if not fits or lead != weights.shape[:-2][: len(lead)]:
        raise ValueError(
            "`mask` must have the shape of `weights` without the target axis, or "
            "without some axes before it. Received: "
            f"mask.shape={mask.shape}, weights.shape={weights.shape}."
        )
    between = (1,) * (weights.ndim - mask.ndim)
    mask = mask.reshape(lead + between + mask.shape[-1:])
    return np.where(mask, weights, 0), mask


def _words(sentence, name):
    if isinstance(sentence, str):
        raise ValueError(
            f"`{name}` must be a sequence of words. "
            f"Received: {name}={sentence!r}. Split it first."
        )
    return [readable(word) for word in sentence]
