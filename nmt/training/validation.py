"""Validation after each epoch, by the perplexity and the BLEU of the averages."""

import math

import keras
import sacrebleu

from nmt.text import validation_batches
from nmt.translation import translated


class Validation(keras.callbacks.Callback):
    """Scores the averages of the weights on the validation text after each epoch.

    Args:
        learner: `Learner`.
        translator: `Translator` of its model.
        corpus: `Corpus`.
        losses: `Losses`, which says that a training has diverged.

    Raises:
        UserError: If a sentence is too long, see `nmt.text.check_lengths`.
    """

    def __init__(self, learner, translator, corpus, losses):
        super().__init__()
        self.learner, self.translator, self.losses = learner, translator, losses
        self.text = corpus.splits["validation"]
        self.tokenize = "none" if corpus.text == "tok" else "13a"
        tokens = learner.settings.batch_tokens
        self.batches = validation_batches(self.text, translator.vocabulary, tokens)

    def on_epoch_end(self, epoch, logs=None):
        """Give the loss per piece, in nats, and BLEU."""
        logs |= self.learner.with_averages(self._scores)

    def _scores(self):
        loss = self.learner.validation_loss(self.batches)
        if not math.isfinite(loss):
            raise self.losses.diverged("the validation loss")
        found = translated(self.translator, self.text.source, beam_size=1)
        bleu = sacrebleu.corpus_bleu(
            [one.text if one else "" for one in found],
            [list(self.text.target)],
            tokenize=self.tokenize,
            force=True,
        )
        return {"val_loss": loss, "val_bleu": round(bleu.score, 2)}
