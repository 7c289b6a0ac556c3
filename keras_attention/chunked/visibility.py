"""Which query may attend to which key, and with what bias: one value for all of it."""

from typing import Any, NamedTuple

import keras
from keras import ops

from keras_attention.chunked.chunks import Chunk, greatest, least, positions, take
from keras_attention.core import (
    LOWEST,
    check_mask,
    combine_masks,
    fits,
    four_axes,
    join_masks,
)

# The least bias that counts: other scores are nothing beside it, and with `LOWEST`,
# which hides a key, added to it the sum is finite.
LEAST_BIAS = LOWEST / 8


class Visibility(NamedTuple):
    """Which query may attend to which key, and what is added to the scores.

    Tells it for all pairs at once or for one block of `C` queries and `K` keys; knows
    which blocks are hidden whole.

    Attributes:
        query_mask: Boolean, shape `(B, T)`, or `None`.
        key_mask: Boolean, shape `(B, S)`, or `None`.
        attention_mask: Boolean, `(T, S)`, `(B, T, S)`, `(B, H, T, S)`, or `None`.
        bias: Added to the scores, shapes as of `attention_mask`, or `None`.
        causal: Bool. Whether a query attends to no key after it.
        window: Int or `None`. How far away a key may be, on both sides.
        offset: The key at whose position query 0 is: an int, a scalar int32 tensor, or,
            not in chunks, one for each sequence, shape `(B, 1)`.
        position: A layer with `bias(relative)`, such as `AlibiBias`, or `None`.
    """

    query_mask: Any = None
    key_mask: Any = None
    attention_mask: Any = None
    bias: Any = None
    causal: bool = False
    window: Any = None
    offset: Any = 0
    position: Any = None

    def check(self, sizes):
        """Raise `ValueError` if mask or bias do not fit the sizes `(B, H, T, S)`."""
        for name, pairs in (
            ("attention_mask", self.attention_mask),
            ("attention_bias", self.bias),
        ):
            if pairs is not None:
                _check_pairs(name, tuple(pairs.shape), sizes)

    def with_four_axes(self):
        """Give mask and bias four axes, and hide what has a bias of minus infinity.

        Raises `ValueError` for a mask of floats.
        """
        for name in ("query_mask", "key_mask", "attention_mask"):
            check_mask(name, getattr(self, name))
        mask, bias = self.attention_mask, self.bias
        if mask is not None:
            mask = ops.cast(four_axes(mask), "bool")
        if bias is not None:
            bias = four_axes(bias)
            shown = ops.not_equal(bias, float("-inf"))
            bias = ops.cast(bias, keras.backend.result_type(bias.dtype, "float32"))
            # Minus infinity itself would give a row of nothing else NaN; and so would
            # the most negative number, beside `LOWEST`.
            bias = ops.where(shown, bias, ops.zeros_like(bias))
            bias = ops.maximum(bias, ops.cast(LEAST_BIAS, bias.dtype))
            mask = shown if mask is None else ops.logical_and(mask, shown)
        return self._replace(attention_mask=mask, bias=bias)

    def tensors(self):
        """Name the tensors that tell which pairs are visible, cast to their types."""
        names = ("query_mask", "key_mask", "attention_mask")
        given = {name: getattr(self, name) for name in names}
        given = {k: ops.cast(x, "bool") for k, x in given.items() if x is not None}
        if not isinstance(self.offset, int):
            given["offset"] = ops.cast(self.offset, "int32")
        return given

    def may_hide_rows(self):
        """Tell whether a query may attend to no key; causal alone leaves the first."""
        hidden = self.query_mask, self.key_mask, self.attention_mask, self.window
        return any(each is not None for each in hidden)

    def whole(self, query_length, key_length):
        """Tell which pairs are visible, as `block` for all queries and keys."""
        return self.block(Chunk.whole(query_length), Chunk.whole(key_length))

    def block(self, rows, columns):
        """Tell which pairs of a block are visible, `(B, H, C, K)`; `None`: all."""
        mask = combine_masks(
            None if self.query_mask is None else take(self.query_mask, {1: rows}),
            None if self.key_mask is None else take(self.key_mask, {1: columns}),
            None
            if self.attention_mask is None
            else take(self.attention_mask, {2: rows, 3: columns}),
        )
        masks = [] if mask is None else [four_axes(mask)]
        row, column = positions(rows), positions(columns)
        if rows.fresh is not None:
            masks.append((row >= rows.fresh)[:, None])
        if columns.fresh is not None:
            masks.append(column >= columns.fresh)
        if self.causal or self.window is not None:
            relative = four_axes(column - (row + self.offset)[..., None])
            if self.causal:
                masks.append(relative <= 0)
            if self.window is not None:
                masks.append(ops.abs(relative) <= self.window)
        return join_masks(*masks)

    def add_bias(self, scores):
        """Add all biases to the scores of all pairs, in float32 or wider."""
        if self.bias is not None:
            scores = scores + ops.cast(self.bias, scores.dtype)
        if self.position is not None:
            length, key_length = ops.shape(scores)[2:]
            row = ops.arange(0, length, dtype="int32") + self.offset
            column = ops.arange(0, key_length, dtype="int32")
            bias = self._distance_bias(column - row[..., None])
            scores = scores + ops.cast(bias, scores.dtype)
        return scores

    def bias_by_distance(self, query_length, key_length):
        """List the bias of `position` at every distance that can occur.

        Shape `(T + S - 1, H)`: row `s - t + T - 1` is that of key s and query t.
        """
        count = query_length + key_length - 1
        if keras.backend.backend() != "jax" or isinstance(count, int):
            count = greatest(count, 0)
        distances = ops.arange(0, count, dtype="int32")
        relative = distances - (query_length - 1) - self.offset
        return ops.transpose(self._distance_bias(relative[None])[..., 0, :])

    def _distance_bias(self, relative):
        """Give the bias of `position`, in float32 or wider, at least `LEAST_BIAS`."""
        bias = self.position.bias(relative)
        bias = ops.cast(bias, keras.backend.result_type(bias.dtype, "float32"))
        # A row of minus infinity alone would be no number.
        return ops.maximum(bias, ops.cast(LEAST_BIAS, bias.dtype))

    def column_range(self, rows, count, chunk_size):
        """Tell which of `count` chunks of keys some query of `rows` attends to.

        Gives the first and the one after the last, each an int or a tensor.
        """
        lower, upper, last = self._range(rows, self.offset, count, chunk_size)
        if self.causal and last is not None:
            upper = least(upper, last // chunk_size + 1)
        return lower, upper

    def row_range(self, columns, count, chunk_size):
        """Tell which of `count` chunks of queries attend to some key of `columns`."""
        lower, upper, last = self._range(columns, -self.offset, count, chunk_size)
        if self.causal and last is not None:
            lower = greatest(lower, (last - columns.size + 1) // chunk_size)
        return lower, upper

    def _range(self, chunk, offset, count, chunk_size):
        """Tell the chunks of the other axis within the window; the last position."""
        if isinstance(count, int) and count <= 1:
            return 0, count, None
        first = chunk.start + offset
        last = first + chunk.size - 1
        if self.window is None:
            return 0, count, last
        lower = greatest(0, (first - self.window) // chunk_size)
        return lower, least(count, (last + self.window) // chunk_size + 1), last


def _check_pairs(name, shape, sizes):
    """Raise `ValueError` if this is no shape of a mask or a bias on pairs."""
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
