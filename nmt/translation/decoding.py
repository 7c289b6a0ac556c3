"""The loop that decodes outputs token by token.

The loop knows one thing of a model, its step:

    step(state, token, memory) -> (state, logits, weights)

`token`, shape `(R,)` int32, is each row's token before this one, the start token at
first. `logits`, shape `(R, V)`, are log-probabilities of the `V` tokens, normalised or
not; `V` is known when a graph is built. `weights`, shape `(R, S)`, are the attention
row of this step. `state` is a tensor or a nest of tensors whose axis 0 is the row; its
parts come back in the same order and shapes. `memory` is a nest of tensors, or of
`None`, whose axis 0 is the sentence, and which no step changes.

With `K` hypotheses of each of `B` sentences, `R = B * K`: rows `b * K` to
`b * K + K - 1` belong to sentence `b`. A sentence that is done leaves: its rows are
taken out of state and memory, and `B` falls. So `step` must have nothing else that
belongs to sentences.

A step of the loop moves the state, which is small, to the hypotheses that go on. Tokens
and weights stay where they were made, beside the number of the hypothesis before each,
and are followed back once at the end.

Everything runs eagerly or inside a compiled function, in which batch, source length and
maximum length may be unknown.
"""

import math
from typing import Any, NamedTuple

import keras
import tensorflow as tf

from nmt.translation.likeliest import likeliest
from nmt.translation.rules import EMPTY, FREE, NOT_ALLOWED, Hypotheses


class Beams(NamedTuple):
    """The `K` hypotheses of each sentence, as far as they got; all `(B, K)`."""

    scores: Any
    lengths: Any
    finished: Any  # which have ended


class Sentences(NamedTuple):
    """The sentences that still go on."""

    index: Any  # (B,), their numbers among all sentences
    limits: Any  # (B,)
    beginnings: Any  # (B, P + 1)
    memory: list  # of tensors (B, …)


class Trace(NamedTuple):
    """Arrays of what each step made, of the sentences that went on until then."""

    places: Any  # (B,), the step and the number of the sentence as one number
    tokens: Any  # (B, K)
    parents: Any  # (B, K), the place of the hypothesis before among the K
    weights: Any  # (B, K, S), of the hypotheses before


def decode(
    step,
    state,
    memory,
    source_mask,
    rules,
    choose,
    *,
    width=1,
    breadth=None,
    is_done=None,
) -> Hypotheses:
    """Decode `width` hypotheses of each sentence until all sentences are done.

    Args:
        step: See the module.
        state: The first state, one row of axis 0 for each of the `B` sentences.
        memory: What never changes, one row of axis 0 for each sentence.
        source_mask: Boolean, shape `(B, S)`.
        rules: `Rules`.
        choose: `choose(gains, beams, position, index)` gets the log-probabilities of
            the candidates for `position`, shape `(B, K, C)`, the `Beams` with the
            scores before it and the lengths after it, and the numbers of the sentences
            among all. It returns the candidates taken, shape `(B, K)`, by their places
            among the `K * C`.
        width: Positive int, `K`. 1 by default.
        breadth: Positive int, for at least so many of the likeliest tokens that are
            allowed in each hypothesis; `None`, the default, for all tokens.
        is_done: `is_done(beams, limits)` tells which sentences are done, shape `(B,)`.
            By default, those whose hypotheses have all ended.

    Returns:
        `Hypotheses` with `N = K`, in the order of the last choice.
    """
    batch, source_length = tf.unstack(tf.shape(tf.convert_to_tensor(source_mask)))
    length = rules.longest()
    sentences = Sentences(
        tf.range(batch),
        rules.limits(batch),
        rules.beginnings(batch),
        [tf.convert_to_tensor(x) for x in keras.tree.flatten(memory) if x is not None],
    )

    def continues(position, token, state, beams, sentences, scores, trace):
        return (position < length) & (tf.size(token) > 0)

    def body(position, token, state, beams, sentences, scores, trace):
        parts = _packed_like(memory, sentences.memory)
        state, logits, weights = _call_step(step, state, token, parts)
        wanted = rules.wanted(sentences.beginnings, sentences.limits, position)
        gains, tokens = _candidates(
            tf.reshape(logits, (-1, logits.shape[-1])),
            tf.where(beams.finished, rules.pad_id, wanted[:, None]),
            beams.finished,
            rules,
            position,
            breadth,
        )
        weights = tf.reshape(weights, (-1, width, source_length))
        lengths = tf.where(beams.finished, beams.lengths, position + 1)
        beams = beams._replace(lengths=lengths)
        taken = choose(gains, beams, position, sentences.index)
        token, parents, beams = _take(taken, gains, tokens, beams, rules.end_id)

        made = Trace(position * batch + sentences.index, token, parents, weights)
        arrays = zip(trace, made, strict=True)
        trace = Trace(*(array.write(position, each) for array, each in arrays))
        done = (is_done or _all_ended)(beams, sentences.limits)
        rows = tf.range(tf.shape(parents)[0])[:, None] * width + parents
        going = rows, token, beams, sentences
        (rows, token, beams, sentences), scores = _leave(done, going, scores)
        rows, token = tf.reshape(rows, (-1,)), tf.reshape(token, (-1,))
        state = keras.tree.map_structure(lambda each: tf.gather(each, rows), state)
        return position + 1, token, state, beams, sentences, scores, trace

    state = keras.tree.map_structure(
        lambda each: tf.repeat(tf.convert_to_tensor(each), width, axis=0), state
    )
    token = tf.fill((batch * width,), rules.start_id)
    beams, trace = _first_beams(batch, width), _empty_trace(width)
    start = (tf.constant(0), token, state, beams, sentences, beams.scores, trace)
    count, _, _, beams, sentences, scores, trace = tf.while_loop(
        continues, body, start, shape_invariants=tf.nest.map_structure(_any_rows, start)
    )
    scores = _put(scores, sentences.index, beams.scores)
    tokens, parents, weights = _of_all(trace, count, batch, rules.pad_id)
    tokens, weights = _follow_back(tokens, parents, weights, width)
    real = tokens != rules.pad_id
    rest = [[0, 0], [0, 0], [0, length - count]]
    return Hypotheses(
        tf.pad(tokens, rest, constant_values=rules.pad_id),
        tf.reduce_sum(tf.cast(real, tf.int32), axis=2),
        scores,
        tf.pad(tf.where(real[..., None], weights, 0.0), [*rest, [0, 0]]),
    )


