"""A training in a folder: its vocabulary, going on where it stopped, its callbacks."""

import contextlib
from pathlib import Path

import keras
import tensorflow as tf

from nmt.config import CONFIG_FILE, Config
from nmt.corpora import ParallelText, StreamedText
from nmt.errors import UserError
from nmt.files import lock_folder, remove_partial_files
from nmt.text import Vocabulary
from nmt.training.best_weights import BestWeights
from nmt.training.checkpoint import (
    Progress,
    fingerprint,
    has_state,
    read_progress,
    restore_state,
    save_state,
    write_history,
)
from nmt.training.data import Data
from nmt.training.learner import Learner
from nmt.training.log import Log
from nmt.training.loop import Loop
from nmt.training.losses import Losses
from nmt.training.pictures import PICTURES_FOLDER, Pictures
from nmt.training.report import Report
from nmt.training.resuming import changes, check_folder, note_settings
from nmt.training.rows import EpochRows
from nmt.training.saving import SaveState
from nmt.training.schedule import is_over
from nmt.training.speed import Speed
from nmt.training.start import Start, take_over, tell_start
from nmt.training.time_limit import TimeLimit
from nmt.training.validation import Validation
from nmt.translation import (
    VOCABULARY_FILE,
    Translator,
    write_model_file,
)

VOCABULARY_PAIRS = 50_000
"""Pairs of a streamed text from which its pieces are learnt."""


def train(
    corpus,
    config,
    out,
    report=print,
    picture_of=None,
    callbacks=(),
    tensorboard=None,
    start=None,
    new_vocabulary=False,
):
    """Train a model, or go on with its training.

    After every epoch, and every few minutes inside it, the folder holds the state of
    the training; after every epoch also the weights, in their running average, of the
    epoch with the best validation BLEU so far.

    Args:
        corpus: `Corpus` to train on.
        config: `Config`.
        out: Folder of the model.
        report: Function that is given each line to be told.
        picture_of: Sentence whose attention is drawn after each epoch; `""` for the
            first of the validation text, whose translation is then forced. `None`, the
            default, draws nothing. Changes nothing that is learnt.
        callbacks: List of `keras.callbacks.Callback`, called as `keras.Model.fit` calls
            them. Their `model` is the model that learns. After a step the logs have its
            `loss`, after an epoch also `val_loss`, per piece, and `val_bleu`, of the
            averages. The learning rate is set before each step; a callback may set
            another in `on_train_batch_begin`. What one stops goes on from there when
            `train` is called again.
        tensorboard: Log folder that TensorBoard shows: losses, scores, the learning
            rate, the norm of the gradient, the speed, and a picture of the attention
            after each epoch. `None` for none. The same numbers are always in
            `log.jsonl` in the folder of the model.
        start: Folder of a trained model whose weights and vocabulary it starts from, in
            place of new ones; nothing in it is changed. The settings of `config.model`
            must be those of that model, except `dropout`.
        new_vocabulary: Bool. Whether with `start` a vocabulary is learnt from the text
            all the same. Embeddings of pieces that both have are taken over.

    Returns:
        The history: a list of one dict for each epoch.

    Raises:
        UserError: If the folder holds a model of other settings or of another text, or
            one that has lost what it needs to go on, or another process trains in it,
            or the corpus is too small, or the training diverges, or one of `callbacks`
            is none, or `start` is no such model or not the one that the training in the
            folder was started from.
        OSError: If a file cannot be written.
    """
    for callback in callbacks:
        if not isinstance(callback, keras.callbacks.Callback):
            raise UserError(
                f"callbacks must be keras.callbacks.Callback objects; got {callback!r}."
            )
    if start is not None:
        start = Start(Path(start), new_vocabulary)
    _check_corpus(corpus, config)
    with lock_folder(out):
        return _train(
            corpus, config, Path(out), report, picture_of, callbacks, tensorboard, start
        )


def _check_corpus(corpus, config):
    for split, text in corpus.splits.items():
        if isinstance(text, StreamedText):
            if not config.training.epoch_steps:
                raise UserError(
                    "the length of a streamed text is not known. Give --epoch-steps, "
                    "the number of batches after which it is validated."
                )
            if next(text.pairs(), None) is None:
                raise UserError(
                    f"{', '.join(text.source_files)} and their translations hold no "
                    "pair of sentences: a side is always blank."
                )
        elif split in ("train", "validation") and not text.source:
            raise UserError(f"The {split} part of {corpus.name} is empty.")


