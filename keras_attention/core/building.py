"""How layers make their weights, and build the layers that they hold."""

import math
import zlib

import keras
from keras import ops


def build_once(layer, *shapes):
    """Build a layer unless it is built, as one loaded from a file is."""
    if not layer.built:
        layer.build(*shapes)


def add_kernel(layer, name, shape):
    """Give a layer a weight that starts by its `kernel_initializer`.

    Args:
        layer: A layer with `kernel_initializer`.
        name: Str. The name of the weight.
        shape: Tuple of ints.

    Returns:
        The weight.
    """
    initializer = initializer_for(layer.kernel_initializer, name)
    return layer.add_weight(name=name, shape=shape, initializer=initializer)


def add_projection(layer, name, input_sizes, output_sizes):
    """Give a layer the kernel and the bias of a dense layer.

    Args:
        layer: A layer with `kernel_initializer`, `bias_initializer` and `use_bias`.
        name: Str. What the names of the weights begin with.
        input_sizes: Tuple of ints, such as `(Dq,)`.
        output_sizes: Tuple of ints, such as `(H, D)`.

    Returns:
        `(kernel, bias)`; the bias `None` without `use_bias`.
    """
    initializer = initializer_for(layer.kernel_initializer, f"{name}_kernel")
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
        initializer=initializer_for(layer.bias_initializer, f"{name}_bias"),
    )
    return kernel, bias


def initializer_for(initializer, name):
    """Give a weight an initializer of its own.

    One initializer used twice gives the same numbers twice. The copy has another seed:
    the same one whenever seed and name are the same.

    Args:
        initializer: What `keras.initializers.get` gave.
        name: Str. The name of the weight, or of the layer that makes several.

    Returns:
        An initializer; the same one if it takes no seed, as a function, or counts by
        itself, as one with a `SeedGenerator`.
    """
    if not isinstance(initializer, keras.initializers.Initializer):
        return initializer
    config = initializer.get_config()
    if "seed" not in config or isinstance(config["seed"], dict):
        return initializer
    if config["seed"] is not None:
        seed = f"{config['seed']} {name}".encode()
        config["seed"] = zlib.crc32(seed)
    return type(initializer).from_config(config)
