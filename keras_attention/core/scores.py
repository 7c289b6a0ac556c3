"""Score functions: how well each query fits each key.

Shapes: `T` queries, `S` keys, `D` features, `U` units; axes before them, such as the
batch, are the same in all arguments, and there may be none.
"""

from keras import ops

from keras_attention.annotations import Tensor
from keras_attention.core.projections import multiply, project


def dot_scores(query: Tensor, key: Tensor) -> Tensor:
    """Score by the inner product `q · k`.

    Args:
        query: Shape `(..., T, D)`.
        key: Shape `(..., S, D)`.

    Returns:
        Shape `(..., T, S)`.

    Example:
        ```python
        query, key = keras.ops.ones((3, 8)), keras.ops.ones((5, 8))
        scores = dot_scores(query, key)  # 8 everywhere, shape (3, 5)
        ```

    Reference:
        [Luong et al., 2015](https://arxiv.org/abs/1508.04025), section 3.1, "dot".
    """
    query, key = map(ops.convert_to_tensor, (query, key))
    return multiply(query, ops.swapaxes(key, -1, -2))


def additive_scores(query: Tensor, key: Tensor, vector: Tensor) -> Tensor:
    """Score by a hidden layer, `v · tanh(q + k)`, of queries and keys projected before.

    Holds a tensor of shape `(..., T, S, U)`.

    Args:
        query: Shape `(..., T, U)`.
        key: Shape `(..., S, U)`.
        vector: Shape `(U,)`.

    Returns:
        Shape `(..., T, S)`.

    Example:
        ```python
        query, key = keras.ops.ones((3, 4)), keras.ops.ones((5, 4))
        scores = additive_scores(query, key, keras.ops.ones((4,)))  # shape (3, 5)
        ```

    Reference:
        [Bahdanau et al., 2015](https://arxiv.org/abs/1409.0473), appendix A.1.2.
    """
    query, key, vector = map(ops.convert_to_tensor, (query, key, vector))
    # Not by `[..., None]`, of which TensorFlow's gradient is a copy.
    query, key = ops.expand_dims(query, -2), ops.expand_dims(key, -3)
    hidden = ops.tanh(query + key)  # ... T S U
    # A matrix product and not a sum: it adds up in float32 whatever the input is.
    return ops.squeeze(project(hidden, ops.expand_dims(vector, -1)), axis=-1)
