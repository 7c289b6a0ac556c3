"""`train`: a training in a folder, alone or with other workers."""

import dataclasses
import os
from pathlib import Path

import keras
import tensorflow as tf

from nmt.corpora import StreamedText
from nmt.errors import UserError
from nmt.files import lock_folder
from nmt.training.chief import lead
from nmt.training.cluster import read_cluster
from nmt.training.diversity import check_diversity, diversify
from nmt.training.following import follow
from nmt.training.job import Job
from nmt.training.start import Start
from nmt.training.workers import Workers, make_strategy


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
    strategy=None,
):
    """Train a model, or go on with its training.

    After every epoch, and every few minutes inside it, the folder holds the state of
    the training; after every epoch also the weights, in their running average, of the
    epoch with the best validation BLEU so far.

    Args:
        corpus: `Corpus` to train on.
        config: `Config`. What it says of the corpus is put right.
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
            must be those of that model, except the dropouts.
        new_vocabulary: Bool. Whether with `start` a vocabulary is learnt from the text
            all the same. Embeddings of pieces that both have are taken over.
        strategy: What trains: `None` or `"one"` for one device; `"mirrored"` for all
            GPUs of this machine; `"multi-worker"` for the processes that `TF_CONFIG`
            names; `"auto"` for what there is several of; or a `tf.distribute.Strategy`.
            TensorFlow joins other processes before it computes anything. The batches
            are the same for any number of workers. Each worker is given the same
            arguments. Only the chief, worker 0, validates and writes, and `out` is its
            alone.

    Returns:
        The history: a list of one dict for each epoch.

    Raises:
        UserError: If the folder holds a model of other settings or of another text, or
            one that has lost what it needs to go on, or another process trains in it,
            or the corpus is too small, or the training diverges, or an argument is not
            as above, or `start` is no such model or not the one that the training in
            the folder was started from, or workers were given unlike arguments, or one
            is lost.
        OSError: If a file cannot be written.
    """
    _check_arguments(out, callbacks, tensorboard, start, new_vocabulary)
    if start is not None:
        start = Start(Path(start), new_vocabulary)
    _check_corpus(corpus, config)
    config = dataclasses.replace(config, corpus=corpus.settings())
    if strategy is not None and not isinstance(strategy, tf.distribute.Strategy):
        cluster = read_cluster(strategy)
        if config.training.diversify and cluster is not None:
            # Before the other workers are waited for.
            check_diversity(corpus, len(cluster.addresses))
        strategy = make_strategy(strategy, report)
    workers = Workers(strategy)
    if workers.replicas > 1:
        report(workers.told())
    job = Job(corpus, config, workers, report, callbacks)
    if config.training.diversify:
        check_diversity(corpus, workers.replicas)
    with workers.losses_told():
        if not workers.is_chief:
            return follow(job)
        out = Path(out)
        with lock_folder(out):
            if config.training.diversify:
                added = diversify(job, out, start)
                job = dataclasses.replace(job, added=added)
            return lead(job, out, start, picture_of, tensorboard)


def _check_arguments(out, callbacks, tensorboard, start, new_vocabulary):
    wrong = [callbacks]
    if isinstance(callbacks, list | tuple):
        kind = keras.callbacks.Callback
        wrong = [each for each in callbacks if not isinstance(each, kind)]
    if wrong:
        raise UserError(
            "callbacks must be a list of keras.callbacks.Callback objects; got "
            f"{wrong[0]!r}."
        )
    for name, path in (("out", out), ("start", start), ("tensorboard", tensorboard)):
        if path is None and name != "out":
            continue
        if not isinstance(path, str | os.PathLike):
            raise UserError(f"{name} must be the path of a folder; got {path!r}.")
    if new_vocabulary and start is None:
        raise UserError("new_vocabulary needs start, the folder of a trained model.")


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
