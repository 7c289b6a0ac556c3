"""Compares word links: by attention, by eflomal, and by `--links best`.

Usage: python benchmarks/links.py [--data DIR] [--eflomal FILE] [--model NAME=DIR ...]

Error rate, precision and recall on the phrase book's test set, and on the Golden
Collection where the data folder has it. Both aligners learn from the same sentences in
small letters, words and signs apart: the training part of the phrase book or of
spa-eng, and the sentences to be linked without their links. eflomal learns from all of
them at once, ours from the corpus first. `--model spa-eng=DIR` and
`--model phrasebook=DIR` name trained models whose attention is read, from English to
Spanish. `--eflomal` names its program `eflomal-align` (`pip install eflomal` in an
environment of its own); without it ours is measured alone.
"""

import argparse
import os
import subprocess
import tempfile
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from common import describe_run

from keras_attention import alignment_error_rate
from nmt.corpora import load
from nmt.evaluation import alignment, gold_sentences
from nmt.links import aligner as aligners
from nmt.links.words import tokens_of_words
from nmt.text import split_words
from nmt.translation.translator import Translator


def by_eflomal(program, pairs, gold):
    """Yield names and links of eflomal, its two directions and their symmetrisations.

    Args:
        program: Path of `eflomal-align`.
        pairs: Words of the pairs to learn from.
        gold: Words of the pairs to link, which are learnt from too.
    """
    sides = zip(*pairs, *gold, strict=True)
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / name for name in ("source", "target", "to", "back")]
        for path, side in zip(paths, sides, strict=False):
            lines = [" ".join(tokens_of_words(words)[0]) + "\n" for words in side]
            path.write_text("".join(lines), "utf-8")
        flags = zip(("-s", "-t", "-f", "-r"), map(str, paths), strict=True)
        command = [program, *(part for flag in flags for part in flag)]
        subprocess.run(command, check=True, capture_output=True)
        found = [path.read_text().splitlines()[len(pairs) :] for path in paths[2:]]
    there, back = (
        [of_words(*pair, line) for pair, line in zip(gold, lines, strict=True)]
        for lines in found
    )
    both = list(zip(there, back, strict=True))
    yield "eflomal, to target", there
    yield "eflomal, to source", back
    yield "eflomal, intersection", [one & other for one, other in both]
    yield "eflomal, union", [one | other for one, other in both]


def of_words(source, target, line):
    """Turn eflomal's links of tokens into links of words."""
    owners = tokens_of_words(source)[1], tokens_of_words(target)[1]
    links = [tuple(map(int, link.split("-"))) for link in line.split()]
    links = {(owners[0][i], owners[1][j]) for i, j in links}
    return {link for link in links if None not in link}


def row(name, links, gold, seconds):
    """Return a row of the table."""
    sure = [pair.sure for pair in gold]
    possible = [pair.sure | pair.possible for pair in gold]

    def shared(known):
        return sum(len(one & other) for one, other in zip(links, known, strict=True))

    precision = shared(possible) / max(1, sum(map(len, links)))
    recall = shared(sure) / sum(map(len, sure))
    halves = [
        alignment_error_rate(links[start::2], sure[start::2], possible[start::2])
        for start in (0, 1)
    ]
    error = alignment_error_rate(links, sure, possible)
    numbers = (error, precision, recall, *halves)
    return f"| {name} | " + " | ".join(f"{n:.3f}" for n in numbers) + f" | {seconds} |"


def timed(work):
    """Return what a function returns, and the processor time it took, children too."""
    start = os.times()
    result = work()
    taken = [now - before for now, before in zip(os.times(), start, strict=True)]
    return result, f"{sum(taken[:4]):.0f} s"


def compare(corpus, gold, program, model):
    """Print the table of a corpus."""
    pairs = [
        tuple(map(split_words, pair))
        for pair in zip(*corpus.splits["train"], strict=True)
    ]
    to_link = [(pair.source_words, pair.target_words) for pair in gold]
    print(f"\n{corpus.name}: {len(pairs)} pairs learnt from, {len(gold)} linked\n")
    print("| links | error rate | precision | recall | even | odd | time |")
    print("|---|---|---|---|---|---|---|")
    if model:
        translator = Translator.load(model)
        links, seconds = timed(lambda: alignment.attention_links(translator, gold))
        print(row("attention", links, gold, seconds), flush=True)
    if program:
        found, seconds = timed(lambda: list(by_eflomal(program, pairs, to_link)))
        for name, links in found:
            print(row(name, links, gold, seconds), flush=True)

    def ours():
        return aligners.Aligner.learn(pairs).link(to_link)

    start = time.perf_counter()
    found, seconds = timed(ours)
    print(row("best", [set(pair.links) for pair in found], gold, seconds), flush=True)
    print(f"\n{time.perf_counter() - start:.0f} s by the clock for the last row")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", help="folder of the corpora")
    parser.add_argument("--eflomal", help="eflomal-align, its program")
    parser.add_argument("--model", action="append", default=[], metavar="NAME=DIR")
    args = parser.parse_args()
    print(describe_run(("numpy", "tensorflow", "keras")))
    models = dict(each.split("=", 1) for each in args.model)
    for name in ("phrasebook", "spa-eng"):
        corpus = load(name, "en", "es", data=args.data)
        gold = gold_sentences(corpus, "test", args.data)
        if gold:
            compare(corpus, gold, args.eflomal, models.get(name))


if __name__ == "__main__":
    main()
