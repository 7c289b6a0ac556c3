"""The weights of the attention layers in a model, recorded while it runs."""

import inspect
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager

import keras
import numpy as np

from keras_attention.layers import (
    AttentionLayer,
    AttentionPooling,
    HierarchicalAttention,
)
from keras_attention.recording.wrappers import CallWrapper, replaced
from keras_attention.recurrent import AttentionRNN

ATTENTION_LAYERS = (
    AttentionLayer,
    AttentionPooling,
    AttentionRNN,
    HierarchicalAttention,
    keras.layers.Attention,  # and AdditiveAttention, which is one
    keras.layers.GroupQueryAttention,
    keras.layers.MultiHeadAttention,
)


class AttentionRecord(Mapping[str, np.ndarray]):
    """What `record_attention` recorded: attention weights by name.

    A mapping of names to arrays of shape `(B, H, T, S)`: `B` examples of all batches,
    `H` heads, `T` queries, `S` keys.

    Example:
        ```python
        with record_attention(model) as record:
            model.predict(batch, verbose=0)
        for name, weights in record.items():
            print(name, weights.shape)  # (B, H, T, S)
        ```
    """

    def __init__(self) -> None:
        self._batches: dict[str, list[np.ndarray]] = {}
        self._unread: set[str] = set()

    def __getitem__(self, name: str) -> np.ndarray:
        batches = self.batches(name)
        shapes = sorted({batch.shape[1:] for batch in batches})
        if len(shapes) > 1:
            found = ", ".join(f"(B, {', '.join(map(str, each))})" for each in shapes)
            raise ValueError(
                f"The batches of {name!r} must be of one length to be joined. "
                f"Received: batches of shapes {found}. Pad the inputs to one length, "
                f"or take the batches one by one: `record.batches({name!r})`."
            )
        return np.concatenate(batches)

    def __contains__(self, name: object) -> bool:
        return name in self._batches

    def __iter__(self) -> Iterator[str]:
        return iter(self._batches)

    def __len__(self) -> int:
        return len(self._batches)

    def __repr__(self) -> str:
        return f"<AttentionRecord of {_listed(self._batches)}>"

    def batches(self, name: str) -> list[np.ndarray]:
        """Give the weights of each batch by itself, whatever their lengths.

        Args:
            name: String, a name in the record.

        Returns:
            List of arrays, shape `(B, H, T, S)`.

        Raises:
            KeyError: If nothing was recorded under `name`.
        """
        if name in self._batches:
            return list(self._batches[name])
        message = f"No weights of {name!r}. Recorded: {_listed(self._batches)}."
        if name in self._unread:
            message += (
                f" {name!r} ran, but where its weights cannot be read: in a compiled "
                "or differentiated function, or in a loop over time steps."
            )
        elif not self._batches:
            message += (
                " The model has to run inside the context: by `predict`, `evaluate` "
                "or a call."
            )
            if self._unread:
                message += (
                    f" What ran cannot be read there: {_listed(self._unread)}, in a "
                    "compiled or differentiated function, or in a loop."
                )
        raise KeyError(message)

    def _add(self, name, weights):
        self._batches.setdefault(name, []).append(weights)