def _size(text):
    if isinstance(text, StreamedText):
        return f"those of {len(text.source_files):,} files"
    return f"{len(text.source):,}"


def _train(corpus, config, out, report, picture_of, callbacks, tensorboard, start):
    text = fingerprint(corpus)
    for folder in (out, out / PICTURES_FOLDER):
        remove_partial_files(folder)
    check_folder(out, config, text, start)
    if config.training.deterministic:
        tf.config.experimental.enable_op_determinism()
    keras.utils.set_random_seed(config.training.seed)
    origin = None
    if has_state(out):
        vocabulary = Vocabulary.load(out / VOCABULARY_FILE)
        there = Config.load(out / CONFIG_FILE)
    else:
        origin = start and Translator.load(start.folder)
        # What a try that failed has left may be of another text.
        vocabulary = _new_vocabulary(corpus, config, start, origin)
        write_model_file(out, VOCABULARY_FILE, vocabulary.model)
        there = config
        parts = (f"{name} {_size(part)}" for name, part in corpus.splits.items())
        report(f"{corpus.name}, pairs: {', '.join(parts)}; {len(vocabulary):,} pieces")
    learner = Learner(config, len(vocabulary))
    if origin is not None:
        known = take_over(learner, vocabulary, origin)
        lines = _lines(corpus)
        for line in tell_start(start, origin, config, vocabulary, known, lines):
            report(line)
    progress = _restored(learner, config, there, out, text, report)
    note_settings(out, config, text, start)
    if progress.finished:
        report(f"The training in {out} was finished before; nothing is left to do.")
        return progress.history
    losses = Losses(learner, progress, config.training, out, text)
    translator = Translator(learner.model, vocabulary, config)
    told = Report(progress, config.training, losses, out, report)
    speed = Speed(learner)
    own = [
        losses,
        speed,
        Validation(learner, translator, corpus, losses),
        TimeLimit(progress, config.training),
        EpochRows(progress, config.training),
        BestWeights(learner, progress, out),
        SaveState(learner, progress, config.training, out, text, losses.check),
        Log(learner, progress, losses, speed, out, tensorboard),
    ]
    if tensorboard and picture_of is None and config.model.attention != "none":
        picture_of = ""
    if picture_of is not None:
        validation = corpus.splits["validation"]
        own.append(
            Pictures(learner, translator, validation, picture_of, out, tensorboard)
        )
    data = Data(corpus.splits["train"], vocabulary, config.training, progress)
    with contextlib.closing(told):
        Loop(learner, data, progress, losses, [*own, told], callbacks).run()
    return progress.history


def _restored(learner, config, there, out, text, report):
    """Go on from the state in the folder, if there is one, and say how far it got.

    Args:
        learner: `Learner`, which is set to the state.
        config: `Config`.
        there: `Config` that the folder was last trained with.
        out: Path of the folder.
        text: The `fingerprint` of the text that is trained on.
        report: Function that is given each line to be told.
    """
    progress = read_progress(out, text)
    if progress is None:
        return Progress()
    restore_state(out, learner.variables())
    # Killed right after the state was written, a run has left the one before it.
    write_history(out, progress.history)
    was_finished, changed = progress.finished, there.training != config.training
    over = is_over(config.training, progress)
    progress.finished = over or (was_finished and not changed)
    if was_finished and not progress.finished:
        # Before the settings are: killed in between, they still end it.
        save_state(out, learner.variables(), text, progress)
    if not progress.finished:
        report(f"Going on {progress.place()} of {out}.")
        for line in changes(there, config):
            report(line)
    return progress


def _new_vocabulary(corpus, config, start, origin):
    """Return the vocabulary of a training that begins."""
    if origin is not None and not start.new_vocabulary:
        return origin.vocabulary
    return Vocabulary.train(_lines(corpus), config.vocabulary.vocabulary_size)


def _lines(corpus):
    """Return the sentences from which pieces are learnt."""
    text = corpus.splits["train"]
    if isinstance(text, StreamedText):
        text = ParallelText(*zip(*text.sample(VOCABULARY_PAIRS), strict=True))
    return [*text.source, *text.target]
