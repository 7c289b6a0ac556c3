"""Wrappers of the `call` of attention layers, which read their weights."""

import inspect
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps

import keras
from keras import ops

from keras_attention.layers import HierarchicalAttention

# Set while a layer is called again for its weights, which no recording records.
_reading = ContextVar("reading", default=False)


class CallWrapper:
    """Wraps `call` of a model and of its attention layers to read their weights.

    Args:
        model: The Keras model or layer whose weights are read.
        read: Function of a name and an array of shape `(B, H, T, S)`, called with all
            weights in the order in which they come.
        unread: Function of a name, called when a layer runs where nothing can be read.
    """

    def __init__(self, model, read, unread):
        self.model = model
        self.read = read
        self.unread = unread
        self.copy = _Copy()
        self.uses = None  # of each layer in the run of the model going on

    def of_model(self):
        """Wrap `call` of the model, to count the uses of its layers in each run."""
        call = self.model.call

        @wraps(call)
        def run(*args, **kwargs):
            self.uses = {}
            try:
                return call(*args, **kwargs)
            finally:
                self.uses = None

        return run

    def of_layer(self, name, layer):
        """Wrap `call` of an attention layer, to read its weights after each call."""
        call = layer.call

        @wraps(call)
        def run(*args, **kwargs):
            if _reading.get():
                return call(*args, **kwargs)
            # Before the call: Keras' layers take the masks off what they get.
            read_weights = self._weights_reader(layer, call, args, kwargs)
            output = call(*args, **kwargs)
            if _read(keras.tree.flatten(output)[0]) is None:
                self.unread(name)
                return output
            entry = self._entry(name)
            for part, weights in read_weights().items():
                self.read(f"{entry}/{part}" if part else entry, weights)
            return output

        return run

    def _entry(self, name):
        if self.uses is None:
            return name
        number = self.uses[name] = self.uses.get(name, -1) + 1
        return f"{name}:{number}" if number else name

    def _weights_reader(self, layer, call, args, kwargs):
        """Make a function that runs `call` as it would run now, for its weights.

        Returns:
            A function without arguments that returns a dict of arrays of shape
            `(B, H, T, S)` by part, see `_named`.
        """
        args, kwargs = keras.tree.map_structure(
            lambda value: self.copy(value) if ops.is_tensor(value) else value,
            (args, kwargs),
        )
        bound = inspect.signature(call).bind(*args, **kwargs)
        bound.arguments["return_attention_scores"] = True
        query = bound.arguments.get("query")
        one_step = query is not None and len(query.shape) == 2
        # Variables as they are now, the states of random numbers among them, so that
        # dropout is drawn alike. What is assigned in the scope ends with it, and so do
        # losses. Of the whole model: on JAX, `predict` has emptied the variables.
        scope = keras.StatelessScope(
            [(each, _value(each)) for each in self.model.variables]
        )

        def read_weights():
            token = _reading.set(True)
            try:
                # Fused kernels have no weights to give.
                with scope, replaced(layer, "_flash_attention", False):
                    results = call(*bound.args, **bound.kwargs)
            finally:
                _reading.reset(token)
            return {
                name: _with_all_axes(_read(weights), one_step)
                for name, weights in _named(layer, results).items()
            }

        return read_weights


def _named(layer, results):
    """Sort the weights out of what a layer returned, by name of the part."""
    if isinstance(layer, HierarchicalAttention):
        _, words, sentences = results
        return {"words": words, "sentences": sentences}
    weights = results[1]
    if isinstance(weights, (list, tuple)):
        return {str(index): each for index, each in enumerate(weights)}
    return {"": weights}


def _with_all_axes(weights, one_step):
    """Give weights the shape `(B, H, T, S)`."""
    if one_step or weights.ndim == 2:
        weights = weights[..., None, :]
    return weights[:, None] if weights.ndim == 3 else weights


def _read(tensor):
    """Turn a tensor into NumPy, in float32 at least; `None` if it has no values yet."""
    try:
        array = ops.convert_to_numpy(tensor)
    except (NotImplementedError, TypeError, ValueError):
        return None  # a symbolic tensor of TensorFlow; of JAX; of PyTorch
    dtype = keras.backend.result_type(str(array.dtype), "float32")
    return array.astype(dtype)


class _Copy(keras.layers.Layer):
    """Copies a tensor and the mask that it carries."""

    def __init__(self):
        super().__init__(autocast=False)
        self.supports_masking = True

    def call(self, tensor):
        return ops.copy(tensor)


def _value(variable):
    value = variable.value
    # A copy of the states of random numbers: PyTorch changes them in place.
    return ops.copy(value) if keras.backend.is_int_dtype(variable.dtype) else value


@contextmanager
def replaced(layer, name, value):
    """Put `value` in place of an attribute of one layer."""
    # Not by `setattr`, with which a layer tracks what it is given.
    own = vars(layer)
    had, before = name in own, own.get(name)
    own[name] = value
    try:
        yield
    finally:
        if had:
            own[name] = before
        else:
            del own[name]