def _first_beams(batch, width):
    # Beams that begin alike would stay alike: all but the first begin as ended, empty
    # hypotheses, which any real one displaces.
    empty = tf.broadcast_to(tf.range(width) > 0, (batch, width))
    return Beams(
        scores=tf.where(empty, EMPTY, 0.0),
        lengths=tf.zeros((batch, width), tf.int32),
        finished=empty,
    )


def _empty_trace(width):
    # Arrays that grow by a step at a time, so that they hold no empty places.
    kinds = (
        (tf.int32, ()),
        (tf.int32, (width,)),
        (tf.int32, (width,)),
        (tf.float32, (width, None)),
    )
    return Trace(
        *(
            tf.TensorArray(
                kind,
                size=0,
                dynamic_size=True,
                infer_shape=False,
                element_shape=(None, *rest),
            )
            for kind, rest in kinds
        )
    )


def _any_rows(each):
    """Tell the shape of a variable of the loop; its rows are those that go on."""
    if isinstance(each, tf.TensorArray) or not each.shape.rank:
        return None
    return tf.TensorShape([None, *each.shape[1:]])


def _packed_like(memory, parts):
    parts = iter(parts)
    return keras.tree.map_structure(
        lambda each: None if each is None else next(parts), memory
    )


def _all_ended(beams, limits):
    return tf.reduce_all(beams.finished, axis=1)


def _take(taken, gains, tokens, beams, end_id):
    """Go on with the candidates that were taken: tokens, parents and `Beams`."""
    scores = tf.gather(_flat(beams.scores[..., None] + gains), taken, batch_dims=1)
    token = tf.gather(_flat(tokens), taken, batch_dims=1)
    parents = taken // gains.shape[-1]
    lengths = tf.gather(beams.lengths, parents, batch_dims=1)
    finished = tf.gather(beams.finished, parents, batch_dims=1)
    return token, parents, Beams(scores, lengths, finished | (token == end_id))


def _call_step(step, state, token, memory):
    """Call `step`; give back its state as it was packed, and its numbers as float32."""
    new_state, logits, weights = step(state, token, memory)
    new_state = keras.tree.pack_sequence_as(state, keras.tree.flatten(new_state))
    new_state = keras.tree.map_structure(
        lambda new, old: tf.ensure_shape(new, (None, *old.shape[1:])), new_state, state
    )
    return new_state, tf.cast(logits, tf.float32), tf.cast(weights, tf.float32)


