"""Training: epochs, validation, checkpoints, and going on where a run stopped."""

import dataclasses
import hashlib
import json
import math
import sys
import time
import zipfile
import zlib
from pathlib import Path

import keras
import numpy as np
import sacrebleu
import tensorflow as tf
from tqdm import tqdm

import keras_attention as ka
from nmt.config import CONFIG_FILE, Config
from nmt.errors import UserError
from nmt.files import held, write_whole
from nmt.model import TranslationModel
from nmt.text import PAD_ID, Vocabulary, training_batches, validation_batches
from nmt.training.loss import label_smoothed_loss
from nmt.translation import VOCABULARY_FILE, WEIGHTS_FILE, Translator

STATE_FILE = "training_state.npz"
HISTORY_FILE = "history.json"
PICTURES_FOLDER = "pictures"
SHOWN_DIFFERENCES = 4
"""Settings that a refusal names; more would fill the screen."""
BROKEN = (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile, zlib.error)
"""What reading a state raises that is cut off, changed, or of another model."""


def train(corpus, config, out, report=print, picture_of=None):
    """Train a model, or go on with its training.

    After every epoch the folder holds the state of the training, and the weights, in
    their running average, of the epoch with the best validation BLEU so far.

    Args:
        corpus: `Corpus` to train on.
        config: `Config`.
        out: Folder of the model.
        report: Function that is given each line to be told.
        picture_of: Sentence, in which is drawn after each epoch where the model looks;
            `""` for the first of the validation text, whose translation is then
            forced. `None`, the default, draws nothing. Changes nothing that is learnt.

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
    with held(out):
        return _train(corpus, config, Path(out), report, picture_of)


def _train(corpus, config, out, report, picture_of):
    _refuse_what_cannot_go_on(out)
    _refuse_other_settings(out, config)
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
    if run.finished:
        report(f"The training in {out} was finished before; nothing is left to do.")
    else:
        run.run()
    return run.history


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
        self.history = []
        self.steps = 0
        self.seconds = 0.0
        self.finished = False
        graph = {
            "input_signature": [tf.TensorSpec((None, None), tf.int32)] * 3,
            "autograph": False,
        }
        self._step = tf.function(self._train_step, **graph)
        self._loss = tf.function(self._validation_nll, **graph)

    def run(self):
        """Train until the last epoch, the time limit, or no more gain."""
        while not self.finished:
            self._run_epoch(len(self.history) + 1)
        best = max(self.history, key=_merit)
        self.report(
            f"Finished after {len(self.history)} epochs and {self.seconds / 60:.1f} "
            f"minutes of training. Kept: epoch {best['epoch']}, validation BLEU "
            f"{best['validation_bleu']:.1f}. Model: {self.out}"
        )

    def restore(self):
        """Go on from the state in the folder, if there is one."""
        path = self.out / STATE_FILE
        if not path.is_file():
            return
        try:
            # Opened here: NumPy leaves the file of a broken archive open.
            with open(path, "rb") as file, np.load(file, allow_pickle=False) as state:
                meta = json.loads(bytes(state["meta"]))
                arrays = [state[f"array_{i}"] for i in range(len(self._variables()))]
            text = meta["corpus"]
            for variable, array in zip(self._variables(), arrays, strict=True):
                variable.assign(array)
        except BROKEN as error:
            raise UserError(
                f"{path} is broken ({error}). Delete {self.out} to train anew."
            ) from None
        if text != self._fingerprint():
            raise UserError(
                f"The model in {self.out} was begun on another text than this of the "
                f"same name, {self.corpus.name}. Choose another --out."
            )
        self.history, self.steps = meta["history"], meta["steps"]
        self.seconds, self.finished = meta["seconds"], meta["finished"]
        if not self.finished:
            self.report(f"Going on after epoch {len(self.history)} of {self.out}.")

    def _run_epoch(self, epoch):
        settings = self.config.training
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
        loss, before = tf.zeros(()), self.steps
        for number, make in enumerate(bar):
            minutes = (self.seconds + time.monotonic() - began) / 60
            done = (epoch - 1 + number / len(makers)) / settings.epochs
            if settings.max_minutes:
                if minutes >= settings.max_minutes and self.steps:
                    self.finished = True
                    break
                done = max(done, minutes / settings.max_minutes)
            self.optimizer.learning_rate.assign(
                _learning_rate(settings, self.steps, done)
            )
            batch_loss = self._step(*map(tf.constant, make()))
            loss += batch_loss
            self.steps += 1
            if number % 20 == 0:
                bar.set_postfix(loss=f"{float(batch_loss):.2f}")
        bar.close()
        if self.steps == before:
            self._save_state()
            return
        row = {
            "epoch": epoch,
            "steps": self.steps,
            "train_loss": float(loss) / (self.steps - before),
            **self._validate(),
        }
        self.seconds += time.monotonic() - began
        row["seconds"] = round(self.seconds, 1)
        self._close_epoch(row)

    def _close_epoch(self, row):
        settings = self.config.training
        best = max(self.history, key=_merit, default=None)
        self.history.append(row)
        gainless = _epochs_without_gain(self.history) >= settings.patience
        done = len(self.history) >= settings.epochs
        self.finished = self.finished or done or gainless
        if best is None or _merit(row) > _merit(best):
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
        pictures.add(len(self.history), *translation.words())

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
        meta = {
            "corpus": self._fingerprint(),
            "history": self.history,
            "steps": self.steps,
            "seconds": self.seconds,
            "finished": self.finished,
        }
        arrays = {
            f"array_{i}": np.asarray(variable)
            for i, variable in enumerate(self._variables())
        }
        arrays["meta"] = np.frombuffer(json.dumps(meta).encode(), np.uint8)
        write_whole(
            self.out / STATE_FILE, lambda partial: _write_arrays(partial, arrays)
        )
        text = json.dumps(self.history, indent=2) + "\n"
        write_whole(
            self.out / HISTORY_FILE, lambda partial: partial.write_text(text, "utf-8")
        )

    def _variables(self):
        """All that a training changes, the states of its random numbers included."""
        return [*self.model.variables, *self.optimizer.variables, *self.averages]

    def _fingerprint(self):
        digest = hashlib.sha256()
        for split in ("train", "validation"):
            for side in self.corpus.splits[split]:
                digest.update("\n".join(side).encode())
        return digest.hexdigest()


def _merit(row):
    """Say how good an epoch was: by BLEU, and where that is equal by perplexity."""
    return row["validation_bleu"], -row["validation_loss"]


def _epochs_without_gain(history):
    """Count the last epochs that gained neither in BLEU nor in perplexity.

    At first BLEU is near 0, and falls and rises by chance.
    """
    best_bleu, best_loss, count = -math.inf, math.inf, 0
    for row in history:
        bleu, loss = row["validation_bleu"], round(row["validation_loss"], 3)
        count = 0 if bleu > best_bleu or loss < best_loss else count + 1
        best_bleu, best_loss = max(best_bleu, bleu), min(best_loss, loss)
    return count


def _learning_rate(settings, step, done):
    """Rise to the highest rate, then fall along a half cosine wave to a fiftieth."""
    warm = min(1.0, (step + 1) / max(1, settings.warmup_steps))
    wave = 0.5 * (1 + math.cos(math.pi * min(1.0, done)))
    return settings.learning_rate * warm * (0.02 + 0.98 * wave)


def _refuse_what_cannot_go_on(out):
    """Keep a model whose settings or state are gone from being trained over."""
    if not (out / HISTORY_FILE).exists():  # written last, when an epoch ends
        return
    for name in (CONFIG_FILE, STATE_FILE):
        if not (out / name).exists():
            raise UserError(
                f"{out} holds a model that cannot be trained further: its {name} is "
                "gone. Choose another --out, or put the file back."
            )


def _refuse_other_settings(out, config):
    path = out / CONFIG_FILE
    if not path.exists():
        return
    there = Config.load(path)
    if there == config:
        return
    differences = []
    for section in ("corpus", "vocabulary", "model", "training"):
        old = dataclasses.asdict(getattr(there, section))
        new = dataclasses.asdict(getattr(config, section))
        differences += [
            f"{key} is {old[key]!r} there and {new[key]!r} now"
            for key in old
            if old[key] != new[key]
        ]
    shown = "; ".join(differences[:SHOWN_DIFFERENCES])
    if len(differences) > SHOWN_DIFFERENCES:
        shown += f"; and {len(differences) - SHOWN_DIFFERENCES} more"
    raise UserError(
        f"{out} holds a model of other settings: {shown}. "
        "Choose another --out, or the settings it was begun with."
    )


def _train_vocabulary(corpus, config):
    text = corpus.splits["train"]
    lines = [*text.source, *text.target]
    return Vocabulary.train(lines, config.vocabulary.vocabulary_size)


def _write_arrays(path, arrays):
    with open(path, "wb") as file:
        np.savez(file, **arrays)
