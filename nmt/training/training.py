"""Training: epochs, validation, and going on where a run stopped."""

import math
import sys
import time
from pathlib import Path

import keras
import sacrebleu
import tensorflow as tf
from tqdm import tqdm

import keras_attention as ka
from nmt.config import CONFIG_FILE, Config
from nmt.errors import UserError
from nmt.files import lock_folder, remove_partial_files
from nmt.text import Vocabulary, training_batches, validation_batches
from nmt.training.checkpoint import (
    Progress,
    fingerprint,
    has_state,
    read_progress,
    restore_state,
    save_state,
    save_weights,
    write_history,
)
from nmt.training.learner import Learner
from nmt.training.resuming import changes, check_folder, note_settings
from nmt.training.schedule import epochs_without_gain, learning_rate, merit
from nmt.translation import (
    VOCABULARY_FILE,
    Translator,
    write_model_file,
)

PICTURES_FOLDER = "pictures"
STEPS_READ = 20
"""Steps whose losses are read at once: to read each would wait for each."""


def train(corpus, config, out, report=print, picture_of=None):
    """Train a model, or go on with its training.

    After every epoch the folder holds the state of the training, and the weights, in
    their running average, of the epoch with the best validation BLEU so far.

    Args:
        corpus: `Corpus` to train on.
        config: `Config`.
        out: Folder of the model.
        report: Function that is given each line to be told.
        picture_of: Sentence whose attention is drawn after each epoch; `""` for the
            first of the validation text, whose translation is then forced. `None`, the
            default, draws nothing. Changes nothing that is learnt.

    Returns:
        The history: a list of one dict for each epoch.

    Raises:
        UserError: If the folder holds a model of other settings or of another text, or
            one that has lost what it needs to go on, or another process trains in it,
            or the corpus is too small, or the training diverges.
        OSError: If a file cannot be written.
    """
    for split in ("train", "validation"):
        if not corpus.splits[split].source:
            raise UserError(f"The {split} part of {corpus.name} is empty.")
    with lock_folder(out):
        return _train(corpus, config, Path(out), report, picture_of)


def _train(corpus, config, out, report, picture_of):
    text = fingerprint(corpus)
    for folder in (out, out / PICTURES_FOLDER):
        remove_partial_files(folder)
    check_folder(out, config, text)
    if config.training.deterministic:
        tf.config.experimental.enable_op_determinism()
    keras.utils.set_random_seed(config.training.seed)
    if has_state(out):
        vocabulary = Vocabulary.load(out / VOCABULARY_FILE)
        there = Config.load(out / CONFIG_FILE)
    else:
        # What a try that failed has left may be of another text.
        vocabulary = _train_vocabulary(corpus, config)
        write_model_file(out, VOCABULARY_FILE, vocabulary.model)
        there = config
        parts = (f"{name} {len(part.source):,}" for name, part in corpus.splits.items())
        report(f"{corpus.name}, pairs: {', '.join(parts)}; {len(vocabulary):,} pieces")
    run = Training(corpus, config, vocabulary, out, report, picture_of)
    run.restore(there)
    note_settings(out, config, text)
    if run.progress.finished:
        report(f"The training in {out} was finished before; nothing is left to do.")
    else:
        run.run()
    return run.progress.history


def _train_vocabulary(corpus, config):
    text = corpus.splits["train"]
    lines = [*text.source, *text.target]
    return Vocabulary.train(lines, config.vocabulary.vocabulary_size)