@contextmanager
def record_attention(model: keras.layers.Layer) -> Iterator[AttentionRecord]:
    """Record the weights of every attention layer in a model while it runs.

    The layers are those of this package and Keras' own: `MultiHeadAttention`,
    `GroupQueryAttention`, `Attention`, `AdditiveAttention`. Each is named by its
    path in the model, such as `"encoder/attention"`. A layer that the model uses
    twice in a run has two entries, the second `"encoder/attention:1"`. An
    `AttentionRNN` has one entry for all its steps, or one for each of several
    attentions, `"decoder/0"`, `"decoder/1"`; `HierarchicalAttention` has two,
    `"…/words"` and `"…/sentences"`.

    All weights have shape `(B, H, T, S)`, with an axis of size 1 where a layer has no
    heads or a single query. The hops of `AttentionPooling` and the sentences of
    `HierarchicalAttention` take the place of the queries. Low precision is widened to
    float32. Runs are joined along the batch.

    Weights are made beside the output: after each call the layer is called again, for
    its weights, on copies of its inputs, and what that changes is thrown away.
    The model's outputs, losses and random numbers are those that it would have
    without. The weights are what the layer itself gives, before dropout (Keras'
    `Attention` and `AdditiveAttention`: after it, in training). Keras' layers give
    queries that may attend to nothing equal weights.

    Inside the context the model runs eagerly, so it is slower; what was changed is put
    back at its end. Weights cannot be read inside a `tf.function` or loop of the
    model's own, nor, on JAX, in `fit`, which differentiates.

    Args:
        model: A Keras model, built, or a layer. It must hold an attention layer, or be
            one.

    Yields:
        An `AttentionRecord`, a mapping of names to arrays, which fills as the model
        runs and is kept after.

    Raises:
        ValueError: If `model` is no Keras model or layer, is a model not built, or has
            no attention layer; from the record, if the batches of an entry are not
            of one length.
        KeyError: From the record, if nothing was recorded under a name.

    Example:
        ```python
        with record_attention(model) as record:
            model.predict(batch)
        weights = record["encoder/attention"]  # B H T S
        ```
    """
    record = AttentionRecord()
    found = _attention_layers(model)
    wrapper = CallWrapper(model, record._add, record._unread.add)
    with ExitStack() as stack:
        for name, layer in found.items():
            stack.enter_context(replaced(layer, "call", wrapper.of_layer(name, layer)))
        if model not in found.values():
            stack.enter_context(replaced(model, "call", wrapper.of_model()))
        if isinstance(model, keras.Model):
            stack.enter_context(_run_eagerly(model))
        yield record


def _attention_layers(model):
    """Find the attention layers in a model, by path; those in one another count once.

    Raises:
        ValueError: If `model` is no Keras layer, not built, or has none.
    """
    if not isinstance(model, keras.layers.Layer):
        raise ValueError(
            f"`model` must be a Keras model or layer. Received: model={model!r}."
        )
    if isinstance(model, keras.Model) and not model.built:
        raise ValueError(
            f"`model` must be built. Received: model={model!r}, built=False. Call it "
            "on a batch first."
        )
    if _is_attention(model):
        return {model.name: model}
    found: dict[str, keras.layers.Layer] = {}
    seen, waiting = set(), deque([("", model)])
    while waiting:  # the shortest path first
        path, parent = waiting.popleft()
        for layer in parent._flatten_layers(include_self=False, recursive=False):
            if id(layer) in seen:
                continue
            seen.add(id(layer))
            name = f"{path}{layer.name}"
            if _is_attention(layer):
                found[_free(name, found)] = layer
            else:
                waiting.append((f"{name}/", layer))
    if not found:
        raise ValueError(
            "`model` must hold an attention layer, of this package or of Keras, whose "
            f"`call` takes `return_attention_scores`. Received: model={model!r} "
            "without one."
        )
    return found


def _is_attention(layer):
    return (
        isinstance(layer, ATTENTION_LAYERS)
        and "return_attention_scores" in inspect.signature(layer.call).parameters
    )


def _free(name, taken):
    """Number a name that is taken, as Keras numbers names: `name`, `name_1`."""
    free, number = name, 0
    while free in taken:
        number += 1
        free = f"{name}_{number}"
    return free


@contextmanager
def _run_eagerly(model):
    """Make `predict`, `evaluate` and `fit` run without compiling anything."""
    settings = {
        "run_eagerly": True,
        "jit_compile": False,
        # Compiled by the first `predict` and so on, and kept.
        "predict_function": None,
        "test_function": None,
        "train_function": None,
    }
    # Not every backend can train.
    before = {name: getattr(model, name) for name in settings if hasattr(model, name)}
    try:
        for name in before:
            setattr(model, name, settings[name])
        yield
    finally:
        for name, value in before.items():
            setattr(model, name, value)


def _listed(names):
    return ", ".join(map(repr, names)) or "nothing"
