"""What every worker of a training is given."""

import dataclasses
import functools
from collections.abc import Callable, Sequence

import keras
import tensorflow as tf

from nmt.config import Config
from nmt.corpora import Corpus, ParallelText
from nmt.training.checkpoint import fingerprint
from nmt.training.data import Data
from nmt.training.loop import Loop
from nmt.training.precision import check_precision
from nmt.training.resuming import MAY_CHANGE
from nmt.training.workers import Workers

OF_CHIEF = ("precision", *MAY_CHANGE)
"""Options of a training that other workers have from the chief, whose folder may hold
others than its command says."""


@dataclasses.dataclass(frozen=True)
class Job:
    """What every worker of a training is given; see `train`.

    Attributes:
        added: `ParallelText` to train on beside that of the corpus, or `None`.
    """

    corpus: Corpus
    config: Config
    workers: Workers
    report: Callable[[str], None]
    callbacks: Sequence[keras.callbacks.Callback]
    added: ParallelText | None = None

    @functools.cached_property
    def text(self):
        """The `fingerprint` of the corpus."""
        return fingerprint(self.corpus)

    def begin(self):
        """Set the random numbers, where all workers were given the same.

        Raises:
            UserError: If this worker was given something else than the chief, or what
                several cannot do.
        """
        check_precision(self.config.training.precision, self.workers.replicas)
        sections = (self.config.vocabulary, self.config.model, self.config.training)
        options = [dataclasses.asdict(section) for section in sections]
        for name in OF_CHIEF:
            del options[-1][name]
        self.workers.check_alike("The options", options)
        self.workers.check_alike("The sentences", self.text)
        if self.config.training.deterministic:
            tf.config.experimental.enable_op_determinism()
        keras.utils.set_random_seed(self.config.training.seed)

    def run(self, learner, vocabulary, progress, losses, own):
        """Train until a callback stops it.

        Args:
            learner: `Learner`.
            vocabulary: `Vocabulary`.
            progress: `Progress`.
            losses: `Losses`.
            own: List of the callbacks of this worker, but those of the user.

        Returns:
            The history.
        """
        text = self.corpus.splits["train"]
        if self.added is not None:
            text = ParallelText(
                (*text.source, *self.added.source), (*text.target, *self.added.target)
            )
        data = Data(text, vocabulary, learner.settings, progress)
        Loop(learner, data, progress, losses, own, self.callbacks).run()
        return progress.history
