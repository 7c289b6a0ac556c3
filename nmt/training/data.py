"""The batches of a training, made beside the steps that learn from them."""

import logging
from itertools import islice

import numpy as np
import tensorflow as tf

from nmt.corpora import ParallelText
from nmt.errors import UserError
from nmt.text import UNKNOWN_ID, split_pairs, training_batches

PREFETCHED = 32
"""Batches made ahead: a next part of a stream is split meanwhile."""
MOST_UNKNOWN = 0.01
"""Share of unknown pieces in a part of a stream above which it is told."""

_log = logging.getLogger(__name__)


class Data:
    """The batches of one epoch after another, the same for the same seed.

    An epoch is one pass over the text. If the settings say how many steps it has, it is
    that many of passes without end.

    Args:
        text: `ParallelText` or `StreamedText`.
        vocabulary: `Vocabulary`.
        settings: `TrainingConfig`.
        progress: `Progress`, from where it goes on.
    """

    def __init__(self, text, vocabulary, settings, progress):
        self.text, self.vocabulary, self.settings = text, vocabulary, settings
        self.progress = progress
        self._endless = self._pieces = None
        self._error = None
        self._warned = False

    def epoch(self):
        """Begin the epoch that is under way, or go on with it.

        Returns:
            `(steps, batches)`: the number of all its batches, and an iterator over
            those that are left: tuples of three tensors, see `Batch`.
        """
        steps, progress = self.settings.epoch_steps, self.progress
        if steps:
            self._check_place(steps)
            if self._endless is None:
                self._endless = self._noting_the_place(self._prefetched(self._passes))
            return steps, islice(self._endless, steps - progress.batch)
        number = len(progress.history) + 1
        makers = [make for _, part in self._makers(number) for make in part]
        if not makers:
            raise self._none_fits()
        self._check_place(len(makers))
        rest = makers[progress.batch :]
        batches = self._prefetched(lambda: ((*make(), (0, 0, 0)) for make in rest))
        return len(makers), (batch for *batch, _ in batches)

    def _check_place(self, steps):
        if self.progress.batch > steps:
            raise UserError(
                f"the state of this training is after batch {self.progress.batch} of "
                f"an epoch of {steps}: it is of another text, or broken. Choose "
                "another --out to train anew."
            )

    def _passes(self):
        """Yield batches without end, each with its pass, its part and its number there.

        Parts before the one to go on in are read, and not split into pieces.
        """
        progress = self.progress
        number, first, done = progress.passes, progress.parts, progress.pass_batches
        while True:
            fits = False
            for part, makers in self._makers(number + 1, first):
                fits = fits or bool(makers)
                for place, make in enumerate(makers, 1):
                    if place > done:
                        yield (*make(), (number, part, place))
                # A state of before parts were counted counts from the first one.
                done = max(0, done - len(makers))
            if not fits:
                raise self._none_fits()
            number, first, done = number + 1, 0, 0

    def _makers(self, number, first=0):
        """Yield parts of a pass: their number, and functions that make the batches."""
        how = self.vocabulary, self.settings
        if isinstance(self.text, ParallelText):
            if self._pieces is None and not self.settings.sampling_alpha:
                self._pieces = split_pairs(self.text, *how, number)
            yield 0, training_batches(self.text, *how, number, self._pieces)
            return
        for place, part in enumerate(self._parts(number)):
            if place >= first:
                # The first part of a pass is drawn as a text that is in memory.
                drawn = number + 1_000_003 * place
                pieces = split_pairs(part, *how, drawn)
                self._warn_of_unknown(pieces)
                yield place, training_batches(part, *how, drawn, pieces)

    def _warn_of_unknown(self, sides):
        """Warn, once, of a part with much that the vocabulary does not know."""
        sentences = [ids for side in sides for ids in side]
        share = sum(ids.count(UNKNOWN_ID) for ids in sentences)
        share /= max(1, sum(map(len, sentences)))
        if share > MOST_UNKNOWN and not self._warned:
            self._warned = True
            _log.warning(
                "%.0f %% of the pieces of a part of the text are unknown to the "
                "vocabulary, which is learnt from the first lines of each file. Mix "
                "the lines and train anew; with --from, give --new-vocabulary.",
                100 * share,
            )

    def _parts(self, number):
        """Yield a streamed text, its shards in a random order, in parts."""
        random = np.random.default_rng([self.settings.seed, number, 1])
        pairs = self.text.pairs(random.permutation(len(self.text.source_files)))
        while part := list(islice(pairs, self.settings.shuffle_pairs)):
            yield ParallelText(*zip(*part, strict=True))

    def _none_fits(self):
        return UserError(
            f"No pair has at most {self.settings.max_pieces} pieces on both sides. "
            "Give shorter sentences, one a line, or a larger --max-pieces."
        )

    def _noting_the_place(self, batches):
        progress = self.progress
        for *batch, place in batches:
            progress.passes, progress.parts, progress.pass_batches = map(int, place)
            yield batch

    def _prefetched(self, generate):
        """Yield what a generator yields, made in another thread."""

        def kept():
            try:
                yield from generate()
            except UserError as error:
                self._error = error

        ids, place = tf.TensorSpec((None, None), tf.int32), tf.TensorSpec(3, tf.int64)
        signature = (ids, ids, ids, place)
        dataset = tf.data.Dataset.from_generator(kept, output_signature=signature)
        yield from dataset.prefetch(PREFETCHED)
        if self._error is not None:
            raise self._error
