"""Search for a model's output: by beams (one beam is greedy search), or sampled.

A search knows one thing of a model, its `step`, which `nmt.translation.decoding`
describes. Sampling calls it with one row per sentence, beam search with `B * K` rows,
of which rows `b * K` to `b * K + K - 1` are the beams of sentence `b`.

The result of a sentence does not depend on the others in its batch; of samples, the
random numbers alone do.
"""

from collections.abc import Callable

import keras
import tensorflow as tf

from nmt.translation.decoding import decode
from nmt.translation.rules import NOT_ALLOWED, Hypotheses, Rules, check_int

__all__ = ["Hypotheses", "Rules", "beam", "sample"]

# A source piece that was never attended to counts as covered this much, since the
# logarithm of its coverage is taken.
LEAST_COVERAGE = 1e-6

LEAST_TEMPERATURE = 1e-6

# From about 15 on the length term of a long output overflows in float32, and what is
# not allowed ranks as high as the rest.
MOST_LENGTH_PENALTY = 10


def sample(
    step: Callable,
    state,
    memory,
    source_mask,
    *,
    temperature: float = 1.0,
    top_k: int | None = None,
    seed=None,
    **rules,
) -> Hypotheses:
    """Draw each token from the model's distribution.

    Scores are the model's log-probabilities, whatever the temperature.

    Args:
        step: See `nmt.translation.decoding`.
        state: The first state, one row of axis 0 for each of the `B` sentences.
        memory: What never changes, one row of axis 0 for each sentence.
        source_mask: Boolean, shape `(B, S)`. `True` for the real source pieces.
        temperature: Positive float that divides the log-probabilities: below 1 for
            likelier tokens, above 1 for more surprising ones. 1 by default.
        top_k: Int. Draw from this many likeliest tokens only; `None`, the default, or 0
            for all of them.
        seed: Int, or scalar tensor of the type that the backend takes as a seed, for
            the same samples each time; a `keras.random.SeedGenerator` for new ones each
            time (for a compiled function, made outside it); or `None`, the default, for
            Keras' global one.
        **rules: The attributes of `Rules`.

    Returns:
        `Hypotheses` with `N = 1`.

    Raises:
        ValueError: If `temperature` is not positive or `top_k` is negative; see `Rules`
            for the others.
    """
    if not temperature > 0:
        raise ValueError(
            "`temperature` must be a positive number. "
            f"Received: temperature={temperature!r}. Use `beam` with "
            "`beam_size=1` for the likeliest."
        )
    top_k = 0 if top_k is None else top_k
    check_int("top_k", top_k, least=0)
    rules = Rules(**rules)
    # Below this nothing but the likeliest is drawn, and 0 / 0 is not far.
    temperature = max(temperature, LEAST_TEMPERATURE)
    # All random numbers are drawn here: drawn inside a compiled loop, they would be the
    # same in each step (int seed) or leak state out of the loop (generator).
    batch = tf.shape(tf.convert_to_tensor(source_mask))[0]
    if tf.is_tensor(seed):
        seed = _TensorSeed(seed)
    uniform = keras.random.uniform((rules.longest(), batch, 1, 1), seed=seed)

    def choose(gains, beams, position, index):
        if top_k:
            gains = _best(gains, top_k)
        return _draw(gains, temperature, tf.gather(uniform[position], index))

    return decode(
        step, state, memory, source_mask, rules, choose, breadth=top_k or None
    )


