"""Which words of a sentence pair are shown, and what weight is on the others."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import ArrayLike

from keras_attention.analysis.checks import check_choice, check_sentence_pair
from keras_attention.analysis.subwords import SPECIAL_TOKENS

Policy: TypeAlias = Literal["keep", "dim", "drop"]
POLICIES = get_args(Policy)


def drop_special(
    weights: ArrayLike,
    source: Sequence[str],
    target: Sequence[str] | None = None,
    *,
    tokens: Collection[str] = SPECIAL_TOKENS,
) -> tuple[np.ndarray, list[str], list[str], np.ndarray]:
    """Leave out special tokens, and say how much weight was on them.

    The rows that stay are not scaled up: what was on the tokens left out is missing
    from their sums, and is given back.

    Args:
        weights: Shape `(T, S)`, `(H, T, S)` or `(L, H, T, S)`.
        source: `S` strings.
        target: `T` strings. Default: `source`.
        tokens: The strings to leave out.

    Returns:
        weights: Without the rows and columns of special tokens.
        source: List of the `S'` words that stay.
        target: List of the `T'` words that stay.
        dropped: Shape `(..., T')`: for each row that stays, the weight on the source
            words left out.

    Raises:
        ValueError: If the numbers of words do not match `weights`, or no source or no
            target word would stay.

    Example:
        ```python
        weights, source, target, dropped = drop_special(
            [[0.7, 0.3], [0.1, 0.9]], ["dogs", "</s>"], ["Hunde", "</s>"]
        )  # [[0.7]], ["dogs"], ["Hunde"], [0.3]
        ```
    """
    weights, source, target, _ = check_sentence_pair(weights, source, target, 2, 3, 4)
    columns = _without(source, tokens, "source")
    rows = _without(target, tokens, "target")
    weights = weights[..., rows, :]
    left_out = np.setdiff1d(np.arange(len(source)), columns)
    return (
        weights[..., columns],
        [source[i] for i in columns],
        [target[i] for i in rows],
        weights[..., left_out].sum(axis=-1),
    )


@dataclass(frozen=True)
class Selection:
    """The part of a sentence pair that is shown.

    Attributes:
        weights: Shape `(..., rows, columns)`.
        source: The source words shown.
        target: The target words shown.
        rows: Indices of the target words shown.
        columns: Indices of the source words shown.
        sums: What the rows shown sum to with all source words, `(..., rows)`.
        dim: Whether special tokens are to be drawn pale.
        notes: Sentences that say what is hidden.
    """

    weights: np.ndarray
    source: list[str]
    target: list[str]
    rows: np.ndarray
    columns: np.ndarray
    sums: np.ndarray
    dim: bool = False
    notes: list[str] = field(default_factory=list)

    def of_head(self, head):
        """The same words with the weights of one head, an index of leading axes."""
        return replace(self, weights=self.weights[head], sums=self.sums[head])


def select(weights, source, target, special="keep", rows=None, max_tokens=None):
    """Choose what to show of a checked sentence pair.

    Args:
        weights: Shape `(..., T, S)`.
        source: `S` strings.
        target: `T` strings.
        special: `"keep"`, `"dim"` or `"drop"`.
        rows: Slice of the target words, or `None` for all.
        max_tokens: Positive int: only the first that many words of each sentence are
            shown. `None` for all.

    Returns:
        A `Selection`.

    Raises:
        ValueError: If an option is none of these, or nothing would be left.
    """
    check_choice(special, "special", POLICIES)
    _check_limits(rows, max_tokens)
    rows_left, columns = np.arange(len(target)), np.arange(len(source))
    dropped = columns[:0]
    if special == "drop":
        rows_left = _without(target, SPECIAL_TOKENS, "target")
        dropped = np.setdiff1d(columns, _without(source, SPECIAL_TOKENS, "source"))
        columns = np.setdiff1d(columns, dropped)
    chosen = np.arange(len(target))[rows or slice(None)]
    shown = chosen[np.isin(chosen, rows_left)][:max_tokens]
    if not shown.size:
        raise ValueError(
            f"`rows` must leave some of the {len(target)} target words to show. "
            f"Received: rows={rows}, special={special!r}."
        )
    beyond, columns = columns[max_tokens or len(columns) :], columns[:max_tokens]
    notes = []
    if dropped.size or len(rows_left) < len(target):
        notes.append(f"Special tokens left out{_on(weights, shown, dropped)}.")
    if beyond.size:
        notes.append(
            f"{len(beyond)} of {len(source)} source words not shown"
            f"{_on(weights, shown, beyond)}."
        )
    if len(shown) < len(rows_left):
        notes.append(f"{len(shown)} of {len(target)} target words shown.")
    part = weights[..., shown, :]
    return Selection(
        part[..., columns],
        [source[i] for i in columns],
        [target[i] for i in shown],
        shown,
        columns,
        np.nansum(part, axis=-1),
        special == "dim",
        notes,
    )


def is_special(words):
    """Boolean array: which of the words are special tokens."""
    return np.array([word in SPECIAL_TOKENS for word in words], dtype=bool)


def _without(words, tokens, name):
    kept = np.flatnonzero([word not in tokens for word in words])
    if not kept.size:
        raise ValueError(
            f"`{name}` must hold a word that is no special token. "
            f"Received: {name}={words}."
        )
    return kept


def _on(weights, rows, columns):
    """Words for the weight that rows have on columns that are not shown."""
    if not columns.size:
        return ""
    hidden = np.nansum(weights[..., rows, :][..., columns], axis=-1)
    mean, most = hidden.mean(), hidden.max()
    return f", with {mean:.2f} of a row's weight on average, at most {most:.2f}"


def _check_limits(rows, max_tokens):
    if rows is not None and not isinstance(rows, slice):
        raise ValueError(f"`rows` must be a slice or None. Received: rows={rows!r}.")
    if max_tokens is not None and not (
        isinstance(max_tokens, int | np.integer) and max_tokens > 0
    ):
        raise ValueError(
            f"`max_tokens` must be a positive int or None. "
            f"Received: max_tokens={max_tokens!r}."
        )
