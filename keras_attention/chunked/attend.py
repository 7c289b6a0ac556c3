"""Attention in chunks: the same numbers in memory that grows with `T + S`.

Shapes: `B` batch, `H` heads, `G` heads of keys and values, `T` queries, `S` keys, `D`
features, `U` units.
"""

from typing import Any

import keras
from keras import ops

from keras_attention.annotations import Tensor
from keras_attention.chunked.chunks import fit_chunk_size
from keras_attention.chunked.masks import ChunkedMask
from keras_attention.chunked.softmax import Blocks, attend, attend_gradients
from keras_attention.chunked.statistics import weight_statistics
from keras_attention.chunked.terms import (
    AdditiveTerm,
    BiasTerm,
    DistanceTerm,
    DotTerm,
    RelativeTerm,
)
from keras_attention.core import check_positive_int, four_axes


def chunked_dot_attention(
    query,
    key,
    value,
    *,
    chunk_size,
    query_mask=None,
    key_mask=None,
    attention_mask=None,
    bias=None,
    causal=False,
    window=None,
    offset=0,
    slopes=None,
    relative=None,
):
    """Attend by inner products without holding the weights.

    Exact: the same result and gradient as with all weights at once, to rounding. A
    block of `chunk_size` queries and as many keys is computed at a time, in float32 or
    wider, and once more for the gradient, so that memory grows with `T + S`. A mask or
    bias that is given for each pair comes on top, and so does the gradient of such a
    bias. Blocks that the causal mask or the window hides are left out, which saves
    time. There is no second derivative.

    Args:
        query: Shape `(B, H, T, D)`, scaled already.
        key: Shape `(B, G, S, D)`, where G divides H: each head of keys serves H / G
            neighbouring heads of queries.
        value: Shape `(B, G, S, Dv)`. NaN has to be cleaned off, even where hidden.
        chunk_size: Positive int.
        query_mask: Boolean, shape `(B, T)`, or `None`.
        key_mask: Boolean, shape `(B, S)`, or `None`.
        attention_mask: Boolean, shape `(T, S)`, `(B, T, S)`, `(B, H, T, S)`, or `None`;
            any axis may be 1.
        bias: Added to the scores; `None`, or a shape as of `attention_mask`. Minus
            infinity hides a pair.
        causal: Bool. Whether query t sees keys 0 to t + offset alone.
        window: Int or `None`. How many places away from a query, on both sides, a key
            may stand.
        offset: Int or scalar int tensor. The key at which query 0 stands.
        slopes: Shape `(H,)`, or `None`. Slope times distance is taken off the scores.
        relative: `None`, or a pair: a table of biases, shape `(buckets, H)`, and the
            function that turns the position of a key minus that of a query, int32, into
            a bucket, int32.

    Returns:
        Shape `(B, H, T, Dv)`; 0 for a query that may see nothing.

    Raises:
        ValueError: If `chunk_size` is not a positive int.

    Reference:
        [Rabe and Staats, 2021](https://arxiv.org/abs/2112.05682), sections 3 and 4;
        [Dao et al., 2022](https://arxiv.org/abs/2205.14135), appendix B.
    """
    terms = _dot_terms(query, key, bias, slopes, relative)
    masks = query_mask, key_mask, attention_mask, offset
    return _attend(terms, value, masks, causal, window, chunk_size)


def chunked_additive_attention(
    query,
    key,
    value,
    vector,
    *,
    chunk_size,
    query_mask=None,
    key_mask=None,
    attention_mask=None,
    causal=False,
    window=None,
    offset=0,
):
    """Attend by the additive score, `v · tanh(q + k)`, without holding the weights.

    Exact, with its own gradient, as `chunked_dot_attention`. The hidden layer, of shape
    `(B, T, S, U)`, is the largest tensor of additive attention, and is made for one
    block at a time.

    Args:
        query: Projected queries, shape `(B, T, U)`.
        key: Projected keys, shape `(B, S, U)`.
        value: Shape `(B, S, Dv)`. NaN has to be cleaned off, even where hidden.
        vector: The vector v, shape `(U,)`.
        chunk_size: Positive int.
        query_mask: Boolean, shape `(B, T)`, or `None`.
        key_mask: Boolean, shape `(B, S)`, or `None`.
        attention_mask: Boolean, shape `(T, S)` or `(B, T, S)`, or `None`; any axis may
            be 1.
        causal: Bool. Whether query t sees keys 0 to t + offset alone.
        window: Int or `None`. How many places away from a query a key may stand.
        offset: Int or scalar int tensor. The key at which query 0 stands.

    Returns:
        Shape `(B, T, Dv)`; 0 for a query that may see nothing.

    Raises:
        ValueError: If `chunk_size` is not a positive int.

    Reference:
        [Bahdanau et al., 2015](https://arxiv.org/abs/1409.0473), appendix A.1.2.
    """
    terms = _additive_terms(query, key, vector)
    masks = query_mask, key_mask, attention_mask, offset
    value = ops.convert_to_tensor(value)[:, None]
    return _attend(terms, value, masks, causal, window, chunk_size)[:, 0]


