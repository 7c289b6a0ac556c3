"""The attentions of `AttentionRNN`, one or several, and the memory of each.

Several attend with the same query, and their contexts are concatenated.
"""

from keras import ops

from keras_attention.core import check_mask, fits
from keras_attention.layers import AttentionLayer, Memory


def as_list(one_or_several):
    """Put a single object into a list; a `Memory`, a tuple of its parts, is one."""
    return list(one_or_several) if is_several(one_or_several) else [one_or_several]


def is_several(one_or_several):
    """Tell a list of objects from one object."""
    several = isinstance(one_or_several, (list, tuple))
    return several and not isinstance(one_or_several, Memory)


def check_attention(attention):
    """Raise `ValueError` if this is no attention layer, nor a list of them."""
    attentions = as_list(attention)
    if not attentions or not all(
        isinstance(each, AttentionLayer) for each in attentions
    ):
        raise ValueError(
            "`attention` must be an attention layer of this package, or a list of "
            f"them. Received: attention={attention!r}."
        )
    if len({id(each) for each in attentions}) < len(attentions):
        raise ValueError(
            "`attention` must hold each layer once: a layer has one set of weights. "
            f"Received: attention={attention!r}."
        )


def memory_shapes(attention, shape):
    """List the shape `(B, S, Dv)` of the memory of each attention, to build it."""
    several = not isinstance(shape, Memory) and isinstance(
        shape[0] if len(shape) else None, (list, tuple)
    )
    given = list(shape) if several else [shape]
    if any(isinstance(each, Memory) for each in given):
        raise ValueError(
            "`memory` must be a tensor of shape (B, S, Dv) in the first call. "
            "Received: a prepared memory. Call the layer, or `build`, before."
        )
    for each in given:
        _check_memory_shape(each)
    return [tuple(each) for each in _one_for_each(attention, given, several)]


def prepare_memories(attention, memory, mask=None, draw_dropout=False):
    """List a `Memory` for each attention: project them, unless that is done.

    With a list of memories, shape `(B, S, Dv)`, comes a list of masks, `(B, S)`. With
    `draw_dropout` one dropout mask is drawn for all steps to come.
    """
    several = is_several(memory)
    memories = _one_for_each(attention, as_list(memory), several)
    if any(isinstance(each, Memory) for each in memories):
        memories = _check_prepared(attention, memory, mask)
        if not draw_dropout:
            return memories
        return [
            own if own.dropout is not None else each.with_dropout(own)
            for each, own in zip(as_list(attention), memories, strict=True)
        ]
    if several and mask is None:
        mask = [None] * len(memories)
    if several != is_several(mask) or several and len(mask) != len(memories):
        raise ValueError(
            "`memory_mask` must be one mask for one memory, and a list with a mask, or "
            f"None, for each memory of a list. Received: {_count(memory)} and "
            f"{_count(mask)}."
        )
    masks = _one_for_each(attention, as_list(mask), several)
    prepared = []
    for each, own, real in zip(as_list(attention), memories, masks, strict=True):
        _check_memory_shape(own.shape)
        check_mask("memory_mask", real, "(B, S)", B=own.shape[0], S=own.shape[1])
        prepared.append(each.prepare(own, value_mask=real, draw_dropout=draw_dropout))
    return prepared


def check_batch_sizes(memories, batch):
    """Raise `ValueError` if a prepared memory has another batch size."""
    for memory in memories:
        if not fits(memory.value.shape[0], batch):
            raise ValueError(
                "`memory` must have the batch size (axis 0) of `sequence`. Received: "
                f"{memory.value.shape[0]}, and {batch} of sequence."
            )


def draw_noise(attentions, memories, sequence):
    """Draw what each of the T steps of a sequence needs anew, into the memories."""
    length = ops.shape(sequence)[1]
    return [
        memory._replace(noise=attention.draw_noise(memory, length))
        for attention, memory in zip(attentions, memories, strict=True)
    ]


def noise_of_step(memories, rows):
    """Put the noise of one step, a row `(B, N)` where there is any, in place of all."""
    rows = iter(rows)
    return [
        memory if memory.noise is None else memory._replace(noise=next(rows)[:, None])
        for memory in memories
    ]


def _check_memory_shape(shape):
    if len(shape) != 3 or shape[-1] is None:
        raise ValueError(
            "`memory` must have shape (B, S, Dv) with a known size. "
            f"Received: memory_shape={tuple(shape)}."
        )


def _one_for_each(attention, given, several):
    """List the memory of each attention: one of many, or the one for all."""
    attentions = as_list(attention)
    if not several:
        return given * len(attentions)
    if not is_several(attention) or len(given) != len(attentions):
        raise ValueError(
            "`memory` must be one for all attentions, or a list with one for each of a "
            f"list of attentions. Received: {len(given)} memories for "
            f"{_count(attention)} of attentions."
        )
    return given


def _check_prepared(attention, memory, mask):
    memories = as_list(memory)
    prepared = all(isinstance(each, Memory) for each in memories)
    if not prepared or is_several(memory) != is_several(attention):
        raise ValueError(
            "`memory` must be what `prepare` gave: one, or a list with one for each of "
            f"a list of attentions. Received: {[type(x).__name__ for x in memories]}."
        )
    # Keras itself fills in a mask for each part of a memory.
    if any(each is not None and not isinstance(each, Memory) for each in as_list(mask)):
        raise ValueError(
            "`memory_mask` must be None with a prepared memory. Received: a mask. Give "
            "it to `prepare`."
        )
    return memories


def _count(one_or_several):
    if is_several(one_or_several):
        return f"a list of {len(one_or_several)}"
    return "one, and no list,"
