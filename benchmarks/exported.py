"""Compares an exported model with the model it was exported from, sentence by sentence.

Usage: python benchmarks/exported.py --model DIR [--beam 1 5] [--sentences 1000]
       [--data DIR]

DIR is a model of Multi30k. The exported one is loaded in a process of its own, which
can import `tensorflow` and `tensorflow_text` but none of our packages, and translates
the sentences of test_2016_flickr in batches of 64; `Translator` does the same. Two
translations may differ where their scores are equal up to rounding.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import sacrebleu
from common import describe_run

from nmt.corpora import corpora
from nmt.translation.export import export_model
from nmt.translation.translator import Translator

BATCH = 64
PROGRAM = """
import sys, time

class Blocked:
    def find_spec(self, name, *_):
        if name.partition(".")[0] in ("nmt", "keras_attention", "sentencepiece"):
            raise ImportError(name)

sys.meta_path.insert(0, Blocked())
import numpy as np
import tensorflow as tf
import tensorflow_text

path, lines, batch, out = sys.argv[1:]
translate = tf.saved_model.load(path).signatures["translate"]
texts = open(lines, encoding="utf-8").read().split("\\n")
found = {}
began = time.perf_counter()
for start in range(0, len(texts), int(batch)):
    part = texts[start : start + int(batch)]
    results = translate(
        text=tf.constant(part), prefix=tf.fill([len(part)], ""), n_best=tf.constant(1)
    )
    for row in range(len(part)):
        length = int(results["length"][row, 0])
        pieces = results["source_pieces"][row].numpy()
        found[f"text_{start + row}"] = results["text"][row, 0].numpy().decode("utf-8")
        found[f"score_{start + row}"] = results["score"][row, 0].numpy()
        found[f"weights_{start + row}"] = results["attention"][
            row, 0, :length, : np.count_nonzero(pieces != b"")
        ].numpy()
np.savez(out, seconds=time.perf_counter() - began, **found)
"""


def translate_exported(path, texts, folder):
    """Translate in a process that has none of our packages."""
    lines, out = folder / "lines", folder / "found.npz"
    lines.write_text("\n".join(texts), "utf-8")
    arguments = [str(path), str(lines), str(BATCH), str(out)]
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments],
        check=True,
        cwd=folder,
        env=environment,
    )
    return np.load(out)


def compare(translator, texts, references, tokenize, beam, folder):
    """Give the row of one beam size."""
    path = export_model(translator, folder / "served", beam)
    size = sum(each.stat().st_size for each in path.rglob("*") if each.is_file())
    began = time.perf_counter()
    ours = translator(texts, beam_size=beam, batch_size=BATCH)
    seconds = time.perf_counter() - began
    theirs = translate_exported(path, texts, folder)
    same, scores, weights = [], [], []
    for number, one in enumerate(ours):
        same.append(str(theirs[f"text_{number}"]) == one.text)
        scores.append(abs(float(theirs[f"score_{number}"]) - one.score))
        if same[-1]:
            other = theirs[f"weights_{number}"]
            weights.append(float(np.abs(other - one.weights).max()))
    bleu = [
        sacrebleu.corpus_bleu(found, [references], tokenize=tokenize, force=True).score
        for found in (
            [one.text for one in ours],
            [str(theirs[f"text_{number}"]) for number in range(len(texts))],
        )
    ]
    return (
        f"| {beam} | {sum(same):,} of {len(texts):,} | {max(scores):.1e} "
        f"| {max(weights):.1e} | {bleu[0]:.2f} / {bleu[1]:.2f} "
        f"| {seconds:.0f} / {float(theirs['seconds']):.0f} | {size / 1e6:.1f} |"
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", required=True, help="folder of the model")
    parser.add_argument("--beam", type=int, nargs="+", default=[1, 5])
    parser.add_argument("--sentences", type=int, default=1000)
    parser.add_argument("--data", help="folder of the corpora")
    args = parser.parse_args()
    print(describe_run())
    translator = Translator.load(args.model)
    settings = translator.config.corpus
    form = settings.source, settings.target, settings.text
    corpus = corpora.load("multi30k", *form, args.data)
    pairs = zip(*corpus.splits["test_2016_flickr"], strict=True)
    # In the order of their lengths, as the translator's own batches are.
    pairs = sorted(pairs, key=lambda pair: translator.count_pieces([pair[0]]))
    texts, references = zip(*pairs[: args.sentences], strict=True)
    tokenize = "none" if settings.text == "tok" else "13a"
    print(
        "| beam | same translations | score differs by | weights differ by "
        "| BLEU, ours / exported | s, ours / exported | MB |"
    )
    print("|---|---|---|---|---|---|---|")
    for beam in args.beam:
        with tempfile.TemporaryDirectory() as folder:
            print(compare(translator, texts, references, tokenize, beam, Path(folder)))


if __name__ == "__main__":
    main()
