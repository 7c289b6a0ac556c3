"""Data diversification: models of our own translate the text, to train on that too.

Nguyen et al. (2020), Data Diversification: A Simple Strategy for Neural Machine
Translation, algorithm 1 with one round. As in their program, a pair is added once, and
not at all if it is in the text.
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
"""Holds the folders of the models that translate; needed until there are pairs."""
ADDED_FILE = "added.json"
"""The pairs that were added, lists `source` and `target`, and what they rest on."""
TRANSLATED_AT_ONCE = 1280
"""Sentences after which the bar moves on."""


def check_diversity(corpus, replicas):
    """Refuse a training whose text cannot be translated before it.

    Args:
        corpus: `Corpus`.
        replicas: Number of devices, or of workers, that train.

    Raises:
        UserError: If the text is streamed, or several devices train.
    """
    if isinstance(corpus.splits["train"], StreamedText):
        raise UserError(
            "--diversify translates the text before the training, and a streamed text "
            "has no end that is known. Give --diversify 0, or text in memory."
        )
    if replicas > 1:
        raise UserError(
            "--diversify trains its models on one device. Give --strategy one, or "
            "--diversify 0."
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
    rests_on, content = _described(job), _read(out)
    if has_state(out):
        if content is None:
            raise UserError(
                f"{out / ADDED_FILE} is gone, on which this training rests. Put it "
                "back, or choose another --out."
            )
    elif content is None or content["rests_on"] != rests_on:
        added = _translate_all(job, out / TEACHERS_FOLDER)
        content = {**added._asdict(), "rests_on": rests_on}
        text = json.dumps(content, ensure_ascii=False)
        write_model_file(out, ADDED_FILE, text.encode())
    added = ParallelText(tuple(content["source"]), tuple(content["target"]))
    job.report(f"{len(added.source):,} translated pairs are added to the text.")
    return added


def _read(out):
    """Return the content of the file in a folder; `None` if there is none."""
    path = out / ADDED_FILE
    if not path.exists():
        return None
    check_model_file(out, ADDED_FILE)
    try:
        content = json.loads(path.read_text("utf-8"))
        sides = content["source"], content["target"]
        sound = all(isinstance(text, str) for side in sides for text in side)
        if sound and len(sides[0]) == len(sides[1]) and "rests_on" in content:
            return content
    except (ValueError, KeyError, TypeError, RecursionError):
        pass
    raise UserError(
        f"{path} is broken. Put it back from a copy of the folder, or choose another "
        "--out."
    )


def _described(job):
    """Return what the translations rest on, as JSON has it."""
    sections = dataclasses.asdict(job.config)
    del sections["corpus"], sections["training"]["save_minutes"]
    return {"text": job.text, **sections}


def _translate_all(job, folder):
    pairs: list[tuple[str, str]] = []
    for number in range(1, job.config.training.diversify + 1):
        for name, teacher in (("forward", job), ("backward", _backward(job))):
            corpus, place = teacher.corpus, folder / f"{name}-{number}"
            job.report(
                f"Model {name}-{number}, {corpus.source_language} to "
                f"{corpus.target_language}, whose translations are added:"
            )
            seed = (job.config.training.seed + number) % 2**32
            config = teacher.config.replace(diversify=0, seed=seed)
            _train(dataclasses.replace(teacher, config=config, callbacks=()), place)
            found = _translations(place, corpus.splits["train"].source, config)
            pairs += found if name == "forward" else [pair[::-1] for pair in found]
    there = set(zip(*job.corpus.splits["train"], strict=True))
    added = [pair for pair in dict.fromkeys(pairs) if pair not in there]
    sources, targets = zip(*added, strict=True) if added else ((), ())
    return ParallelText(sources, targets)


def _train(job, folder):
    """Train a model that translates, or go on with its training."""
    try:
        check_folder(folder, job.config, job.text)
        with lock_folder(folder):
            lead(job, folder, None, None, None)
    except UserError as error:
        if not has_state(folder):  # nothing of it is there to be trained anew
            raise
        raise UserError(
            f"{error} Or delete {folder}: its model is then trained anew."
        ) from None


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
    fitting = [i for i, n in enumerate(counts) if 1 < n <= config.training.max_pieces]
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
            found = translator(part)
            pairs += zip(part, (each.text for each in found), strict=True)
            bar.update(len(part))
    return [pair for pair in pairs if pair[1].strip()]
