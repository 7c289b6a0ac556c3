"""Coverage attention and its loss."""

import keras
from keras import ops

from keras_attention.annotations import Shape, Tensor
from keras_attention.core import add_kernel, check_mask, fits
from keras_attention.layers.feedback import AdditiveFeedbackAttention


@keras.saving.register_keras_serializable(package="keras_attention")
class CoverageAttention(AdditiveFeedbackAttention):
    """Attends by content and by the weights that each key has had so far.

    score = v · tanh(W_query query + W_key key + w_coverage coverage + b)

    The coverage of a key is the sum of its weights over all steps before, 0 at first.
    It keeps a summary or a translation from saying the same twice; `coverage_loss`
    makes it learn to. A query that is masked covers nothing.

    Args:
        units: Positive int. Size of the hidden layer, and so of v.
        use_bias: Bool. Whether the hidden layer has a bias.
        kernel_initializer: Initializer of W_query, W_key, v and w_coverage.
        dropout, seed, **kwargs: As for `AttentionLayer`; the coverage is the sum of
            the weights as they are before dropout.

    Raises:
        ValueError: If `units` is not a positive int, or as for `AttentionLayer`.

    Example:
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

    def build(
        self, query_shape: Shape, value_shape: Shape, key_shape: Shape | None = None
    ) -> None:
        super().build(query_shape, value_shape, key_shape)
        self.coverage_kernel = add_kernel(self, "coverage_kernel", (1, self.units))

    def features(self, state: Tensor) -> Tensor:
        return state[:, :, None] * ops.cast(self.coverage_kernel, state.dtype)

    def remember(self, previous: Tensor, weights: Tensor) -> Tensor:
        return previous + weights


def coverage_loss(weights: Tensor, mask: Tensor | None = None) -> Tensor:
    """Measure how much each sequence attends again to what it has attended to.

    loss_t = sum over s of min(weights[t, s], coverage[t, s])

    where coverage is the sum of the weights over the steps before t. The loss of a
    sequence is the mean of loss_t over its real steps, as likelihoods are averaged in
    the paper; it lies between 0 and 1.

    Args:
        weights: Attention weights, shape `(B, T, S)`, of any attention.
        mask: Boolean, shape `(B, T)`, or `None`. A step at `False` is padding, which
            neither costs nor covers anything.

    Returns:
        Shape `(B,)`, in float32 or wider; 0 for a sequence without real steps. Add its
        mean, times a factor (1 in the paper), to the loss of a model.

    Raises:
        ValueError: If a shape has the wrong number of axes, the two do not fit, or
            `mask` holds floats.

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
    check_mask("mask", mask)
    if mask is not None and not all(map(fits, mask.shape, weights.shape)):
        raise ValueError(
            "`mask` must have the batch size and the steps of `weights`. Received: "
            f"mask.shape={tuple(mask.shape)}, weights.shape={tuple(weights.shape)}."
        )
    dtype = keras.backend.result_type(weights.dtype, "float32")
    weights = ops.cast(weights, dtype)
    if mask is None:
        mask = ops.ones_like(weights[:, :, 0], dtype="bool")
    mask = ops.cast(mask, "bool")
    weights = ops.where(mask[:, :, None], weights, ops.zeros_like(weights))
    # Shifted and not subtracted: a step must not leave a rounding error of itself.
    before = ops.concatenate(
        [ops.zeros_like(weights[:, :1]), ops.cumsum(weights, axis=1)[:, :-1]], axis=1
    )
    losses = ops.sum(ops.minimum(weights, before), axis=-1)  # B T
    steps = ops.sum(ops.cast(mask, dtype), axis=-1)
    return ops.sum(losses, axis=-1) / ops.maximum(steps, 1.0)