class Training:
    """One training: what learns, what it learns from, and how far it got.

    Args:
        corpus: `Corpus`.
        config: `Config`.
        vocabulary: `Vocabulary`.
        out: Folder of the model.
        report: Function that is given each line to be told.
        picture_of: See `train`.
    """

    def __init__(self, corpus, config, vocabulary, out, report=print, picture_of=None):
        self.corpus = corpus
        self.text = fingerprint(corpus)
        self.config, self.settings = config, config.training
        self.vocabulary = vocabulary
        self.out = Path(out)
        self.report = report
        self.picture_of = picture_of
        self.learner = Learner(config, len(vocabulary))
        self.translator = Translator(self.learner.model, vocabulary, config)
        self.validation = validation_batches(
            corpus.splits["validation"], vocabulary, self.settings.batch_tokens
        )
        self.progress = Progress()

    def run(self):
        """Train until the last epoch, the time limit, or no more gain."""
        progress = self.progress
        while not progress.finished:
            self._run_epoch(len(progress.history) + 1)
        best = max(progress.history, key=merit)
        self.report(
            f"Finished after {len(progress.history)} epochs and "
            f"{progress.seconds / 60:.1f} minutes of training. Kept: epoch "
            f"{best['epoch']}, validation BLEU {best['validation_bleu']:.1f}. "
            f"Model: {self.out}"
        )

    def restore(self, there):
        """Go on from the state in the folder, if there is one.

        Args:
            there: `Config` that the folder was last trained with.
        """
        progress = read_progress(self.out, self.text)
        if progress is None:
            return
        restore_state(self.out, self.learner.variables())
        self.progress = progress
        # Killed right after the state was written, a run has left the one before it.
        write_history(self.out, progress.history)
        was_finished, changed = progress.finished, there.training != self.settings
        progress.finished = self._is_over() or (was_finished and not changed)
        if was_finished and not progress.finished:
            # Before the settings are: killed in between, they still end it.
            self._save_state()
        if not progress.finished:
            self.report(f"Going on after epoch {len(progress.history)} of {self.out}.")
            for line in changes(there, self.config):
                self.report(line)

    def _is_over(self):
        settings, progress = self.settings, self.progress
        return (
            len(progress.history) >= settings.epochs
            or epochs_without_gain(progress.history) >= settings.patience
            or 0 < settings.max_minutes <= progress.seconds / 60
        )

    def _run_epoch(self, epoch):
        progress = self.progress
        began, before = time.monotonic(), progress.steps
        loss = self._learn(epoch, began)
        if progress.steps == before:
            self._save_state()
            return
        if not self.learner.is_finite():
            self._stop_diverged("a weight or a moment of Adam", progress.steps)
        row = {
            "epoch": epoch,
            "steps": progress.steps,
            "train_loss": loss / (progress.steps - before),
            **self.learner.with_averages(self._validate),
        }
        progress.seconds += time.monotonic() - began
        row["seconds"] = round(progress.seconds, 1)
        self._close_epoch(row)

    def _learn(self, epoch, began):
        """Learn from the batches of an epoch, and return the sum of their losses."""
        settings, progress = self.settings, self.progress
        makers = training_batches(
            self.corpus.splits["train"], self.vocabulary, settings, epoch
        )
        total, unread = 0.0, []
        with tqdm(
            makers,
            desc=f"epoch {epoch}/{settings.epochs}",
            unit="batch",
            leave=False,
            disable=not sys.stderr.isatty(),
        ) as bar:
            for number, make in enumerate(bar):
                minutes = (progress.seconds + time.monotonic() - began) / 60
                done = (epoch - 1 + number / len(makers)) / settings.epochs
                if settings.max_minutes:
                    if minutes >= settings.max_minutes and progress.steps:
                        progress.finished = True
                        break
                    done = max(done, minutes / settings.max_minutes)
                rate = learning_rate(settings, progress.steps, done)
                unread.append(self.learner.learn(make(), rate))
                progress.steps += 1
                if number % STEPS_READ == 0:
                    bar.set_postfix(loss=f"{float(unread[-1]):.2f}")
                    total += self._read(unread)
            return total + self._read(unread)

    def _read(self, losses):
        """Return the sum of the last losses, and empty their list."""
        first = self.progress.steps - len(losses) + 1
        values = [float(loss) for loss in losses]
        losses.clear()
        for step, value in enumerate(values, first):
            if not math.isfinite(value):
                self._stop_diverged("the loss", step)
        return sum(values)

    def _close_epoch(self, row):
        progress = self.progress
        best = max(progress.history, key=merit, default=None)
        progress.history.append(row)
        progress.finished = progress.finished or self._is_over()
        if best is None or merit(row) > merit(best):
            self.learner.with_averages(self._save_weights)
        self._save_state()
        if self.picture_of is not None:
            self.learner.with_averages(self._draw)
        self.report(
            f"epoch {row['epoch']:3d}  {row['seconds'] / 60:5.1f} min  "
            f"loss {row['train_loss']:.3f}  "
            f"validation: perplexity {math.exp(min(50, row['validation_loss'])):.2f}  "
            f"BLEU {row['validation_bleu']:.1f}"
        )
        patience = self.settings.patience
        if epochs_without_gain(progress.history) >= patience:
            self.report(
                f"Stopped: {patience} epochs without a better BLEU or a "
                "lower perplexity."
            )

    def _validate(self):
        text = self.corpus.splits["validation"]
        loss = self.learner.validation_loss(self.validation)
        if not math.isfinite(loss):
            self._stop_diverged("the validation loss", self.progress.steps)
        found = self.translator(text.source, beam_size=1, batch_size=128)
        bleu = sacrebleu.corpus_bleu(
            [translation.text for translation in found],
            [list(text.target)],
            tokenize="none" if self.corpus.text == "tok" else "13a",
            force=True,
        )
        return {"validation_loss": loss, "validation_bleu": round(bleu.score, 2)}

    def _stop_diverged(self, what, step):
        """End a training whose numbers have overflowed; nothing of it is saved."""
        kept = len(self.progress.history)
        norm = self.settings.clip_norm or "none"
        then = (
            f"The same command then goes on after epoch {kept}, whose state is kept."
            if kept
            else "Nothing was saved yet."
        )
        raise UserError(
            f"the training in {self.out} has diverged: since step {step} {what} is no "
            "finite number. Give a smaller --learning-rate (it is "
            f"{self.settings.learning_rate}) or a smaller --clip-norm above 0 (it is "
            f"{norm}). {then}"
        )

    def _draw(self):
        """Write the picture of this epoch, and the page of all."""
        if self.picture_of:
            translation = self.translator(self.picture_of, beam_size=1)
        else:
            pair = [side[:1] for side in self.corpus.splits["validation"]]
            (translation,) = self.translator.force(*pair)
        pictures = ka.EpochPictures(self.out / PICTURES_FOLDER)
        pictures.add(len(self.progress.history), *translation.words())

    def _save_weights(self):
        save_weights(self.out, self.learner.model)

    def _save_state(self):
        save_state(self.out, self.learner.variables(), self.text, self.progress)
