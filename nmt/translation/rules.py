"""What every search has to keep to, and what it finds."""

import dataclasses
import numbers
from typing import Any, NamedTuple

import tensorflow as tf

# Finite stand-ins for minus infinity, because inf - inf is no number. Empty hypotheses
# rank behind every real one, and what is not allowed behind both, whatever length
# penalty they are divided by.
EMPTY = -1e9
NOT_ALLOWED = -1e30

FREE = -1


class Hypotheses(NamedTuple):
    """Outputs found for `B` sentences, `N` for each, best first.

    Attributes:
        tokens: Int32, shape `(B, N, L)`. Without the start token; the end token is
            included, the padding token follows it.
        lengths: Int32, shape `(B, N)`. Number of tokens, the end token included.
        scores: Float32, shape `(B, N)`. Sum of the tokens' log-probabilities, the end
            token included, before any length or coverage term. If fewer than `N`
            outputs are possible, the missing ones have length 0 and score -1e9.
        weights: Float32, shape `(B, N, L, S)`. The attention row of each token of this
            hypothesis, zeros after the end token.
    """

    tokens: Any
    lengths: Any
    scores: Any
    weights: Any


@dataclasses.dataclass(frozen=True, eq=False)
class Rules:
    """What every search has to keep to.

    Attributes:
        start_id: Int. The token before the first. Never produced, unless the end token
            is the same.
        end_id: Int. The token that ends an output.
        pad_id: Int. What follows the end token. Never produced before it.
        max_length: Int or int tensor, scalar or of shape `(B,)`. Number of tokens, the
            end token included, that a sentence's output may have, at least 1. An output
            that gets there is ended: the end token is put at the last place, and its
            log-probability counts.
        min_length: Int. Number of tokens, the end token included, that an output must
            have, where `max_length` allows. 0 by default.
        forbidden: Tuple of ints. More tokens that are never produced. None by default.
        prefix: Int tensor, shape `(B, P)`. Tokens that each output begins with, padded
            by `pad_id`. They may be forbidden or end the output early, but do not go
            beyond `max_length`. `None`, for no tokens, by default.
        elsewhere: Float from 0 to below 1. Share of the probability of each step that
            belongs to tokens which the model's step leaves out. 0 by default.

    Raises:
        ValueError: If an id or `min_length` is not an int of at least 0, if `end_id` is
            the padding token or forbidden, or if `max_length`, given as an int, is less
            than 1 or than `min_length`.
    """

    start_id: int
    end_id: int
    pad_id: int
    max_length: Any
    min_length: int = 0
    forbidden: tuple[int, ...] = ()
    prefix: Any = None
    elsewhere: float = 0.0

    def __post_init__(self):
        for name in ("start_id", "end_id", "pad_id", "min_length"):
            check_int(name, getattr(self, name), least=0)
        if self.end_id == self.pad_id:
            raise ValueError(
                "`end_id` and `pad_id` must differ. "
                f"Received: end_id={self.end_id}, pad_id={self.pad_id}."
            )
        if self.end_id in self.forbidden:
            raise ValueError(
                "`forbidden` must not contain `end_id`, for no output could end. "
                f"Received: forbidden={self.forbidden}, end_id={self.end_id}. "
                "Use `min_length` for longer outputs."
            )
        if isinstance(self.max_length, int):
            check_lengths(self.min_length, self.max_length)

    def limits(self, batch):
        """Each sentence's maximum length, shape `(B,)`."""
        limits = tf.maximum(tf.cast(self.max_length, tf.int32), 1)
        return tf.broadcast_to(limits, (batch,))

    def longest(self):
        """The length that all outputs fit in: an int if known, or a scalar tensor."""
        if isinstance(self.max_length, int):
            return self.max_length
        return tf.maximum(tf.reduce_max(tf.cast(self.max_length, tf.int32)), 1)

    def beginnings(self, batch):
        """The tokens of the prefixes, `(B, P + 1)`: `FREE` from each one's end."""
        free = tf.fill((batch, 1), FREE)
        if self.prefix is None:
            return free
        prefix = tf.cast(self.prefix, tf.int32)
        return tf.concat([tf.where(prefix == self.pad_id, FREE, prefix), free], axis=1)

    def never(self):
        """List the tokens that are never produced."""
        return sorted({self.start_id, self.pad_id, *self.forbidden} - {self.end_id})

    def refused(self, tokens, position):
        """Tell which of `tokens` may not be at `position`."""
        never = tf.reduce_any(tokens[..., None] == self.never(), axis=-1)
        if not self.min_length:
            return never
        too_short = position + 1 < self.min_length
        return never | (tokens == self.end_id) & too_short

    def wanted(self, beginnings, limits, position):
        """The token required at `position`, or `FREE`, `(B,)`."""
        wanted = beginnings[:, tf.minimum(position, tf.shape(beginnings)[1] - 1)]
        return tf.where(position + 1 >= limits, self.end_id, wanted)


def check_int(name, value, least):
    """Raise `ValueError` unless `value` is an int of at least `least`."""
    is_int = isinstance(value, numbers.Integral) and not isinstance(value, bool)
    if not is_int or value < least:
        raise ValueError(
            f"`{name}` must be an int of at least {least}. Received: {name}={value!r}."
        )


def check_lengths(min_length, max_length):
    """Raise `ValueError` unless `max_length` is an int and not below the least."""
    check_int("max_length", max_length, least=1)
    if min_length > max_length:
        raise ValueError(
            "`min_length` must be at most `max_length`. Received: "
            f"min_length={min_length}, max_length={max_length}."
        )
