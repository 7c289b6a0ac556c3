"""weights of a layer: kernels, projections."""

import math

from keras import ops


def add_kernel(layer, name, shape):
    """Give a layer a weight that starts by its `kernel_initializer`."""
    # A copy each: one initializer used twice gives the same numbers twice.
    initializer = layer.kernel_initializer.clone()
    return layer.add_weight(name=name, shape=shape, initializer=initializer)


def build_once(layer, *shapes):
    """Build a layer unless it is built, as one loaded from a file is."""
    if not layer.built:
        layer.build(*shapes)


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
