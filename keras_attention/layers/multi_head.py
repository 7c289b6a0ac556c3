"""Multi-head attention."""

import math
from collections.abc import Sequence
from typing import Any, Literal, Self

import keras
from keras import ops

from keras_attention.annotations import Initializer, Shape, Tensor
from keras_attention.chunked import AttentionStatistics, DotTerm, Visibility, describe
from keras_attention.core import (
    add_projection,
    build_once,
    check_attention_shapes,
    check_bool,
    check_chunk_size,
    check_features,
    check_head_mask,
    check_int,
    check_mask,
    join_heads,
    read_queries,
    split_heads,
)
from keras_attention.layers.base import AttentionLayer
from keras_attention.layers.cache import Cache, append_steps, check_cache, new_cache
from keras_attention.layers.head_attention import (
    attend_at_once,
    attend_in_chunks,
    attend_without_weights,
)
from keras_attention.layers.memory import Memory
from keras_attention.layers.rotation import make_rotation, split_and_turn
from keras_attention.layers.symbolic import head_attention_spec
from keras_attention.positions import (
    PositionBias,
    RotaryEmbedding,
    position_layer,
)


@keras.saving.register_keras_serializable(package="keras_attention")
class MultiHeadAttention(AttentionLayer):
    """Attends with several heads at once, each in a small space of its own.

    head_h = softmax(Q_h K_h^T / sqrt(D)) V_h; output = W_output [head_1; …; head_H]

    Q_h, K_h and V_h are query, key and value after a dense layer of head h. Serves as
    self-attention (query and value the same), cross-attention, and, with
    `use_causal_mask`, the self-attention of a language model. The weights are those
    of `keras.layers.MultiHeadAttention`, in its order, or, with fewer heads of keys, of
    `keras.layers.GroupQueryAttention`, so `set_weights` takes them over. Other than
    there, a query that may attend to nothing gets output 0 on every path, an explicit
    `query_mask` counts, NaN in padding does not leak, and an initializer is given each
    kernel as the matrix that it is, with its own number of inputs and outputs.

    A decoder that grows its output step by step keeps keys and values in a cache: it
    begins with `empty_cache`, hands each call the next steps alone, as query and value,
    and the cache of the call before. Such a call is causal, and gives the rows that a
    causal call on the whole sequence would give.

    Shapes: `B` batch, `T` queries, `S` keys, `H` heads, `G` heads of keys and values,
    `D` size of query and key in a head, `Dq`/`Dk`/`Dv` feature sizes, `Do` output size,
    `L` places in a cache.

    `attend` is for loops of one's own and `AttentionRNN`: a call does not go through
    it, so that a subclass which changes it has to change `call` too.

    Args:
        num_heads: Positive int, `H`.
        key_dim: Positive int, `D`.
        value_dim: Positive int. Size of the values in a head; `key_dim` if left out.
        dropout: Float in [0, 1). Share of weights set to 0 in training.
        use_bias: Bool. Whether the dense layers have biases.
        output_shape: Positive int, `Do`; the size of the query if left out.
        kernel_initializer: Initializer of the kernels.
        bias_initializer: Initializer of the biases.
        seed: Int or `None`. Seed of the dropout.
        num_key_value_heads: Positive int, `G`, which divides `H`: that many heads of
            keys and values, each for `H / G` heads of queries (1: multi-query
            attention). `H` if left out.
        position: How heads know positions: `"rotary"`, `"alibi"`, `"relative"`, a
            `RotaryEmbedding`, a `PositionBias`, such as `AlibiBias`, or `None`.
        window: Int of at least 0. Queries attend to keys at most this many places away,
            on both sides, or before them alone if causal. `None`: all.
        chunk_size: Positive int. Computes this many queries and keys at a time, in
            memory that grows with T + S, unless weights are returned; the numbers are
            the same. `None`: all at once.
        **kwargs: Arguments of `keras.layers.Layer`, such as `name` and `dtype`.

    Call arguments (and those of `AttentionLayer`):
        value: With a cache, the steps of the queries: S = T.
        attention_mask: Boolean, shape `(T, S)`, `(B, T, S)` or, one for each head,
            `(B, H, T, S)`; for a query of one step `(B, S)` or `(B, H, S)`. Any axis
            may be 1. With a cache, S = `L`.
        attention_bias: Added to the scores; shapes as of `attention_mask`. Minus
            infinity hides a pair.
        head_mask: Factors on what the heads give, bool or float, shape `(H,)` or
            `(B, H)`; 0 silences a head. The weights are those before.
        cache: A cache from `empty_cache` or the last call.

    Returns:
        output: Shape `(B, T, Do)`, or `(B, Do)` for one step. 0, and not the bias, for
            a query that may attend to nothing in any head.
        weights: Shape `(B, H, T, S)`, or `(B, H, S)` for one step, before dropout, only
            if `return_attention_scores`. With a cache, S = `L`, and 0 at free places.
        cache: With the new steps, only if `cache` was given.

    Raises:
        ValueError: If an argument is out of its range, `dropout` is combined with
            `chunk_size`, a shape does not fit, or the cache is known to be full.
            Steps beyond the end of a cache whose length is known only in compiled code
            are dropped.

    Example:
        ```python
        attention = MultiHeadAttention(8, 64, num_key_value_heads=2, position="rotary")
        whole = attention(x, x, use_causal_mask=True)
        cache = attention.empty_cache(batch_size=x.shape[0], max_length=x.shape[1])
        first, cache = attention(x[:, :1], x[:, :1], cache=cache)  # whole[:, :1]
        ```

    Reference:
        [Vaswani et al., 2017](https://arxiv.org/abs/1706.03762), section 3.2.2;
        grouped heads: [Ainslie et al., 2023](https://arxiv.org/abs/2305.13245), section
        2.2; window: [Beltagy et al., 2020](https://arxiv.org/abs/2004.05150), section
        3.1; head mask: [Michel et al., 2019](https://arxiv.org/abs/1905.10650), section
        2.3.
    """

    def __init__(
        self,
        num_heads: int,
        key_dim: int,
        value_dim: int | None = None,
        dropout: float = 0.0,
        use_bias: bool = True,
        output_shape: int | None = None,
        kernel_initializer: Initializer = "glorot_uniform",
        bias_initializer: Initializer = "zeros",
        seed: int | None = None,
        *,
        num_key_value_heads: int | None = None,
        position: Literal["rotary", "alibi", "relative"]
        | RotaryEmbedding
        | PositionBias
        | None = None,
        window: int | None = None,
        chunk_size: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(dropout=dropout, seed=seed, **kwargs)
        self.num_heads = check_int("num_heads", num_heads)
        self.key_dim = check_int("key_dim", key_dim)
        self.value_dim = _optional_int("value_dim", value_dim)
        self.use_bias = check_bool("use_bias", use_bias)
        # Not `output_shape`: Keras reads that name from a layer as its whole shape.
        self.output_size = _optional_int("output_shape", output_shape)
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.bias_initializer = keras.initializers.get(bias_initializer)
        groups = _optional_int("num_key_value_heads", num_key_value_heads)
        if groups is not None and num_heads % groups:
            raise ValueError(
                "`num_key_value_heads` must divide `num_heads`. Received: "
                f"num_key_value_heads={num_key_value_heads}, num_heads={num_heads}."
            )
        self.num_key_value_heads = groups
        self.position = position
        self.position_layer = position_layer(
            position, num_heads, key_dim, self.dtype_policy
        )
        self.window = _optional_int("window", window, least=0)
        self.chunk_size = check_chunk_size(chunk_size, dropout)

    def build(
        self, query_shape: Shape, value_shape: Shape, key_shape: Shape | None = None
    ) -> None:
        check_attention_shapes(query_shape, value_shape, key_shape)
        key_size = (key_shape or value_shape)[-1]
        heads, (groups, _, value_dim) = self.num_heads, self._sizes()
        output_size = self.context_size(query_shape, value_shape)
        self.query_kernel, self.query_bias = add_projection(
            self, "query", (query_shape[-1],), (heads, self.key_dim)
        )
        self.key_kernel, self.key_bias = add_projection(
            self, "key", (key_size,), (groups, self.key_dim)
        )
        self.value_kernel, self.value_bias = add_projection(
            self, "value", (value_shape[-1],), (groups, value_dim)
        )
        self.output_kernel, self.output_bias = add_projection(
            self, "output", (heads, value_dim), (output_size,)
        )
        if self.position_layer is not None:
            build_once(self.position_layer, (None, heads, None, self.key_dim))

    def call(
        self,
        query: Tensor,
        value: Tensor,
        key: Tensor | None = None,
        query_mask: Tensor | None = None,
        value_mask: Tensor | None = None,
        key_mask: Tensor | None = None,
        attention_mask: Tensor | None = None,
        use_causal_mask: bool = False,
        return_attention_scores: bool = False,
        training: bool = False,
        attention_bias: Tensor | None = None,
        head_mask: Tensor | None = None,
        cache: Cache | None = None,
    ) -> Tensor | tuple[Tensor, ...]:
        self.check_shapes(query.shape, value.shape, None if key is None else key.shape)
        check_mask("attention_mask", attention_mask)
        one_step = len(query.shape) == 2
        pairs = attention_mask, attention_bias
        query, query_mask, attention_mask, attention_bias = read_queries(
            query, query_mask, pairs, self.compute_dtype
        )
        causal, offset = use_causal_mask, 0
        if cache is None:
            memory = self.prepare(value, key, value_mask, key_mask)
        else:
            cache = self.check_cache(cache, query.shape, value.shape)
            causal, offset = True, cache.length
            new = self._project(value, key, value_mask, key_mask, start=offset)
            cache = append_steps(cache, *new)
            memory = Memory(cache.key, cache.value, cache.mask)
        visible = Visibility(
            query_mask, None, attention_mask, attention_bias, causal, offset=offset
        )
        output, weights = self._attend(
            query, memory, visible, head_mask, training, return_attention_scores
        )
        results = [output[:, 0] if one_step else output]
        if return_attention_scores:
            results.append(weights[:, :, 0] if one_step else weights)
        if cache is not None:
            results.append(cache)
        return results[0] if len(results) == 1 else tuple(results)

    def prepare(
        self,
        value: Tensor,
        key: Tensor | None = None,
        value_mask: Tensor | None = None,
        key_mask: Tensor | None = None,
        draw_dropout: bool = False,
    ) -> Memory:
        memory = Memory(*self._project(value, key, value_mask, key_mask))
        return self.with_dropout(memory) if draw_dropout else memory

    def with_dropout(self, memory: Memory) -> Memory:
        if not self.dropout:
            return memory
        batch, _, length, _ = ops.shape(memory.key)
        ones = ops.ones((batch, self.num_heads, 1, length), self.compute_dtype)
        return memory._replace(dropout=self._dropped(ones))

    def project_query(self, query: Tensor, offset: int | Tensor = 0) -> Tensor:
        """Project queries `(B, T, Dq)` to those of the heads, `(B, H, T, D)`.

        They are scaled by 1 / sqrt(D), and with rotary positions turned, the first by
        the place `offset`: their inner products with the keys of `prepare` are the
        scores, to which only biases and masks are added.
        """
        rotation = self._rotation(query, offset)
        query = split_and_turn(query, self.query_kernel, self.query_bias, rotation)
        # Scaled before the product: in float16 the product could overflow.
        return query * (1.0 / math.sqrt(self.key_dim))

    def initial_state(self, memory: Memory) -> list[Tensor]:
        """Give, with `position` or `window`, the place of the next query, `(B, 1)`."""
        if self.position is None and self.window is None:
            return []
        return [ops.zeros((ops.shape(memory.key)[0], 1), "int32")]

    def attend(
        self,
        query: Tensor,
        memory: Memory,
        state: Sequence[Tensor] = (),
        query_mask: Tensor | None = None,
        attention_mask: Tensor | None = None,
        training: bool = False,
    ) -> tuple[Tensor, Tensor, list[Tensor]]:
        query = ops.cast(query, self.compute_dtype)
        offset = state[0] if state else 0
        visible = Visibility(query_mask, None, attention_mask, offset=offset)
        output, weights = self._attend(query, memory, visible, training=training)
        length = ops.cast(ops.shape(query)[1], "int32")
        state = [place + length for place in list(state) or self.initial_state(memory)]
        return output, weights, state

    def statistics(
        self,
        query: Tensor,
        value: Tensor,
        key: Tensor | None = None,
        query_mask: Tensor | None = None,
        value_mask: Tensor | None = None,
        key_mask: Tensor | None = None,
        attention_mask: Tensor | None = None,
        use_causal_mask: bool = False,
        attention_bias: Tensor | None = None,
    ) -> AttentionStatistics:
        query, query_mask, attention_mask, attention_bias = read_queries(
            query, query_mask, [attention_mask, attention_bias], self.compute_dtype
        )
        memory = self.prepare(value, key, value_mask, key_mask)
        visible = Visibility(
            query_mask, None, attention_mask, attention_bias, use_causal_mask
        )
        query, visible = self._project_visible(query, memory, visible)
        terms = [(DotTerm(), (query, memory.key))]
        return describe(terms, visible, self.chunk_size or 128)

    def empty_cache(self, batch_size: int | Tensor, max_length: int) -> Cache:
        """Make a `Cache` for decoding B rows step by step, with room for L steps.

        Args:
            batch_size: Positive int, or a scalar integer tensor, `B`.
            max_length: Positive int, `L`.

        Raises:
            ValueError: If a size is not a positive int.
        """
        if not hasattr(batch_size, "dtype"):
            check_int("batch_size", batch_size)
        max_length = check_int("max_length", max_length)
        return new_cache(batch_size, max_length, self.compute_dtype, *self._sizes())

    def weights_shape(self, query_shape: Shape, value_shape: Shape) -> Shape:
        batch, *steps, _ = query_shape
        return (batch, self.num_heads, *steps, value_shape[1])

    def context_size(self, query_shape: Shape, value_shape: Shape) -> int | None:
        return self.output_size or query_shape[-1]

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        return head_attention_spec(self, *args, **kwargs)

    def get_config(self) -> dict[str, Any]:
        position = self.position
        if isinstance(position, keras.layers.Layer):
            # Twice: in a file Keras marks an object as shared from its second time on,
            # and would lose a mark set later on the first, of which it keeps a copy.
            for _ in range(2):
                position = keras.saving.serialize_keras_object(self.position)
        return {
            **super().get_config(),
            "num_heads": self.num_heads,
            "key_dim": self.key_dim,
            "value_dim": self.value_dim,
            "use_bias": self.use_bias,
            "output_shape": self.output_size,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "bias_initializer": keras.initializers.serialize(self.bias_initializer),
            "num_key_value_heads": self.num_key_value_heads,
            "position": position,
            "window": self.window,
            "chunk_size": self.chunk_size,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        position = keras.saving.deserialize_keras_object(config.get("position"))
        return cls(**config | {"position": position})

    def _sizes(self):
        """Give the number of heads of keys, G, and the sizes D and Dv of a head."""
        groups = self.num_key_value_heads or self.num_heads
        return groups, self.key_dim, self.value_dim or self.key_dim

    def _project(self, value, key, value_mask, key_mask, start=0):
        """Clean and project to keys (B, G, S, D), values (B, G, S, Dv), and a mask."""
        value, key, mask = self._clean(value, key, value_mask, key_mask)
        rotation = self._rotation(key, start)
        key = split_and_turn(key, self.key_kernel, self.key_bias, rotation)
        return key, split_heads(value, self.value_kernel, self.value_bias), mask

    def _attend(
        self, query, memory, visible, head_mask=None, training=False, weigh=True
    ):
        """Attend: (B, T, Dq) to (B, T, Do) and the weights, `None` if not `weigh`."""
        batch = query.shape[0]
        query, visible = self._project_visible(query, memory, visible)
        given = query, memory.key, memory.value, visible
        weights, drops = None, training and self.dropout
        if not weigh and self.chunk_size is not None:
            heads, attends = attend_in_chunks(*given, self.chunk_size)
        elif not weigh and not drops:
            heads, attends = attend_without_weights(*given)
        else:
            heads, weights, attends = attend_at_once(
                *given, lambda weights: self._drop(weights, memory, training)
            )
        if head_mask is not None:
            gates = check_head_mask(head_mask, (batch, self.num_heads))
            heads = heads * ops.cast(gates, heads.dtype)[..., None, None]
        output = join_heads(heads, self.output_kernel, self.output_bias)
        if memory.key.shape[2] == 0:  # no keys: whatever the masks say
            attends = ops.zeros((1, 1, 1), "bool")
        if attends is not None:
            output = ops.where(attends, output, ops.cast(0.0, output.dtype))
        return output, weights

    def _project_visible(self, query, memory, visible):
        """Project to queries (B, H, T, D), scaled, and complete `Visibility`."""
        batch, length = query.shape[:2]
        sizes = (batch, self.num_heads, length, memory.key.shape[2])
        visible = visible._replace(key_mask=memory.mask, window=self.window)
        if isinstance(self.position_layer, PositionBias):
            visible = visible._replace(position=self.position_layer)
        query = self.project_query(query, visible.offset)
        visible.check(sizes)
        return query, visible.with_four_axes()

    def _rotation(self, inputs, start):
        """Give the `Rotation` of steps `(B, T, Dx)` from `start`, if so chosen."""
        length = ops.shape(inputs)[1]
        size, dtype = self.key_dim, self.compute_dtype
        return make_rotation(self.position_layer, length, start, size, dtype)

    def check_cache(
        self, cache: Cache, query_shape: Shape, value_shape: Shape
    ) -> Cache:
        """Give `cache` as a `Cache`, or raise `ValueError` if it does not fit."""
        return check_cache(cache, query_shape, value_shape, *self._sizes())

    def check_shapes(
        self, query_shape: Shape, value_shape: Shape, key_shape: Shape | None = None
    ) -> None:
        super().check_shapes(query_shape, value_shape, key_shape)
        check_features(query_shape, self.query_kernel.shape[0])
        check_features(key_shape or value_shape, self.key_kernel.shape[0])
        check_features(value_shape, self.value_kernel.shape[0])


def _optional_int(name, value, least=1):
    return None if value is None else check_int(name, value, least)
