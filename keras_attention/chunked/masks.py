"""Which pairs may look, told for one block of queries and keys at a time."""

from typing import Any, NamedTuple

from keras import ops

from keras_attention.chunked.chunks import greatest, least, positions, take
from keras_attention.core import fits, four_axes


class ChunkedMask:
    """Joins the masks of a call, for a block; knows which blocks are hidden whole.

    Shapes: `B` batch, `H` heads, `T` queries and `S` keys in all.

    Args:
        query_mask: Boolean, shape `(B, T)`, or `None`.
        key_mask: Boolean, shape `(B, S)`, or `None`.
        attention_mask: Boolean, shape broadcastable to `(B, H, T, S)`, of rank 4, or
            `None`.
        causal: Bool. Whether query t sees keys 0 to t + offset alone.
        window: Int or `None`. How far a query sees, on both sides.
        offset: Int or scalar tensor. The position of query 0 among the keys.
    """

    def __init__(self, query_mask, key_mask, attention_mask, causal, window, offset):
        self.query_mask = query_mask
        self.key_mask = key_mask
        self.attention_mask = attention_mask
        self.causal = causal
        self.window = window
        self.offset = offset

    def block(self, rows, columns):
        """Tell which pairs of a block may look.

        Args:
            rows: `Chunk` of the queries.
            columns: `Chunk` of the keys.

        Returns:
            Boolean, broadcastable to `(B, H, C, K)`; `None` if all may.
        """
        masks = []
        if self.query_mask is not None:
            masks.append(take(self.query_mask, {1: rows})[:, None, :, None])
        if self.key_mask is not None:
            masks.append(take(self.key_mask, {1: columns})[:, None, None, :])
        if self.attention_mask is not None:
            masks.append(take(self.attention_mask, {2: rows, 3: columns}))
        row, column = positions(rows)[:, None], positions(columns)[None, :]
        if rows.fresh is not None:
            masks.append(row >= rows.fresh)
        if columns.fresh is not None:
            masks.append(column >= columns.fresh)
        if self.causal:
            masks.append(column <= row + self.offset)
        if self.window is not None:
            masks.append(ops.abs(column - row - self.offset) <= self.window)
        if not masks:
            return None
        joined = masks[0]
        for mask in masks[1:]:
            joined = ops.logical_and(joined, mask)
        return joined

    def column_range(self, rows, count, chunk_size):
        """Tell which chunks of keys some query of `rows` may see, as far as is plain.

        Args:
            rows: `Chunk` of the queries.
            count: Int or scalar tensor, how many chunks of keys there are.
            chunk_size: Int or scalar tensor, how many keys each has.

        Returns:
            The first such chunk and the one after the last, each an int or a tensor.
        """
        if isinstance(count, int) and count == 1:
            return 0, 1
        first = rows.start + self.offset
        last = first + rows.size - 1
        lower, upper = 0, count
        if self.window is not None:
            lower = greatest(lower, (first - self.window) // chunk_size)
            upper = least(upper, (last + self.window) // chunk_size + 1)
        if self.causal:
            upper = least(upper, last // chunk_size + 1)
        return lower, upper

    def row_range(self, columns, count, chunk_size):
        """Tell which chunks of queries may see some key of `columns`.

        Args:
            columns: `Chunk` of the keys.
            count: Int or scalar tensor, how many chunks of queries there are.
            chunk_size: Int, how many queries each has.

        Returns:
            The first such chunk and the one after the last, each an int or a tensor.
        """
        if isinstance(count, int) and count == 1:
            return 0, 1
        first = columns.start - self.offset
        last = first + columns.size - 1
        lower, upper = 0, count
        if self.window is not None:
            lower = greatest(lower, (first - self.window) // chunk_size)
            upper = least(upper, (last + self.window) // chunk_size + 1)
        if self.causal:
            lower = greatest(lower, first // chunk_size)
        return lower, upper


class Visibility(NamedTuple):
    """Which query may look at which key, and what is added to the scores.

    Attributes:
        query_mask: Boolean, shape `(B, T)`, or `None`.
        key_mask: Boolean, shape `(B, S)`, or `None`.
        attention_mask: Boolean, `(T, S)`, `(B, T, S)`, `(B, H, T, S)`, or `None`.
        bias: Added to the scores, shapes as of `attention_mask`, or `None`.
        causal: Bool. Whether a query sees no key after it.
        window: Int or `None`. How far away a key may be.
        offset: The key at which query 0 stands: an int, a scalar int32 tensor, or one
            for each sequence, shape `(B, 1)`.
        position: A `PositionBias`, or `None`.
    """

    query_mask: Any = None
    key_mask: Any = None
    attention_mask: Any = None
    bias: Any = None
    causal: bool = False
    window: Any = None
    offset: Any = 0
    position: Any = None

    def spread(self, sizes):
        """Give mask and bias four axes, and hide what has a bias of minus infinity.

        Args:
            sizes: Tuple `(B, H, T, S)` of ints, `None` where not known.

        Returns:
            `Visibility` with mask and bias broadcastable to `(B, H, T, S)`.

        Raises:
            ValueError: If a shape does not fit.
        """
        mask, bias = self.attention_mask, self.bias
        if mask is not None:
            mask = ops.cast(_spread("attention_mask", mask, sizes), "bool")
        if bias is not None:
            bias = _spread("attention_bias", bias, sizes)
            shown = ops.not_equal(bias, float("-inf"))
            # Minus infinity itself would give a row of nothing else NaN.
            bias = ops.where(shown, bias, ops.zeros_like(bias))
            mask = shown if mask is None else ops.logical_and(mask, shown)
        return self._replace(attention_mask=mask, bias=bias)


def _spread(name, pairs, sizes):
    """Give a mask or a bias on pairs all four axes, 1 where one was missing.

    Args:
        name: The argument's name, for the message.
        pairs: Shape `(T, S)`, `(B, T, S)` or `(B, H, T, S)`; any axis may be 1.
        sizes: Tuple `(B, H, T, S)` of ints, `None` where not known.

    Returns:
        Broadcastable to `(B, H, T, S)`.

    Raises:
        ValueError: If the shape is none of these.
    """
    shape = tuple(pairs.shape)
    axes = {2: (2, 3), 3: (0, 2, 3), 4: (0, 1, 2, 3)}.get(len(shape))
    if axes is None or not all(
        fits(size, 1) or fits(size, sizes[axis])
        for size, axis in zip(shape, axes, strict=True)
    ):
        raise ValueError(
            f"`{name}` must have shape (T, S), (B, T, S) or (B, H, T, S), where "
            f"(B, H, T, S)={tuple(sizes)} and any axis may be 1. "
            f"Received: {name}.shape={shape}. A query of one step leaves T out."
        )
    return four_axes(pairs)
