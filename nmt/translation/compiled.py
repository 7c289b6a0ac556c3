"""A model's search and its forcing, compiled once for all lengths."""

import tensorflow as tf

from nmt.text import END_ID, PAD_ID, START_ID, UNKNOWN_ID
from nmt.translation import search


def compile_search(model, kind, options, shortlist=None, output=None):
    """Compile a search.

    Args:
        model: `TranslationModel` or `Ensemble`.
        kind: Name of the search, `beam` or `sample`.
        options: Its options.
        shortlist: Int. How many pieces an output is made of; `None` for all.
        output: What `model.output` gave for many searches; made by each if left out.

    Returns:
        Function of sources `(B, S)`, most pieces of each output `(B,)`, a seed, and
        beginnings `(B, P)`, all int32. It returns the parts of `Hypotheses`. With a
        shortlist it takes that too, sorted int32 ids `(N,)`, the special ones first,
        and beginnings and outputs have places in it for tokens.
    """
    beams = options.get("beam_size", 1)

    def run(source, limits, seed, prefix, pieces=None):
        known = model.output() if output is None else output
        if pieces is not None:
            known = model.restrict(known, pieces)
        memory, mask, states = model.start(source, beams, known)

        def step(states, token, memory):
            return model.step(token, memory, states, known)

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
    if shortlist is not None:
        signature.append(tf.TensorSpec((shortlist,), tf.int32))
    return tf.function(run, input_signature=signature, autograph=False)


def compile_force(model):
    """Compile what a model says of given targets.

    Args:
        model: `TranslationModel` or `Ensemble`.

    Returns:
        Function of the three parts of a `Batch`. It returns the log-probability of each
        target piece and whether it is the likeliest, `(B, T)`, and the attention
        weights, `(B, T, S)`.
    """

    def run(source, target_in, target_out):
        log_probabilities, weights = model.predict_targets(source, target_in)
        best = tf.argmax(log_probabilities, axis=-1, output_type=tf.int32)
        return (
            tf.gather(log_probabilities, target_out, batch_dims=2),
            best == target_out,
            weights,
        )

    spec = tf.TensorSpec((None, None), tf.int32)
    return tf.function(run, input_signature=[spec] * 3, autograph=False)
