"""A training of a model and a text so small that it takes a second or two."""

from dataclasses import replace

from nmt.config import Config
from nmt.corpora.corpora import Corpus
from nmt.corpora.parallel import ParallelText
from nmt.training import training
from nmt.training.checkpoint import fingerprint, read_progress, restore_state
from nmt.translation.translator import Translator

ANIMALS = ("dog", "cat", "bird", "fish", "cow", "duck")
VERBS = ("runs", "sleeps", "eats", "sings")
PAIRS = [
    (f"the {animal} {verb}", f"{verb} {animal} the")
    for animal in ANIMALS
    for verb in VERBS
]
CONFIG = Config().replace(
    vocabulary_size=60,
    embedding_size=8,
    units=8,
    attention_units=8,
    dropout=0.2,
    epochs=3,
    batch_tokens=40,
    warmup_steps=3,
    sampling_alpha=0.1,
    precision="float32",  # "auto" would say what it has timed
    **{"name": "tiny", "source": "a", "target": "b"},  # as `corpus` is
)


def corpus(pairs=PAIRS):
    text = ParallelText(*zip(*pairs, strict=True))
    few = ParallelText(*zip(*pairs[:5], strict=True))
    splits = {"train": text, "validation": few}
    return Corpus("tiny", "a", "b", "raw", splits)


def run(out, config=CONFIG, pairs=PAIRS, picture_of=None, callbacks=()):
    lines = []
    text = replace(corpus(pairs), name=config.corpus.name, files=config.corpus.files)
    history = training.train(text, config, out, lines.append, picture_of, callbacks)
    return history, lines


def weights(out):
    return Translator.load(out).model.get_weights()


def restore(out, variables, state):
    (out / "training_state.npz").write_bytes(state)
    read_progress(out, fingerprint(corpus()))
    restore_state(out, variables)
