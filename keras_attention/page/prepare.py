"""The layers of a view: checked, and brought to the words that are shown.

Layers are a dict of float arrays of shape `(H, T, S)` by name.
"""

from collections.abc import Mapping

import numpy as np

from keras_attention.analysis import (
    TOLERANCE,
    check_range,
    merge_links,
    merge_pieces,
    readable,
    select,
    word_spans,
)


def check_layers(weights, rows, columns):
    """What `attention_view` takes as `weights`, as layers.

    Raises:
        ValueError: If the numbers of words do not match, or a weight can be none.
    """
    if isinstance(weights, Mapping):
        named = {
            readable(name): np.asarray(w, "float64") for name, w in weights.items()
        }
        ndims, place = (2, 3), "`weights[{!r}]`"
    else:
        weights = np.asarray(weights, dtype="float64")
        ndims, place = (2, 3, 4), "`weights`"
        named = {"attention": weights}
    if not named:
        raise ValueError("`weights` must hold at least one layer. Received: {}.")
    for name, array in named.items():
        _check_layer(array, place.format(name), rows, columns, ndims)
    if not isinstance(weights, Mapping) and weights.ndim == 4:
        named = {f"layer {i}": layer for i, layer in enumerate(weights)}
    return {name: w[None] if w.ndim == 2 else w for name, w in named.items()}


def _check_layer(weights, name, rows, columns, ndims):
    if weights.ndim not in ndims or weights.shape[-2:] != (rows, columns):
        lead = {2: "", 3: "heads, ", 4: "layers, heads, "}
        shapes = " or ".join(f"({lead[ndim]}{rows}, {columns})" for ndim in ndims)
        mend = ""
        if weights.ndim == max(ndims) + 1:
            mend = " Pick one example of the batch, such as w[0]."
        elif weights.shape[-2:] == (columns, rows):
            mend = " Targets are the rows: swap the last two axes."
        raise ValueError(
            f"{name} must have shape {shapes} for {rows} target and {columns} source "
            f"words. Received: shape={weights.shape}.{mend}"
        )
    if 0 in weights.shape:
        raise ValueError(
            f"{name} must have at least one row, column and head. "
            f"Received: shape={weights.shape}."
        )
    check_range(weights)


def merge_layers(layers, source, target, links, scheme):
    """Layers, source, target and links of words, which the pieces make by `scheme`."""
    if isinstance(scheme, str) or callable(scheme):
        spans = [word_spans(pieces, scheme=scheme) for pieces in (source, target)]
    else:
        spans = scheme
    merged = {}
    for name, weights in layers.items():
        merged[name], source_words, target_words = merge_pieces(
            weights, source, target, scheme=scheme
        )
    if links is not None:
        sure, possible = (merge_links(pairs, *spans) for pairs in links)
        links = sure, possible - sure
    return merged, source_words, target_words, links


def drop_tokens(layers, source, target, links):
    """All of it without special tokens; and a list of sentences on what they had."""
    heads = np.cumsum([len(weights) for weights in layers.values()])
    part = select(np.concatenate(list(layers.values())), source, target, "drop")
    split = np.split(part.weights, heads[:-1])
    if links is not None:
        columns = {int(s): i for i, s in enumerate(part.columns)}
        rows = {int(t): i for i, t in enumerate(part.rows)}
        links = tuple(
            {(columns[s], rows[t]) for s, t in pairs if s in columns and t in rows}
            for pairs in links
        )
    layers = dict(zip(layers, split, strict=True))
    return layers, part.source, part.target, links, part.notes


def tell_row_sums(layers):
    """A list with a sentence on rows that do not sum to 1, if there are any."""
    sums = np.concatenate([w.sum(axis=-1).ravel() for w in layers.values()])
    off = sums[abs(sums - 1) > TOLERANCE]
    if not off.size:
        return []
    return [
        f"Row sums are not 1 in {off.size} of {sums.size} rows "
        f"({off.min():.3g} to {off.max():.3g})."
    ]
