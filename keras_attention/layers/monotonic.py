"""Attention that only moves forward."""

import random
from typing import Any, Literal, Self, TypeAlias, get_args

import keras
from keras import ops

from keras_attention.annotations import Shape, Tensor
from keras_attention.core import build_once, check_number
from keras_attention.layers.feedback import FeedbackAttention
from keras_attention.layers.memory import Memory
from keras_attention.layers.score_attention import ScoreAttention

Mode: TypeAlias = Literal["recursive", "parallel", "hard"]
MODES = get_args(Mode)


@keras.saving.register_keras_serializable(package="keras_attention")
class MonotonicAttention(FeedbackAttention):
    """Attends to the keys from left to right and never goes back, by any score.

    p = sigmoid(score + r); weights[s] = p[s] · q[s];
    q[s] = (1 - p[s-1]) · q[s-1] + previous weights[s]

    For speech and other inputs in the order of the output. From the key where it last
    stopped the attention goes on, key by key, and stops at key s with probability p[s];
    the weights are the probabilities of where it stops. A row sums to 1 less the
    probability of going past the last key, which has the context 0: such an attention
    attends to nothing from then on. Padding is passed over.

    The three modes have the same weights: `soft.get_weights()` fits a layer of mode
    "hard". "recursive" is exact. "parallel" divides by products of (1 - p) and clips
    them at 1e-10: it is exact while the scores of the keys passed add up to less than
    about 23, and is there for models that were trained so. "hard" stops at the first
    key where p > 0.5, and gives 0 and 1: for inference, since scores get no gradient.

    The state starts at the first real key.

    Args:
        attention: A `ScoreAttention`, such as `BahdanauAttention(128, normalize=True)`,
            whose score is used. It has no dropout, window or chunks of its own.
        mode: `"recursive"`, `"parallel"` or `"hard"`.
        score_bias: Number. What the learned r starts at; below 0, since with many keys
            a probability of one half at each would never let it reach the last ones.
        noise: Number of at least 0. In training, the standard deviation of the normal
            noise on the scores, drawn anew for every query, which drives p to 0 or 1.
        dropout, seed, **kwargs: As for `AttentionLayer`; the state keeps the weights
            as they are before dropout, and the seed of noise is derived from `seed`.

    Raises:
        ValueError: If an argument is not as told above, or a shape does not fit.

    Example:
        ```python
        attention = MonotonicAttention(BahdanauAttention(128, normalize=True))
        context = attention(decoder_states, encoder_states, value_mask=mask)

        hard = MonotonicAttention(BahdanauAttention(128, normalize=True), mode="hard")
        hard.build(decoder_states.shape, encoder_states.shape)
        hard.set_weights(attention.get_weights())
        memory = hard.prepare(encoder_states, value_mask=mask)
        state = hard.initial_state(memory)
        for t in range(decoder_states.shape[1]):
            query = decoder_states[:, t : t + 1]
            step_context, weights, state = hard.attend(query, memory, state)
        ```

    Reference:
        [Raffel et al., 2017](https://arxiv.org/abs/1704.00784): "recursive" equations
        11 to 14, "parallel" appendix C.1, "hard" section 2.2 and algorithm 1; the
        bias section 2.4, the noise section 2.5.
    """

    def __init__(
        self,
        attention: ScoreAttention,
        mode: Mode = "recursive",
        score_bias: float = -4.0,
        noise: float = 1.0,
        dropout: float = 0.0,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(dropout=dropout, seed=seed, **kwargs)
        _check_attention(attention)
        if mode not in MODES:
            raise ValueError(
                "`mode` must be 'recursive', 'parallel' or 'hard'. "
                f"Received: mode={mode!r}."
            )
        self.attention = attention
        self.mode = mode
        self.score_bias = check_number("score_bias", score_bias)
        self.noise = check_number("noise", noise, least=0)
        # Its own generator: noise must not change when dropout is added. And its own
        # seed: by the same numbers dropout would keep the keys of little noise.
        noise_seed = None if seed is None else random.Random(self.seed).getrandbits(31)
        self.noise_generator = keras.random.SeedGenerator(noise_seed) if noise else None

    def build(
        self, query_shape: Shape, value_shape: Shape, key_shape: Shape | None = None
    ) -> None:
        super().build(query_shape, value_shape, key_shape)
        build_once(self.attention, query_shape, value_shape, key_shape)
        self.bias = self.add_weight(
            name="bias",
            shape=(),
            initializer=keras.initializers.Constant(self.score_bias),
        )

    def check_shapes(
        self, query_shape: Shape, value_shape: Shape, key_shape: Shape | None = None
    ) -> None:
        super().check_shapes(query_shape, value_shape, key_shape)
        self.attention.check_shapes(query_shape, value_shape, key_shape)

    def prepare(
        self,
        value: Tensor,
        key: Tensor | None = None,
        value_mask: Tensor | None = None,
        key_mask: Tensor | None = None,
        draw_dropout: bool = False,
    ) -> Memory:
        value, key, mask = self._clean(value, key, value_mask, key_mask)
        memory = Memory(self.attention.project_key(key), value, mask)
        return self.with_dropout(memory) if draw_dropout else memory

    def draw_noise(self, memory: Memory, length: int | Tensor) -> Tensor | None:
        if not self.noise:
            return None
        batch, keys = ops.shape(memory.value)[:2]
        return keras.random.normal(
            (batch, length, keys),
            stddev=self.noise,
            dtype=self.compute_dtype,
            seed=self.noise_generator,
        )

    def initial_state(self, memory: Memory) -> list[Tensor]:
        # All at the first real key.
        real = ops.ones_like(memory.value[:, :, 0], dtype=self.state_dtype)
        if memory.mask is not None:
            real = real * ops.cast(memory.mask, real.dtype)
        return [_first(real)]

    def read_queries(self, query: Tensor, memory: Memory, training: bool) -> Tensor:
        query = self.attention.project_query(query)
        scores = self.attention.checked_score(query, memory.key)
        scores = ops.cast(scores, self.state_dtype)
        scores = scores + ops.cast(self.bias, scores.dtype)
        noise = memory.noise
        if noise is None and training:
            noise = self.draw_noise(memory, ops.shape(query)[1])
        return scores if noise is None else scores + ops.cast(noise, scores.dtype)

    def weigh(
        self, row: Tensor, mask: Tensor, previous: Tensor, memory: Memory
    ) -> Tensor:
        choose = ops.where(mask, ops.sigmoid(row), ops.zeros_like(row))
        # Not 1 - choose, which rounds to 0 for high scores.
        skip = ops.where(mask, ops.sigmoid(-row), ops.ones_like(row))
        if self.mode == "recursive":
            return recursive_weights(choose, skip, previous)
        if self.mode == "parallel":
            return parallel_weights(choose, skip, previous)
        return hard_weights(choose, previous)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "attention": keras.saving.serialize_keras_object(self.attention),
            "mode": self.mode,
            "score_bias": self.score_bias,
            "noise": self.noise,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        attention = keras.saving.deserialize_keras_object(config["attention"])
        return cls(**{**config, "attention": attention})


def recursive_weights(choose, skip, previous):
    """Give the probability of stopping at each key, shape `(B, S)`, exactly.

    `choose` is that of stopping at a key once it is reached, `skip` is 1 - choose, and
    `previous` that of starting at each key, all of shape `(B, S)`.
    """
    shifted = ops.pad(skip, ((0, 0), (1, 0)))[:, : ops.shape(skip)[1]]
    return choose * _recurrence(shifted, previous)


def parallel_weights(choose, skip, previous):
    """Give what `recursive_weights` gives, by cumulative sums; inexact near skip 0."""
    tiny = 1e-37  # near the smallest normal float32
    logarithms = ops.log(ops.clip(skip, tiny, 1.0))
    passed = ops.exp(ops.cumsum(logarithms, axis=-1) - logarithms)
    reached = ops.cumsum(previous / ops.clip(passed, 1e-10, 1.0), axis=-1)
    return choose * passed * reached


def hard_weights(choose, previous):
    """Stop at the first key, from the one before on, where stopping is more likely.

    `previous` is 1 at the key of the step before, and the result 1 at the key of this
    one, 0 elsewhere, both of shape `(B, S)`; 0 everywhere if there is none.
    """
    open_ = ops.logical_and(choose > 0.5, ops.cumsum(previous, axis=-1) > 0.5)
    return _first(ops.cast(open_, choose.dtype))


def _first(marks):
    """Keep the first 1 of each row of zeros and ones."""
    return ops.where(ops.cumsum(marks, axis=-1) == 1.0, marks, ops.zeros_like(marks))


def _recurrence(decay, added):
    """Solve y[s] = decay[s] · y[s-1] + added[s] in log2(S) rounds, shape (B, S).

    After a round of width w, each total covers the 2w keys up to its own. There are
    products and sums of probabilities alone, so nothing can cancel.
    """
    places = ops.arange(0, ops.shape(added)[1], dtype="int32")
    zeros = ops.zeros_like(added)

    def widen(width, decay, total):
        def shift(x):
            return ops.where(places >= width, ops.roll(x, width, axis=1), zeros)

        return width * 2, decay * shift(decay), total + decay * shift(total)

    length = added.shape[1]
    if not isinstance(length, int):  # unknown, or a symbol
        _, _, total = ops.while_loop(
            lambda width, decay, total: width < ops.shape(added)[1],
            widen,
            (ops.ones((), "int32"), decay, added),
            maximum_iterations=31,  # all that int32 can double; XLA asks for a limit
        )
        return total
    width, total = 1, added
    while width < length:
        width, decay, total = widen(width, decay, total)
    return total


def _check_attention(attention):
    mend = "Give dropout to this layer, and no `window` or `chunk_size` at all."
    if not isinstance(attention, ScoreAttention):
        raise ValueError(
            "`attention` must be a ScoreAttention, such as BahdanauAttention(128). "
            f"Received: attention={attention!r}."
        )
    for name in ("dropout", "window", "chunk_size"):
        if getattr(attention, name, None):
            raise ValueError(
                f"`attention` must have no {name} of its own: its score alone is used. "
                f"Received: {name}={getattr(attention, name)!r}. {mend}"
            )
