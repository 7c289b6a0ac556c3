"""Scores the model of TensorFlow's translation tutorial, or one of ours, on spa-eng.

Usage:
    python benchmarks/tutorial_baseline.py --minutes 30   # trains the tutorial's model
    python benchmarks/tutorial_baseline.py --model DIR    # one that `nmt train` made
    python benchmarks/tutorial_baseline.py --minutes 0.3 --limit 500  # a quick check

`--languages en-es` reverses the direction, for either model. The tutorial's model then
writes no accents, so that the second BLEU alone compares.

The tutorial is "Neural machine translation with attention"
(https://www.tensorflow.org/text/tutorials/nmt_with_attention): Spanish to English, a
bidirectional GRU, a GRU that attends to it by one head, 256 units, the 5000 most
frequent words of each language, batches of 64 shuffled sentences, Adam as it comes.
This is code of our own with its architecture and its settings. What differs:

- The parts are those of `nmt.corpora`, which share no sentence. The tutorial draws
  rows, so that a fifth of its English validation sentences is trained on as well.
- It trains until the time is up. The tutorial stops after three rounds of 100 steps
  without a lower validation loss, and has no limit of time.
- What is kept is the round with the lowest validation loss, not the last one.
- The mask of the encoder outputs is handed to the attention, not left to Keras.

Both models are scored on the same rows: one for each distinct source sentence of the
test set, all its translations there being references. The tutorial writes no capitals,
so that BLEU is without case (`sacrebleu -lc`). As it also writes no apostrophes,
digits and quotes, a second BLEU is of outputs and references both put in its form.
"""

import argparse
import json
import math
import os
import sys
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import tensorflow as tf
from common import describe_run
from tutorial_model import (
    BATCH_SIZE,
    TutorialModel,
    Words,
    greedy,
    masked_loss,
    standardize,
)

from nmt.corpora import corpora
from nmt.corpora.parallel import ParallelText
from nmt.errors import UserError
from nmt.evaluation import evaluation
from nmt.training import HISTORY_FILE
from nmt.training.schedule import merit
from nmt.translation.streams import translated
from nmt.translation.translator import Translator

ROUND_STEPS = 100
VALIDATION_BATCHES = 20


class Clock(keras.callbacks.Callback):
    """Ends the training when its time is up, and keeps the best weights.

    Args:
        minutes: Time of training, its rounds of validation included.
    """

    def __init__(self, minutes):
        super().__init__()
        self.limit = minutes
        self.steps = 0
        self.rounds = 0
        self.best_round = 0
        self.best_loss = math.inf
        self.best_weights = None

    @property
    def minutes(self):
        """Minutes since the training began."""
        return (time.monotonic() - self.began) / 60

    def on_train_begin(self, logs=None):
        self.began = time.monotonic()

    def on_train_batch_end(self, batch, logs=None):
        self.steps += 1
        self.model.stop_training = self.minutes >= self.limit

    def on_epoch_end(self, epoch, logs=None):
        self.rounds += 1
        if logs["val_loss"] < self.best_loss:
            self.best_round, self.best_loss = self.rounds, logs["val_loss"]
            self.best_weights = self.model.get_weights()
        print(
            f"round {self.rounds:3d}  {self.minutes:5.1f} min  "
            f"loss {logs['loss']:.3f}  validation loss {logs['val_loss']:.3f}",
            file=sys.stderr,
            flush=True,
        )

    def on_train_end(self, logs=None):
        self.model.set_weights(self.best_weights)


def train(splits, minutes, seed):
    """Train the tutorial's model, and tell about it.

    Returns:
        A function of a list of sources that returns their translations.
    """
    keras.utils.set_random_seed(seed)
    words = Words.of(splits["train"])
    validation = words.batches(splits["validation"], seed)
    model = TutorialModel(words)
    # XLA would compile the model anew for each pair of lengths; the tutorial's Keras
    # did not use it.
    model.compile("adam", loss=masked_loss, jit_compile=False)
    clock, processor = Clock(minutes), time.process_time()
    model.fit(
        words.batches(splits["train"], seed).repeat().prefetch(tf.data.AUTOTUNE),
        epochs=sys.maxsize,
        steps_per_epoch=ROUND_STEPS,
        # Cached, so that every round is judged by the same sentences.
        validation_data=validation.take(VALIDATION_BATCHES).cache(),
        shuffle=False,  # done already
        callbacks=[clock],
        verbose=0,
    )
    processor, trained = time.process_time() - processor, clock.minutes
    epochs = clock.steps / math.ceil(len(splits["train"].source) / BATCH_SIZE)
    print(
        f"tutorial's model: seed {seed}, {words.source.vocabulary_size()} and "
        f"{words.target.vocabulary_size()} words, {model.count_params():,} parameters\n"
        f"trained for {trained:.1f} minutes ({processor / 60:.1f} of processor time): "
        f"{clock.steps} steps, {epochs:.1f} epochs; kept: round {clock.best_round} of "
        f"{clock.rounds}\n"
        f"validation loss {model.evaluate(validation, verbose=0):.3f} nats a word"
    )
    return lambda sources: greedy(model, words, sources)


