"""A model and an example in, a picture or a page of its attention out."""

import warnings
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
            Default: the only one with a row and a column for each word.
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
            Default: the only one with a row and a column for each word; without
            `target`, all that fit. A warning names the others, such as a pooling
            layer after self-attention, whose rows are no words.
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
    words = (len(target), len(source))
    chosen = (
        list(record) if names is None and not choose else _choose(record, names, words)
    )
    weights = {name: _one(record[name], example) for name in chosen}
    misfits = {name: _misfit(name, weights[name], *words) for name in chosen}
    others = [name for name in chosen if misfits[name]]
    if others and (names is not None or len(others) == len(chosen)):
        raise ValueError(misfits[others[0]])
    if others:
        warnings.warn(
            f"Left out, as they do not fit {words[0]} target and {words[1]} source "
            f"words: {_listed({name: record[name] for name in others})}. To see one, "
            "name it as `layer` and give a `target` word for each of its rows (T).",
            stacklevel=3,
        )
    return {
        name: weights[name][:, : words[0], : words[1]]
        for name in chosen
        if not misfits[name]
    }


def _choose(record, names, words):
    """Give the names that were given, or that of the one layer with rows for words."""
    if names is None:
        large = [name for name in record if not _is_too_small(record[name], *words)]
        names = large if len(large) == 1 else list(record)
        if len(names) > 1:
            raise ValueError(
                "`layer` must name one of the layers of this model. Received: "
                f"layer=None. There are {_listed(record)}."
            )
    for name in names:
        if name not in record:
            raise ValueError(
                "`layer` must name a layer of this model. Received: "
                f"layer={name!r}. There are {_listed(record)}."
            )
    return names


def _listed(record):
    return ", ".join(
        f"{name!r} (H, T, S = {', '.join(map(str, weights.shape[1:]))})"
        for name, weights in record.items()
    )


def _one(weights, example):
    if example not in range(len(weights)):
        raise ValueError(
            f"`example` must be an int from 0 to {len(weights) - 1}, an example of the "
            f"batch. Received: example={example!r}."
        )
    return weights[example]


def _misfit(name, weights, rows, columns):
    """Why weights `(H, T, S)` are not those of so many words and padding, or `""`."""
    shape = weights.shape[1:]
    mend = "Give a word for each, or choose another `layer`."
    if _is_too_small(weights, rows, columns):
        return (
            f"`source` and `target` must have at most {shape[1]} and {shape[0]} words "
            f"for the layer {name!r}. Received: {columns} and {rows} words. {mend}"
        )
    if (weights[:, :rows, columns:].sum(axis=-1) > NOTHING).any():
        return (
            f"`source` must have {shape[1]} words for the layer {name!r}, which "
            f"attends beyond the first {columns}. Received: {columns} words. {mend}"
        )
    return ""


def _is_too_small(weights, rows, columns):
    return weights.shape[-2] < rows or weights.shape[-1] < columns
