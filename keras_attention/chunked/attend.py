"""Attention in chunks: the same numbers in memory that grows with `T + S`.

Shapes: `B` batch, `H` heads, `G` heads of keys and values, `T` queries, `S` keys.
"""

import keras
from keras import ops

from keras_attention.chunked.chunks import fit_chunk_size
from keras_attention.chunked.softmax import Blocks, attend_blocks, attend_gradients
from keras_attention.chunked.statistics import weight_statistics
from keras_attention.chunked.terms import BiasTerm, PositionTerm
from keras_attention.core import check_int


def attend(terms, value, visible, chunk_size, tell_rows=False):
    """Attend without holding the weights: shape `(B, H, T, Dv)`, 0 where all is hidden.

    Exact: the same result and gradient as with all weights at once, to rounding. A
    block of `chunk_size` queries and as many keys is computed at a time, in float32 or
    wider, and once more for the gradient. A mask or bias that is given for each pair
    comes on top, and so does the gradient of such a bias. Blocks that the causal mask
    or the window hides are left out. There is no second derivative.

    Args:
        terms: The score: a list of pairs of a term and its tensors. Those of the first
            begin with the queries, shape `(B, H, T, …)`, and the keys, shape
            `(B, G, S, …)`, where G divides H.
        value: Shape `(B, G, S, Dv)`. NaN has to be set to 0 before, even where hidden.
        visible: A `Visibility` with four axes, its offset a scalar.
        chunk_size: Positive int.
        tell_rows: Bool. Whether to add a column, 1 where a query attends to any key.

    Reference:
        [Rabe and Staats, 2021](https://arxiv.org/abs/2112.05682), sections 3 and 4;
        [Dao et al., 2022](https://arxiv.org/abs/2205.14135), appendix B.
    """
    make_blocks, inputs = _prepare(terms, visible, chunk_size)
    value = ops.convert_to_tensor(value)
    size = value.shape[-1]

    def run(value, *inputs):
        # The tape of TensorFlow would keep every block.
        value, blocks = ops.stop_gradient(value), make_blocks(inputs)
        output, tops, totals, attends = attend_blocks(blocks, value)

        def gradient(*args, upstream=None):
            # Keras hands it over by name on torch, and by place elsewhere.
            upstream = args[0] if upstream is None else upstream
            upstream = upstream[..., :size] if tell_rows else upstream
            found = attend_gradients(blocks, value, output, tops, totals, upstream)
            return (*found, *[None] * (1 + len(inputs) - len(found)))

        # One tensor: on torch Keras' `custom_gradient` takes no more.
        told = ops.concatenate([output, attends], axis=-1) if tell_rows else output
        return ops.cast(told, value.dtype), gradient

    if keras.backend.backend() == "numpy":
        return run(value, *inputs)[0]  # it has no gradients, and warns of them
    return ops.custom_gradient(run)(value, *inputs)


def describe(terms, visible, chunk_size):
    """Describe the weights without holding them; the arguments are those of `attend`.

    Gives `AttentionStatistics` `(B, H, T)`, `(B, H, T)` and `(B, H, S)`, which have no
    gradient.
    """
    make_blocks, inputs = _prepare(terms, visible, chunk_size)
    return weight_statistics(make_blocks(inputs))


def _prepare(terms, visible, chunk_size):
    """Give a function that makes `Blocks` of a list of tensors, and that list.

    TensorFlow wants every tensor that may come from a variable, masks too, to be an
    input of the function that has its own gradient.
    """
    check_int("chunk_size", chunk_size)
    query, key = terms[0][1][:2]
    shape = (*ops.shape(query)[:3], ops.shape(key)[2])
    terms = list(terms)
    if visible.bias is not None:
        terms.append((BiasTerm(), (visible.bias,)))
    if visible.position is not None:
        table = visible.bias_by_distance(*shape[2:])
        terms.append((PositionTerm(), (table,)))
    kinds, groups = zip(*terms, strict=True)
    tensors = [ops.convert_to_tensor(each) for group in groups for each in group]
    masks = visible.tensors()

    def make_blocks(inputs):
        parts = [ops.stop_gradient(each) for each in inputs[: len(tensors)]]
        given = dict(zip(masks, inputs[len(tensors) :], strict=True))
        query, key = parts[:2]
        batch, heads, length = ops.shape(query)[:3]
        key_length = ops.shape(key)[2]
        return Blocks(
            kinds,
            [[parts.pop(0) for _ in group] for group in groups],
            visible._replace(**given),
            (batch, heads, length, key_length),
            fit_chunk_size(chunk_size, length),
            fit_chunk_size(chunk_size, key_length),
            keras.backend.result_type(query.dtype, "float32"),
        )

    return make_blocks, [*tensors, *masks.values()]
