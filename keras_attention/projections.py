"""The product of features and a matrix."""

from keras import ops

from keras_attention.layer_checks import fits


def project(tensor, kernel):
    """Multiply the last axis of a tensor by a matrix.

    Args:
        tensor: Shape `(…, D)`, of two axes or more.
        kernel: Shape `(D, U)`. It is cast to the type of the tensor: Keras casts
            weights by itself within `__call__` alone.

    Returns:
        Shape `(…, U)`, in the type of the tensor.

    Raises:
        ValueError: If the last axis is known to have another size than D.
    """
    if not fits(tensor.shape[-1], kernel.shape[0]):
        raise ValueError(
            f"The last axis must have the size {kernel.shape[0]} that the layer was "
            f"built for. Received: shape={tuple(tensor.shape)}."
        )
    kernel = ops.cast(kernel, tensor.dtype)
    # As rows of one matrix. With more axes Keras on TensorFlow works out at run time
    # which of them to move, where the batch size is unknown; of that XLA has no
    # gradient inside a loop.
    rows = ops.reshape(tensor, (-1, kernel.shape[0]))
    shape = (*ops.shape(tensor)[:-1], kernel.shape[1])
    return ops.reshape(ops.matmul(rows, kernel), shape)
