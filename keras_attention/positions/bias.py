"""Positions as biases on attention scores."""

import math
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_attention.annotations import Shape, Tensor
from keras_attention.core import as_dense, check_bool, check_int
from keras_attention.positions.steps import check_start, relative_positions


class PositionBias(keras.layers.Layer):
    """Adds to scores what depends on the distance of query and key alone.

    score_h(t, s) + bias_h(s - t)

    A subclass writes `bias(relative)`, and may have weights. It can be the `position`
    of `MultiHeadAttention`, which in chunks computes it once for each distance.

    Shapes: `B` batch, `H` heads, `T` queries, `S` keys.

    Args:
        num_heads: Positive int, `H`.
        **kwargs: Arguments of `keras.layers.Layer`, such as `name` and `dtype`.

    Call arguments:
        scores: Shape `(B, H, T, S)`.
        start: Int or scalar integer tensor. The position of query 0 among the keys,
            such as the number of steps decoded already.

    Returns:
        Shape `(B, H, T, S)`.

    Raises:
        ValueError: If `num_heads` is not a positive int, the scores have another shape,
            or `start` is not a scalar integer.

    Example:
        ```python
        @keras.saving.register_keras_serializable()
        class Nearby(PositionBias):
            def bias(self, relative):
                near = -keras.ops.square(keras.ops.cast(relative, "float32"))
                return keras.ops.repeat(near[..., None, :, :], self.num_heads, axis=-3)


        attention = MultiHeadAttention(2, 4, position=Nearby(2), chunk_size=64)
        ```
    """

    def __init__(self, num_heads: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.num_heads = check_int("num_heads", num_heads)

    def build(self, scores_shape: Shape) -> None:
        if len(scores_shape) != 4 or scores_shape[1] not in (None, self.num_heads):
            raise ValueError(
                f"`scores` must have shape (B, H, T, S) with H={self.num_heads} heads. "
                f"Received: scores_shape={tuple(scores_shape)}."
            )

    def call(self, scores: Tensor, start: int | Tensor = 0) -> Tensor:
        check_start(start)
        length, key_length = ops.shape(scores)[2], ops.shape(scores)[3]
        bias = self.bias(relative_positions(length, key_length, start))  # H T S
        return ops.cast(as_dense(scores, bias.dtype) + bias, self.compute_dtype)

    def bias(self, relative: Tensor) -> Tensor:
        """Give the bias `(…, H, T, S)`, in float32 or wider, at distances `(…, T, S)`.

        A distance is the position of the key less that of the query. The layer must be
        built. In `MultiHeadAttention` minus infinity counts as a very low number: a
        query for which all keys have it attends to them alike. What is to be hidden
        from it a window or a mask hides.
        """
        raise TypeError(
            "`bias(relative)` must be written by a subclass of PositionBias. "
            f"Received: a {type(self).__name__} without it."
        )

    def compute_output_shape(self, scores_shape: Shape) -> Shape:
        return tuple(scores_shape)

    def compute_output_spec(self, scores: Tensor, start: int | Tensor = 0) -> Tensor:
        check_start(start)
        return keras.KerasTensor(scores.shape, self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "num_heads": self.num_heads}

    def _bias_dtype(self):
        # Distances of thousands and small differences are lost in low precision.
        return keras.backend.result_type(self.compute_dtype, "float32")


@keras.saving.register_keras_serializable(package="keras_attention")
class AlibiBias(PositionBias):
    """Lowers scores in proportion to the distance of query and key.

    score_h(t, s) - slope_h |s - t|

    Each head has a slope of its own, from steep (it attends near by) to flat; nothing
    is learned, so any length will do. Under a causal mask this is the paper's bias;
    without one it is symmetric. For H heads, a power of 2, the slopes are 2^(-8/H),
    2^(-16/H), …, 2^-8; for another H they are those of the next smaller power, and
    after them every second one of the next larger, as in the authors' program. Computed
    in float32 at least. Arguments and errors are those of `PositionBias`.

    Example:
        ```python
        attention = MultiHeadAttention(8, 64, position=AlibiBias(8))
        x = attention(x, x, use_causal_mask=True)
        ```

    Reference:
        [Press et al., 2022](https://arxiv.org/abs/2108.12409), section 3.
    """

    @property
    def slopes(self) -> np.ndarray:
        """One for each head, as a NumPy array of shape `(H,)`."""
        power = 2 ** math.floor(math.log2(self.num_heads))
        more = self.num_heads - power
        return np.concatenate([_slopes(power), _slopes(2 * power)[::2][:more]])

    def bias(self, relative: Tensor) -> Tensor:
        dtype = self._bias_dtype()
        slopes = ops.convert_to_tensor(self.slopes, dtype)[:, None, None]
        return -slopes * ops.cast(ops.abs(relative), dtype)[..., None, :, :]


@keras.saving.register_keras_serializable(package="keras_attention")
class RelativePositionBias(PositionBias):
    """Adds a learned number for each head and each range of distances to the scores.

    score_h(t, s) + table[bucket(s - t), h]

    Distances fall into buckets: half of them for one distance each, the others for
    ranges that widen by a constant factor up to `max_distance`, the last one for all
    that is further. The numbers start at 0. One layer may be given to several attention
    layers, which then share the table, as in T5; `keras.models.clone_model` gives each
    of them a copy. Computed in float32 at least.

    Args:
        num_heads, **kwargs: As for `PositionBias`.
        num_buckets: Int. Number of buckets, at least 2; even and at least 4 if
            `bidirectional`.
        max_distance: Int, more than the number of buckets for one distance each. From
            here on all distances share a bucket.
        bidirectional: Bool. Whether keys after the query have buckets of their own, one
            half; otherwise they share that of distance 0, as fits a causal mask.

    Raises:
        ValueError: If an argument is out of its range, or as for `PositionBias`.

    Example:
        ```python
        shared = RelativePositionBias(num_heads=8)
        for _ in range(2):
            x = MultiHeadAttention(8, 64, position=shared)(x, x)
        ```

    Reference:
        [Raffel et al., 2020](https://arxiv.org/abs/1910.10683), section 2.1.
    """

    def __init__(
        self,
        num_heads: int,
        num_buckets: int = 32,
        max_distance: int = 128,
        bidirectional: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(num_heads, **kwargs)
        self.num_buckets = check_int("num_buckets", num_buckets)
        self.max_distance = check_int("max_distance", max_distance)
        self.bidirectional = check_bool("bidirectional", bidirectional)
        if num_buckets < 2 or (bidirectional and (num_buckets < 4 or num_buckets % 2)):
            raise ValueError(
                "`num_buckets` must be at least 2, and even and at least 4 if "
                f"`bidirectional`. Received: num_buckets={num_buckets}, "
                f"bidirectional={bidirectional}."
            )
        one_side = num_buckets // 2 if bidirectional else num_buckets
        if max_distance <= one_side // 2:
            raise ValueError(
                f"`max_distance` must be more than {one_side // 2}, the number of "
                "buckets for one distance each. "
                f"Received: max_distance={max_distance}, num_buckets={num_buckets}, "
                f"bidirectional={bidirectional}."
            )
        self._buckets = _buckets(one_side, max_distance)

    def build(self, scores_shape: Shape) -> None:
        super().build(scores_shape)
        self.table = self.add_weight(
            name="table",
            shape=(self.num_buckets, self.num_heads),
            initializer="zeros",
            autocast=False,
        )

    def bucket(self, relative: Tensor) -> Tensor:
        """Give the bucket, int32, of each distance, as `bias` takes them."""
        relative = ops.cast(relative, "int32")
        before = ops.maximum(-relative, 0)
        distance = ops.abs(relative) if self.bidirectional else before
        distance = ops.minimum(distance, self.max_distance)
        bucket = ops.take(ops.convert_to_tensor(self._buckets, "int32"), distance)
        if self.bidirectional:
            after = ops.cast(relative > 0, "int32")
            bucket = bucket + after * (self.num_buckets // 2)
        return bucket

    def bias(self, relative: Tensor) -> Tensor:
        bias = ops.take(self.table, self.bucket(relative), axis=0)  # … T S H
        return ops.cast(ops.moveaxis(bias, -1, -3), self._bias_dtype())

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "num_buckets": self.num_buckets,
            "max_distance": self.max_distance,
            "bidirectional": self.bidirectional,
        }


def _slopes(power):
    return 2.0 ** (-8 / power * np.arange(1, power + 1))


def _buckets(count, max_distance):
    """List the bucket of each distance from 0 to `max_distance`, for one direction."""
    exact = count // 2
    ranges = count - exact

    def bucket(distance):
        if distance < exact:
            return distance
        # How often the factor (max_distance / exact)^(1 / ranges) fits between `exact`
        # and the distance. In integers: a logarithm may round to the wrong side.
        fits = 0
        while fits < ranges - 1 and (
            distance**ranges * exact ** (fits + 1)
            >= max_distance ** (fits + 1) * exact**ranges
        ):
            fits += 1
        return exact + fits

    return np.array([bucket(each) for each in range(max_distance + 1)], "int32")
