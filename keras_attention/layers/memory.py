"""What queries attend to: a sequence, projected once."""

from typing import NamedTuple

from keras_attention.annotations import Tensor


class Memory(NamedTuple):
    """Projected keys, values and mask of a sequence, by `prepare`.

    Attributes:
        key: Projected keys, shape `(B, S, …)`, or `(B, H, S, D)` for H heads.
        value: Values, shape `(B, S, Dv)`, or `(B, H, S, Dv)` for H heads.
        mask: Boolean, shape `(B, S)`, `True` = attend; `None` if all are real.
        dropout: Factors on the weights of every step, drawn once for a sequence.
        noise: What `draw_noise` drew, shape `(B, T, N)`, a row for each query.

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
    noise: Tensor | None = None