def load(folder, corpus, beam_size):
    """Load a model of ours, and tell about it.

    Returns:
        A function of a list of sources that returns their translations.

    Raises:
        UserError: If it is no model of this corpus in this direction.
    """
    translator = Translator.load(folder)
    settings = translator.config.corpus
    wanted = corpus.name, corpus.source_language, corpus.target_language, corpus.text
    got = settings.name, settings.source, settings.target, settings.text
    if got != wanted:
        raise UserError(
            f"{folder} was trained on {' '.join(got)}. Expected {' '.join(wanted)}."
        )
    history = json.loads((Path(folder) / HISTORY_FILE).read_text("utf-8"))
    kept = max(history, key=merit)
    print(
        f"{folder}: seed {translator.config.training.seed}, "
        f"{len(translator.vocabulary)} pieces, {translator.model.count_params():,} "
        f"parameters, beam {beam_size}\n"
        f"trained for {history[-1]['seconds'] / 60:.1f} minutes: "
        f"{history[-1]['steps']} steps, {len(history)} epochs; kept: epoch "
        f"{kept['epoch']}\n"
        f"validation loss {kept['validation_loss']:.3f} nats a piece"
    )
    return lambda sources: [
        translation.text if translation else ""
        for translation in translated(translator, sources, beam_size=beam_size)
    ]


def score(translate, test):
    """Translate the test set, and print its scores."""
    sources, references = evaluation.group_references(*test)
    hypotheses = evaluation.in_chunks(translate, sources, "translating")
    as_written = evaluation.translation_scores(hypotheses, references, grouped=True)
    standard = evaluation.translation_scores(
        _standardized(hypotheses),
        [_standardized(accepted) for accepted in references],
        tokenized=True,
    )
    for found, name, note in (
        (as_written, "BLEU -lc", ""),
        (standard, "BLEU", ", outputs and references in the tutorial's form"),
    ):
        result = next(result for result in found if result.name == name)
        print(f"{name:<8} {result.value:6.2f}  {result.signature}{note}")


def _standardized(texts):
    return [text.decode() for text in standardize(list(texts)).numpy()]


def parts(corpus, limit):
    """Return the parts of the corpus, with at most `limit` pairs each if it is set."""
    if limit is None:
        return corpus.splits
    return {
        # Rows are sorted by length: some from everywhere, not the shortest.
        name: ParallelText(
            *(side[:: max(1, len(side) // limit)][:limit] for side in text)
        )
        for name, text in corpus.splits.items()
    }


def main():
    """Train or load, translate, score."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    which = parser.add_mutually_exclusive_group()
    which.add_argument(
        "--minutes", type=float, default=30.0, help="time of training (default: 30)"
    )
    which.add_argument("--model", metavar="DIR", help="score this model of ours")
    parser.add_argument(
        "--languages",
        choices=("es-en", "en-es"),
        default="es-en",
        help="from which to which; the tutorial's are es-en (default)",
    )
    parser.add_argument("--beam", type=int, default=5, help="beam size of --model")
    parser.add_argument("--seed", type=int, default=1, help="seed of the training")
    parser.add_argument(
        "--limit",
        type=int,
        metavar="PAIRS",
        help="use so many pairs of each part, for a quick check that gives no result",
    )
    parser.add_argument("--data", help="folder of originals (default: NMT_DATA)")
    args = parser.parse_args()
    for name in ("minutes", "beam", "limit"):
        value = getattr(args, name)
        if value is not None and value <= 0:
            parser.error(f"--{name} must be positive. Got: {value}.")
    try:
        source, target = args.languages.split("-")
        corpus = corpora.load("spa-eng", source, target, data=args.data)
        splits = parts(corpus, args.limit)
        print(describe_run())
        sizes = ", ".join(f"{name} {len(p.source)}" for name, p in splits.items())
        rows = len(set(splits["test"].source))
        limited = "" if args.limit is None else "; limited: these are no results"
        print(f"spa-eng {args.languages}, pairs: {sizes}")
        print(f"{rows} distinct sources to score{limited}")
        if args.model is None:
            translate = train(splits, args.minutes, args.seed)
        else:
            translate = load(args.model, corpus, args.beam)
        score(translate, splits["test"])
    except UserError as error:
        parser.error(str(error))


if __name__ == "__main__":
    main()
