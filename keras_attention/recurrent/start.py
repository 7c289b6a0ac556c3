"""What `AttentionRNN` begins with: what a call takes, checked and prepared."""

from typing import Any, NamedTuple

import keras
from keras import ops

from keras_attention.core import as_dense, check_mask, fits, hide_padding
from keras_attention.recurrent.memories import check_batch_sizes, prepare_memories
from keras_attention.recurrent.states import States, first_states


class Start(NamedTuple):
    """What all steps need: checked, cleaned of padding, and the memories projected."""

    sequence: Any  # B T Dx
    mask: Any  # B T, or `None`
    memories: list  # a `Memory` for each attention
    states: States


def begin(
    layer,
    sequence,
    memory,
    initial_state=None,
    sequence_mask=None,
    memory_mask=None,
    training=False,
):
    """Check and prepare what a call of an `AttentionRNN` takes, eager or symbolic."""
    sequence = as_dense(sequence, layer.compute_dtype)
    _check_sequence(sequence, layer.input_size)
    batch, length, _ = sequence.shape
    mask = sequence_mask
    if mask is not None:
        check_mask("sequence_mask", mask, "(B, T)", B=batch, T=length)
        mask = ops.broadcast_to(ops.cast(mask, "bool"), ops.shape(sequence)[:2])
    sequence = hide_padding(sequence, mask)
    memories = prepare_memories(layer.attention, memory, memory_mask, training)
    check_batch_sizes(memories, batch)
    states = first_states(layer, memories, initial_state)
    return Start(sequence, mask, memories, states)


def begin_symbolic(layer, *inputs, **named_inputs):
    """Trace `begin` alone, no loop: the sequence, the values and the states."""

    def trace(*inputs, **named_inputs):
        start = begin(layer, *inputs, **named_inputs)
        values = [memory.value for memory in start.memories]
        return start.sequence, values, keras.tree.flatten(start.states)

    operation = keras.Operation(name=layer.name)
    operation.call = trace
    return operation.compute_output_spec(*inputs, **named_inputs)


def check_sequence_shape(shape):
    """Raise `ValueError` unless a layer can be built for sequences of this shape."""
    if len(shape) != 3 or shape[-1] is None:
        raise ValueError(
            "`sequence` must have shape (B, T, Dx) with a known size. "
            f"Received: sequence_shape={tuple(shape)}."
        )


def _check_sequence(sequence, size):
    shape = tuple(sequence.shape)
    if len(shape) != 3 or shape[1] == 0 or not fits(shape[2], size):
        raise ValueError(
            f"`sequence` must have shape (B, T, {size}) and at least one step. "
            f"Received: sequence.shape={shape}."
        )
