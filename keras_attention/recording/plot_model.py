"""A model and an example in, a picture or a page of its attention out."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from keras_attention.analysis import check_strings
from keras_attention.annotations import Axes, Tensor
from keras_attention.page import AttentionView, attention_view
from keras_attention.plots import plot_attention, plot_attention_heads
from keras_attention.recording.record import record_attention

# What padding may get: a softmax in low precision gives masked steps no exact 0.
NOTHING = 1e-3


def plot_model_attention(
    model: keras.layers.Layer,
    inputs: Tensor | Sequence[Tensor] | dict[str, Tensor],
    source: Sequence[str],
    target: Sequence[str] | None = None,
    *,
    layer: str | None = None,
    head: int | None = None,
    example: int = 0,
    **options: Any,
) -> Axes | np.ndarray:
    """Run a model on an example and draw the weights of one of its attention layers.

    In one line what `record_attention` and `plot_attention` do, for stock Keras layers
    as for those of this package.

    Args:
        model: A built Keras model, or a layer.
        inputs: What the model takes: an array, or a list or dict of arrays, with the
            batch axis.
        source: `S` strings, the words attended to. Padding at their end may be left
            out if it gets no weight.
        target: `T` strings, the words that attend; padding at their end may be left
            out. Default: `source`, for self-attention.
        layer: String, the name of the layer in the record of `record_attention`.
            Default: the only one there is.
        head: Int. The head to draw. Default: all, a panel each.
        example: Int. Which example of the batch.
        **options: Those of `plot_attention`, or `plot_attention_heads` if there are
            several heads.

    Returns:
        The Axes, or an array of Axes, one for each head.

    Raises:
        ValueError: If the model has no attention layer that can be read, if `layer`,
            `head` or `example` is not among what there is, or if the words do not fit
            the weights.

    Example:
        ```python
        ax = plot_model_attention(model, tokens, words, layer="encoder/attention")
        ```
    """
    if layer is not None:
        layer = [layer]
    found = _weights_of(model, inputs, source, target, layer, example, choose=True)
    ((name, weights),) = found.items()
    heads = len(weights)
    if head is not None and head not in range(heads):
        raise ValueError(
            f"`head` must be an int from 0 to {heads - 1}, a head of {name!r}, or "
            f"None. Received: head={head!r}."
        )
    if head is not None or heads == 1:
        return plot_attention(weights[head or 0], source, target, **options)
    return plot_attention_heads(weights, source, target, **options)


def view_model_attention(
    model: keras.layers.Layer,
    inputs: Tensor | Sequence[Tensor] | dict[str, Tensor],
    source: Sequence[str],
    target: Sequence[str] | None = None,
    *,
    layer: str | Sequence[str] | None = None,
    example: int = 0,
    **options: Any,
) -> AttentionView:
    """Run a model on an example and make a page of the weights of its layers.

    In one line what `record_attention` and `attention_view` do, for stock Keras layers
    as for those of this package.

    Args:
        model: A built Keras model, or a layer.
        inputs: What the model takes: an array, or a list or dict of arrays, with the
            batch axis.
        source: `S` strings, the words attended to. Padding at their end may be left
            out if it gets no weight.
        target: `T` strings, the words that attend; padding at their end may be left
            out. Default: `source`, for self-attention.
        layer: String, or list of strings: names in the record of `record_attention`.
            Default: the only one there is; without `target`, all.
        example: Int. Which example of the batch.
        **options: Those of `attention_view`.

    Returns:
        An `AttentionView`.

    Raises:
        ValueError: If the model has no attention layer that can be read, if `layer` or
            `example` is not among what there is, or if the words do not fit the
            weights.

    Example:
        ```python
        view_model_attention(model, tokens, words).save("attention.html")
        ```
    """
    layer = [layer] if isinstance(layer, str) else layer
    choose = target is not None
    found = _weights_of(model, inputs, source, target, layer, example, choose=choose)
    return attention_view(found, source, target, **options)


def _weights_of(model, inputs, source, target, names, example, choose):
    """Give the weights of one example, `(H, T, S)`, by name of the layer."""
    source = check_strings(source, "source")
    target = source if target is None else check_strings(target, "target")
    with record_attention(model) as record:
        model(inputs)
    if not record:
        raise ValueError(
            "`model` must call its attention layers where their weights can be read: "
            "in no compiled function and no loop over time. "
            f"Received: model={model!r}, which gave no weights."
        )
    return {
        name: _without_padding(
            name, _one(record[name], example), len(target), len(source)
        )
        for name in _choose(record, names, choose)
    }


def _choose(record, names, choose):
    """Give the names that were given, or all, unless one is to be chosen."""
    there = ", ".join(
        f"{name!r} (H, T, S = {', '.join(map(str, weights.shape[1:]))})"
        for name, weights in record.items()
    )
    if names is None:
        if choose and len(record) > 1:
            raise ValueError(
                "`layer` must name one of the layers of this model. Received: "
                f"layer=None. There are {there}."
            )
        return list(record)
    for name in names:
        if name not in record:
            raise ValueError(
                "`layer` must name a layer of this model. Received: "
                f"layer={name!r}. There are {there}."
            )
    return names


def _one(weights, example):
    if example not in range(len(weights)):
        raise ValueError(
            f"`example` must be an int from 0 to {len(weights) - 1}, an example of the "
            f"batch. Received: example={example!r}."
        )
    return weights[example]


def _without_padding(name, weights, rows, columns):
    """Cut weights `(H, T, S)` to the words there are, if all that goes is padding."""
    shape = weights.shape[1:]
    mend = "Give a word for each, or choose another `layer`."
    if shape[0] < rows or shape[1] < columns:
        raise ValueError(
            f"`source` and `target` must have at most {shape[1]} and {shape[0]} words "
            f"for the layer {name!r}. Received: {columns} and {rows} words. {mend}"
        )
    weights = weights[:, :rows]
    if (weights[..., columns:].sum(axis=-1) > NOTHING).any():
        raise ValueError(
            f"`source` must have {shape[1]} words for the layer {name!r}, which "
            f"attends beyond the first {columns}. Received: {columns} words. {mend}"
        )
    return weights[..., :columns]
