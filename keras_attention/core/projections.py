"""Products of features and a matrix.

Weights are cast to the type of the features: Keras casts them by itself within
`__call__` alone, and `prepare` and `attend` are called from outside too.
"""

from keras import ops

from keras_attention.core.checks import check_features


def as_dense(tensor, dtype):
    """Cast a tensor that Keras may take for a sparse one.

    Keras announces the product of a symbolic tensor and a number, such as embeddings
    times the root of their size, as sparse, and traces the next layer with that.
    """
    return ops.cast(ops.convert_to_tensor(tensor, sparse=False), dtype)


def project(tensor, kernel, bias=None):
    """Multiply the last axis of a tensor, of two axes or more, by a matrix.

    Takes `(…, D)`, a kernel `(D, U)` and perhaps a bias `(U,)`; gives `(…, U)`.
    """
    check_features(tensor.shape, kernel.shape[0])
    kernel = ops.cast(kernel, tensor.dtype)
    # As rows of one matrix. With more axes Keras on TensorFlow works out at run time
    # which of them to move, where the batch size is unknown; of that XLA has no
    # gradient inside a loop.
    rows = ops.reshape(tensor, (-1, kernel.shape[0]))
    shape = (*ops.shape(tensor)[:-1], kernel.shape[1])
    projected = ops.reshape(ops.matmul(rows, kernel), shape)
    return projected if bias is None else projected + ops.cast(bias, tensor.dtype)


def multiply(left, right):
    """Multiply matrices `(…, T, X)` by others, `(…, X, Y)`; gives `(…, T, Y)`."""
    if left.shape[:-2] == right.shape[:-2] == (1,):
        # TensorFlow takes several times as long to begin a product of batches.
        product = ops.matmul(ops.squeeze(left, 0), ops.squeeze(right, 0))
        return ops.expand_dims(product, 0)
    return ops.matmul(left, right)
