"""The loop that decodes outputs token by token, and the rules that all searches keep.

The loop knows one thing of a model, its step:

    step(state, token) -> (state, log_probabilities, weights)

`token`, shape `(R,)` int32, is each row's token before this one, the start token at
first. `log_probabilities`, shape `(R, V)`, are normalised over the `V` tokens, a number
known when a graph is built. `weights`, shape `(R, S)`, are the attention row of this
step. `state` is a tensor or a nest of tensors whose axis 0 is the row; its parts come
back in the same order and shapes. What never changes (the memory) belongs inside
`step`, not in `state`, because a beam search reorders the state at every step.

With `K` hypotheses of each of `B` sentences, `R = B * K`: rows `b * K` to
`b * K + K - 1` belong to sentence `b`. `repeat` lays out a memory in this way.

Everything runs eagerly or inside a compiled function, in which batch, source length and
maximum length may be unknown.
"""

import dataclasses
from typing import Any, NamedTuple

import keras
import numpy as np
from keras import ops

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
            check_int("max_length", self.max_length, least=1)
            if self.min_length > self.max_length:
                raise ValueError(
                    "`min_length` must be at most `max_length`. Received: "
                    f"min_length={self.min_length}, max_length={self.max_length}."
                )

    def limits(self, batch):
        """Each sentence's maximum length, shape `(B,)`."""
        limits = ops.maximum(ops.cast(self.max_length, "int32"), 1)
        return ops.broadcast_to(limits, (batch,))

    def longest(self):
        """The length that all outputs fit in: an int if known, or a scalar tensor."""
        if isinstance(self.max_length, int):
            return self.max_length
        return ops.maximum(ops.max(ops.cast(self.max_length, "int32")), 1)

    def beginnings(self, batch):
        """The tokens of the prefixes, `(B, P + 1)`: `FREE` from each one's end."""
        free = ops.full((batch, 1), FREE, dtype="int32")
        if self.prefix is None:
            return free
        prefix = ops.cast(self.prefix, "int32")
        prefix = ops.where(prefix == self.pad_id, FREE, prefix)
        return ops.concatenate([prefix, free], axis=1)

    def bias(self, size, position):
        """What the log-probabilities of `size` tokens lose at `position`, `(V,)`."""
        ids = np.arange(size)
        never = {self.start_id, self.pad_id, *self.forbidden} - {self.end_id}
        too_short = position + 1 < self.min_length
        refused = ops.logical_or(
            np.isin(ids, sorted(never)),
            ops.logical_and(ids == self.end_id, too_short),
        )
        return ops.where(refused, NOT_ALLOWED, 0.0)

    def wanted(self, beginnings, limits, position):
        """The token required at `position`, or `FREE`, `(B,)`."""
        column = ops.minimum(position, ops.shape(beginnings)[1] - 1)
        wanted = ops.take(beginnings, column, axis=1)
        return ops.where(position + 1 >= limits, self.end_id, wanted)


class Beams(NamedTuple):
    """`Hypotheses` during the loop, `N = K`; `finished`, `(B, K)`: which have ended."""

    tokens: Any
    lengths: Any
    scores: Any
    weights: Any
    finished: Any


