"""Score functions: how well each query fits each key; and products of heads.

Shapes: `B` batch, `H` heads, `G` heads of the keys, `T` queries, `S` keys, `D`
features, `U` units.
"""

from keras import ops

from keras_attention.core.projections import project


def dot_scores(query, key):
    """Score by the inner product `q · k`: `(B, T, D)` and `(B, S, D)` to `(B, T, S)`.

    Reference:
        [Luong et al., 2015](https://arxiv.org/abs/1508.04025), section 3.1, "dot".
    """
    return ops.matmul(query, ops.transpose(key, (0, 2, 1)))


def additive_scores(query, key, vector):
    """Score by a hidden layer, `v · tanh(q + k)`.

    Takes q `(B, T, U)`, k `(B, S, U)` and v `(U,)`, gives `(B, T, S)`, and holds a
    tensor of shape `(B, T, S, U)`.

    Reference:
        [Bahdanau et al., 2015](https://arxiv.org/abs/1409.0473), appendix A.1.2.
    """
    hidden = ops.tanh(query[:, :, None, :] + key[:, None, :, :])  # B T S U
    # A matrix product and not a sum: it adds up in float32 whatever the input is.
    return project(hidden, vector[:, None])[..., 0]


def multiply_heads(left, right):
    """Multiply the matrices of H heads by those of G, without repeating the latter.

    Takes `(B, H, T, X)` and `(B, G, X, Y)`, where G divides H; gives `(B, H, T, Y)`.
    """
    heads, groups = left.shape[1], right.shape[1]
    if heads == groups:
        return ops.matmul(left, right)
    batch, _, length, inner = ops.shape(left)
    # The heads of a group below each other, as the rows of one matrix.
    rows = ops.reshape(left, (batch, groups, heads // groups * length, inner))
    product = ops.matmul(rows, right)
    return ops.reshape(product, (batch, heads, length, ops.shape(right)[3]))


def sum_heads(left, right, groups):
    """Multiply transposed matrices by others, and sum over the heads of each group.

    Takes `(B, H, T, X)`, `(B, H, T, Y)` and G; gives `(B, G, X, Y)`: the gradient of
    `multiply_heads` with respect to its `right`.
    """
    batch, heads, length, size = ops.shape(left)
    rows = heads // groups * length
    left = ops.reshape(left, (batch, groups, rows, size))
    right = ops.reshape(right, (batch, groups, rows, ops.shape(right)[3]))
    return ops.matmul(ops.transpose(left, (0, 1, 3, 2)), right)
