"""Tunes a model on few pairs of another domain: the messages of a program.

Usage: python benchmarks/fine_tuning.py --model DIR [--catalogue FILE.mo] [--pairs 1000]
       [--epochs 24] [--out DIR]

DIR is a model of Multi30k, English to German. FILE is a catalogue of gettext in the
model's target language, by default the one that Debian's git has: its messages of one
line, of 3 to 30 words, are shuffled, and some trained on, 200 validated on and 1,000
scored. A message and its translation are in one part only, though many are like
another. Four rows: the model before; one with new weights on these pairs alone; the
model tuned with its vocabulary; and tuned with a new one. Text is in the form of the
model's own, and BLEU is of that form; beam 5.
"""

import argparse
import gettext
import os
import random
import tempfile
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import sacrebleu
from common import describe_run

from nmt.config import CONFIG_FILE, Config, CorpusConfig
from nmt.corpora.corpora import Corpus
from nmt.corpora.parallel import ParallelText
from nmt.text.published import as_published
from nmt.training import training
from nmt.translation.streams import translated
from nmt.translation.translator import Translator

CATALOGUE = "/usr/share/locale/de/LC_MESSAGES/git.mo"
VALIDATION, TEST = 200, 1000
SEED = 1
NEW_PIECES = 1500
# The same for all; few pairs want smaller batches, for more steps.
SETTINGS = {
    "batch_tokens": 600,
    "learning_rate": 3e-3,
    "warmup_steps": 20,
    "consistency": 0.0,
    "patience": 6,
}


def messages(path):
    """Read pairs of messages, each message and each translation once."""
    with open(path, "rb") as file:
        catalogue = gettext.GNUTranslations(file)._catalog
    pairs, seen = [], set()
    for message, translation in catalogue.items():
        if isinstance(message, tuple):  # and the number of its plural
            message = message[0]
        message = message.rpartition("\x04")[2]  # what is before it is its context
        words = len(message.split())
        lines = message.strip(), translation.strip()
        if 3 <= words <= 30 and "\n" not in "".join(lines) and not seen & {*lines}:
            seen.update(lines)
            pairs.append(lines)
    random.Random(SEED).shuffle(pairs)
    return pairs


def make_corpus(pairs, number, config):
    """Split pairs into a corpus in the form of a model's text."""
    languages = config.corpus.source, config.corpus.target
    if config.corpus.text == "tok":
        pairs = [
            tuple(map(as_published, pair, languages))
            for pair in pairs[: number + VALIDATION + TEST]
        ]
    test, rest = pairs[:TEST], pairs[TEST:]
    parts = {
        "train": rest[VALIDATION : VALIDATION + number],
        "validation": rest[:VALIDATION],
        "test": test,
    }
    splits = {
        name: ParallelText(*zip(*part, strict=True)) for name, part in parts.items()
    }
    return Corpus("messages", *languages, config.corpus.text, splits)


def trainings(base, model, epochs):
    """Return what is trained: name → settings, and what it starts from."""
    new = base.replace(**SETTINGS, epochs=epochs, vocabulary_size=NEW_PIECES)
    # Pieces of another text are shorter here: more batches of them in each epoch.
    tuned = base.replace(**SETTINGS, epochs=3 * epochs // 4)
    return {
        "alone": (new, {}),
        "tuned": (tuned, {"start": model}),
        "tuned-new": (new, {"start": model, "new_vocabulary": True}),
    }


def score(folder, test):
    """Translate, and give BLEU and chrF."""
    found = [one.text for one in translated(Translator.load(folder), test.source)]
    tokenize = (
        "none"
        if Config.load(Path(folder) / CONFIG_FILE).corpus.text == "tok"
        else "13a"
    )
    bleu = sacrebleu.corpus_bleu(found, [test.target], tokenize=tokenize, force=True)
    return bleu.score, sacrebleu.corpus_chrf(found, [test.target]).score


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", required=True, help="folder of the model to tune")
    parser.add_argument("--catalogue", default=CATALOGUE, help="a gettext catalogue")
    parser.add_argument("--pairs", type=int, default=1000, help="pairs to train on")
    parser.add_argument("--epochs", type=int, default=24, help="see `trainings`")
    parser.add_argument("--out", help="folder of the models (default: a temporary one)")
    args = parser.parse_args()
    print(describe_run())
    there = Config.load(Path(args.model) / CONFIG_FILE)
    corpus = make_corpus(messages(args.catalogue), args.pairs, there)
    described = CorpusConfig(
        "messages", there.corpus.source, there.corpus.target, there.corpus.text
    )
    base = Config(described, there.vocabulary, there.model, there.training)
    runs = trainings(base, args.model, args.epochs)
    test = corpus.splits["test"]
    rows = [("the model before", 0, 0.0, *score(args.model, test))]
    with tempfile.TemporaryDirectory() as temporary:
        for name, (config, start) in runs.items():
            out = Path(args.out or temporary) / name
            history = training.train(corpus, config, out, **start)
            minutes = history[-1]["seconds"] / 60
            rows.append((name, len(history), minutes, *score(out, test)))
    sizes = {name: len(text.source) for name, text in corpus.splits.items()}
    print(f"pairs: {sizes}; {there.corpus.text} text")
    print("| model | epochs | minutes of training | BLEU | chrF |")
    print("|---|---|---|---|---|")
    for name, epochs, minutes, bleu, chrf in rows:
        print(f"| {name} | {epochs} | {minutes:.1f} | {bleu:.2f} | {chrf:.2f} |")


if __name__ == "__main__":
    main()
