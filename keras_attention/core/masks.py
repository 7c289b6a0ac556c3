"""Boolean masks; `True` = attend.

Shapes: `B` batch, `T` queries, `S` keys.
"""

from keras import ops

from keras_attention.annotations import Tensor
from keras_attention.core.checks import check_int, check_mask
from keras_attention.core.projections import as_dense


def padding_mask(tokens: Tensor, pad_id: int = 0) -> Tensor:
    """Tell real tokens from padding.

    Args:
        tokens: Integers, shape `(B, S)`.
        pad_id: Int. The token that means padding.

    Returns:
        Boolean, shape `(B, S)`: `True` at real tokens.

    Example:
        ```python
        mask = padding_mask(tokens)  # [[5, 8, 0]] → [[True, True, False]]
        ```
    """
    return ops.not_equal(tokens, pad_id)


def causal_mask(
    query_length: int | Tensor,
    key_length: int | Tensor | None = None,
    offset: int | Tensor = 0,
) -> Tensor:
    """Let query `t` attend to keys `0 … t + offset`.

    Args:
        query_length: Int or scalar tensor, `T`.
        key_length: Int or scalar tensor, `S`; `T` if left out.
        offset: Int or scalar tensor. The position of query 0 among the keys, such
            as the number of tokens already in a cache.

    Returns:
        Boolean, shape `(T, S)`.

    Example:
        ```python
        mask = causal_mask(2, 3)  # [[True, False, False], [True, True, False]]
        ```
    """
    query, key = _positions(query_length, key_length, offset)
    return key <= query


def local_mask(
    query_length: int | Tensor,
    key_length: int | Tensor | None = None,
    *,
    window: int,
    offset: int | Tensor = 0,
) -> Tensor:
    """Let query `t` attend to the keys at most `window` places away, on both sides.

    Args:
        query_length: Int or scalar tensor, `T`, like the next two as for `causal_mask`.
        key_length: `S`.
        window: Int, at least 0. 0: the key at its own position alone.
        offset: The position of query 0 among the keys.

    Returns:
        Boolean, shape `(T, S)`.

    Raises:
        ValueError: If `window` is not an int of at least 0.

    Example:
        ```python
        mask = local_mask(2, 3, window=1)  # [[True, True, False], [True, True, True]]
        ```
    """
    window = check_int("window", window, least=0)
    query, key = _positions(query_length, key_length, offset)
    return ops.abs(key - query) <= window


def combine_masks(
    query_mask: Tensor | None = None,
    key_mask: Tensor | None = None,
    attention_mask: Tensor | None = None,
) -> Tensor | None:
    """Join masks into one: a query attends to a key where every mask lets it.

    Args:
        query_mask: Boolean, shape `(B, T)`, or `None`.
        key_mask: Boolean, shape `(B, S)`, or `None`.
        attention_mask: Boolean, shape `(T, S)`, `(B, T, S)` or, one for each head,
            `(B, H, T, S)`; or `None`.

    Returns:
        Boolean, broadcastable to `(B, T, S)`, or with heads to `(B, H, T, S)`; `None`
        if all are `None`.

    Raises:
        ValueError: If a mask holds floats or has the wrong number of axes.

    Example:
        ```python
        mask = combine_masks(key_mask=real, attention_mask=causal_mask(3))
        ```
    """
    masks = []
    if query_mask is not None:
        masks.append(_boolean("query_mask", query_mask, "(B, T)")[:, :, None])
    if key_mask is not None:
        masks.append(_boolean("key_mask", key_mask, "(B, S)")[:, None, :])
    if attention_mask is not None:
        shapes = "(T, S)", "(B, T, S)", "(B, H, T, S)"
        attention_mask = _boolean("attention_mask", attention_mask, *shapes)
        if len(attention_mask.shape) == 2:
            attention_mask = attention_mask[None]
        elif len(attention_mask.shape) == 4:
            masks = [mask[:, None] for mask in masks]
        masks.append(attention_mask)
    return join_masks(*masks)


def join_masks(*masks):
    """Join masks that broadcast: all must allow; `None`, or no mask, hides nothing."""
    joined = None
    for mask in masks:
        if mask is not None:
            mask = ops.cast(mask, "bool")
            joined = mask if joined is None else ops.logical_and(joined, mask)
    return joined


def hide_padding(tensor: Tensor, mask: Tensor | None) -> Tensor:
    """Set padded steps of `(B, S, D)` to 0, whatever they hold, NaN included.

    The gradient there is 0.
    """
    if mask is None:
        return tensor
    mask = ops.cast(mask, "bool")[:, :, None]
    return ops.where(mask, tensor, ops.cast(0.0, tensor.dtype))


def read_queries(query, query_mask, pairs, dtype):
    """Cast queries, give those of one step an axis of time, set padding to 0.

    Takes queries `(B, T, Dq)`, their mask `(B, T)` and tensors for pairs `(…, T, S)`,
    or all without T for one step; gives `(query, query_mask, *pairs)` with it.
    """
    query, query_mask = as_dense(query, dtype), _as_tensor(query_mask)
    pairs = list(map(_as_tensor, pairs))
    if len(query.shape) == 2:
        query = query[:, None, :]
        if query_mask is not None:
            query_mask = ops.expand_dims(query_mask, -1)
        pairs = [None if each is None else ops.expand_dims(each, -2) for each in pairs]
    batch, length, _ = query.shape
    check_mask("query_mask", query_mask, "(B, T)", B=batch, T=length)
    return hide_padding(query, query_mask), query_mask, *pairs


def read_memory(value, key, value_mask, key_mask, dtype):
    """Cast values and keys, join their masks, and set padding to 0.

    Gives `(value, key, mask)`; without keys the values are the keys.
    """
    value = as_dense(value, dtype)
    sizes = {"B": value.shape[0], "S": value.shape[1]}
    check_mask("value_mask", value_mask, "(B, S)", **sizes)
    check_mask("key_mask", key_mask, "(B, S)", **sizes)
    mask = join_masks(value_mask, key_mask)
    value = hide_padding(value, mask)
    if key is None:
        return value, value, mask
    return value, hide_padding(as_dense(key, dtype), mask), mask


def _as_tensor(given):
    return None if given is None else ops.convert_to_tensor(given)


def _boolean(name, mask, *shapes):
    """Cast a mask, and refuse floats and another number of axes."""
    check_mask(name, mask, *shapes, **dict.fromkeys("BHTS"))
    return ops.cast(mask, "bool")


def _positions(query_length, key_length, offset):
    key_length = query_length if key_length is None else key_length
    offset = offset if isinstance(offset, int) else ops.cast(offset, "int32")
    query = ops.arange(0, query_length, dtype="int32")[:, None] + offset
    return query, ops.arange(0, key_length, dtype="int32")[None, :]


def four_axes(pairs):
    """Give a mask or bias of pairs all four axes, `(B, H, T, S)`."""
    pairs = ops.convert_to_tensor(pairs)
    if len(pairs.shape) == 2:
        return pairs[None, None]
    return pairs[:, None] if len(pairs.shape) == 3 else pairs
