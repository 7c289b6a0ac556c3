"""What the tests of the layers share: sizes, tolerances, references, the contract."""

import inspect
import json
import re
import tempfile
import warnings
from pathlib import Path

import keras
import numpy as np
import pytest

# Distinct primes: an axis taken for another does not fit.
B, T, S, DQ, DV, U = 2, 3, 5, 7, 11, 13

# For `compile`: JAX is slow without; TensorFlow would use XLA, which has its own tests.
JIT = keras.backend.backend() == "jax"

_TOLERANCES = {"float64": 1e-12, "float32": 2e-5, "float16": 1e-2, "bfloat16": 6e-2}


def tolerance(dtype="float32"):
    """Give `rtol` and `atol` for values of size 1 computed in `dtype`."""
    return {"rtol": _TOLERANCES[dtype], "atol": _TOLERANCES[dtype]}


def array(tensor):
    """Turn a tensor into NumPy; low precision into float32, which NumPy can compare."""
    if isinstance(tensor, np.ndarray):
        return tensor
    if keras.backend.standardize_dtype(tensor.dtype) in ("float16", "bfloat16"):
        tensor = keras.ops.cast(tensor, "float32")
    return keras.ops.convert_to_numpy(tensor)


def arrays(tensors):
    """Turn one tensor, or several, into a list of NumPy arrays."""
    return [array(tensor) for tensor in _flat(tensors)]


def assert_close(actual, expected, dtype="float32"):
    """Assert that two arrays or tensors agree as well as `dtype` lets them."""
    actual, expected = array(actual), array(expected)
    assert actual.shape == expected.shape
    np.testing.assert_allclose(actual, expected, **tolerance(dtype))


def attention_inputs(seed=0, query_size=DQ, key_size=DQ, value_size=DV):
    """Draw query (B, T, Dq), value (B, S, Dv), key (B, S, Dk), as keywords."""
    random = np.random.default_rng(seed)
    shapes = {
        "query": (B, T, query_size),
        "value": (B, S, value_size),
        "key": (B, S, key_size),
    }
    return {
        name: random.normal(size=shape).astype("float32")
        for name, shape in shapes.items()
    }


def randomise(layer, seed=0):
    """Give every weight of a built layer a random value: zeros hide faults."""
    random = np.random.default_rng(seed)
    layer.set_weights(
        [random.normal(scale=0.5, size=weight.shape) for weight in layer.weights]
    )
    return layer


# ---- references, in float64


def reference_attention(scores, value, mask=None):
    """Softmax of scores (B, T, S) over the keys seen, times value (B, S, Dv)."""
    scores = np.asarray(scores, "float64")
    mask = np.broadcast_to(True if mask is None else mask, scores.shape)
    highest = scores.max(-1, keepdims=True, where=mask, initial=-1e300)
    exponentials = np.exp(np.where(mask, scores - highest, -np.inf))
    total = exponentials.sum(-1, keepdims=True)
    weights = exponentials / np.where(total == 0, 1, total)
    return weights @ np.asarray(value, "float64"), weights


def reference_additive(query, key, vector):
    """v · tanh(q + k), one pair at a time."""
    return np.array(
        [
            [[np.tanh(q + k) @ vector for k in keys] for q in queries]
            for queries, keys in zip(query, key, strict=True)
        ],
        "float64",
    )


# ---- gradients and compilation, on the running backend


def gradients(layer, inputs, **call):
    """Differentiate the sum of squares of a layer's first output.

    Args:
        layer: A built layer.
        inputs: Dict of arrays by argument name; the floating ones are differentiated.
        **call: Further arguments of the call.

    Returns:
        Dict of NumPy gradients by input name, and the list of those of the weights.
    """
    floats = {name: x for name, x in inputs.items() if x.dtype.kind == "f"}
    others = {name: x for name, x in inputs.items() if name not in floats} | call

    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        floats = {name: tf.constant(x) for name, x in floats.items()}
        with tf.GradientTape() as tape:
            tape.watch(floats)
            output = _flat(layer(**floats, **others))[0]
            loss = tf.reduce_sum(tf.cast(output, "float32") ** 2)
        variables = [variable.value for variable in layer.trainable_variables]
        of_inputs, of_weights = tape.gradient(loss, (floats, variables))
    elif backend == "jax":
        import jax

        def loss(floats, weights):
            output, _ = layer.stateless_call(
                weights,
                [variable.value for variable in layer.non_trainable_variables],
                **floats,
                **others,
            )
            return (_flat(output)[0].astype("float32") ** 2).sum()

        variables = [variable.value for variable in layer.trainable_variables]
        differentiate = jax.jit(jax.grad(loss, argnums=(0, 1)))
        of_inputs, of_weights = differentiate(floats, variables)
    else:
        pytest.skip(f"no gradients here on {backend}")
    of_inputs = {name: array(gradient) for name, gradient in of_inputs.items()}
    return of_inputs, [array(gradient) for gradient in of_weights]


