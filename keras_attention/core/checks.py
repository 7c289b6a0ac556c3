"""Checks of what layers take: numbers, sizes, shapes and masks."""

import math
import numbers

import keras
import numpy as np
from keras import ops


def check_int(name, value, least=1):
    """Give an integer, of NumPy too, as an int; `ValueError` if it is none or small."""
    is_int = isinstance(value, numbers.Integral) and not isinstance(value, bool)
    if not is_int or value < least:
        kind = "a positive int" if least == 1 else f"an int of at least {least}"
        raise ValueError(f"`{name}` must be {kind}. Received: {name}={value!r}.")
    return int(value)


def check_bool(name, value):
    """Give a bool, of NumPy too, as a bool; `ValueError` if it is none."""
    if not isinstance(value, (bool, np.bool_)):
        raise ValueError(f"`{name}` must be a bool. Received: {name}={value!r}.")
    return bool(value)


def check_number(name, value, least=None, above=None, below=None):
    """Give `value`, or raise `ValueError` if it is no finite number within limits.

    It must be `least` or more, more than `above`, and less than `below`, where given. A
    number of NumPy becomes an int or a float.
    """
    is_number = isinstance(value, numbers.Real) and not isinstance(value, bool)
    if (
        not is_number
        or not math.isfinite(value)
        or (least is not None and value < least)
        or (above is not None and value <= above)
        or (below is not None and value >= below)
    ):
        limits = [
            f"{words} {limit}"
            for words, limit in (
                ("of at least", least),
                ("greater than", above),
                ("less than", below),
            )
            if limit is not None
        ]
        kind = " ".join(["a number", " and ".join(limits)]).strip()
        if above == 0 and below is None:
            kind = "a positive number"
        raise ValueError(f"`{name}` must be {kind}. Received: {name}={value!r}.")
    return value.item() if isinstance(value, np.generic) else value


def check_chunk_size(chunk_size, dropout):
    """Give `chunk_size`, a positive int or `None`; `ValueError` if it does not fit."""
    if chunk_size is None:
        return None
    if dropout:
        raise ValueError(
            "`dropout` must be 0 with `chunk_size`: weights that are not held cannot "
            f"be dropped. Received: dropout={dropout!r}, chunk_size={chunk_size!r}."
        )
    return check_int("chunk_size", chunk_size)


def fits(size, expected):
    """Tell whether the size of an axis is, or may turn out to be, the expected one."""
    # An open size is `None`, or, while JAX traces a model, a symbol.
    if not (isinstance(size, int) and isinstance(expected, int)):
        return True
    return size == expected


def check_features(shape, size):
    """Raise `ValueError` if the last axis is known to have another size than `size`."""
    if not fits(shape[-1], size):
        raise ValueError(
            f"The last axis must have the size {size} that the layer was built for. "
            f"Received: shape={tuple(shape)}."
        )


def check_mask(name, mask, *shapes, **sizes):
    """Raise `ValueError` if a mask holds floats, or has none of the shapes it may have.

    Shapes are such as `"(B, S)"`, none for any; `sizes` gives the size of each letter,
    `None` where not known. Any axis of the mask may be 1.
    """
    if mask is None:
        return
    dtype = mask.dtype if hasattr(mask, "dtype") else np.asarray(mask).dtype
    dtype = keras.backend.standardize_dtype(dtype)
    if "float" in dtype:
        raise ValueError(
            f"`{name}` must be boolean, True = attend. Received: {name} of type "
            f"{dtype}. A mask of 0 and a large negative number has to be compared, as "
            f"{name} == 0; factors of 1 and 0 as {name} > 0."
        )
    if not shapes:
        return
    shape = tuple(mask.shape) if hasattr(mask, "shape") else np.shape(mask)
    for each in shapes:
        expected = [sizes[axis] for axis in each if axis in sizes]
        if len(shape) == len(expected) and all(
            fits(size, 1) or fits(size, wanted)
            for size, wanted in zip(shape, expected, strict=True)
        ):
            return
    known = [f"{axis}={size}" for axis, size in sizes.items() if size is not None]
    where = f", where {', '.join(known)}" if known else ""
    raise ValueError(
        f"`{name}` must have shape {' or '.join(shapes)}{where}. "
        f"Received: {name}.shape={shape}."
    )


def check_attention_shapes(query_shape, value_shape, key_shape=None):
    """Raise `ValueError` if shapes do not fit as every attention layer needs them.

    Queries are `(B, T, Dq)` or `(B, Dq)`, values `(B, S, Dv)`, keys `(B, S, Dk)`, and
    the feature sizes are known.
    """
    for name, shape, ranks, expected in (
        ("query", query_shape, (2, 3), "(B, T, Dq), or (B, Dq) for one step"),
        ("value", value_shape, (3,), "(B, S, Dv)"),
        ("key", key_shape, (3,), "(B, S, Dk)"),
    ):
        if shape is None:
            continue
        if len(shape) not in ranks:
            raise ValueError(
                f"`{name}` must have shape {expected}. "
                f"Received: {name}_shape={tuple(shape)}."
            )
        if shape[-1] is None:
            raise ValueError(
                f"The last axis of `{name}` must be of known size. "
                f"Received: {name}_shape={tuple(shape)}."
            )
    for name, shape in (("query", query_shape), ("key", key_shape)):
        if shape is not None and not fits(shape[0], value_shape[0]):
            raise ValueError(
                f"`{name}` and `value` must have one batch size (axis 0). Received: "
                f"{name}_shape={tuple(shape)}, value_shape={tuple(value_shape)}."
            )
    if key_shape is not None and not fits(key_shape[1], value_shape[1]):
        raise ValueError(
            "`key` and `value` must have one length (axis 1). Received: "
            f"key_shape={tuple(key_shape)}, value_shape={tuple(value_shape)}. "
            "Pass the encoder outputs for both, or leave `key` out."
        )


def check_equal_sizes(query_shape, value_shape, key_shape, mend):
    """Raise `ValueError` if queries and keys differ in size: inner products want one.

    `mend` tells in the message what else to do.
    """
    key_shape = key_shape or value_shape
    if not fits(query_shape[-1], key_shape[-1]):
        raise ValueError(
            "`query` and `key` must have one size (last axis). Received: "
            f"query_shape={tuple(query_shape)}, key_shape={tuple(key_shape)}. {mend}"
        )


def check_head_mask(head_mask, sizes):
    """Give a mask `(H,)` or `(B, H)` as a tensor; `ValueError` for another shape.

    `sizes` is `(B, H)`, with B `None` where not known.
    """
    head_mask = ops.convert_to_tensor(head_mask)
    shape = tuple(head_mask.shape)
    if len(shape) not in (1, 2) or not all(
        fits(*pair) for pair in zip(shape[::-1], sizes[::-1], strict=False)
    ):
        raise ValueError(
            f"`head_mask` must have shape (H,) or (B, H), where (B, H)={tuple(sizes)}. "
            f"Received: head_mask.shape={shape}."
        )
    return head_mask
