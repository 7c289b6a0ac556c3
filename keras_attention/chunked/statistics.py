"""Measures of attention weights, found one block at a time."""

from typing import NamedTuple

from keras import ops

from keras_attention.annotations import Tensor
from keras_attention.chunked.chunks import add, loop
from keras_attention.chunked.softmax import hide
from keras_attention.core import LOWEST


class AttentionStatistics(NamedTuple):
    """Measures of attention weights.

    Attributes:
        entropy: Shape `(..., T)`: how evenly the attention of each query is spread,
            from 0, on one key, to 1, on all real keys alike; `attention_entropy` of the
            weights and the mask of the keys.
        argmax: Shape `(..., T)`, int32: the key that each query attends to most, the
            first of equal ones; -1 where it may attend to none.
        coverage: Shape `(..., S)`: how much attention each key gets from all queries
            together; `attention_coverage` of the weights.

    Example:
        ```python
        layer = BahdanauAttention(8, chunk_size=64)
        layer(query, value)  # builds it
        numbers = layer.statistics(query, value)
        print(numbers.entropy.shape, numbers.coverage.shape)
        ```
    """

    entropy: Tensor
    argmax: Tensor
    coverage: Tensor


def weight_statistics(blocks):
    """Describe the weights of `Blocks`, one at a time.

    Gives `AttentionStatistics` of shapes `(B, H, T)`, `(B, H, T)` and `(B, H, S)`.
    """
    batch, heads, length, key_length = blocks.shape

    def describe_rows(index, found):
        entropy, place, coverage = found
        rows = blocks.rows(index, repeat=False)
        *sums, places = _sum_and_place(blocks, rows)
        entropies, coverage = _entropy_and_coverage(blocks, rows, sums, coverage)
        # Added, not set: what an earlier chunk holds is hidden here, and 0.
        return (
            add(entropy, entropies, {2: rows}),
            add(place, places, {2: rows}),
            coverage,
        )

    entropy, place, coverage = loop(
        0,
        blocks.row_count(),
        describe_rows,
        (
            ops.zeros((batch, heads, length), blocks.dtype),
            ops.zeros((batch, heads, length), "int32"),
            ops.zeros((batch, heads, key_length), blocks.dtype),
        ),
    )
    if blocks.visible.key_mask is None:
        visible = ops.cast(key_length, blocks.dtype)
    else:
        mask = blocks.visible.key_mask  # one for all keys, where its axis is 1
        mask = ops.logical_and(mask, ops.ones((1, key_length), "bool"))
        visible = ops.sum(ops.cast(mask, blocks.dtype), axis=-1)[:, None, None]
    entropy = entropy / ops.log(ops.maximum(visible, 2.0))
    return AttentionStatistics(ops.clip(entropy, 0, 1), place - 1, coverage)


def _sum_and_place(blocks, rows):
    """Find each query's highest score, the sum less it, its best key from 1, or 0."""
    row_shape = (*blocks.shape[:2], rows.size)

    def add_block(index, sums):
        highest, total, best = sums
        columns = blocks.columns(index)
        scores, mask, _ = blocks.scores(rows, columns)
        top = ops.max(scores, axis=-1, initial=LOWEST)
        place = ops.cast(ops.argmax(scores, axis=-1), "int32") + columns.start + 1
        new_highest = ops.maximum(highest, top)
        shares = hide(ops.exp(scores - new_highest[..., None]), mask)
        total = ops.exp(highest - new_highest) * total + ops.sum(shares, axis=-1)
        return new_highest, total, ops.where(top > highest, place, best)

    first, end = blocks.column_range(rows)
    highest, total, best = loop(
        first,
        end,
        add_block,
        (
            ops.full(row_shape, LOWEST, blocks.dtype),
            ops.zeros(row_shape, blocks.dtype),
            ops.zeros(row_shape, "int32"),
        ),
    )
    total = ops.where(total > 0, total, ops.ones_like(total))
    return highest, total, best


def _entropy_and_coverage(blocks, rows, sums, coverage):
    """Sum up the entropy of each query, `(B, H, C)`, and add to what each key gets."""

    highest, log_total = sums[0][..., None], ops.log(sums[1])[..., None]

    def add_block(index, sums):
        entropy, coverage = sums
        columns = blocks.columns(index)
        scores, mask, _ = blocks.scores(rows, columns)
        surprise = highest - scores + log_total  # of a weight: -log of it
        weights = hide(ops.exp(-surprise), mask)
        # The surprise of a weight of 0 may be infinite, and adds nothing.
        shares = ops.where(weights > 0, weights * surprise, ops.zeros_like(weights))
        coverage = add(coverage, ops.sum(weights, axis=-2), {2: columns})
        return entropy + ops.sum(shares, axis=-1), coverage

    first, end = blocks.column_range(rows)
    return loop(
        first,
        end,
        add_block,
        (ops.zeros((*blocks.shape[:2], rows.size), blocks.dtype), coverage),
    )