def compiled(layer, xla=False, **call):
    """Compile a layer's call: `tf.function`, with XLA or without, or `jax.jit`.

    Args:
        layer: A built layer.
        xla: Whether TensorFlow compiles by XLA; JAX always does.
        **call: Arguments that are no arrays.

    Returns:
        A function of a dict of arrays.
    """

    def run(inputs):
        return layer(**inputs, **call)

    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        return tf.function(run, jit_compile=xla, autograph=False)
    if keras.backend.backend() == "jax":
        import jax

        return jax.jit(run)
    return run


def check_empty(make, size=DQ, **call):
    """Assert that a layer gives zeros where there is no example, query or key.

    Args:
        make: Function that makes the layer.
        size: Size of the features of query and value.
        **call: Further arguments of the call.
    """
    for batch, queries, keys in ((0, T, S), (B, 0, S), (B, T, 0)):
        query, value = np.ones((batch, queries, size)), np.ones((batch, keys, size))
        masks = {
            "query_mask": np.ones((batch, queries), bool),
            "value_mask": np.ones((batch, keys), bool),
        }
        for given in ({}, masks, {"use_causal_mask": True}):
            context, weights = arrays(
                make()(query, value, **given, **call, return_attention_scores=True)
            )
            assert context.shape == (batch, queries, size)
            assert weights.shape == (batch, queries, keys)
            assert not context.any()
            assert not weights.any()


# ---- the contract that every layer keeps


def check_layer(layer_class, arguments, inputs, call=None):
    """Assert what every layer promises: shapes, config, files, precisions, training.

    Args:
        layer_class: The class.
        arguments: Dict with a value for every argument of its constructor.
        inputs: Dict of NumPy arrays by name of the call's argument.
        call: Dict of further arguments of the call, such as flags.
    """
    call = call or {}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        # Keras' own, when it saves a variable under NumPy 2.
        warnings.filterwarnings("ignore", "__array__ impl", DeprecationWarning)
        _check_config(layer_class, arguments)
        _check_symbolic(layer_class, arguments, inputs, call)
        _check_file(layer_class, arguments, inputs, call)
        _check_precisions(layer_class, arguments, inputs, call)
        _check_training(layer_class, arguments, inputs, call)


def _check_config(layer_class, arguments):
    names = [
        name
        for name, parameter in inspect.signature(layer_class).parameters.items()
        if parameter.kind is not inspect.Parameter.VAR_KEYWORD
    ]
    assert sorted(names) == sorted(arguments), "give a value for every argument"
    layer = layer_class(**arguments, name="some_name", dtype="mixed_bfloat16")
    config = layer.get_config()
    text = json.dumps(keras.saving.serialize_keras_object(layer))
    again = keras.saving.deserialize_keras_object(json.loads(text))
    assert type(again) is layer_class
    assert again.get_config() == config
    assert (again.name, again.dtype_policy.name) == ("some_name", "mixed_bfloat16")
    for name in names:
        assert name in config, f"`get_config` leaves `{name}` out"
        assert config[name] == _plain(arguments[name]), f"`{name}` changed"
    _check_old_config(layer_class, arguments)


