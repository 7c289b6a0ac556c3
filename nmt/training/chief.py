"""Training as the chief, or alone: its vocabulary, going on, its callbacks."""

import contextlib
import dataclasses

from nmt.config import CONFIG_FILE, Config
from nmt.corpora import ParallelText, StreamedText
from nmt.files import remove_partial_files
from nmt.text import Vocabulary
from nmt.training.best_weights import BestWeights
from nmt.training.checkpoint import (
    Progress,
    has_state,
    read_progress,
    restore_state,
    save_state,
    write_history,
)
from nmt.training.following import Follow
from nmt.training.job import OF_CHIEF
from nmt.training.learner import Learner
from nmt.training.log import Log
from nmt.training.losses import Losses
from nmt.training.pictures import PICTURES_FOLDER, Pictures
from nmt.training.precision import choose_precision
from nmt.training.report import Report
from nmt.training.resuming import changes, check_folder, note_settings
from nmt.training.rows import EpochRows
from nmt.training.saving import SaveState
from nmt.training.schedule import is_over
from nmt.training.speed import Speed
from nmt.training.start import take_over, tell_start
from nmt.training.time_limit import TimeLimit
from nmt.training.validation import Validation
from nmt.translation import (
    VOCABULARY_FILE,
    Translator,
    write_model_file,
)

VOCABULARY_PAIRS = 50_000
"""Pairs of a streamed text from which its pieces are learnt."""


def lead(job, out, start, picture_of, tensorboard):
    """Train, and write the folder.

    Args:
        job: `Job`.
        out: Path of the folder.
        start: `Start`, or `None` for new weights.
        picture_of: See `train`.
        tensorboard: See `train`.

    Returns:
        The history.
    """
    for folder in (out, out / PICTURES_FOLDER):
        remove_partial_files(folder)
    check_folder(out, job.config, job.text, start)
    job.begin()
    origin = None
    if has_state(out):
        vocabulary = Vocabulary.load(out / VOCABULARY_FILE)
        there = Config.load(out / CONFIG_FILE)
    else:
        origin = start and Translator.load(start.folder)
        vocabulary = _new_vocabulary(job, out, start, origin)
        there = job.config
    precision = _precision(there, job)
    config, there = (each.replace(precision=precision) for each in (job.config, there))
    workers = job.workers
    workers.object_from_chief(
        {name: getattr(config.training, name) for name in OF_CHIEF}
    )
    workers.bytes_from_chief(vocabulary.model)
    learner = Learner(config, len(vocabulary), workers, precision)
    if origin is not None:
        known = take_over(learner, vocabulary, origin)
        lines = _lines(job.corpus)
        for line in tell_start(start, origin, config, vocabulary, known, lines):
            job.report(line)
    progress = _restored(learner, config, there, out, job.text, job.report)
    note_settings(out, config, job.text, start)
    workers.object_from_chief(dataclasses.asdict(progress))
    if progress.finished:
        job.report(f"The training in {out} was finished before; nothing is left to do.")
        return progress.history
    workers.assign_from_chief(learner.variables())
    losses = Losses(learner, progress, config.training, out, job.text)
    told = Report(progress, config.training, losses, out, job.report)
    translator = Translator(learner.model, vocabulary, config)
    own = _callbacks(job, out, learner, translator, progress, losses, tensorboard)
    own += _pictures(job, out, learner, translator, picture_of, tensorboard)
    own += [told, Follow(workers, progress, job.report)]
    with contextlib.closing(told):
        return job.run(learner, vocabulary, progress, losses, own)


def _callbacks(job, out, learner, translator, progress, losses, tensorboard):
    """Return what measures and saves, in the order in which it has to be called."""
    settings, speed = learner.settings, Speed(learner)
    return [
        losses,
        speed,
        Validation(learner, translator, job.corpus, losses),
        TimeLimit(progress, settings),
        EpochRows(progress, settings),
        BestWeights(learner, progress, out),
        SaveState(learner, progress, settings, out, job.text, losses.check),
        Log(learner, progress, losses, speed, out, tensorboard),
    ]


def _pictures(job, out, learner, translator, picture_of, tensorboard):
    """Return what draws, in a list; TensorBoard shows a picture unbidden."""
    if tensorboard and picture_of is None and job.config.model.attention != "none":
        picture_of = ""
    if picture_of is None:
        return []
    text = job.corpus.splits["validation"]
    return [Pictures(learner, translator, text, picture_of, out, tensorboard)]


def _precision(there, job):
    """Return the precision of a training; where it is chosen now, say why."""
    precision = there.training.precision
    if precision != "auto":
        return precision
    precision, reason = "float32", "the same on every device"
    if not there.training.deterministic:
        precision, reason = choose_precision()
    job.report(f"Computes in {precision}: {reason}.")
    return precision


def _size(text):
    if isinstance(text, StreamedText):
        return f"those of {len(text.source_files):,} files"
    return f"{len(text.source):,}"


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


def _new_vocabulary(job, out, start, origin):
    """Write and return the vocabulary of a training that begins."""
    corpus, size = job.corpus, job.config.vocabulary.vocabulary_size
    if origin is not None and not start.new_vocabulary:
        vocabulary = origin.vocabulary
    else:
        vocabulary = Vocabulary.train(_lines(corpus), size)
    # What a try that failed has left may be of another text.
    write_model_file(out, VOCABULARY_FILE, vocabulary.model)
    parts = (f"{name} {_size(part)}" for name, part in corpus.splits.items())
    job.report(
        f"{corpus.name} {corpus.source_language}-{corpus.target_language}, pairs: "
        f"{', '.join(parts)}; {len(vocabulary):,} pieces"
    )
    return vocabulary


def _lines(corpus):
    """Return the sentences from which pieces are learnt."""
    text = corpus.splits["train"]
    if isinstance(text, StreamedText):
        text = ParallelText(*zip(*text.sample(VOCABULARY_PAIRS), strict=True))
    return [*text.source, *text.target]
