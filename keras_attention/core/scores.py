"""Score functions: how well each query fits each key.

Shapes: `B` batch, `T` queries, `S` keys, `D` features, `U` units.
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
