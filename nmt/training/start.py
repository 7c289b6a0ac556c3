"""The model that a training starts from: whether it fits, and what is taken over."""

import dataclasses
from pathlib import Path

import numpy as np

from nmt.config import CONFIG_FILE, Config, ModelConfig
from nmt.errors import UserError
from nmt.limits import flag
from nmt.text import UNKNOWN_ID
from nmt.training.checkpoint import has_state
from nmt.translation import model_file_sums, read_checksums, read_folder

NO_SHAPE = ("dropout", "word_dropout", "recurrent_dropout")
"""Options of a model that may be others than those of the model it starts from."""

SHOWN_CHARACTERS = 20
"""Unknown characters that are told; more would fill the screen."""


@dataclasses.dataclass(frozen=True)
class Start:
    """A trained model that a training starts from; nothing of it is changed.

    Attributes:
        folder: Path of its folder.
        new_vocabulary: Whether pieces are learnt anew, on the text that is trained on.
    """

    folder: Path
    new_vocabulary: bool = False

    def settings(self, out):
        """Return the `Config` that a training in a folder starts from.

        What has been begun needs the model no more: it may be gone. That its text was
        diversified does not make this one so, and its device may have been another.
        """
        if has_state(out):
            return Config.load(out / CONFIG_FILE)
        there = Config.load(self.folder / CONFIG_FILE)
        return there.replace(diversify=0, precision="auto")

    def note(self):
        """Return what a folder notes of it, for JSON; `None` if the model is gone."""
        sums = model_file_sums(self.folder)
        if sums is None:
            return None
        return {"model_files": sums, "new_vocabulary": self.new_vocabulary}


def check_start(out, config, start):
    """Refuse a training that cannot start from a model, or was begun from another.

    Args:
        out: Path of the folder of the training.
        config: `Config` of the training.
        start: `Start`, or `None` for new weights.

    Raises:
        UserError: If it is such, or the model cannot be read.
    """
    if start is not None and start.folder.resolve() == out.resolve():
        raise UserError(
            f"--from and --out are one folder, {out}, whose model would be lost. "
            "Choose another --out."
        )
    if has_state(out):
        _check_same(out, read_checksums(out).get("start"), start)
    elif start is not None:
        _check_fits(start, config)


def take_over(learner, vocabulary, origin):
    """Set a new model, and the averages of its weights, to the weights of another.

    Of a piece that the other does not know the embeddings and the bias are left.

    Args:
        learner: `Learner`.
        vocabulary: Its `Vocabulary`.
        origin: `Translator` of the other model.

    Returns:
        Int. Number of pieces that the other knows.
    """
    known = {piece: i for i, piece in enumerate(_pieces(origin.vocabulary))}
    pairs = [
        (i, known[piece])
        for i, piece in enumerate(_pieces(vocabulary))
        if piece in known
    ]
    here, there = np.array(pairs).T
    model, other = learner.model, origin.model
    of_pieces = {id(weight) for weight in _weights_of_pieces(model)}
    for weight, old in zip(model.weights, other.weights, strict=True):
        if id(weight) not in of_pieces:
            weight.assign(old)
    for weight, old in zip(
        _weights_of_pieces(model), _weights_of_pieces(other), strict=True
    ):
        rows = np.asarray(weight).copy()
        rows[here] = np.asarray(old)[there]
        weight.assign(rows)
    for average, weight in zip(
        learner.averages, model.trainable_variables, strict=True
    ):
        average.assign(weight)
    return len(pairs)


def tell_start(start, origin, config, vocabulary, known, lines):
    """Yield what to tell of a training that starts from a model, a line each.

    Args:
        start: `Start`.
        origin: `Translator` of that model.
        config: `Config` of the training.
        vocabulary: `Vocabulary` of the training.
        known: Number of its pieces that the model knows.
        lines: List of sentences that are trained on.
    """
    rest = len(vocabulary) - known
    new = f"; {rest:,} pieces are unknown to it and begin new" if rest else ""
    yield f"Starts from the model in {start.folder}{new}."
    was, now = (
        f"{corpus.source} to {corpus.target}, {corpus.text} text"
        for corpus in (origin.config.corpus, config.corpus)
    )
    if was != now:
        yield f"That model translates {was}; this text is {now}."
    characters = sorted(set("".join(lines)))
    unknown = [
        character
        for character, ids in zip(characters, vocabulary.ids(characters), strict=True)
        if UNKNOWN_ID in ids
    ]
    if unknown:
        shown = " ".join(unknown[:SHOWN_CHARACTERS])
        yield (
            f"{len(unknown):,} characters of this text are in no piece: {shown}. "
            "--new-vocabulary learns pieces that have them."
        )


def _check_same(out, noted, start):
    """Refuse a training that goes on if it was not begun from this model."""
    mend = "or choose another --out."
    if start is None:
        if noted is not None:
            raise UserError(
                f"{out} holds a training that was started from a model. Give --from "
                f"as it was begun, {mend}"
            )
        return
    if noted is None:
        raise UserError(
            f"{out} holds a training that was started from no model. Leave --from out, "
            f"{mend}"
        )
    if start.new_vocabulary != noted["new_vocabulary"]:
        change = "Leave out" if start.new_vocabulary else "Give"
        raise UserError(
            f"{out} holds a training whose vocabulary is chosen. {change} "
            f"--new-vocabulary, {mend}"
        )
    if start.note() not in (None, noted):
        raise UserError(
            f"{out} holds a training that was started from another model than "
            f"{start.folder} is now. Give the one it was started from, {mend}"
        )


def _check_fits(start, config):
    there, _, _ = read_folder(start.folder)
    mend = "leave that option out"
    for option in dataclasses.fields(ModelConfig):
        name = option.name
        old, new = getattr(there.model, name), getattr(config.model, name)
        if old != new and name not in NO_SHAPE:
            raise UserError(
                f"{flag(name)} is {old!r} in {start.folder} and {new!r} now (its "
                f"weights are made for that). Start from another model, or {mend}."
            )
    old = there.vocabulary.vocabulary_size
    new = config.vocabulary.vocabulary_size
    if old != new and not start.new_vocabulary:
        raise UserError(
            f"--vocabulary-size is {old} in {start.folder} and {new} now, and its "
            f"pieces are kept. Give --new-vocabulary too, or {mend}."
        )


def _pieces(vocabulary):
    return vocabulary.pieces(range(len(vocabulary)))


def _weights_of_pieces(model):
    return [
        model.source_embedding.embeddings,
        model.target_embedding.embeddings,
        model.output_bias,
    ]