def _candidates(logits, wanted, finished, rules, position, breadth):
    """What may come next in each hypothesis: gains and tokens, `(B, K, C)`."""
    size, share = logits.shape[-1], math.log1p(-rules.elsewhere)
    if breadth is None:
        tokens = tf.range(size)
        logits = tf.nn.log_softmax(logits) + share
        gains, total = logits, 0.0
    else:
        # Of so many some are allowed, whichever are refused.
        count = min(breadth + len(rules.never()) + 1, size)
        values, tokens, total = likeliest(logits, count)
        total -= share
        gains = values - total
    gains = tf.where(rules.refused(tokens, position), NOT_ALLOWED, gains)
    shape = (-1, finished.shape[1], gains.shape[-1])
    tokens = tf.broadcast_to(tokens, tf.shape(gains))
    gains, tokens = tf.reshape(gains, shape), tf.reshape(tokens, shape)
    # Where one token is wanted, it is the first candidate and the only one allowed.
    place = tf.maximum(tf.reshape(wanted, (-1, 1)), 0)
    gained = tf.gather(logits, place, batch_dims=1) - total
    gained = tf.reshape(gained, tf.shape(finished))
    gained = tf.where(finished, 0.0, tf.maximum(gained, EMPTY))[..., None]
    wanted = wanted[..., None]
    only = tf.where(tf.range(shape[-1]) == 0, gained, NOT_ALLOWED)
    free = wanted == FREE
    return tf.where(free, gains, only), tf.where(free, tokens, wanted)


def _flat(candidates):
    """Join the candidates of all hypotheses of a sentence, `(B, K * C)`."""
    _, width, count = candidates.shape
    return tf.reshape(candidates, (-1, width * count))


def _put(all_, index, own):
    """Put the rows of some sentences among those of all."""
    return tf.tensor_scatter_nd_update(all_, index[:, None], own)


def _leave(done, going, scores):
    """Take the sentences that are done out of tensors `(B, …)`, and keep their scores.

    Gives what goes on, and the scores of all sentences.
    """
    _, _, beams, sentences = going

    def without():
        stay = tf.where(~done)[:, 0]
        rest = tf.nest.map_structure(lambda each: tf.gather(each, stay), going)
        return rest, _put(scores, sentences.index, beams.scores)

    return tf.cond(tf.reduce_any(done), without, lambda: (going, scores))


def _of_all(trace, count, batch, pad_id):
    """Spread what each step made over all sentences: tokens, parents and weights.

    Each has the axes (L, B, K, …). A sentence that had left has tokens of padding, and
    its hypotheses keep their places.
    """
    places, *made = (array.concat() for array in trace)
    rests = (pad_id, tf.range(made[0].shape[1]), 0.0)
    whole = []
    for rows, rest in zip(made, rests, strict=True):
        shape = tf.shape(rows)[1:]
        rest = tf.broadcast_to(rest, tf.concat([[count * batch], shape], axis=0))
        rows = _put(rest, places, rows)
        whole.append(tf.reshape(rows, tf.concat([[count, batch], shape], axis=0)))
    return whole


def _follow_back(tokens, parents, weights, width):
    """Collect the tokens, `(B, K, L)`, and weights, `(B, K, L, S)`, of hypotheses.

    A hypothesis has at each step a place among the `K`. `parents` tells its place one
    step before, which is also that of the weights: they were made by the token before.
    """
    count, batch = tf.unstack(tf.shape(tokens)[:2])

    def body(position, place, places):
        places = places.write(position, place)
        place = tf.gather(parents[position], place, batch_dims=1)
        return position - 1, tf.ensure_shape(place, last.shape), places

    if width > 1:
        last = tf.broadcast_to(tf.range(width), (batch, width))
        places = tf.TensorArray(tf.int32, count, element_shape=last.shape)
        *_, places = tf.while_loop(
            lambda position, *_: position >= 0, body, (count - 1, last, places)
        )
        places = places.stack()  # L B K
        tokens = tf.gather(tokens, places, batch_dims=2)
        before = tf.gather(parents, places, batch_dims=2)
        weights = tf.gather(weights, before, batch_dims=2)
    return tf.transpose(tokens, (1, 2, 0)), tf.transpose(weights, (1, 2, 0, 3))
