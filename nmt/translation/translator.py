"""Text in, text out, with the attention that went with it."""

import dataclasses
from typing import Any

import numpy as np

from nmt.errors import UserError
from nmt.text import PAD_ID, UNKNOWN_ID, make_batch, split_words
from nmt.translation.aligners import load_aligner
from nmt.translation.batching import most_pieces, usual_batch
from nmt.translation.compiled import CompiledModel
from nmt.translation.links import word_links
from nmt.translation.loading import load_models
from nmt.translation.preprocessing import Preprocessor
from nmt.translation.rules import check_int, check_lengths
from nmt.translation.sizes import Sizes
from nmt.translation.threads import in_batches
from nmt.translation.translation import LOW_SCORE, Translation

SAMPLED = 64
"""Sentences drawn at once: what is drawn depends on it, so it is always the same."""


class Translator:
    """Translates by a trained model.

    A model of text as its publishers tokenised it gets all text in that form; what is
    not yet is changed, see `nmt.text.as_published`, which is logged once.

    Args:
        model: `TranslationModel` or `Ensemble`.
        vocabulary: `Vocabulary`.
        config: `Config` that both were made by.
        folder: Folder of the model, in which learnt word links are looked for, if any.
    """

    def __init__(self, model, vocabulary, config, folder=None):
        self.folder = folder
        self.model = model
        self.vocabulary = vocabulary
        self.config = config
        self.shortlist: Any = None
        self._texts = Preprocessor(vocabulary, config.corpus)
        self._sizes = Sizes(model, len(vocabulary))
        self._compiled = CompiledModel(model)
        self._aligner: Any = None

    @classmethod
    def load(cls, *folders):
        """Load a folder that `nmt train` made, or several to translate together.

        Several predict by the mean of their log-probabilities, and show the mean of
        their attention; settings are those of the first. What their searches always
        multiply is multiplied once: they are not to be trained further.

        Raises:
            UserError: If one is no such folder, was made by another version, or its
                files are broken or do not fit each other; or if several differ in
                vocabulary, languages or form of text.
        """
        model, vocabulary, config = load_models(folders)
        translator = cls(model, vocabulary, config, folder=folders[0])
        translator._compiled = CompiledModel(model, lasting=True)
        return translator

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
        batch_size=None,
        min_length=0,
        max_length=None,
        prefix="",
        shortlist=0,
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
            batch_size: Int or `None`. Most sentences in a batch; fewer where they are
                long, so that they fit into memory. Each core has a batch of its own.
                `None` for 64 sentences if they are drawn, else for 320 hypotheses,
                which is fastest on a CPU: 64 sentences of 5 beams.
            min_length: Int. Pieces that a translation has at least, the end included.
            max_length: Int or `None`. Pieces that it has at most; if `None`, 10 more
                than twice the pieces of the source, and those of `prefix`, or
                `min_length` if that is more.
            prefix: Text that every translation begins with; the search is free after
                it, so that its last word may go on.
            shortlist: Int. Pieces that the translations of a batch are made of, chosen
                by its sources; 0 for all. Faster, but a rare word may be missing, a
                translation may depend on the others of its batch, thus also on how many
                cores there are, and scores are those among these pieces. The attribute
                `shortlist` must be a `Shortlist`.

        Returns:
            For one text a `Translation`, or a list of them, best first, if `n_best` is
            above 1. For a sequence a list of such.

        Raises:
            UserError: If a text is empty or too long, or `prefix` has a character
                that the model cannot write, or as many pieces as `max_length`.
            ValueError: If an option is out of its range.
        """
        one = isinstance(texts, str)
        texts = [texts] if one else list(texts)
        ids = self._texts.source_ids(texts)
        beginning = self._texts.prefix_ids(prefix)
        check_int("min_length", min_length, least=0)
        check_int("shortlist", shortlist, least=0)
        if max_length is not None:
            check_lengths(min_length, max_length)
        if batch_size is not None:
            check_int("batch_size", batch_size, least=1)
        options = {"min_length": min_length}
        if sample:
            if n_best > 1:
                raise ValueError(
                    "`n_best` must be 1 with `sample`, which draws one translation. "
                    f"Received: n_best={n_best}."
                )
            kind = "sample"
            options |= {"temperature": temperature, "top_k": top_k}
        else:
            kind = "beam"
            options |= {
                "beam_size": beam_size,
                "n_best": n_best,
                "length_penalty": length_penalty,
                "coverage_penalty": coverage_penalty,
            }

        if shortlist and self.shortlist is None:
            raise ValueError(
                "`shortlist` must be 0 without a table of pieces. Received: "
                f"shortlist={shortlist}. Set the attribute `shortlist` before."
            )
        if max_length is not None and max_length <= len(beginning):
            raise UserError(
                f"The prefix {prefix!r} has {len(beginning)} pieces, which leaves no "
                f"room for an end: at most {max_length} are allowed. Shorten it."
            )
        sizes = (min_length, max_length, len(beginning))
        lengths = [(n, most_pieces(n, *sizes)) for n in (len(each) + 1 for each in ids)]
        beams = 1 if sample else beam_size
        check_int("beam_size", beams, least=1)

        def work(number, group):
            source = make_batch([ids[i] for i in group], []).source
            draw = (0 if seed is None else seed) + number
            if sample and seed is None:
                draw = int(np.random.default_rng().integers(2**31))
            limits = [lengths[i][1] for i in group]
            found = self._find(
                kind, options, source, limits, draw, beginning, shortlist
            )
            return [hypotheses(i, source, found, row) for row, i in enumerate(group)]

        def hypotheses(i, source, found, row):
            each = [
                self._translation(
                    texts[i],
                    source[row],
                    *(part[row, n] for part in found),
                    searched=not (sample or beginning),
                )
                for n in range(found[0].shape[1])
                if found[1][row, n] > 0
            ]
            return each if n_best > 1 else each[0]

        if batch_size is None:
            batch_size = SAMPLED if sample else usual_batch(beams)
        numbers = self._sizes.of_search(beams)
        results = in_batches(work, lengths, batch_size, numbers, fixed=sample)
        return results[0] if one else results

    def force(self, sources, targets, batch_size=64):
        """Let the model write given translations, and see what it attends to.

        Args:
            sources: Sequence of texts.
            targets: Sequence of their translations.
            batch_size: Int. Most pairs in a batch; fewer where they are long. Each
                core has a batch of its own.

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
        source_ids = self._texts.source_ids(sources)
        target_ids = self._texts.fitting_ids(targets, "target")
        lengths = [
            (len(target) + 1, len(source) + 1)
            for source, target in zip(source_ids, target_ids, strict=True)
        ]

        def work(number, group):
            batch = make_batch(
                [source_ids[i] for i in group], [target_ids[i] for i in group]
            )
            found = self._compiled.force(batch)
            return [forced(i, batch, found, row) for row, i in enumerate(group)]

        def forced(i, batch, found, row):
            length = int((batch.target_out[row] != PAD_ID).sum())
            log_probabilities, correct, weights = (part[row, :length] for part in found)
            result = self._translation(
                sources[i],
                batch.source[row],
                batch.target_out[row],
                length,
                float(log_probabilities.sum()),
                weights,
            )
            return dataclasses.replace(
                result,
                text=targets[i],
                log_probabilities=log_probabilities,
                correct=correct,
            )

        return in_batches(work, lengths, batch_size, self._sizes.of_forcing())

    def align(self, source, target, links="attention"):
        """Link the words of a sentence to those of its translation.

        Args:
            source: Text.
            target: Its translation.
            links: `attention` links each word of the translation to the one that it
                attends to most; `best` by links that were learnt from the model's text
                and are kept in its folder, by `nmt align --links best`.

        Returns:
            Sorted list of (source word, target word), counted from 0. Words are what
            blanks separate in the texts as they are given.

        Raises:
            UserError: As for `force`, or if no links were learnt yet.
            ValueError: If `links` is something else.
        """
        if links == "attention":
            return self.links(self.force([source], [target])[0])
        if links != "best":
            raise ValueError(
                f"`links` must be 'attention' or 'best'. Received: links={links!r}."
            )
        self._texts.source_ids([source])
        self._texts.fitting_ids([target], "target")
        (pair,) = self._learnt_links().link(
            [(split_words(source), split_words(target))]
        )
        return pair.links

    def links(self, forced):
        """Link the words of a forced pair, those of its texts as they were given.

        Args:
            forced: `Translation`, from `force`.

        Returns:
            What `align` returns.
        """
        return word_links(
            forced.weights[:-1, :-1],
            self._texts.pieces_of_words(forced.source, "source"),
            self._texts.pieces_of_words(forced.text, "target"),
        )

    def count_pieces(self, texts, side="source"):
        """Return the number of pieces of each text, the end included.

        Args:
            texts: Sequence of texts.
            side: Whose language they are in, `source` or `target`.
        """
        return self._texts.count_pieces(texts, side)

    def shorten(self, text, side="source"):
        """Return the longest beginning of a text that is not too long.

        It ends where a word does, unless its first word is too long.

        Args:
            text: The text.
            side: Whose language it is in, `source` or `target`.
        """
        return self._texts.shorten(text, side)

    def _learnt_links(self):
        if self._aligner is None and self.folder is not None:
            self._aligner = load_aligner(self.folder)
        if self._aligner is None:
            where = "A model without a folder" if self.folder is None else self.folder
            raise UserError(
                f"{where} holds no word links. Let `nmt align --links best` learn them "
                "from the text of a model in a folder."
            )
        return self._aligner

    def _find(self, kind, options, source, limits, draw, beginning, shortlist):
        """Search for the translations of a batch; the parts of `Hypotheses`."""
        prefixes = np.tile(np.int32(beginning), (len(source), 1))
        if not shortlist:
            return self._compiled.find(kind, options, source, limits, draw, prefixes)
        pieces = self.shortlist.choose(source, shortlist, beginning)
        # By label smoothing each piece that is left out has its share.
        left_out = 1 - len(pieces) / len(self.vocabulary)
        share = self.config.training.label_smoothing * left_out
        found = self._compiled.find(
            kind,
            {**options, "elsewhere": share},
            source,
            limits,
            draw,
            np.searchsorted(pieces, prefixes).astype(np.int32),
            pieces,
        )
        found[0] = pieces[found[0]]
        return found

    def _translation(
        self, text, source, tokens, length, score, weights, *, searched=False
    ):
        source, tokens = source[source != PAD_ID], tokens[:length]
        result = Translation(
            source=text,
            text=self.vocabulary.text(tokens),
            score=float(score),
            source_tokens=self.vocabulary.pieces(source),
            target_tokens=self.vocabulary.pieces(tokens),
            # A copy: the batch's array is not kept.
            weights=weights[:length, : len(source)].copy(),
        )
        doubts = []
        if UNKNOWN_ID in source:
            doubts.append("unknown characters")
        # The score itself first, as words take their time to count.
        if searched and score < LOW_SCORE and result.score_per_word() < LOW_SCORE:
            doubts.append("low score")
        return dataclasses.replace(result, doubts=tuple(doubts))
