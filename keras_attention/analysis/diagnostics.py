"""Numbers that say how attention is spread. NumPy arrays in and out.

Shapes: `T` target pieces (queries), `S` source pieces (keys), `...` any leading
axes, such as batch and heads. Attention weights say what a model attended to, not
why.
"""

import numpy as np
from numpy.typing import ArrayLike

from keras_attention.analysis.checks import visible_weights

FLAT, UNATTENDED = 0.9, 0.1  # entropy above, coverage below: flagged


def attention_entropy(
    weights: ArrayLike, mask: ArrayLike | None = None, normalize: bool = True
) -> np.ndarray:
    """How evenly each target's attention is spread: 0 on one word, 1 on all alike.

    The Shannon entropy of each row, divided by the logarithm of the number of source
    pieces it may attend to, so that sentences of any length compare. Rows are first
    scaled to sum to 1. A row of zeros has entropy 0, and so has a row that may attend
    to one piece only.

    Args:
        weights: Shape `(..., T, S)`, not negative.
        mask: Boolean, shape `(..., S)`: `True` for real source pieces, `False` for
            padding, which is left out. Its leading axes are the first ones of
            `weights`: `(B, S)` goes with `(B, H, T, S)`. Default: all are real.
        normalize: Bool. Whether to divide by the logarithm; otherwise the entropy is
            in nats.

    Returns:
        Shape `(..., T)`, between 0 and 1, or log(S) without `normalize`.

    Raises:
        ValueError: If `weights` holds negative numbers or NaN, or the shapes differ.

    Example:
        ```python
        attention_entropy([[1.0, 0.0], [0.5, 0.5]])  # [0, 1]
        attention_entropy([[0.5, 0.5]], normalize=False)  # [0.693...]
        ```
    """
    weights, mask = visible_weights(weights, mask)
    total = weights.sum(axis=-1, keepdims=True)
    shares = weights / np.where(total > 0, total, 1)
    entropy = -(shares * np.log(np.where(shares > 0, shares, 1))).sum(axis=-1)
    if not normalize:
        return np.maximum(entropy, 0)
    visible = np.broadcast_to(mask, weights.shape).sum(axis=-1)
    return np.clip(entropy / np.log(np.maximum(visible, 2)), 0, 1)


def attention_concentration(
    weights: ArrayLike, mask: ArrayLike | None = None
) -> np.ndarray:
    """The largest weight of each target.

    Args:
        weights: Shape `(..., T, S)`, not negative.
        mask: Boolean, shape `(..., S)`, as in `attention_entropy`.

    Returns:
        Shape `(..., T)`.

    Raises:
        ValueError: If `weights` holds negative numbers or NaN, or the shapes differ.

    Example:
        ```python
        attention_concentration([[0.9, 0.1], [0.5, 0.5]])  # [0.9, 0.5]
        ```
    """
    return visible_weights(weights, mask)[0].max(axis=-1)


def attention_coverage(weights: ArrayLike, mask: ArrayLike | None = None) -> np.ndarray:
    """How much attention each source piece gets from all targets together.

    Every row counts: cut padded targets off first.

    Args:
        weights: Shape `(..., T, S)`, not negative.
        mask: Boolean, shape `(..., S)`, as in `attention_entropy`.

    Returns:
        Shape `(..., S)`. Pieces hidden by `mask` get 0.

    Raises:
        ValueError: If `weights` holds negative numbers or NaN, or the shapes differ.

    Example:
        ```python
        attention_coverage([[0.9, 0.1], [0.5, 0.5]])  # [1.4, 0.6]
        ```
    """
    return visible_weights(weights, mask)[0].sum(axis=-2)


def attention_diagnostics(
    weights: ArrayLike, mask: ArrayLike | None = None
) -> dict[str, np.ndarray]:
    """The numbers drawn by `plot_attention(..., diagnostics=True)`.

    Args:
        weights: Shape `(..., T, S)`, not negative.
        mask: Boolean, shape `(..., S)`, as in `attention_entropy`.

    Returns:
        Dict of arrays:

        - `"entropy"`: Shape `(..., T)`, see `attention_entropy`.
        - `"coverage"`: Shape `(..., S)`, see `attention_coverage`.
        - `"best"`: Ints, shape `(..., T)`: the source piece with the largest weight,
          the first of equal ones; -1 for a row of zeros.
        - `"flat"`: Boolean, shape `(..., T)`: entropy above 0.9.
        - `"unattended"`: Boolean, shape `(..., S)`: coverage below 0.1, of real
          source pieces.

    Raises:
        ValueError: If `weights` holds negative numbers or NaN, or the shapes differ.

    Example:
        ```python
        numbers = attention_diagnostics([[1.0, 0.0], [0.5, 0.5]])
        numbers["entropy"], numbers["coverage"]  # [0, 1], [1.5, 0.5]
        ```
    """
    visible, real = visible_weights(weights, mask)
    entropy = attention_entropy(weights, mask)
    coverage = attention_coverage(weights, mask)
    best = np.where(visible.any(axis=-1), visible.argmax(axis=-1), -1)
    real = np.broadcast_to(real, visible.shape).any(axis=-2)
    return {
        "entropy": entropy,
        "coverage": coverage,
        "best": best,
        "flat": entropy > FLAT,
        "unattended": (coverage < UNATTENDED) & real,
    }
