"""Arithmetic with heads on an axis of their own.

Shapes: `B` batch, `T` queries, `S` keys, `H` heads, `G` heads of keys and values, each
of which serves `H / G` neighbouring heads of queries.
"""

import math

from keras import ops

from keras_attention.layer_checks import fits
from keras_attention.projections import project


def add_projection(layer, name, input_sizes, output_sizes):
    """Give a layer the kernel and the bias of a dense layer.

    Args:
        layer: With `kernel_initializer`, `bias_initializer` and `use_bias`.
        name: What the names of the weights begin with.
        input_sizes: Tuple of ints, such as `(Dq,)`.
        output_sizes: Tuple of ints, such as `(H, D)`.

    Returns:
        `(kernel, bias)`; the bias `None` without `use_bias`.
    """
    # A copy each: one initializer used twice gives the same numbers twice.
    initializer = layer.kernel_initializer.clone()
    matrix_shape = (math.prod(input_sizes), math.prod(output_sizes))

    def as_matrix(shape, dtype):
        # Given (Dq, H, D), Keras would count inputs and outputs as those of a
        # convolution, and glorot_uniform would start far too small.
        return ops.reshape(initializer(matrix_shape, dtype=dtype), shape)

    kernel = layer.add_weight(
        name=f"{name}_kernel",
        shape=(*input_sizes, *output_sizes),
        initializer=as_matrix,
    )
    if not layer.use_bias:
        return kernel, None
    bias = layer.add_weight(
        name=f"{name}_bias",
        shape=output_sizes,
        initializer=layer.bias_initializer.clone(),
    )
    return kernel, bias


def split_heads(tensor, kernel, bias):
    """Project to several heads.

    Args:
        tensor: Shape `(B, S, Dx)`.
        kernel: Shape `(Dx, H, D)`.
        bias: Shape `(H, D)`, or `None`.

    Returns:
        Shape `(B, H, S, D)`.
    """
    # Matrix products rather than einsum, and the heads on axis 1: a third less time
    # for one query, measured with gradient on a CPU.
    batch, length = ops.shape(tensor)[0], ops.shape(tensor)[1]
    size, heads, head_size = kernel.shape
    projected = project(tensor, ops.reshape(kernel, (size, heads * head_size)))
    if bias is not None:
        projected = projected + _cast(bias, (heads * head_size,), tensor)
    projected = ops.reshape(projected, (batch, length, heads, head_size))
    return ops.transpose(projected, (0, 2, 1, 3))


def join_heads(tensor, kernel, bias):
    """Project several heads to one vector.

    Args:
        tensor: Shape `(B, H, T, D)`.
        kernel: Shape `(H, D, Do)`.
        bias: Shape `(Do,)`, or `None`.

    Returns:
        Shape `(B, T, Do)`.
    """
    batch, length = ops.shape(tensor)[0], ops.shape(tensor)[2]
    heads, head_size, size = kernel.shape
    side_by_side = ops.reshape(
        ops.transpose(tensor, (0, 2, 1, 3)), (batch, length, heads * head_size)
    )
    projected = project(side_by_side, ops.reshape(kernel, (heads * head_size, size)))
    return projected if bias is None else projected + _cast(bias, (size,), tensor)


def multiply_heads(left, right):
    """Multiply the matrices of H heads by those of G, without repeating the latter.

    Args:
        left: Shape `(B, H, T, X)`.
        right: Shape `(B, G, X, Y)`, where G divides H.

    Returns:
        Shape `(B, H, T, Y)`.
    """
    heads, groups = left.shape[1], right.shape[1]
    if heads == groups:
        return ops.matmul(left, right)
    batch, _, length, inner = ops.shape(left)
    # The heads of a group below each other, as the rows of one matrix.
    rows = ops.reshape(left, (batch, groups, heads // groups * length, inner))
    product = ops.matmul(rows, right)
    return ops.reshape(product, (batch, heads, length, ops.shape(right)[3]))


def check_head_mask(head_mask, sizes):
    """Return `head_mask` as a tensor, or raise `ValueError` if its shape is another.

    Args:
        head_mask: Shape `(H,)` or `(B, H)`.
        sizes: Tuple `(B, H)`; B `None` where not known.
    """
    head_mask = ops.convert_to_tensor(head_mask)
    shape = tuple(head_mask.shape)
    if len(shape) not in (1, 2) or not all(
        fits(*pair) for pair in zip(shape[::-1], sizes[::-1], strict=False)
    ):
        raise ValueError(
            f"`head_mask` must have shape (H,) or (B, H), where (B, H)={tuple(sizes)}. "
            f"Received: head_mask.shape={shape}."
        )
    return head_mask


def _cast(weight, shape, tensor):
    # Keras casts weights by itself within `__call__` alone, and layers are asked from
    # outside too.
    return ops.reshape(ops.cast(weight, tensor.dtype), shape)
