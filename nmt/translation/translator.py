"""Text in, text out, with the attention that went with it."""

import dataclasses
import warnings

import numpy as np
import tensorflow as tf

import keras_attention as ka
from nmt.config import CONFIG_FILE
from nmt.errors import UserError
from nmt.model import TranslationModel
from nmt.text import (
    END_ID,
    PAD_ID,
    START_ID,
    UNKNOWN_ID,
    check_lengths,
    make_batch,
)
from nmt.translation import search
from nmt.translation.folder import check_pieces, read_folder
from nmt.translation.translation import Translation


class Translator:
    """Translates by a trained model.

    Args:
        model: `TranslationModel`.
        vocabulary: `Vocabulary`.
        config: `Config` that both were made by.
    """

    def __init__(self, model, vocabulary, config):
        self.model = model
        self.vocabulary = vocabulary
        self.config = config
        self._compiled = {}

    @classmethod
    def load(cls, folder):
        """Load a folder that `nmt train` made.

        Raises:
            UserError: If it is no such folder, was made by another version, or its
                files are broken or do not fit each other.
        """
        config, vocabulary, weights = read_folder(folder)
        check_pieces(weights, vocabulary)
        model = TranslationModel(config.model, len(vocabulary))
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", UserWarning)  # of what the error tells
                model.load_weights(weights)
        # RuntimeError: what h5py says of some broken files.
        except (OSError, ValueError, KeyError, RuntimeError) as error:
            reason = (str(error).strip() or type(error).__name__).splitlines()[0]
            raise UserError(
                f"{weights} does not fit its {CONFIG_FILE}, or is broken: {reason} "
                "Put the right file back, or train again in another folder."
            ) from None
        if not all(np.isfinite(weight).all() for weight in model.get_weights()):
            raise UserError(
                f"{weights} has weights that are no finite numbers: its training "
                "diverged, or it is broken. Train again with a smaller --learning-rate."
            )
        return cls(model, vocabulary, config)

    def __call__(
        self,
        texts,
        beam_size=5,
        n_best=1,
        length_penalty=1.0,
        coverage_penalty=0.0,
        sample=False,
        temperature=1.0,
        top_k=0,
        seed=None,
        batch_size=64,
        min_length=0,
        max_length=None,
        prefix="",
    ):
        """Translate.

        Args:
            texts: One text, or a sequence of texts.
            beam_size: Int. Beams that are searched; 1 is greedy.
            n_best: Int, at most `beam_size`. Translations of each text.
            length_penalty: Float, alpha of ((5 + n) / 6)^alpha.
            coverage_penalty: Float, beta of the coverage term.
            sample: Bool. Draw the pieces instead of searching.
            temperature: Float. Of drawing; below 1 sharper, above 1 flatter.
            top_k: Int. Draw from this many pieces; 0 from all.
            seed: Int or `None`. Seed of the drawing.
            batch_size: Int. Sentences translated at once.
            min_length: Int. Pieces that a translation has at least, the end included.
            max_length: Int or `None`. Pieces that it has at most; if `None`, 10 more
                than twice the pieces of the source, and those of `prefix`.
            prefix: Text that every translation begins with; the search is free after
                it, so that its last word may go on.

        Returns:
            For one text a `Translation`, or a list of them, best first, if `n_best` is
            above 1. For a sequence a list of such.

        Raises:
            UserError: If a text is empty or too long, or `prefix` has a character
                that the model cannot write.
            ValueError: If an option is out of its range.
        """
        one = isinstance(texts, str)
        texts = [texts] if one else list(texts)
        ids = self._source_ids(texts)
        beginning = self._prefix_ids(prefix)
        options = {"min_length": min_length}
        if sample:
            if n_best > 1:
                raise ValueError(
                    "`n_best` must be 1 with `sample`, which draws one translation. "
                    f"Received: n_best={n_best}."
                )
            kind = "sample"
            options |= {"temperature": temperature, "top_k": top_k, "n_best": 1}
        else:
            kind = "beam"
            options |= {
                "beam_size": beam_size,
                "n_best": n_best,
                "length_penalty": length_penalty,
                "coverage_penalty": coverage_penalty,
            }
        results = [None] * len(texts)
        # Longest first: what does not fit in memory fails at once.
        order = sorted(range(len(texts)), key=lambda i: -len(ids[i]))
        for number, start in enumerate(range(0, len(order), batch_size)):
            group = order[start : start + batch_size]
            source = make_batch([ids[i] for i in group], []).source
            lengths = (source != PAD_ID).sum(axis=1)
            limits = 2 * lengths + 10 + len(beginning)
            if max_length is not None:
                limits[:] = max_length
            draw = (0 if seed is None else seed) + number
            if sample and seed is None:
                draw = int(np.random.default_rng().integers(2**31))
            draw %= 2**31  # the search takes an int32
            found = self._search(kind, options)(
                tf.constant(source),
                tf.constant(limits, tf.int32),
                tf.constant(draw),
                tf.constant(np.tile(np.int32(beginning), (len(group), 1))),
            )
            found = [np.asarray(part) for part in found]
            for row, i in enumerate(group):
                hypotheses = [
                    self._translation(
                        texts[i], source[row], *(part[row, n] for part in found)
                    )
                    for n in range(found[0].shape[1])
                    if found[1][row, n] > 0
                ]
                results[i] = hypotheses if n_best > 1 else hypotheses[0]
        return results[0] if one else results

    def force(self, sources, targets, batch_size=64):
        """Let the model write given translations, and see what it attends to.

        Args:
            sources: Sequence of texts.
            targets: Sequence of their translations.
            batch_size: Int. Pairs worked on at once.

        Returns:
            List of `Translation`, with `log_probabilities` and `correct`.

        Raises:
            UserError: If a source is empty, a text is too long, or the numbers of
                texts differ.
        """
        sources, targets = list(sources), list(targets)
        if len(sources) != len(targets):
            raise UserError(
                f"Got {len(sources)} sources and {len(targets)} targets; expected as "
                "many of one as of the other."
            )
        source_ids, target_ids = self._source_ids(sources), self.vocabulary.ids(targets)
        check_lengths(target_ids, targets)
        results = [None] * len(sources)
        order = sorted(range(len(sources)), key=lambda i: -len(target_ids[i]))
        for start in range(0, len(order), batch_size):
            group = order[start : start + batch_size]
            batch = make_batch(
                [source_ids[i] for i in group], [target_ids[i] for i in group]
            )
            forced = [np.asarray(part) for part in self._force(*batch)]
            for row, i in enumerate(group):
                length = int((batch.target_out[row] != PAD_ID).sum())
                log_probabilities, correct, weights = (p[row, :length] for p in forced)
                result = self._translation(
                    sources[i],
                    batch.source[row],
                    batch.target_out[row],
                    length,
                    float(log_probabilities.sum()),
                    weights,
                )
                results[i] = dataclasses.replace(
                    result,
                    text=targets[i],
                    log_probabilities=log_probabilities,
                    correct=correct,
                )
        return results

    def align(self, source, target):
        """Link the words of a sentence to those of its translation.

        Args:
            source: Text.
            target: Its translation.

        Returns:
            Sorted list of (source word, target word), counted from 0.
        """
        weights, source_words, target_words = self.force([source], [target])[0].words()
        # The ends are no words of the sentences.
        links = ka.hard_links(weights[: len(target_words) - 1, : len(source_words) - 1])
        return sorted(links)

    def _source_ids(self, texts):
        for text in texts:
            if not text.strip():
                raise UserError(f"Nothing to translate: got {text!r}. Give a text.")
        ids = self.vocabulary.ids(texts)
        check_lengths(ids, texts)
        return ids

    def _prefix_ids(self, prefix):
        (ids,) = self.vocabulary.ids([prefix])
        check_lengths([ids], [prefix])
        if UNKNOWN_ID in ids:
            raise UserError(
                f"The translation cannot begin with {prefix!r}: the model has no piece "
                "for one of its characters."
            )
        return ids

    def _search(self, kind, options):
        """Compile a search once for all lengths."""
        key = (kind, *sorted(options.items()))
        if key in self._compiled:
            return self._compiled[key]
        options = dict(options)
        beams = options.get("beam_size", 1)
        if kind == "sample":
            options.pop("n_best")

        def run(source, limits, seed, prefix):
            memory, mask, states = self.model.encode(source)
            prepared = self.model.decoder.prepare(memory, mask)
            states = self.model.decoder.initial_states(prepared, states)
            prepared = search.repeat(prepared, beams)

            def step(states, token):
                return self.model.step(token, prepared, states)

            extra = {"seed": seed} if kind == "sample" else {}
            found = getattr(search, kind)(
                step,
                states,
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
        compiled = tf.function(run, input_signature=signature, autograph=False)
        self._compiled[key] = compiled
        return compiled

    def _force(self, source, target_in, target_out):
        if "force" not in self._compiled:

            def run(source, target_in, target_out):
                hidden, weights = self.model(source, target_in)
                log_probabilities = self.model.log_probabilities(hidden)
                best = tf.argmax(log_probabilities, axis=-1, output_type=tf.int32)
                return (
                    tf.gather(log_probabilities, target_out, batch_dims=2),
                    best == target_out,
                    weights,
                )

            spec = tf.TensorSpec((None, None), tf.int32)
            self._compiled["force"] = tf.function(
                run, input_signature=[spec] * 3, autograph=False
            )
        inputs = (source, target_in, target_out)
        return self._compiled["force"](*map(tf.constant, inputs))

    def _translation(self, text, source, tokens, length, score, weights):
        source, tokens = source[source != PAD_ID], tokens[:length]
        return Translation(
            source=text,
            text=self.vocabulary.text(tokens),
            score=float(score),
            source_tokens=self.vocabulary.pieces(source),
            target_tokens=self.vocabulary.pieces(tokens),
            weights=weights[:length, : len(source)],
        )
