"""Softmax attention, one block of queries and keys at a time, with its own gradient.

A row of weights is never held: the forward pass attends within each block, and mixes
what comes out by the sums of the exponentials of the scores less the highest of them.
What it saves is the highest score and that sum for each query, from which the backward
pass makes the weights of any block again. They are two numbers, as their logarithm in
one would lose the sum beside a highest score such as -1e9.

Shapes: `B` batch, `H` heads, `G` heads of the values, `T` queries and `S` keys in all,
`C` queries and `K` keys in a block.

Reference:
    [Milakov and Gimelshein, 2018](https://arxiv.org/abs/1805.02867), section 3.1: how
    two parts of a softmax are joined;
    [Rabe and Staats, 2021](https://arxiv.org/abs/2112.05682), sections 3 and 4:
    attention by chunks; [Dao et al., 2022](https://arxiv.org/abs/2205.14135), appendix
    B.2: the gradient from the saved sums.
"""

from typing import Any, NamedTuple

from keras import ops

from keras_attention.chunked.chunks import (
    add,
    count_chunks,
    cut,
    loop,
    positions,
    put,
    take,
    zeros_after,
)
from keras_attention.core import LOWEST, multiply_heads, softmax, sum_heads

# The axis of a value that follows the queries, and that for the keys.
VALUE_AXES = (None, 2)


class Blocks(NamedTuple):
    """A score and a mask `(B, H, T, S)`, to be had block by block.

    Holds the terms of the score, the first of shape `(B, H, C, K)`, and a list of
    tensors for each; a `Visibility` with four axes; how many queries and keys a block
    has; and the type of all that is computed, float32 or wider.
    """

    terms: Any
    tensors: Any
    visible: Any
    shape: Any
    row_size: Any
    column_size: Any
    dtype: Any

    def rows(self, index, repeat=True):
        """Give a chunk of queries, as `cut`."""
        return cut(index, self.shape[2], self.row_size, repeat)

    def columns(self, index):
        """Give a chunk of keys; what an earlier one holds is hidden."""
        return cut(index, self.shape[3], self.column_size, repeat=False)

    def row_count(self):
        """Count the chunks of queries."""
        return count_chunks(self.shape[2], self.row_size)

    def column_count(self):
        """Count the chunks of keys."""
        return count_chunks(self.shape[3], self.column_size)

    def column_range(self, rows):
        """Tell the chunks of keys that some query of `rows` attends to: first, end."""
        return self.visible.column_range(rows, self.column_count(), self.column_size)

    def row_range(self, columns):
        """Tell the chunks of queries that attend to some key of `columns`."""
        return self.visible.row_range(columns, self.row_count(), self.row_size)

    def part(self, tensor, axes, rows, columns):
        """Take what belongs to a block out of a tensor."""
        return ops.cast(take(tensor, _chunks(axes, rows, columns)), self.dtype)

    def scores(self, rows, columns):
        """Score a block.

        Gives scores `(B, H, C, K)`, `LOWEST` where hidden; the mask, or `None`; and for
        each term its parts and what its gradient needs again.
        """
        # 0 for the last query and the first key, as `Visibility.bias_by_distance`.
        distances = positions(columns) - positions(rows)[:, None] + self.shape[2] - 1
        total, kept = None, []
        for term, tensors in zip(self.terms, self.tensors, strict=True):
            parts = [
                self.part(tensor, axes, rows, columns)
                for tensor, axes in zip(tensors, term.axes, strict=True)
            ]
            scores, again = term.scores(parts, distances)
            total = scores if total is None else total + scores
            kept.append((parts, again))
        mask = self.visible.block(rows, columns)
        if mask is not None:
            total = ops.where(mask, total, ops.cast(LOWEST, self.dtype))
        return total, mask, kept


def attend_blocks(blocks, value):
    """Attend to values `(B, G, S, Dv)`, block by block.

    Gives the output, shape `(B, H, T, Dv)`, 0 where a query attends to nothing; the
    highest score, there 0, and the sum of the exponentials of the scores less it, there
    1, shapes `(B, H, T, 1)`; and, of that shape, whether it attends to something, 1 or
    0.
    """
    batch, heads, length, _ = blocks.shape

    def attend_rows(index, results):
        rows = blocks.rows(index)

        def attend_block(index, sums):
            top, total, output = sums
            columns = blocks.columns(index)
            scores, _, _ = blocks.scores(rows, columns)
            weights, of_block, sum_of_block = softmax_and_sum(scores)
            values = blocks.part(value, VALUE_AXES, rows, columns)
            new = ops.maximum(top, of_block)
            # Where the block hides a whole row, its weights mean nothing. Their share
            # is 0, or becomes it with the first block that shows the row a key.
            before = ops.exp(top - new) * total
            added = ops.exp(of_block - new) * sum_of_block
            total = before + added
            mixed = multiply_heads(weights, values)
            return new, total, before / total * output + added / total * mixed

        row_shape = (batch, heads, rows.size)
        first, end = blocks.column_range(rows)
        top, total, output = loop(
            first,
            end,
            attend_block,
            (
                ops.full((*row_shape, 1), LOWEST, blocks.dtype),
                ops.zeros((*row_shape, 1), blocks.dtype),
                ops.zeros((*row_shape, value.shape[3]), blocks.dtype),
            ),
        )
        shown = top > LOWEST / 2
        outputs, tops, totals, attends = results
        return (
            put(outputs, hide(output, shown), {2: rows}),
            put(tops, hide(top, shown), {2: rows}),
            put(totals, ops.where(shown, total, ops.ones_like(total)), {2: rows}),
            put(attends, ops.cast(shown, blocks.dtype), {2: rows}),
        )

    return loop(
        0,
        blocks.row_count(),
        attend_rows,
        (
            ops.zeros((batch, heads, length, value.shape[3]), blocks.dtype),
            *[ops.zeros((batch, heads, length, 1), blocks.dtype)] * 3,
        ),
    )


