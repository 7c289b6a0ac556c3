"""A step of a search with fewer products: some are done once for many steps.

A context is a sum of rows of the memory by weights, and is multiplied by two matrices.
The rows may be multiplied by both instead, once for all steps and all hypotheses of a
sentence; the sum is then of the results. The embedding of a piece, too, is multiplied
by two matrices, which is done once for all pieces and all searches.

This is for the order "conditional" with GRU cells and an attention that is told by a
score function, the default.

Shapes: `N` pieces, `E` embedding size, `U` units, `D` features of the memory; a product
has `3 U` columns for a cell, and `E` for the readout.
"""

from typing import Any, NamedTuple

import tensorflow as tf
from keras import ops

import keras_attention as ka

MOST = 2**25
"""Numbers that the products of all pieces may have: 128 MiB."""
SUMS = (ka.ScoreAttention.attend, ka.LuongAttention.attend)
"""Whose context is a sum of values by weights, whatever the values are."""


class Folded(NamedTuple):
    """What the steps of a model take in place of its weights."""

    products: Any  # (N, 3 U + E), of the embedding of every piece
    of_context: Any  # (D, 3 U + E)
    of_state: Any  # (U, E)


def fold(model, embedding):
    """Do the products that serve all searches.

    `None` if the model is of another kind, or they would be too large.

    Args:
        model: `TranslationModel`.
        embedding: Shape `(N, E)`.
    """
    cell, context_cell = model.decoder.cells[0], model.decoder.context_cell
    columns = 3 * model.config.units + model.config.embedding_size
    if (
        embedding.shape[0] * columns > MOST
        or model.config.order != "conditional"
        or model.config.cell != "gru"
        or type(model.decoder.attention).attend not in SUMS
        or model.remembers
        or model.compute_dtype != "float32"
    ):
        return None
    # It reads the context, the state and the embedding, in this order.
    readout = model.readout.kernel
    end = readout.shape[0] - model.config.embedding_size
    places = [end - model.config.units, end]
    of_context, of_state, of_embedding = ops.split(readout, places)
    of_embedding = ops.concatenate([cell.kernel, of_embedding], axis=-1)
    bias = ops.concatenate([cell.bias[0], model.readout.bias], axis=-1)
    return Folded(
        ops.matmul(embedding, of_embedding) + bias,
        ops.concatenate([context_cell.kernel, of_context], axis=-1),
        of_state,
    )


def fold_memory(folded, memory):
    """Multiply the values of a `Memory`: `(B, S, D)` becomes `(B, S, 3 U + E)`."""
    return memory._replace(value=ops.matmul(memory.value, folded.of_context))


def folded_step(model, folded, token, memory, state):
    """Do a step.

    Args:
        model: `TranslationModel`.
        folded: `Folded`.
        token: Int32 ids, shape `(B * K,)`.
        memory: What `fold_memory` gave, for `B` sentences.
        state: Shape `(B * K, U)`.

    Returns:
        hidden: Shape `(B * K, E)`.
        weights: Shape `(B * K, S)`.
        state: The next one.
    """
    decoder, units = model.decoder, model.config.units
    sizes = [3 * units, model.config.embedding_size]
    own, hidden = tf.split(tf.gather(folded.products, token), sizes, axis=-1)
    state = decoder.cells[0].advance(own, state)
    query = ops.reshape(state, (ops.shape(memory.value)[0], -1, units))
    context, weights, _ = decoder.attention.attend(query, memory)
    context = ops.reshape(context, (-1, memory.value.shape[-1]))
    own, of_context = tf.split(context, sizes, axis=-1)
    state = decoder.context_cell.advance(own + decoder.context_cell.bias[0], state)
    hidden = ops.tanh(hidden + of_context + ops.matmul(state, folded.of_state))
    return hidden, ops.reshape(weights, (-1, ops.shape(weights)[-1])), state
