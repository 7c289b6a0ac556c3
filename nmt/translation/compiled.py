"""A model's search and its forcing, compiled once for all lengths."""

import keras
import tensorflow as tf

from nmt.text import END_ID, PAD_ID, START_ID, UNKNOWN_ID
from nmt.translation import search


def compile_search(model, kind, options):
    """Compile a search.

    Args:
        model: `TranslationModel`.
        kind: Name of the search, `beam` or `sample`.
        options: Its options.

    Returns:
        Function of sources `(B, S)`, most pieces of each output `(B,)`, a seed, and
        beginnings `(B, P)`, all int32. It returns the parts of `Hypotheses`.
    """
    beams = options.get("beam_size", 1)

    def run(source, limits, seed, prefix):
        memory, mask, states = model.encode(source)
        memory = model.decoder.prepare(memory, mask)
        states = model.decoder.initial_states(memory, states)
        of_each = model.remembers(memory)
        if of_each:  # each beam has attended elsewhere: a memory of its own
            memory = _for_beams(memory, lambda each: _repeat(each, beams))

        def step(states, token, memory):
            if of_each:
                memory = _for_beams(memory, _one_row_each)
            return model.step(token, memory, states)

        extra = {"seed": seed} if kind == "sample" else {}
        found = getattr(search, kind)(
            step,
            states,
            memory,
            mask,
            start_id=START_ID,
            end_id=END_ID,
            pad_id=PAD_ID,
            forbidden=(UNKNOWN_ID,),
            max_length=limits,
            prefix=prefix,
            **options,
            **extra,
        )
        return found.tokens, found.lengths, found.scores, found.weights

    signature = [
        tf.TensorSpec((None, None), tf.int32),
        tf.TensorSpec((None,), tf.int32),
        tf.TensorSpec((), tf.int32),
        tf.TensorSpec((None, None), tf.int32),
    ]
    return tf.function(run, input_signature=signature, autograph=False)


def compile_force(model):
    """Compile what a model says of given targets.

    Args:
        model: `TranslationModel`.

    Returns:
        Function of the three parts of a `Batch`. It returns the log-probability of each
        target piece and whether it is the likeliest, `(B, T)`, and the attention
        weights, `(B, T, S)`.
    """

    def run(source, target_in, target_out):
        hidden, weights = model(source, target_in)
        log_probabilities = model.log_probabilities(hidden)
        best = tf.argmax(log_probabilities, axis=-1, output_type=tf.int32)
        return (
            tf.gather(log_probabilities, target_out, batch_dims=2),
            best == target_out,
            weights,
        )

    spec = tf.TensorSpec((None, None), tf.int32)
    return tf.function(run, input_signature=[spec] * 3, autograph=False)


def _for_beams(memory, function):
    return keras.tree.map_structure(
        lambda each: None if each is None else function(each), memory
    )


def _repeat(rows, beams):
    """Turn `(B, …)` into `(B, K, …)`."""
    return tf.repeat(rows[:, None], beams, axis=1)


def _one_row_each(rows):
    """Turn `(B, K, …)` into `(B * K, …)`."""
    return tf.reshape(rows, tf.concat([[-1], tf.shape(rows)[2:]], axis=0))
