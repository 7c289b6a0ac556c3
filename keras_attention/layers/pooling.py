"""Attention that makes one vector of a sequence."""

from typing import Any

import keras
from keras import ops

from keras_attention.annotations import Initializer, Shape, Tensor
from keras_attention.core import (
    add_kernel,
    as_dense,
    check_bool,
    check_features,
    check_int,
    check_mask,
    check_number,
    hide_padding,
    masked_softmax,
    project,
)


@keras.saving.register_keras_serializable(package="keras_attention")
class AttentionPooling(keras.layers.Layer):
    """Makes one vector of a sequence, by weights that the sequence itself decides.

    weights = softmax(v · tanh(W x + b)); output = weights · x

    In place of the mean, the maximum or the last step: for a classifier that is to
    show which words made its decision. The query is the learned vector v, so there is
    one input, as in `keras.Sequential`; several `hops` have as many vectors v and
    outputs, each with weights of its own. The output is no sequence and has no mask.

    Shapes: `B` batch, `S` steps, `D` features.

    Args:
        units: Positive int. Size of the hidden layer; `D` if left out.
        hops: Positive int. Number of vectors v.
        use_bias: Bool. Whether the hidden layer has a bias.
        penalty: Number, at least 0. Times the mean over the batch of
            |A·Aᵀ - I|², A the weights of all hops, it is added to the model's loss:
            hops are to attend to different steps, and each to few.
        kernel_initializer: Initializer of W and v.
        **kwargs: Arguments of `keras.layers.Layer`, such as `name` and `dtype`.

    Call arguments:
        sequence: Shape `(B, S, D)`.
        mask: Boolean, shape `(B, S)`, `True` = attend. Steps at `False` get weights 0,
            whatever they hold, NaN included.
        return_attention_scores: Bool. Whether to return the weights too.

    Returns:
        vector: Shape `(B, D)`, or `(B, hops, D)` for several hops. 0 for a sequence
            that is all padding.
        weights: Shape `(B, S)`, or `(B, hops, S)`, only if `return_attention_scores`.
            They sum to 1, or to 0 if all is padding.

    Raises:
        ValueError: If an argument is not as told above, or a shape does not fit.

    Example:
        ```python
        model = keras.Sequential([
            keras.layers.Embedding(10_000, 64, mask_zero=True),
            AttentionPooling(units=64),
            keras.layers.Dense(1, activation="sigmoid"),
        ])
        ```

    Reference:
        [Yang et al., 2016](https://aclanthology.org/N16-1174/), section 2.2, equations
        5 to 7; several hops and the penalty:
        [Lin et al., 2017](https://arxiv.org/abs/1703.03130), section 2, equations 5
        to 8.
    """

    def __init__(
        self,
        units: int | None = None,
        hops: int = 1,
        use_bias: bool = True,
        penalty: float = 0.0,
        kernel_initializer: Initializer = "glorot_uniform",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.units = units if units is None else check_int("units", units)
        self.hops = check_int("hops", hops)
        self.use_bias = check_bool("use_bias", use_bias)
        self.penalty = check_number("penalty", penalty, least=0)
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.supports_masking = True

    def build(self, sequence_shape: Shape) -> None:
        check_sequence("sequence", sequence_shape, "(B, S, D)")
        size = sequence_shape[-1]
        units = self.units or size
        self.kernel = add_kernel(self, "kernel", (size, units))
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(
                name="bias", shape=(units,), initializer="zeros"
            )
        self.vectors = add_kernel(self, "vectors", (units, self.hops))

    def call(
        self,
        sequence: Tensor,
        mask: Tensor | None = None,
        return_attention_scores: bool = False,
    ) -> Tensor | tuple[Tensor, Tensor]:
        sequence = as_dense(sequence, self.compute_dtype)
        self._check_call(sequence.shape, mask)
        mask = None if mask is None else ops.cast(mask, "bool")
        sequence = hide_padding(sequence, mask)
        hidden = ops.tanh(project(sequence, self.kernel, self.bias))
        # After a product and a transpose tf2onnx mixes up axes of size 1.
        vectors = ops.cast(self.vectors, hidden.dtype)
        scores = ops.einsum("bsu,uh->bhs", hidden, vectors)  # B hops S
        weights = masked_softmax(scores, None if mask is None else mask[:, None, :])
        if self.penalty:
            self.add_loss(self.penalty * _overlap(weights))
        weights = ops.cast(weights, self.compute_dtype)
        vector = ops.matmul(weights, sequence)  # B hops D
        if self.hops == 1:
            vector, weights = vector[:, 0], weights[:, 0]
        return (vector, weights) if return_attention_scores else vector

    def compute_mask(self, sequence: Tensor, mask: Tensor | None = None) -> None:
        return None

    # `TimeDistributed` needs the shape; with that alone Keras would take the
    # weights out of what a symbolic call returns.
    def compute_output_shape(self, sequence_shape: Shape) -> tuple[int | None, ...]:
        self._check_call(sequence_shape)
        batch, _, size = sequence_shape
        return (batch, size) if self.hops == 1 else (batch, self.hops, size)

    def compute_output_spec(
        self,
        sequence: Tensor,
        mask: Tensor | None = None,
        return_attention_scores: bool = False,
    ) -> Tensor | tuple[Tensor, Tensor]:
        self._check_call(sequence.shape, mask)
        vector = keras.KerasTensor(
            self.compute_output_shape(sequence.shape), self.compute_dtype
        )
        if not return_attention_scores:
            return vector
        shape = (*vector.shape[:-1], sequence.shape[1])
        return vector, keras.KerasTensor(shape, self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "units": self.units,
            "hops": self.hops,
            "use_bias": self.use_bias,
            "penalty": self.penalty,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
        }

    def _check_call(self, shape, mask=None):
        check_sequence("sequence", shape, "(B, S, D)")
        if self.built:
            check_features(shape, self.kernel.shape[0])
        check_mask("mask", mask, "(B, S)", B=shape[0], S=shape[1])


def check_sequence(name, shape, axes):
    """Raise `ValueError` if a shape has not the axes, such as `"(B, S, D)"`."""
    if len(shape) != axes.count(",") + 1 or shape[-1] is None:
        raise ValueError(
            f"`{name}` must have shape {axes} with a known D. "
            f"Received: {name}_shape={tuple(shape)}."
        )


def _overlap(weights):
    """Mean over the batch of |A·Aᵀ - I|², A of shape `(hops, S)`."""
    products = ops.matmul(weights, ops.transpose(weights, (0, 2, 1)))  # B hops hops
    gap = products - ops.eye(weights.shape[1], dtype=products.dtype)
    # All padding: there is nothing to attend to, and so no penalty.
    seen = ops.any(weights > 0, axis=(1, 2), keepdims=True)
    gap = ops.where(seen, gap, ops.zeros_like(gap))
    # An empty batch has no penalty either.
    return ops.sum(gap**2) / ops.cast(ops.maximum(ops.shape(gap)[0], 1), gap.dtype)