def softmax_and_sum(scores):
    """Give the softmax, the highest score, and the sum of exponentials less it.

    The last two have shape `(…, 1)`. The largest weight is 1 in that sum. Few passes,
    of the kernel of the backend: on a CPU half the time of exponentials and their sum.
    """
    weights = softmax(scores)
    # With a start, as Keras has no maximum of an empty batch without one.
    top = ops.max(scores, axis=-1, keepdims=True, initial=LOWEST)
    largest = ops.max(weights, axis=-1, keepdims=True, initial=0.0)
    return weights, top, 1 / largest


def attend_gradients(blocks, value, output, tops, totals, gradient):
    """Differentiate `attend_blocks`, block by block, from what it gave.

    Takes the gradient of the output, shape `(B, H, T, Dv)`; gives a list of those of
    the value and of all tensors of the terms, in order.
    """
    tensors = [value, *(each for some in blocks.tensors for each in some)]
    axes = [VALUE_AXES, *(each for term in blocks.terms for each in term.axes)]
    # Divided by the sums once here, in place of the weights of every block.
    gradient = ops.cast(gradient, blocks.dtype) / totals
    # What a softmax takes off the gradient of each score: sum of weight · gradient.
    level = ops.sum(gradient * output, axis=-1, keepdims=True)

    def block_gradients(rows, columns):
        scores, _, kept = blocks.scores(rows, columns)
        # Times the sum; 0 if hidden. A score may be rounded otherwise than before.
        weights = ops.exp(ops.minimum(scores - take(tops, {2: rows}), 0))
        values = blocks.part(value, VALUE_AXES, rows, columns)
        of_output = take(gradient, {2: rows})
        of_weights = multiply_heads(of_output, ops.transpose(values, (0, 1, 3, 2)))
        of_scores = weights * (of_weights - take(level, {2: rows}))
        of_tensors = [sum_heads(weights, of_output, values.shape[1])]
        for term, (parts, again) in zip(blocks.terms, kept, strict=True):
            of_tensors.extend(term.gradients(parts, again, of_scores))
        return of_tensors

    def add_columns(index, sums):
        columns = blocks.columns(index)

        def add_block(index, panels):
            # Queries that an earlier chunk holds are hidden: they count once.
            rows = blocks.rows(index, repeat=False)
            return tuple(
                add(panel, _sum_to(part, panel), _chunks((row_axis, None), rows, None))
                for panel, part, (row_axis, _) in zip(
                    panels, block_gradients(rows, columns), axes, strict=True
                )
            )

        # A panel is what a chunk of keys touches. It is written back once, since a
        # write may copy the whole tensor.
        first, end = blocks.row_range(columns)
        panels = loop(
            first,
            end,
            add_block,
            tuple(
                ops.zeros_like(take(total, {axis: columns}))
                if axis is not None
                else total
                for total, (_, axis) in zip(sums, axes, strict=True)
            ),
        )
        return tuple(
            add(total, panel, {axis: columns}) if axis is not None else panel
            for total, panel, (_, axis) in zip(sums, panels, axes, strict=True)
        )

    sums = loop(
        0,
        blocks.column_count(),
        add_columns,
        tuple(zeros_after(level, tensor, blocks.dtype) for tensor in tensors),
    )
    return [
        ops.cast(total, tensor.dtype)
        for total, tensor in zip(sums, tensors, strict=True)
    ]


def hide(weights, mask):
    """Set weights to 0 where a mask, which may be `None`, hides them."""
    return (
        weights if mask is None else ops.where(mask, weights, ops.zeros_like(weights))
    )


def _chunks(axes, rows, columns):
    """Name the chunk of each axis that follows the queries or the keys."""
    pairs = zip(axes, (rows, columns), strict=True)
    return {axis: chunk for axis, chunk in pairs if axis is not None}


def _sum_to(tensor, target):
    """Sum over the axes of size 1 in `target`, which are any number of equal ones."""
    if len(tensor.shape) != len(target.shape):
        return tensor
    wide = [
        axis
        for axis, size in enumerate(target.shape)
        if size == 1 and tensor.shape[axis] != 1
    ]
    return ops.sum(tensor, axis=wide, keepdims=True) if wide else tensor
