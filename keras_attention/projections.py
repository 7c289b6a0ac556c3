"""The product of features and a matrix."""

from keras import ops


def project(tensor, kernel):
    """Multiply the last axis of a tensor by a matrix.

    Args:
        tensor: Shape `(…, D)`, of two axes or more.
        kernel: Shape `(D, U)`. It is cast to the type of the tensor: Keras casts
            weights by itself within `__call__` alone.

    Returns:
        Shape `(…, U)`, in the type of the tensor.
    """
    kernel = ops.cast(kernel, tensor.dtype)
    # As rows of one matrix. With more axes Keras on TensorFlow works out at run time
    # which of them to move, where the batch size is unknown; of that XLA has no
    # gradient inside a loop.
    rows = ops.reshape(tensor, (-1, kernel.shape[0]))
    shape = (*ops.shape(tensor)[:-1], kernel.shape[1])
    return ops.reshape(ops.matmul(rows, kernel), shape)
