"""Which pairs may look, told for one block of queries and keys at a time."""

from keras import ops

from keras_attention.chunks import greatest, least, positions, take


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
