"""Attention that knows how much it looked at each key, and a loss for repeating."""

from typing import Any

import keras
from keras import ops

from keras_attention.annotations import Initializer, Shape, Tensor
from keras_attention.core import add_kernel, fits
from keras_attention.layers.feedback import AdditiveFeedbackAttention


@keras.saving.register_keras_serializable(package="keras_attention")
class CoverageAttention(AdditiveFeedbackAttention):
    """Attends by content and by how much each key was looked at so far.

    score = v · tanh(W_query query + W_key key + w_coverage coverage + b)

    The coverage of a key is the sum of its weights over all steps before, 0 at first.
    It lets a summary or a translation not say the same twice; `coverage_loss` makes it
    learn to. Queries are asked one after the other, in the order in which they stand.

    Shapes: `B` batch, `T` queries, `S` keys, `Dq`/`Dk`/`Dv` feature sizes.

    Args:
        units: Positive int. Size of the hidden layer, the length of v.
        use_bias: Bool. Whether the hidden layer has a bias.
        kernel_initializer: Initializer of W_query, W_key, v and w_coverage.
        dropout: Float in [0, 1). Share of weights set to 0 in training; the coverage
            counts the weights as they were before.
        seed: Int or `None`. Seed of the dropout.
        **kwargs: Arguments of `keras.layers.Layer`, such as `name` and `dtype`.

    Call arguments:
        query: Shape `(B, T, Dq)`, or `(B, Dq)` for one step, which is the first.
        value: Shape `(B, S, Dv)`, such as encoder outputs.
        key: Shape `(B, S, Dk)`; `value` if left out.
        query_mask: Boolean, shape `(B, T)`, or `(B,)` for one step. A query at `False`
            gets weights 0 and covers nothing.
        value_mask: Boolean, shape `(B, S)`. Padding at `False` is never looked at.
        key_mask: Boolean, shape `(B, S)`.
        attention_mask: Boolean, shape `(T, S)` or `(B, T, S)`.
        use_causal_mask: Bool. Whether query t sees keys 0 to t alone.
        return_attention_scores: Bool. Whether to return the weights too.
        training: Bool. Whether dropout acts.

    Returns:
        context: Shape `(B, T, Dv)`, or `(B, Dv)` for one step.
        weights: Shape `(B, T, S)`, or `(B, S)` for one step, only if
            `return_attention_scores`.

    Raises:
        ValueError: If `units` is not a positive int, `dropout` is not in [0, 1), or a
            shape does not fit.

    Example:
        All queries at once, or one at a time with the coverage handed on:

        ```python
        attention = CoverageAttention(units=128)
        context, weights = attention(
            decoder_states, encoder_states, return_attention_scores=True
        )
        memory = attention.prepare(encoder_states)
        state = attention.initial_state(memory)
        for t in range(decoder_states.shape[1]):
            query = decoder_states[:, t : t + 1]
            step_context, step_weights, state = attention.attend(query, memory, state)
        ```

    Reference:
        [See et al., 2017](https://arxiv.org/abs/1704.04368), section 2.3, equations
        10 and 11.
    """

    def __init__(
        self,
        units: int,
        use_bias: bool = True,
        kernel_initializer: Initializer = "glorot_uniform",
        dropout: float = 0.0,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            units, use_bias, kernel_initializer, dropout=dropout, seed=seed, **kwargs
        )

    def build(
        self, query_shape: Shape, value_shape: Shape, key_shape: Shape | None = None
    ) -> None:
        super().build(query_shape, value_shape, key_shape)
        self.coverage_kernel = add_kernel(self, "coverage_kernel", (1, self.units))

    def features(self, state: Tensor) -> Tensor:
        return state[:, :, None] * ops.cast(self.coverage_kernel, "float32")

    def remember(self, previous: Tensor, weights: Tensor) -> Tensor:
        return previous + weights


def coverage_loss(weights: Tensor, mask: Tensor | None = None) -> Tensor:
    """Measure how much each sequence looks again at what it has looked at.

    loss_t = sum over s of min(weights[t, s], coverage[t, s])

    where coverage is the sum of the weights over the steps before t. The loss of a
    sequence is the mean of loss_t over its real steps, as likelihoods are averaged in
    the paper; it lies between 0 and 1. It is computed in float32.

    Args:
        weights: Attention weights, shape `(B, T, S)`, of any attention.
        mask: Boolean, shape `(B, T)`: `False` where a target step is padding, which
            neither costs nor covers anything. `None` if all steps are real.

    Returns:
        Shape `(B,)` in float32; 0 for a sequence without real steps. Add its mean,
        times a factor (1 in the paper), to the loss of a model.

    Raises:
        ValueError: If `weights` or `mask` has the wrong number of axes, or they do not
            fit.

    Example:
        ```python
        attention = CoverageAttention(units=128)
        context, weights = attention(query, value, return_attention_scores=True)
        loss = keras.ops.mean(coverage_loss(weights))
        ```

    Reference:
        [See et al., 2017](https://arxiv.org/abs/1704.04368), section 2.3, equations
        12 and 13.
    """
    for name, tensor, axes in (("weights", weights, 3), ("mask", mask, 2)):
        if tensor is not None and len(tensor.shape) != axes:
            shape = "(B, T, S)" if axes == 3 else "(B, T)"
            raise ValueError(
                f"`{name}` must have shape {shape}. "
                f"Received: {name} of shape {tuple(tensor.shape)}."
            )
    if mask is not None and not all(map(fits, mask.shape, weights.shape)):
        raise ValueError(
            "`mask` must have the batch size and the steps of `weights`. Received: "
            f"mask.shape={tuple(mask.shape)}, weights.shape={tuple(weights.shape)}."
        )
    weights = ops.cast(weights, "float32")
    if mask is None:
        mask = ops.ones_like(weights[:, :, 0], dtype="bool")
    mask = ops.cast(mask, "bool")
    weights = ops.where(mask[:, :, None], weights, 0.0)
    # Shifted and not subtracted: a step must not leave a rounding error of itself.
    before = ops.concatenate(
        [ops.zeros_like(weights[:, :1]), ops.cumsum(weights, axis=1)[:, :-1]], axis=1
    )
    losses = ops.sum(ops.minimum(weights, before), axis=-1)  # B T
    steps = ops.sum(ops.cast(mask, "float32"), axis=-1)
    return ops.sum(losses, axis=-1) / ops.maximum(steps, 1.0)
