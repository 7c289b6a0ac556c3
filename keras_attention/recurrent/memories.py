"""The attentions of `AttentionRNN`, one or several, and the memory of each.

Several attend with the same query, and their contexts are concatenated.
"""

from keras import ops

from keras_attention.core import check_mask, fits
from keras_attention.layers import Memory


def as_list(one_or_several):
    """Put a single object into a list; a `Memory`, a tuple of its parts, is one."""
    if is_several(one_or_several):
        return list(one_or_several)
    return [one_or_several]


def is_several(one_or_several):
    """Tell a list of objects from one object."""
    several = isinstance(one_or_several, (list, tuple))
    return several and not isinstance(one_or_several, Memory)


def check_attention(attention):
    """Raise `ValueError` if this is no attention layer, nor a list of them."""
    attentions = as_list(attention)
    if not attentions or not all(hasattr(each, "attend") for each in attentions):
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
    """List the shape of the memory of each attention, to build it.

    Args:
        attention: An attention layer, or a list of them.
        shape: `(B, S, Dv)`, or a list of such shapes.

    Returns:
        A list with a shape for each attention.

    Raises:
        ValueError: If their numbers differ, or a shape is another.
    """
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
    shapes = _one_for_each(attention, given if several else shape, several)
    return [tuple(each) for each in shapes]


def prepare_memories(attention, memory, mask=None, draw_dropout=False):
    """Project the memory of each attention, unless that is done.

    Args:
        attention: An attention layer, or a list of them.
        memory: Shape `(B, S, Dv)`, or a list of one for each attention; or what this
            function gave.
        mask: Boolean, shape `(B, S)`, or `None`; a list with a list of memories.
        draw_dropout: Bool. Whether to draw one dropout mask for all steps to come.

    Returns:
        A list with a `Memory` for each attention.

    Raises:
        ValueError: If numbers differ, or a prepared memory comes with a mask.
    """
    several = is_several(memory)
    memories = _one_for_each(attention, memory, several)
    if any(isinstance(each, Memory) for each in memories):
        return _check_prepared(attention, memory, mask)
    if several and mask is None:
        mask = [None] * len(memories)
    if several != is_several(mask) or several and len(mask) != len(memories):
        raise ValueError(
            "`memory_mask` must be one mask for one memory, and a list with a mask, or "
            f"None, for each memory of a list. Received: {_count(memory)} and "
            f"{_count(mask)}."
        )
    masks = mask if several else [mask] * len(memories)
    for each, own in zip(memories, masks, strict=True):
        _check_memory_shape(each.shape)
        check_mask("memory_mask", own, "(B, S)", B=each.shape[0], S=each.shape[1])
    return [
        each.prepare(memory, value_mask=mask, draw_dropout=draw_dropout)
        for each, memory, mask in zip(as_list(attention), memories, masks, strict=True)
    ]


def check_batch_sizes(memories, batch):
    """Raise `ValueError` if a prepared memory has another batch size."""
    for memory in memories:
        if not fits(memory.value.shape[0], batch):
            raise ValueError(
                "`memory` must have the batch size (axis 0) of `sequence`. Received: "
                f"{memory.value.shape[0]}, and {batch} of sequence."
            )


def draw_noise(attentions, memories, length):
    """Let each attention draw what each of `length` steps needs anew.

    Args:
        attentions: List of attention layers.
        memories: List of a `Memory` for each.
        length: Int or scalar tensor, the number of steps.

    Returns:
        List of the memories, with the noise of all steps in those that have any.
    """
    return [
        memory._replace(noise=attention.draw_noise(memory, length))
        for attention, memory in zip(attentions, memories, strict=True)
    ]


def noise_of_step(memories, rows):
    """Put the noise of one step in place of that of all steps.

    Args:
        memories: What `draw_noise` gave.
        rows: List of a row `(B, N)` for each memory with noise.

    Returns:
        List of the memories.
    """
    rows = iter(rows)
    return [
        memory if memory.noise is None else memory._replace(noise=next(rows)[:, None])
        for memory in memories
    ]


def attend_all(attentions, query, memories, states, query_mask=None):
    """Attend with each attention, and concatenate the contexts.

    Args:
        attentions: List of attention layers.
        query: Shape `(B, T, Dq)`.
        memories: List of a `Memory` for each.
        states: List of the list of states of each.
        query_mask: Boolean, shape `(B, T)`, or `None`.

    Returns:
        `(context, weights, states)`: shape `(B, T, Dc)`, a list with the weights of
        each, both in the type of the query, a list with the states of each.
    """
    found = [
        attention.attend(query, memory, state, query_mask=query_mask)
        for attention, memory, state in zip(attentions, memories, states, strict=True)
    ]
    contexts, weights, states = zip(*found, strict=True)
    contexts = [ops.cast(context, query.dtype) for context in contexts]
    context = contexts[0] if len(contexts) == 1 else ops.concatenate(contexts, axis=-1)
    weights = [ops.cast(each, query.dtype) for each in weights]
    return context, weights, [list(state) for state in states]


def _check_memory_shape(shape):
    if len(shape) != 3 or shape[-1] is None:
        raise ValueError(
            "`memory` must have shape (B, S, Dv) with a known size. "
            f"Received: memory_shape={tuple(shape)}."
        )


def _one_for_each(attention, memory, several):
    """List the memory of each attention: one of many, or one for all."""
    attentions = as_list(attention)
    if not several:
        return [memory] * len(attentions)
    if not is_several(attention) or len(memory) != len(attentions):
        raise ValueError(
            "`memory` must be one for all attentions, or a list with one for each of a "
            f"list of attentions. Received: {len(memory)} memories for "
            f"{_count(attention)} of attentions."
        )
    return list(memory)


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
