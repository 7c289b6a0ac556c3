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
    """Give a layer a weight of a name that starts by its `kernel_initializer`."""
    initializer = initializer_for(layer.kernel_initializer, name)
    return layer.add_weight(name=name, shape=shape, initializer=initializer)


def add_projection(layer, name, input_sizes, output_sizes):
    """Give a layer the weights of a dense layer, such as from `(Dq,)` to `(H, D)`.

    Gives `(kernel, bias)`; the bias is `None` without `use_bias`.
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
    """Give the weight of this name an initializer of its own.

    One initializer used twice gives the same numbers twice. The copy has another seed:
    the same one whenever seed and name are the same. One that takes no seed, as a
    function, or counts by itself, as one with a `SeedGenerator`, is given as it is.
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