def beam(
    step: Callable,
    state,
    memory,
    source_mask,
    *,
    beam_size: int,
    n_best: int = 1,
    length_penalty: float = 1.0,
    coverage_penalty: float = 0.0,
    **rules,
) -> Hypotheses:
    """Keep the `K` best beginnings of an output at each step.

    While searching, hypotheses rank by their score divided by
    `((5 + length) / 6) ** length_penalty`. One that has ended stays as it is and
    keeps its rank and its beam, as long as it is among the `K` best. The hypotheses
    found are put in order by this rank plus `coverage_penalty` times the sum, over the
    real source pieces, of `log(min(1, sum of the piece's weights))`. Beginnings, which
    cannot have attended to everything yet, are not judged by their coverage.

    A sentence is done when all its beams have ended. Without a coverage term it is also
    done when its `n_best` first ones have, and no other would reach the last of these
    even if it gained probability 1 up to the maximum length: going on would not change
    the result.

    Args:
        step: See `nmt.translation.decoding`. It is called with `B * K` rows.
        state: The first state, one row of axis 0 for each of the `B` sentences.
        memory: What never changes, one row of axis 0 for each sentence.
        source_mask: Boolean, shape `(B, S)`. `True` for the real source pieces.
        beam_size: Positive int, `K`; 1 is greedy: the likeliest token at each step.
        n_best: Positive int, at most `beam_size`. Number of hypotheses returned. 1 by
            default.
        length_penalty: Float from 0 to 10, alpha in the paper. 0 ranks by the score
            itself, more prefers longer outputs. 1 by default.
        coverage_penalty: Float of at least 0, beta in the paper. 0 by default.
        **rules: The attributes of `Rules`.

    Returns:
        `Hypotheses` with `N = n_best`.

    Raises:
        ValueError: If one of these four is out of its range; see `Rules` for the
            others.

    Reference:
        [Wu et al., 2016](https://arxiv.org/abs/1609.08144), section 7, equation 14
    """
    check_int("beam_size", beam_size, least=1)
    check_int("n_best", n_best, least=1)
    if n_best > beam_size:
        raise ValueError(
            "`n_best` must be at most `beam_size`. "
            f"Received: n_best={n_best}, beam_size={beam_size}."
        )
    _check_not_negative("length_penalty", length_penalty)
    if length_penalty > MOST_LENGTH_PENALTY:
        raise ValueError(
            f"`length_penalty` must be at most {MOST_LENGTH_PENALTY}. "
            f"Received: length_penalty={length_penalty!r}."
        )
    _check_not_negative("coverage_penalty", coverage_penalty)
    # With a coverage term, the first in the beam need not be the first in the end.
    decisive = beam_size if coverage_penalty else n_best
    rules = Rules(**rules)
    # Of every length, once for all steps.
    terms = _length_terms(tf.range(rules.longest() + 1), length_penalty)

    def choose(gains, beams, position, index):
        # Candidates of one hypothesis as long as the beam: the best of all are there.
        ranks = beams.scores[..., None] + gains
        ranks /= tf.gather(terms, beams.lengths)[..., None]
        ranks = tf.reshape(ranks, (-1, beam_size * gains.shape[-1]))
        return tf.math.top_k(ranks, beam_size)[1]

    def is_done(beams, limits):
        ended = tf.reduce_all(beams.finished[:, :decisive], axis=1)
        ranks = beams.scores / tf.gather(terms, beams.lengths)
        # A score only falls, and is divided by most at the maximum length.
        within_reach = beams.scores / tf.gather(terms, limits)[:, None]
        within_reach = tf.where(beams.finished, NOT_ALLOWED, within_reach)
        decided = tf.reduce_max(within_reach, axis=1) < ranks[:, decisive - 1]
        return ended & decided

    found = decode(
        step,
        state,
        memory,
        source_mask,
        rules,
        choose,
        width=beam_size,
        breadth=beam_size,
        is_done=is_done,
    )
    ranks = found.scores / tf.gather(terms, found.lengths)
    if coverage_penalty:
        ranks += coverage_penalty * _coverage(found.weights, source_mask)
    _, best = tf.math.top_k(ranks, n_best)
    return Hypotheses(*(tf.gather(part, best, batch_dims=1) for part in found))


class _TensorSeed(keras.random.SeedGenerator):
    """A seed known when a compiled function runs: `keras.random` takes ints only."""

    def __init__(self, seed):
        # Not the parent's: it would make a variable, once per compiled function.
        self.seed = seed

    def next(self, ordered=True):
        return tf.stack([self.seed, tf.zeros_like(self.seed)])


def _best(gains, count):
    """Leave only the `count` likeliest allowed."""
    least = tf.math.top_k(gains, min(count, gains.shape[-1]))[0][..., -1:]
    return tf.where(gains < least, NOT_ALLOWED, gains)


def _draw(gains, temperature, uniform):
    """Return indices, `(B, 1)`, drawn by inverting the cumulative distribution."""
    likeliest = tf.reduce_max(gains, axis=-1, keepdims=True)
    mass = tf.exp((gains - likeliest) / temperature)
    # A parallel sum need not rise steadily where it adds zeros: impossible tokens have
    # to be left out by name.
    mass = tf.where(mass > 0, tf.cumsum(mass, axis=-1), 0.0)
    drawn = mass > uniform * tf.reduce_max(mass, axis=-1, keepdims=True)
    return tf.argmax(tf.cast(drawn, tf.int32), axis=-1, output_type=tf.int32)


def _length_terms(lengths, alpha):
    """Give what scores are divided by; an empty hypothesis counts as one token."""
    lengths = tf.cast(tf.maximum(lengths, 1), tf.float32)
    return ((5.0 + lengths) / 6.0) ** alpha


def _coverage(weights, source_mask):
    """Return the coverage term without its factor, `(B, N)`: 0 if all is covered."""
    covered = tf.clip_by_value(tf.reduce_sum(weights, axis=2), LEAST_COVERAGE, 1.0)
    real = tf.cast(source_mask, tf.bool)[:, None]
    return tf.reduce_sum(tf.where(real, tf.math.log(covered), 0.0), axis=-1)


def _check_not_negative(name, value):
    if not value >= 0:
        raise ValueError(
            f"`{name}` must be a number of at least 0. Received: {name}={value!r}."
        )