def _check_old_config(layer_class, arguments):
    """Assert that a configuration from before an argument existed is still taken."""
    parameters = inspect.signature(layer_class).parameters
    defaults = {
        name: parameters[name].default
        for name in arguments
        if parameters[name].default is not inspect.Parameter.empty
    }
    needed = {name: arguments[name] for name in arguments if name not in defaults}
    config = layer_class(**needed).get_config()
    for name in defaults:
        old = {key: value for key, value in config.items() if key != name}
        assert layer_class.from_config(old).get_config() == config, f"without `{name}`"


def _plain(value):
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value]
    if hasattr(value, "get_config"):
        return keras.saving.serialize_keras_object(value)
    return value


def _check_symbolic(layer_class, arguments, inputs, call):
    eager = _flat(layer_class(**arguments)(**inputs, **call))
    exact = _flat(
        layer_class(**arguments)(**_symbolic(inputs, known_lengths=True), **call)
    )
    assert [x.shape for x in exact] == [tuple(x.shape) for x in eager]
    open_ended = _flat(layer_class(**arguments)(**_symbolic(inputs), **call))
    for some, other in zip(open_ended, eager, strict=True):
        assert keras.backend.standardize_dtype(other.dtype) == some.dtype
        assert len(some.shape) == len(other.shape)
        for announced, real in zip(some.shape, other.shape, strict=True):
            assert announced in (None, real)
    assert open_ended[0].shape[-1] is not None


def _check_file(layer_class, arguments, inputs, call):
    model = _model(layer_class(**arguments), inputs, call)
    randomise(model)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.keras"
        model.save(path)
        again = keras.models.load_model(path)
    for before, after in zip(arrays(model(inputs)), arrays(again(inputs)), strict=True):
        assert np.isfinite(before).all()
        np.testing.assert_array_equal(before, after)


def _check_precisions(layer_class, arguments, inputs, call):
    def run(dtype):
        layer = layer_class(**arguments, dtype=dtype)
        layer(**_symbolic(inputs, known_lengths=True), **call)  # builds it
        return _flat(compiled(randomise(layer), **call)(inputs))

    expected = arrays(run("float32"))
    for dtype in ("float16", "bfloat16"):
        outputs = run(f"mixed_{dtype}")
        for output, reference in zip(outputs, expected, strict=True):
            assert keras.backend.standardize_dtype(output.dtype) == dtype
            scale = max(1.0, np.abs(reference).max())
            assert_close(array(output) / scale, reference / scale, dtype)


def _check_training(layer_class, arguments, inputs, call):
    model = _model(layer_class(**arguments), inputs, call)
    model.compile("sgd", "mse", jit_compile=JIT)
    targets = [np.ones_like(output) for output in arrays(model(inputs))]
    targets = targets[0] if len(targets) == 1 else targets
    history = model.fit(inputs, targets, batch_size=len(targets[0]), verbose=0)
    assert np.isfinite(history.history["loss"]).all()
    for weight in model.get_weights():
        assert np.isfinite(np.asarray(weight, "float64")).all()


def _model(layer, inputs, call):
    symbolic = _symbolic(inputs)
    # A dense layer: without weights of its own a layer could not be trained.
    entered = {
        name: keras.layers.Dense(x.shape[-1], name=f"enter_{name}")(x)
        if keras.backend.is_float_dtype(x.dtype)
        else x
        for name, x in symbolic.items()
    }
    return keras.Model(symbolic, layer(**entered, **call))


def _symbolic(inputs, known_lengths=False):
    """Make a `keras.Input` for each array, all axes but the features open, or none."""
    symbolic = {}
    for name, x in inputs.items():
        shape = x.shape
        if not known_lengths:
            features = shape[-1:] if x.dtype.kind == "f" else ()
            shape = (None,) * (x.ndim - len(features)) + features
        symbolic[name] = keras.Input(batch_shape=shape, dtype=x.dtype.name, name=name)
    return symbolic


def _flat(outputs):
    return list(outputs) if isinstance(outputs, (list, tuple)) else [outputs]


def run_example(layer_class, **names):
    """Run the example in a class' docstring; give the names that it leaves behind."""
    (code,) = re.findall(r"```python\n(.*?)```", layer_class.__doc__, re.DOTALL)
    names |= {"keras": keras, layer_class.__name__: layer_class}
    exec(inspect.cleandoc("\n" + code), names)  # our own docstring
    return names
