"""Attention by any score, for a chunk of the queries and all keys at a time."""

import keras
from keras import ops

from keras_attention.chunked.chunks import (
    Chunk,
    count_chunks,
    cut,
    fit_chunk_size,
    greatest,
    least,
    take,
)
from keras_attention.chunked.softmax import Blocks
from keras_attention.chunked.statistics import AttentionStatistics, weight_statistics
from keras_attention.core import masked_softmax


def attend_by_queries(
    score, query, key, value, visible, chunk_size, variables, return_weights=False
):
    """Attend in chunks of queries; the gradient computes each chunk once more.

    Gives the context, shape `(B, T, Dv)`, and, if `return_weights`, the weights, shape
    `(B, T, S)`, which are then held.

    Args:
        score: Function of queries `(B, C, …)` and keys to scores `(B, C, S)`.
        query: Shape `(B, T, …)`.
        key: Shape `(B, S, …)`.
        value: Shape `(B, S, Dv)`.
        visible: A `Visibility` with four axes.
        chunk_size: Int.
        variables: List of the Keras variables that `score` reads.
        return_weights: Bool.
    """
    length, key_length = ops.shape(query)[1], ops.shape(value)[1]
    chunk_size = fit_chunk_size(chunk_size, length)
    # Tensors, in the place of variables: TensorFlow has no gradient for a variable that
    # recomputed steps of a loop read.
    weights = [ops.copy(ops.convert_to_tensor(each)) for each in variables]

    def attend_chunk(index):
        rows = cut(index, length, chunk_size)
        mask = visible.block(rows, Chunk.whole(key_length))
        if mask is not None:
            mask = mask[:, 0]

        def attend(query, key, value, *weights):
            with keras.StatelessScope(zip(variables, weights, strict=True)):
                scores = score(query, key)
            shares = masked_softmax(scores, hide_infinite(scores, mask))
            shares = ops.cast(shares, value.dtype)
            context = ops.matmul(shares, value)
            return (context, shares) if return_weights else context

        # The backend without gradients warns of what it cannot do.
        if keras.backend.backend() != "numpy":
            attend = keras.remat(attend)
        return attend(take(query, {1: rows}), key, value, *weights)

    count = greatest(count_chunks(length, chunk_size), 1)  # one, if there is no query
    chunks = ops.map(attend_chunk, ops.arange(0, count, dtype="int32"))  # N B C Dv
    if not return_weights:
        return _join_chunks(chunks, length, chunk_size)
    return tuple(_join_chunks(each, length, chunk_size) for each in chunks)


def describe_by_queries(score, query, key, visible, chunk_size):
    """Describe the weights in chunks of queries; arguments as for `attend_by_queries`.

    Gives `AttentionStatistics` of shapes `(B, T)`, `(B, T)` and `(B, S)`.
    """
    batch, length = ops.shape(query)[:2]
    key_length = ops.shape(key)[1]
    blocks = Blocks(
        [_ScoreTerm(score)],
        [[ops.stop_gradient(query), ops.stop_gradient(key)]],
        visible,
        (batch, 1, length, key_length),
        fit_chunk_size(chunk_size, length),
        key_length,  # all keys in one block: a score may compare them with each other
        keras.backend.result_type(query.dtype, "float32"),
    )
    found = weight_statistics(blocks)
    return AttentionStatistics(*(each[:, 0] for each in found))


def hide_infinite(scores, mask):
    """Hide pairs with a score of minus infinity too: a row of them has no softmax."""
    finite = ops.not_equal(scores, float("-inf"))
    return finite if mask is None else ops.logical_and(finite, mask)


class _ScoreTerm:
    """A score of any kind, without a gradient of its own."""

    axes = ((1, None), (None, 1))

    def __init__(self, score):
        self.score = score

    def scores(self, parts, distances):
        return self.score(*parts)[:, None], None


def _join_chunks(chunks, length, chunk_size):
    """Join chunks `(N, B, C, Dv)`, the last of which may begin early: `(B, T, Dv)`."""
    count, batch, size, features = ops.shape(chunks)
    joined = ops.reshape(
        ops.transpose(chunks, (1, 0, 2, 3)), (batch, count * size, features)
    )
    if isinstance(count, int) and count == 1:
        return joined
    places = ops.arange(0, length, dtype="int32")
    index = places // chunk_size
    start = ops.minimum(index * chunk_size, length - least(chunk_size, length))
    return ops.take(joined, index * size + places - start, axis=1)
