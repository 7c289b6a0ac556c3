"""Location-sensitive attention: it knows the weights of the step before."""

from typing import Any

import keras
from keras import ops

from keras_attention.annotations import Initializer, Shape, Tensor
from keras_attention.core import add_kernel, check_bool, check_int, project
from keras_attention.layers.feedback import AdditiveFeedbackAttention


@keras.saving.register_keras_serializable(package="keras_attention")
class LocationSensitiveAttention(AdditiveFeedbackAttention):
    """Attends by content and by the weights of the step before.

    f = F * previous weights; score = v · tanh(W_query query + W_key key + U f + b)

    The attention of speech recognition and synthesis: a convolution over the previous
    weights distinguishes equal keys by their place. Before the first query all previous
    weights are 0.

    Args:
        units: Positive int. Size of the hidden layer, and so of v.
        filters: Positive int. Number of filters of the convolution F.
        kernel_size: Positive odd int. Keys that a filter spans, as many before a key
            as after it.
        cumulative: Bool. Whether the convolution is over the sum of the weights of all
            steps so far, and not over those of the last alone.
        use_bias: Bool. Whether the hidden layer has a bias.
        kernel_initializer: Initializer of W_query, W_key, v, F and U.
        dropout, seed, **kwargs: As for `AttentionLayer`; the state keeps the weights
            as they are before dropout.

    Raises:
        ValueError: If a size is not a positive int, `kernel_size` is even, or as for
            `AttentionLayer`.

    Example:
        ```python
        attention = LocationSensitiveAttention(units=128)
        context = attention(decoder_states, encoder_states, value_mask=mask)
        memory = attention.prepare(encoder_states, value_mask=mask)
        state = attention.initial_state(memory)
        for t in range(decoder_states.shape[1]):
            query = decoder_states[:, t : t + 1]
            step_context, weights, state = attention.attend(query, memory, state)
        ```

    Reference:
        [Chorowski et al., 2015](https://arxiv.org/abs/1506.07503), section 2.2,
        equations 8 and 9; `cumulative`, and the sizes of the convolution:
        [Shen et al., 2018](https://arxiv.org/abs/1712.05884) (Tacotron 2), section
        2.2.
    """

    def __init__(
        self,
        units: int,
        filters: int = 32,
        kernel_size: int = 31,
        cumulative: bool = False,
        use_bias: bool = True,
        kernel_initializer: Initializer = "glorot_uniform",
        dropout: float = 0.0,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            units, use_bias, kernel_initializer, dropout=dropout, seed=seed, **kwargs
        )
        self.filters = check_int("filters", filters)
        self.kernel_size = check_int("kernel_size", kernel_size)
        if kernel_size % 2 == 0:
            raise ValueError(
                "`kernel_size` must be odd, for as many keys before a key as after "
                f"it. Received: kernel_size={kernel_size}."
            )
        self.cumulative = check_bool("cumulative", cumulative)

    def build(
        self, query_shape: Shape, value_shape: Shape, key_shape: Shape | None = None
    ) -> None:
        super().build(query_shape, value_shape, key_shape)
        filters, kernel = (
            (self.kernel_size, 1, self.filters),
            (self.filters, self.units),
        )
        self.location_filters = add_kernel(self, "location_filters", filters)
        self.location_kernel = add_kernel(self, "location_kernel", kernel)

    def features(self, state: Tensor) -> Tensor:
        # In the type of the state: a sum of many weights needs its digits.
        filters = ops.cast(self.location_filters, state.dtype)
        found = ops.conv(
            state[:, :, None], filters, padding="same", data_format="channels_last"
        )  # B S filters
        return project(ops.cast(found, self.compute_dtype), self.location_kernel)

    def remember(self, previous: Tensor, weights: Tensor) -> Tensor:
        return previous + weights if self.cumulative else weights

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "filters": self.filters,
            "kernel_size": self.kernel_size,
            "cumulative": self.cumulative,
        }
