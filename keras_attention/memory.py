"""A sequence made ready to be attended to."""

from typing import NamedTuple

from keras_attention.annotations import Tensor


class Memory(NamedTuple):
    """A sequence made ready to be attended to, by `prepare`.

    Attributes:
        key: Projected keys, shape `(B, S, …)`, or `(B, H, S, D)` for H heads.
        value: Values, shape `(B, S, Dv)`, or `(B, H, S, Dv)` for H heads.
        mask: Boolean, shape `(B, S)`, `True` = may look; `None` if all may be seen.
        dropout: Factors on the weights, drawn once for all steps of a sequence and
            broadcastable to the weights of one step; `None` without dropout.

    Example:
        ```python
        attention = ScaledDotProductAttention()
        attention(query, value)  # builds it
        memory = attention.prepare(value, value_mask=mask)
        context, weights, _ = attention.attend(query, memory)
        ```
    """

    key: Tensor
    value: Tensor
    mask: Tensor | None = None
    dropout: Tensor | None = None
