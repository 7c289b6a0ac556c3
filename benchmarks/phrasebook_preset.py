"""Scores the demo's preset under several seeds, on two lots of held-out sentences.

Usage: python benchmarks/phrasebook_preset.py [--seeds 1 2 3] [--out DIR]

The preset was picked by its scores on the second, of another seed of the phrase book.
Sentences that are held out under one seed are held out under every other, so that no
training has seen it. Each seed of the training gives one row.
"""

import argparse
import os
import tempfile
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from common import describe_run

from nmt.corpora import corpora
from nmt.evaluation import evaluation
from nmt.evaluation.alignment import alignment_error
from nmt.evaluation.gold import GoldSentence
from nmt.phrasebook import book as phrasebook
from nmt.presets import PRESETS
from nmt.training import training
from nmt.translation.streams import translated
from nmt.translation.translator import Translator

FRESH_SEED = 1001


def fresh_phrases(corpus):
    """Draw held-out phrases that no part of the corpus has."""
    drawn = phrasebook.generate(FRESH_SEED, 0, 0, 1500).test
    known = {sentence for part in corpus.splits.values() for sentence in part.source}
    return [phrase for phrase in drawn if phrase.english not in known][:1000]


def score(translator, phrases):
    """Give exact match, BLEU and alignment error rate."""
    found = [one.text for one in translated(translator, [p.english for p in phrases])]
    references = [[phrase.spanish] for phrase in phrases]
    gold = [
        GoldSentence(
            phrase.english,
            phrase.spanish,
            phrasebook.words(phrase.english),
            phrasebook.words(phrase.spanish),
            phrase.sure,
            phrase.possible,
        )
        for phrase in phrases
    ]
    return (
        evaluation.exact_match(found, references),
        evaluation.translation_scores(found, references)[0].value,
        alignment_error(translator, gold),
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--out", help="folder of the models (default: a temporary one)")
    args = parser.parse_args()
    print(describe_run())
    corpus = corpora.load("phrasebook", "en", "es")
    parts = {"test": phrasebook.generate().test, "fresh": fresh_phrases(corpus)}
    with tempfile.TemporaryDirectory() as temporary:
        out = Path(args.out or temporary)
        rows = []
        for seed in args.seeds:
            folder = out / f"seed-{seed}"
            training.train(corpus, PRESETS["demo"].replace(seed=seed), folder)
            translator = Translator.load(folder)
            for name, phrases in parts.items():
                exact, bleu, error = score(translator, phrases)
                rows.append(
                    f"| {seed} | {name} | {len(phrases)} | {exact:.1%} | {bleu:.2f} "
                    f"| {error:.3f} |"
                )
    print("| seed | sentences | number | exact match | BLEU | alignment error rate |")
    print("|---|---|---|---|---|---|", *rows, sep="\n")


if __name__ == "__main__":
    main()