def chunked_dot_statistics(
    query,
    key,
    *,
    chunk_size,
    query_mask=None,
    key_mask=None,
    attention_mask=None,
    bias=None,
    causal=False,
    window=None,
    offset=0,
    slopes=None,
    relative=None,
):
    """Describe the weights of inner products without holding them.

    Args:
        query: Shape `(B, H, T, D)`, scaled already.
        key: Shape `(B, G, S, D)`.
        chunk_size: Positive int.
        query_mask: As for `chunked_dot_attention`, like all that follow.
        key_mask: Boolean, shape `(B, S)`, or `None`.
        attention_mask: Boolean, for pairs, or `None`.
        bias: For pairs, or `None`.
        causal: Bool.
        window: Int or `None`.
        offset: Int or scalar int tensor.
        slopes: Shape `(H,)`, or `None`.
        relative: A table and a function, or `None`.

    Returns:
        `AttentionStatistics` of tensors of shape `(B, H, T)`, `(B, H, T)` and
        `(B, H, S)`. They have no gradient.

    Raises:
        ValueError: If `chunk_size` is not a positive int.
    """
    terms = _dot_terms(query, key, bias, slopes, relative)
    masks = query_mask, key_mask, attention_mask, offset
    return _describe(terms, masks, causal, window, chunk_size)


def chunked_additive_statistics(
    query,
    key,
    vector,
    *,
    chunk_size,
    query_mask=None,
    key_mask=None,
    attention_mask=None,
    causal=False,
    window=None,
    offset=0,
):
    """Describe the weights of the additive score without holding them.

    Args:
        query: Projected queries, shape `(B, T, U)`.
        key: Projected keys, shape `(B, S, U)`.
        vector: The vector v, shape `(U,)`.
        chunk_size: Positive int.
        query_mask: As for `chunked_additive_attention`, like all that follow.
        key_mask: Boolean, shape `(B, S)`, or `None`.
        attention_mask: Boolean, for pairs, or `None`.
        causal: Bool.
        window: Int or `None`.
        offset: Int or scalar int tensor.

    Returns:
        `AttentionStatistics` of tensors of shape `(B, T)`, `(B, T)` and `(B, S)`. They
        have no gradient.

    Raises:
        ValueError: If `chunk_size` is not a positive int.
    """
    terms = _additive_terms(query, key, vector)
    masks = query_mask, key_mask, attention_mask, offset
    found = _describe(terms, masks, causal, window, chunk_size)
    return type(found)(*(each[:, 0] for each in found))


def _dot_terms(query, key, bias, slopes, relative):
    """List the terms of a score, each with its tensors."""
    terms: list[tuple[Any, tuple[Tensor, ...]]] = [(DotTerm(), (query, key))]
    if bias is not None:
        terms.append((BiasTerm(), (four_axes(bias),)))
    if slopes is not None:
        terms.append((DistanceTerm(), (slopes,)))
    if relative is not None:
        table, bucket = relative
        terms.append((RelativeTerm(bucket), (table,)))
    return terms


def _additive_terms(query, key, vector):
    query, key = ops.convert_to_tensor(query), ops.convert_to_tensor(key)
    return [(AdditiveTerm(), (query[:, None], key[:, None], vector))]


def _attend(terms, value, masks, causal, window, chunk_size):
    """Attend with the own gradient, on every backend that has gradients."""
    make_blocks, inputs = _prepare(terms, masks, causal, window, chunk_size)
    value = ops.convert_to_tensor(value)

    def run(value, *inputs):
        # The tape of TensorFlow would keep every block that it sees.
        value, blocks = ops.stop_gradient(value), make_blocks(inputs)
        output, log_sums = attend(blocks, value)

        def gradient(*args, upstream=None):
            # Keras hands it over by name on torch, and by place elsewhere.
            upstream = args[0] if upstream is None else upstream
            found = attend_gradients(blocks, value, output, log_sums, upstream)
            return (*found, *[None] * (1 + len(inputs) - len(found)))

        return ops.cast(output, value.dtype), gradient

    if keras.backend.backend() == "numpy":
        return run(value, *inputs)[0]  # it has no gradients, and warns of them
    return ops.custom_gradient(run)(value, *inputs)


def _describe(terms, masks, causal, window, chunk_size):
    make_blocks, inputs = _prepare(terms, masks, causal, window, chunk_size)
    return weight_statistics(make_blocks(inputs))


def _prepare(terms, masks, causal, window, chunk_size):
    """Sort what a call was given into tensors and the rest.

    TensorFlow wants every tensor that may come from a variable, masks too, to be an
    input of the function that has its own gradient.

    Returns:
        A function that makes `Blocks` of a list of tensors; that list.
    """
    check_positive_int("chunk_size", chunk_size)
    query_mask, key_mask, attention_mask, offset = masks
    if attention_mask is not None:
        attention_mask = four_axes(attention_mask)
    kinds, groups = zip(*terms, strict=True)
    tensors = [ops.convert_to_tensor(each) for group in groups for each in group]
    given = {
        name: ops.cast(mask, "bool")
        for name, mask in (
            ("query_mask", query_mask),
            ("key_mask", key_mask),
            ("attention_mask", attention_mask),
        )
        if mask is not None
    }
    if not isinstance(offset, int):
        given["offset"] = ops.cast(offset, "int32")
    absent = {"query_mask": None, "key_mask": None, "attention_mask": None}

    def make_blocks(inputs):
        inputs = list(inputs)
        parts = [ops.stop_gradient(each) for each in inputs[: len(tensors)]]
        constants = dict(zip(given, inputs[len(tensors) :], strict=True))
        mask = ChunkedMask(
            **{**absent, "offset": offset, **constants}, causal=causal, window=window
        )
        query, key = parts[:2]
        batch, heads, length = ops.shape(query)[:3]
        key_length = ops.shape(key)[2]
        return Blocks(
            kinds,
            [[parts.pop(0) for _ in group] for group in groups],
            mask,
            (batch, heads, length, key_length),
            fit_chunk_size(chunk_size, length),
            fit_chunk_size(chunk_size, key_length),
            keras.backend.result_type(query.dtype, "float32"),
        )

    return make_blocks, [*tensors, *given.values()]
