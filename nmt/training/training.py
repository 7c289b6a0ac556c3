"""Training: epochs, validation, and going on where a run stopped."""

import math
import sys
import time
from pathlib import Path

import keras
import numpy as np
import sacrebleu
import tensorflow as tf
from tqdm import tqdm

import keras_attention as ka
from nmt.config import CONFIG_FILE
from nmt.errors import UserError
from nmt.files import lock_folder, write_whole
from nmt.model import TranslationModel
from nmt.text import PAD_ID, Vocabulary, training_batches, validation_batches
from nmt.training.checkpoint import (
    Progress,
    check_folder,
    restore_state,
    save_state,
)
from nmt.training.loss import label_smoothed_loss
from nmt.training.schedule import epochs_without_gain, learning_rate, merit
from nmt.translation import VOCABULARY_FILE, WEIGHTS_FILE, Translator

PICTURES_FOLDER = "pictures"


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
            or the corpus is too small.
    """
    for split in ("train", "validation"):
        if not corpus.splits[split].source:
            raise UserError(f"The {split} part of {corpus.name} is empty.")
    with lock_folder(out):
        return _train(corpus, config, Path(out), report, picture_of)


def _train(corpus, config, out, report, picture_of):
    check_folder(out, config)
    if config.training.deterministic:
        tf.config.experimental.enable_op_determinism()
    keras.utils.set_random_seed(config.training.seed)
    if (out / CONFIG_FILE).exists():
        vocabulary = Vocabulary.load(out / VOCABULARY_FILE)
    else:
        vocabulary = _train_vocabulary(corpus, config)
        vocabulary.save(out / VOCABULARY_FILE)
        # Last: a folder with settings is one that a training can go on in.
        config.save(out / CONFIG_FILE)
        parts = (f"{name} {len(part.source):,}" for name, part in corpus.splits.items())
        report(f"{corpus.name}, pairs: {', '.join(parts)}; {len(vocabulary):,} pieces")
    run = Training(corpus, config, vocabulary, out, report, picture_of)
    run.restore()
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
    """One training: a model, its optimizer, the averages, and how far it got.

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
        self.config = config
        self.vocabulary = vocabulary
        self.out = Path(out)
        self.report = report
        self.picture_of = picture_of
        self.model = TranslationModel(config.model, len(vocabulary))
        self.optimizer = keras.optimizers.Adam(
            config.training.learning_rate,
            global_clipnorm=config.training.clip_norm or None,
        )
        self.optimizer.build(self.model.trainable_variables)
        self.averages = [
            tf.Variable(v, trainable=False) for v in self.model.trainable_variables
        ]
        self.translator = Translator(self.model, vocabulary, config)
        self.validation = validation_batches(
            corpus.splits["validation"], vocabulary, config.training.batch_tokens
        )
        self.progress = Progress()
        graph = {
            "input_signature": [tf.TensorSpec((None, None), tf.int32)] * 3,
            "autograph": False,
        }
        self._step = tf.function(self._train_step, **graph)
        self._loss = tf.function(self._validation_nll, **graph)

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

    def restore(self):
        """Go on from the state in the folder, if there is one."""
        progress = restore_state(self.out, self._variables(), self.corpus)
        if progress is None:
            return
        self.progress = progress
        if not progress.finished:
            self.report(f"Going on after epoch {len(progress.history)} of {self.out}.")

    def _run_epoch(self, epoch):
        settings, progress = self.config.training, self.progress
        began = time.monotonic()
        makers = training_batches(
            self.corpus.splits["train"], self.vocabulary, settings, epoch
        )
        bar = tqdm(
            makers,
            desc=f"epoch {epoch}/{settings.epochs}",
            unit="batch",
            leave=False,
            disable=not sys.stderr.isatty(),
        )
        loss, before = tf.zeros(()), progress.steps
        for number, make in enumerate(bar):
            minutes = (progress.seconds + time.monotonic() - began) / 60
            done = (epoch - 1 + number / len(makers)) / settings.epochs
            if settings.max_minutes:
                if minutes >= settings.max_minutes and progress.steps:
                    progress.finished = True
                    break
                done = max(done, minutes / settings.max_minutes)
            self.optimizer.learning_rate.assign(
                learning_rate(settings, progress.steps, done)
            )
            batch_loss = self._step(*map(tf.constant, make()))
            loss += batch_loss
            progress.steps += 1
            if number % 20 == 0:
                bar.set_postfix(loss=f"{float(batch_loss):.2f}")
        bar.close()
        if progress.steps == before:
            self._save_state()
            return
        row = {
            "epoch": epoch,
            "steps": progress.steps,
            "train_loss": float(loss) / (progress.steps - before),
            **self._validate(),
        }
        progress.seconds += time.monotonic() - began
        row["seconds"] = round(progress.seconds, 1)
        self._close_epoch(row)

    def _close_epoch(self, row):
        settings, progress = self.config.training, self.progress
        best = max(progress.history, key=merit, default=None)
        progress.history.append(row)
        gainless = epochs_without_gain(progress.history) >= settings.patience
        done = len(progress.history) >= settings.epochs
        progress.finished = progress.finished or done or gainless
        if best is None or merit(row) > merit(best):
            self._with_averages(self._save_weights)
        self._save_state()
        if self.picture_of is not None:
            self._with_averages(self._draw)
        self.report(
            f"epoch {row['epoch']:3d}  {row['seconds'] / 60:5.1f} min  "
            f"loss {row['train_loss']:.3f}  "
            f"validation: perplexity {math.exp(min(50, row['validation_loss'])):.2f}  "
            f"BLEU {row['validation_bleu']:.1f}"
        )
        if gainless:
            self.report(
                f"Stopped: {settings.patience} epochs without a better BLEU or a "
                "lower perplexity."
            )

    def _train_step(self, source, target_in, target_out):
        with tf.GradientTape() as tape:
            hidden, _ = self.model(source, target_in, training=True)
            loss, _ = self._losses(
                hidden, target_out, self.config.training.label_smoothing
            )
        values = [variable.value for variable in self.model.trainable_variables]
        gradients = tape.gradient(loss, values)
        self.optimizer.apply(
            [tf.convert_to_tensor(gradient) for gradient in gradients],
            self.model.trainable_variables,
        )
        # The average is young at first: it then follows at a rate of 1 in 10, 2 in 11 …
        step = tf.cast(self.optimizer.iterations.value, tf.float32)
        decay = tf.minimum(
            self.config.training.average_decay, (1.0 + step) / (10.0 + step)
        )
        for average, variable in zip(
            self.averages, self.model.trainable_variables, strict=True
        ):
            average.assign_sub((1 - decay) * (average - variable.value))
        return loss

    def _validation_nll(self, source, target_in, target_out):
        hidden, _ = self.model(source, target_in)
        _, nll = self._losses(hidden, target_out, 0.0)
        return nll

    def _losses(self, hidden, target_out, smoothing):
        """Give the smoothed loss and the likelihood, both per real piece."""
        # Padding is dropped first: the product with the output matrix is the largest.
        real = tf.not_equal(target_out, PAD_ID)
        targets = tf.boolean_mask(target_out, real)
        loss, nll = label_smoothed_loss(
            tf.boolean_mask(hidden, real),
            self.model.target_embedding.embeddings.value,
            self.model.output_bias.value,
            targets,
            smoothing,
        )
        count = tf.cast(tf.size(targets), loss.dtype)
        return loss / count, nll / count

    def _validate(self):
        return self._with_averages(self._validation_scores)

    def _validation_scores(self):
        text = self.corpus.splits["validation"]
        pieces = [int((batch.target_out != PAD_ID).sum()) for batch in self.validation]
        nll = sum(
            float(self._loss(*map(tf.constant, batch))) * count
            for batch, count in zip(self.validation, pieces, strict=True)
        )
        found = self.translator(text.source, beam_size=1, batch_size=128)
        bleu = sacrebleu.corpus_bleu(
            [translation.text for translation in found],
            [list(text.target)],
            tokenize="none" if self.corpus.text == "tok" else "13a",
            force=True,
        )
        return {
            "validation_loss": nll / sum(pieces),
            "validation_bleu": round(bleu.score, 2),
        }

    def _draw(self):
        """Write the picture of this epoch, and the page of all."""
        if self.picture_of:
            translation = self.translator(self.picture_of, beam_size=1)
        else:
            pair = [side[:1] for side in self.corpus.splits["validation"]]
            (translation,) = self.translator.force(*pair)
        pictures = ka.EpochPictures(self.out / PICTURES_FOLDER)
        pictures.add(len(self.progress.history), *translation.words())

    def _with_averages(self, function):
        """Call a function while the model holds the averages of its weights."""
        if not self.config.training.average_decay:
            return function()
        variables = self.model.trainable_variables
        kept = [np.asarray(variable) for variable in variables]
        try:
            for variable, average in zip(variables, self.averages, strict=True):
                variable.assign(average)
            return function()
        finally:
            for variable, value in zip(variables, kept, strict=True):
                variable.assign(value)

    def _save_weights(self):
        # Keras tells the format by the end of the name, which is that of the file.
        write_whole(self.out / WEIGHTS_FILE, self.model.save_weights)

    def _save_state(self):
        save_state(self.out, self._variables(), self.corpus, self.progress)

    def _variables(self):
        """All that a training changes, the states of its random numbers included."""
        return [*self.model.variables, *self.optimizer.variables, *self.averages]
