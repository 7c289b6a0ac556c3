"""Data diversification: models of our own translate the text, to train on that too.

Nguyen et al. (2020), Data Diversification: A Simple Strategy for Neural Machine
Translation, algorithm 1 with one round.
"""

import dataclasses
import json
import sys

from tqdm import tqdm

from nmt.corpora import ParallelText, StreamedText
from nmt.errors import UserError
from nmt.files import lock_folder
from nmt.training.checkpoint import has_state
from nmt.training.chief import lead
from nmt.training.resuming import check_folder
from nmt.translation import (
    Translator,
    check_model_file,
    write_model_file,
)

TEACHERS_FOLDER = "teachers"
"""Holds the folders of the models that translate, until `ADDED_FILE` is there."""
ADDED_FILE = "added.json"
"""The pairs that were added, lists `source` and `target`, and what they rest on."""
TRANSLATED_AT_ONCE = 1280
"""Sentences after which the bar moves on."""


def check_diversity(job):
    """Refuse a training whose text cannot be translated before it.

    Raises:
        UserError: If the text is streamed, or several devices train.
    """
    if isinstance(job.corpus.splits["train"], StreamedText):
        raise UserError(
            "--diversify translates the text before the training, and a streamed text "
            "has no end that is known. Leave one of both out."
        )
    if job.workers.replicas > 1:
        raise UserError(
            "--diversify trains its models on one device. Give --strategy one, or "
            "leave it out."
        )


def diversify(job, out, start):
    """Return pairs to train on beside those of the corpus.

    In each direction models are trained on the corpus, each from another seed. A
    forward model translates the sources, and a backward model the targets; each
    translation is paired with the sentence that people wrote.

    Args:
        job: `Job`.
        out: Path of the folder of the training.
        start: `Start` of the training, or `None`.

    Returns:
        `ParallelText`.

    Raises:
        UserError: If the training cannot begin or go on in the folder, or was begun and
            the pairs are gone.
    """
    check_folder(out, job.config, job.text, start)
    path, rests_on = out / ADDED_FILE, _described(job)
    begun = has_state(out)
    if begun and not path.exists():
        raise UserError(
            f"{path} is gone, on which this training rests. Put it back, or choose "
            "another --out."
        )
    # Before a training is begun its settings may be any; some may change in it.
    if not begun and (_read(out) or {}).get("rests_on") != rests_on:
        added = _translate_all(job, out / TEACHERS_FOLDER)
        content = {**added._asdict(), "rests_on": rests_on}
        text = json.dumps(content, ensure_ascii=False)
        write_model_file(out, ADDED_FILE, text.encode())
    content = _read(out)
    added = ParallelText(tuple(content["source"]), tuple(content["target"]))
    job.report(f"{len(added.source):,} translated pairs are added to the text.")
    return added


def _read(out):
    path = out / ADDED_FILE
    if not path.exists():
        return None
    check_model_file(out, ADDED_FILE)
    return json.loads(path.read_text("utf-8"))


def _described(job):
    """Return what the translations rest on, as JSON has it."""
    sections = dataclasses.asdict(job.config)
    del sections["corpus"]
    return {"text": job.text, **sections}


def _translate_all(job, folder):
    pairs: list[tuple[str, str]] = []
    for number in range(1, job.config.training.diversify + 1):
        for name, teacher in (("forward", job), ("backward", _backward(job))):
            corpus = teacher.corpus
            job.report(
                f"Model {name}-{number}, {corpus.source_language} to "
                f"{corpus.target_language}, whose translations are added:"
            )
            place = folder / f"{name}-{number}"
            seed = (job.config.training.seed + number) % 2**32
            config = teacher.config.replace(diversify=0, seed=seed)
            teacher = dataclasses.replace(teacher, config=config, callbacks=())
            with lock_folder(place):
                lead(teacher, place, None, None, None)
            found = _translations(place, corpus.splits["train"].source, config)
            pairs += found if name == "forward" else [pair[::-1] for pair in found]
    return ParallelText(*zip(*pairs, strict=True))


def _backward(job):
    """Return the job of a model that translates the other way."""
    corpus = job.corpus
    splits = {
        name: ParallelText(text.target, text.source)
        for name, text in corpus.splits.items()
    }
    source, target = corpus.target_language, corpus.source_language
    return dataclasses.replace(
        job,
        corpus=dataclasses.replace(
            corpus, source_language=source, target_language=target, splits=splits
        ),
        config=job.config.replace(source=source, target=target, files=()),
    )


def _translations(folder, sources, config):
    """Return pairs of a source that is trained on, and its translation by a model."""
    translator = Translator.load(folder)
    counts = translator.count_pieces(sources)
    fitting = [i for i, n in enumerate(counts) if n <= config.training.max_pieces]
    # Of like lengths at once: batches are made of neighbours.
    sources = [sources[i] for i in sorted(fitting, key=counts.__getitem__)]
    pairs: list[tuple[str, str]] = []
    with tqdm(
        desc="translations",
        total=len(sources),
        unit="sentence",
        leave=False,
        disable=not sys.stderr.isatty(),
    ) as bar:
        for first in range(0, len(sources), TRANSLATED_AT_ONCE):
            part = sources[first : first + TRANSLATED_AT_ONCE]
            found = translator(part, batch_size=128)
            pairs += zip(part, (each.text for each in found), strict=True)
            bar.update(len(part))
    return [pair for pair in pairs if pair[1].strip()]