def decode(
    step, state, source_mask, rules, choose, *, width=1, breadth=None, is_done=None
) -> Hypotheses:
    """Decode `width` hypotheses of each sentence until all sentences are done.

    Args:
        step: See the module.
        state: The first state, one row of axis 0 for each of the `B` sentences.
        source_mask: Boolean, shape `(B, S)`.
        rules: `Rules`.
        choose: `choose(gains, scores, lengths, position)` gets the log-probabilities of
            the candidates for `position`, shape `(B, K, C)`, the scores before it and
            the lengths after it, shape `(B, K)`. It returns the candidates taken, shape
            `(B, K)`, by their places among the `K * C`.
        width: Positive int, `K`. 1 by default.
        breadth: Positive int, `C`, for the likeliest tokens of each hypothesis in
            falling order; `None`, the default, for all tokens.
        is_done: `is_done(beams, limits)` tells which sentences are done, shape `(B,)`.
            By default, those whose hypotheses have all ended.

    Returns:
        `Hypotheses` with `N = K`, in the order of the last choice.
    """
    batch, source_length = ops.shape(ops.convert_to_tensor(source_mask))
    limits = rules.limits(batch)
    length = rules.longest()
    positions = ops.arange(length)
    beginnings = rules.beginnings(batch)
    first_rows = ops.arange(batch)[:, None] * width  # B 1

    def continues(position, token, state, beams):
        done = is_done(beams, limits) if is_done else beams.finished
        return ops.logical_and(position < length, ops.logical_not(ops.all(done)))

    def body(position, token, state, beams):
        state, log_probabilities, weights = _call_step(step, state, token)
        size = log_probabilities.shape[-1]
        wanted = rules.wanted(beginnings, limits, position)[:, None]
        gains, tokens = _candidates(
            ops.reshape(log_probabilities, (batch, width, size)),
            rules.bias(size, position),
            ops.where(beams.finished, rules.pad_id, wanted),
            beams.finished,
            breadth,
        )
        lengths = ops.where(beams.finished, beams.lengths, position + 1)
        weights = ops.reshape(weights, (batch, width, source_length))
        weights = ops.where(beams.finished[..., None], 0.0, weights)

        taken = choose(gains, beams.scores, lengths, position)
        count = gains.shape[-1]
        scores = ops.reshape(beams.scores[..., None] + gains, (batch, width * count))
        scores = ops.take_along_axis(scores, taken, axis=1)
        tokens = ops.reshape(tokens, (batch, width * count))
        token = ops.take_along_axis(tokens, taken, axis=1)
        if width > 1:
            parents = taken // count
            rows = ops.reshape(first_rows + parents, (-1,))
            state = keras.tree.map_structure(lambda x: ops.take(x, rows, axis=0), state)
            beams, lengths, weights = keras.tree.map_structure(
                lambda x: take_beams(x, parents), (beams, lengths, weights)
            )
        here = positions == position  # L
        beams = Beams(
            tokens=ops.where(here, token[..., None], beams.tokens),
            lengths=lengths,
            scores=scores,
            weights=ops.where(here[:, None], weights[:, :, None], beams.weights),
            finished=ops.logical_or(beams.finished, token == rules.end_id),
        )
        return position + 1, ops.reshape(token, (-1,)), state, beams

    # Beams that begin alike would stay alike: all but the first begin as ended, empty
    # hypotheses, which any real one displaces.
    empty = ops.broadcast_to(ops.arange(width) > 0, (batch, width))
    beams = Beams(
        tokens=ops.full((batch, width, length), rules.pad_id, dtype="int32"),
        lengths=ops.zeros((batch, width), "int32"),
        scores=ops.where(empty, EMPTY, 0.0),
        weights=ops.zeros((batch, width, length, source_length), "float32"),
        finished=empty,
    )
    token = ops.full((batch * width,), rules.start_id, dtype="int32")
    start = (ops.zeros((), "int32"), token, repeat(state, width), beams)
    *_, beams = _loop(continues, body, start)
    return Hypotheses(*beams[:4])


def repeat(tensors, times: int):
    """Repeat each row of axis 0, so that `(B, ...)` becomes `(B * times, ...)`.

    Args:
        tensors: A tensor or a nest of tensors; `None` stays.
        times: Positive int, the beam size.

    Returns:
        The same nest; the copies of a row follow each other.
    """
    return keras.tree.map_structure(
        lambda x: None if x is None else ops.repeat(x, times, axis=0), tensors
    )


def take_beams(tensor, beams):
    """Take `beams`, shape `(B, N)`, from axis 1 of a tensor of shape `(B, K, ...)`."""
    batch, width, *rest = ops.shape(tensor)
    rows = ops.reshape(beams + ops.arange(batch)[:, None] * width, (-1,))
    taken = ops.take(ops.reshape(tensor, (batch * width, *rest)), rows, axis=0)
    return ops.reshape(taken, (batch, ops.shape(beams)[1], *rest))


def check_int(name, value, least):
    """Raise `ValueError` unless `value` is an int of at least `least`."""
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise ValueError(
            f"`{name}` must be an int of at least {least}. Received: {name}={value!r}."
        )


def _call_step(step, state, token):
    """Call `step`; give back its state as it was packed, and its numbers as float32."""
    new_state, log_probabilities, weights = step(state, token)
    new_state = keras.tree.pack_sequence_as(state, keras.tree.flatten(new_state))
    log_probabilities = ops.cast(log_probabilities, "float32")
    return new_state, log_probabilities, ops.cast(weights, "float32")


def _candidates(log_probabilities, bias, wanted, finished, breadth):
    """What may come next in each hypothesis: gains and tokens, `(B, K, C)`."""
    size = log_probabilities.shape[-1]
    gains = log_probabilities + bias
    if breadth is None:
        tokens = ops.broadcast_to(ops.arange(size), ops.shape(gains))
    else:
        gains, tokens = ops.top_k(gains, min(breadth, size))
    # Where one token is wanted, it is the first candidate and the only one allowed.
    wanted = wanted[..., None]
    gained = ops.take_along_axis(log_probabilities, ops.maximum(wanted, 0), axis=-1)
    gained = ops.where(finished[..., None], 0.0, ops.maximum(gained, EMPTY))
    only = ops.where(np.arange(gains.shape[-1]) == 0, gained, NOT_ALLOWED)
    free = wanted == FREE
    return ops.where(free, gains, only), ops.where(free, tokens, wanted)


def _loop(condition, body, start):
    """`while_loop` whose variables keep their static shapes, as a compiled one must."""

    def same_shapes(*before):
        return keras.tree.map_structure(
            lambda new, old: ops.reshape(new, ops.shape(old)), body(*before), before
        )

    return ops.while_loop(condition, same_shapes, start)
