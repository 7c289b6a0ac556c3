"""A model's search and its forcing, compiled once for all lengths."""

import threading
from typing import Any

import numpy as np
import tensorflow as tf

from nmt.text import END_ID, PAD_ID, START_ID, UNKNOWN_ID
from nmt.translation import search


class CompiledModel:
    """A model with its searches, each compiled when it is first used.

    Several threads may use it at once.

    Args:
        model: `TranslationModel` or `Ensemble`.
        lasting: Bool. Whether what all searches multiply is multiplied once, because no
            weight changes between them.
    """

    def __init__(self, model, lasting=False):
        self.model = model
        self._lasting = lasting
        self._output = None
        self._compiled: dict[Any, Any] = {}
        self._compiling = threading.Lock()

    def find(self, kind, options, source, limits, seed, prefixes, pieces=None):
        """Search; the arguments are those of `compile_search` and what it compiles.

        Args:
            kind: Name of the search.
            options: Its options.
            source: Ids, shape `(B, S)`.
            limits: Most pieces of each output, `B` of them.
            seed: Int, whose last 31 bits count.
            prefixes: Ids, shape `(B, P)`.
            pieces: The shortlist, ids of shape `(N,)`, if there is one.

        Returns:
            The parts of `Hypotheses`, as arrays.
        """
        inputs = [source, limits, seed % 2**31, prefixes]
        if pieces is not None:
            inputs.append(pieces)
        size = None if pieces is None else len(pieces)
        found = self._search(kind, options, size)(
            *(tf.constant(each, tf.int32) for each in inputs)
        )
        return [np.asarray(part) for part in found]

    def force(self, batch):
        """Return what `compile_force` compiles says of a `Batch`, as arrays."""
        with self._compiling:
            if "force" not in self._compiled:
                self._compiled["force"] = compile_force(self.model)
        found = self._compiled["force"](*map(tf.constant, batch))
        return [np.asarray(part) for part in found]

    def _search(self, kind, options, size):
        key = (kind, size, *sorted(options.items()))
        with self._compiling:
            if self._lasting and self._output is None:
                self._output = self.model.output(lasting=True)
            if key not in self._compiled:
                self._compiled[key] = compile_search(
                    self.model, kind, options, size, self._output
                )
            return self._compiled[key]


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
