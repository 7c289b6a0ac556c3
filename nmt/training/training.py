"""A training in a folder: its vocabulary, going on where it stopped, its callbacks."""

import contextlib
import dataclasses
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
from nmt.training.following import Follow
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
from nmt.training.time_limit import TimeLimit
from nmt.training.validation import Validation
from nmt.training.workers import Workers
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
    strategy=None,
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
        strategy: `tf.distribute.Strategy` over devices and machines; `None` for one
            device. The batches are the same for any number of workers. Made before
            anything is computed, and given the same arguments on each worker. Only the
            chief, worker 0, validates and writes, and `out` is its alone.

    Returns:
        The history: a list of one dict for each epoch.

    Raises:
        UserError: If the folder holds a model of other settings or of another text, or
            one that has lost what it needs to go on, or another process trains in it,
            or the corpus is too small, or the training diverges, or one of `callbacks`
            is none, or workers were given unlike arguments, or one is lost.
        OSError: If a file cannot be written.
    """
    for callback in callbacks:
        if not isinstance(callback, keras.callbacks.Callback):
            raise UserError(
                f"callbacks must be keras.callbacks.Callback objects; got {callback!r}."
            )
    _check_corpus(corpus, config)
    workers = Workers(strategy)
    with workers.losses_told():
        if not workers.is_chief:
            return _follow(corpus, config, workers, report, callbacks)
        with lock_folder(out):
            return _train(
                *(corpus, config, Path(out), workers),
                *(report, picture_of, callbacks, tensorboard),
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


def _train(corpus, config, out, workers, report, picture_of, callbacks, tensorboard):
    """Train as the chief, or alone."""
    text = fingerprint(corpus)
    for folder in (out, out / PICTURES_FOLDER):
        remove_partial_files(folder)
    check_folder(out, config, text)
    _begin(config, text, workers)
    if has_state(out):
        vocabulary = Vocabulary.load(out / VOCABULARY_FILE)
        there = Config.load(out / CONFIG_FILE)
    else:
        # What a try that failed has left may be of another text.
        vocabulary = _train_vocabulary(corpus, config)
        write_model_file(out, VOCABULARY_FILE, vocabulary.model)
        there = config
        parts = (f"{name} {_size(part)}" for name, part in corpus.splits.items())
        report(f"{corpus.name}, pairs: {', '.join(parts)}; {len(vocabulary):,} pieces")
    workers.bytes_from_chief(vocabulary.model)
    learner = Learner(config, len(vocabulary), workers)
    progress = _restored(learner, config, there, out, text, report)
    note_settings(out, config, text)
    workers.object_from_chief(dataclasses.asdict(progress))
    if progress.finished:
        report(f"The training in {out} was finished before; nothing is left to do.")
        return progress.history
    workers.assign_from_chief(learner.variables())
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
    own += [told, Follow(workers, progress, report)]
    data = Data(corpus.splits["train"], vocabulary, config.training, progress)
    with contextlib.closing(told):
        Loop(learner, data, progress, losses, own, callbacks).run()
    return progress.history


def _follow(corpus, config, workers, report, callbacks):
    """Train as a worker that is not the chief."""
    _begin(config, fingerprint(corpus), workers)
    vocabulary = Vocabulary(workers.bytes_from_chief())
    learner = Learner(config, len(vocabulary), workers)
    progress = Progress(**workers.object_from_chief())
    if progress.finished:
        report("The training of worker 0 was finished before.")
        return progress.history
    learner.follow_chief()
    losses = Losses(learner, progress, config.training, None, None)
    own = [losses, Speed(learner), Follow(workers, progress, report)]
    data = Data(corpus.splits["train"], vocabulary, config.training, progress)
    Loop(learner, data, progress, losses, own, callbacks).run()
    return progress.history


def _begin(config, text, workers):
    """Set the random numbers, where all workers were given the same."""
    settings = {name: getattr(config, name) for name in ("vocabulary", "model")}
    settings = {name: dataclasses.asdict(each) for name, each in settings.items()}
    training = dataclasses.asdict(config.training)
    workers.check_alike("The options", [settings, training])
    workers.check_alike("The sentences", text)
    if config.training.deterministic:
        tf.config.experimental.enable_op_determinism()
    keras.utils.set_random_seed(config.training.seed)


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


def _train_vocabulary(corpus, config):
    text = corpus.splits["train"]
    if isinstance(text, StreamedText):
        text = ParallelText(*zip(*text.sample(VOCABULARY_PAIRS), strict=True))
    lines = [*text.source, *text.target]
    return Vocabulary.train(lines, config.vocabulary.vocabulary_size)
