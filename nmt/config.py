"""What defines a model and its training: frozen, saved as JSON beside the weights."""

import dataclasses
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nmt.errors import UserError
from nmt.files import write_whole
from nmt.limits import LARGEST, LONGEST, MANY, misfit, option, shown

FORMAT = 1
CONFIG_FILE = "config.json"
MOST_FILES = 6
"""Local files of a corpus: two sides of text to train on, to validate, to test."""


ATTENTIONS = [
    "bahdanau",
    "bahdanau-normalized",
    "luong",
    "luong-concat",
    "luong-local-m",
    "luong-local-p",
    "multi-head",
    "location",
    "location-cumulative",
    "coverage",
    "monotonic",
    "monotonic-parallel",
    "none",
]
"""Names that the option `attention` takes; `nmt.register_attention` adds to them."""

POSITIONS = ("sinusoidal", "learned", "rotary", "alibi", "relative")


@dataclass(frozen=True)
class CorpusConfig:
    """The parallel text that a model is trained on."""

    name: str = option("phrasebook", "name of the corpus")
    source: str = option("en", "language translated from")
    target: str = option("es", "language translated to")
    text: str = option("raw", "form of the text", choices=("raw", "tok"))
    files: tuple[str, ...] = option((), "local files, in the order of `from_files`")
    streamed: bool = option(False, "whether files are read while they are trained on")


@dataclass(frozen=True)
class VocabularyConfig:
    """The joint SentencePiece vocabulary of both languages."""

    vocabulary_size: int = option(10_000, "number of pieces", least=8, most=1_000_000)


@dataclass(frozen=True)
class ModelConfig:
    """The shape of the encoder and the decoder."""

    encoder: str = option("rnn", "kind of encoder", choices=("rnn", "self-attention"))
    encoder_layers: int = option(1, "layers of the encoder", least=1, most=16)
    cell: str = option("gru", "RNN cell", choices=("gru", "lstm"))
    attention: str = option(
        "bahdanau",
        "attention of the decoder; none: the mean of the source at every step",
        choices=ATTENTIONS,
    )
    position: str = option(
        "sinusoidal",
        "position encoding of --encoder self-attention",
        choices=POSITIONS,
    )
    order: str = option(
        "conditional",
        "when the decoder attends: before its step, after it, or between two cells",
        choices=("previous", "current", "conditional"),
    )
    input_feeding: bool = option(
        True, "whether the order current feeds each output to the next step"
    )
    attend_embeddings: bool = option(
        False,
        "whether the decoder attends to the source embeddings too, each beside the "
        "encoder's output for it",
    )
    embedding_size: int = option(256, "size of the embeddings", least=1, most=LARGEST)
    units: int = option(
        256, "size of the RNN states, per direction", least=1, most=LARGEST
    )
    attention_units: int = option(
        256, "size inside additive attention", least=1, most=LARGEST
    )
    num_heads: int = option(4, "heads, where attention has heads", least=1, most=128)
    dropout: float = option(
        0.4, "dropout of embeddings, states and output", least=0, below=1
    )
    word_dropout: float = option(
        0.0,
        "share of pieces, each by itself, whose whole embedding is dropped",
        least=0,
        below=1,
    )
    recurrent_dropout: float = option(
        0.0,
        "dropout of the recurrent state that enters each step of an RNN",
        least=0,
        below=1,
    )


@dataclass(frozen=True)
class TrainingConfig:
    """How a model is trained."""

    epochs: int = option(15, "passes over the training text", least=1, most=MANY)
    batch_tokens: int = option(
        2200, "target pieces in a batch, padding included", least=1, most=1_000_000
    )
    epoch_steps: int = option(
        0,
        "batches of an epoch; 0: those of one pass over the text",
        least=0,
        most=MANY,
    )
    shuffle_pairs: int = option(
        20_000,
        "pairs of a streamed text that are in memory at once, put in a random order "
        "and sorted by length",
        least=1,
        most=MANY,
    )
    max_pieces: int = option(
        100,
        "longest training sentence, in pieces; longer pairs are left out",
        least=1,
        most=LONGEST,
    )
    learning_rate: float = option(
        3e-3, "highest learning rate of Adam", least=0, most=1000
    )
    warmup_steps: int = option(
        300, "steps in which the rate rises to it", least=0, most=MANY
    )
    label_smoothing: float = option(
        0.1, "share of the target that goes to all pieces", least=0, below=1
    )
    consistency: float = option(
        0.0,
        "weight of the R-Drop loss: how much the predictions under two draws of "
        "dropout differ; 0: one draw",
        least=0,
        most=1000,
    )
    diversify: int = option(
        0,
        "models to train first in each direction, each as long as this training may "
        "take; their translations of the text are added to it, so that an epoch is up "
        "to 2 N + 1 times as long",
        least=0,
        most=100,
    )
    clip_norm: float = option(
        1.0, "largest norm of the gradient; 0: no limit", least=0, most=MANY
    )
    sampling_alpha: float = option(
        0.0,
        "share of merges left out at random when splitting into pieces",
        least=0,
        below=1,
    )
    average_decay: float = option(
        0.998, "decay of the running average of the weights; 0: none", least=0, below=1
    )
    patience: int = option(
        6,
        "epochs without gain on the validation text before stopping",
        least=1,
        most=MANY,
    )
    max_minutes: float = option(
        0.0,
        "stop after so many minutes of training; 0: no limit",
        least=0,
        most=MANY,
    )
    save_minutes: float = option(
        10.0,
        "save the state after so many minutes, inside an epoch too; 0: after each "
        "epoch alone",
        least=0,
        most=MANY,
    )
    precision: str = option(
        "auto",
        "type of numbers that is computed with; weights are float32. auto: bfloat16 "
        "where products are much faster in it on this device, else float32",
        choices=("auto", "float32", "bfloat16", "float16"),
    )
    seed: int = option(
        1, "seed of data order, pieces, first weights and dropout", least=0, below=2**32
    )
    deterministic: bool = option(False, "the same weights to the last bit; slower")


SECTIONS = {
    "corpus": CorpusConfig,
    "vocabulary": VocabularyConfig,
    "model": ModelConfig,
    "training": TrainingConfig,
}


@dataclass(frozen=True)
class Config:
    """All settings of a model folder.

    Raises:
        UserError: If a value has the wrong type or is out of its range.
    """

    corpus: CorpusConfig = field(default_factory=CorpusConfig)
    vocabulary: VocabularyConfig = field(default_factory=VocabularyConfig)
    model: ModelConfig = field(default_factory=ModelConfig)
    training: TrainingConfig = field(default_factory=TrainingConfig)

    def __post_init__(self):
        _check_sections(vars(self), "Option {}".format)

    def replace(self, called="Option {}".format, /, **values):
        """Return a copy with options replaced, each in the section that has it.

        Args:
            called: Function from the name of an option to what an error calls it.
            **values: The options.
        """
        sections = {}
        for name, kind in SECTIONS.items():
            own = {each.name for each in dataclasses.fields(kind)}
            chosen = {key: value for key, value in values.items() if key in own}
            sections[name] = dataclasses.replace(getattr(self, name), **chosen)
        known = {o.name for kind in SECTIONS.values() for o in dataclasses.fields(kind)}
        unknown = sorted(set(values) - known)
        if unknown:
            raise UserError(f"Unknown options {unknown}; known are {sorted(known)}.")
        _check_sections(sections, called)
        return Config(**sections)

    def save(self, path):
        """Write the settings as JSON, whole or not at all."""
        text = json.dumps({"format": FORMAT, **dataclasses.asdict(self)}, indent=2)
        write_whole(path, lambda partial: partial.write_text(text + "\n", "utf-8"))

    @classmethod
    def load(cls, path):
        """Read the settings of a model folder from JSON.

        Raises:
            UserError: If the file is missing, is not such a file, has another format
                version, has unknown keys, or values out of their range.
        """
        path = Path(path)
        mend = "Expected a folder that `nmt train` made."
        if not path.parent.is_dir():
            if path.parent.exists():
                raise UserError(f"{path.parent} is a file. {mend}")
            raise UserError(f"There is no folder {path.parent}. {mend}")
        try:
            content = _read_object(path, mend)
        except FileNotFoundError:
            raise UserError(
                f"{path.parent} is no folder of a model: it holds no {path.name}. "
                f"{mend}"
            ) from None
        if content.pop("format", None) is None:
            raise UserError(f"{path} holds no settings of a model. {mend}")
        if set(content) != set(SECTIONS):
            raise UserError(
                f"{path} has sections {shown(sorted(content))}; expected "
                f"{sorted(SECTIONS)}."
            )
        # An option that came later has its default, which is what a model from before
        # it has.
        return cls().replace(in_file(path), **_options(content, path))


def read_settings(path):
    """Read some settings from JSON: any options of the sections of `config.json`.

    Args:
        path: Path of the file.

    Returns:
        Dict of the options that it has.

    Raises:
        UserError: See `Config.load`.
    """
    path = Path(path)
    mend = f"Expected an object with some of the sections {', '.join(SECTIONS)}."
    try:
        content = _read_object(path, mend)
    except FileNotFoundError:
        raise UserError(f"There is no file {path}. Check the path.") from None
    unknown = sorted(set(content) - {"format", *SECTIONS})
    if unknown:
        raise UserError(f"{path} has sections {shown(unknown)}. {mend}")
    values = _options(content, path)
    # Each alone: whether they fit each other is seen with those that are given too.
    for kind in SECTIONS.values():
        for each in dataclasses.fields(kind):
            if each.name in values:
                _check_option(each, values[each.name], in_file(path))
    return values


def in_file(path):
    """Return a function from the name of an option to what an error calls it."""
    return lambda name: f"{path}: {name}"


def _read_object(path, mend):
    try:
        content = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise
    except OSError as error:
        raise UserError(f"Cannot read {path}: {error.strerror}. {mend}") from None
    except (ValueError, RecursionError):
        raise UserError(f"{path} is not valid JSON. {mend}") from None
    if not isinstance(content, dict):
        raise UserError(f"{path} holds no settings of a model. {mend}")
    version = content.get("format", FORMAT)
    if version != FORMAT:
        raise UserError(
            f"{path} has format {shown(version)}; this version of nmt reads format "
            f"{FORMAT}. Train again, or use the version that made it."
        )
    return content


def _options(content, path):
    values: dict[str, Any] = {}
    for section, kind in SECTIONS.items():
        own = content.get(section, {})
        if not isinstance(own, dict):
            raise UserError(f"{path}: {section} must be an object; got {shown(own)}.")
        known = {each.name for each in dataclasses.fields(kind)}
        wrong = sorted(set(own) - known)
        if wrong:
            raise UserError(
                f"{path}: unknown settings {shown(wrong)} in {section}. Known: "
                f"{', '.join(sorted(known))}."
            )
        values |= own
    if isinstance(values.get("files"), list):
        values["files"] = tuple(map(str, values["files"]))
    return values


def _check_option(option, value, called):
    expected = misfit(option, value)
    if expected:
        raise UserError(
            f"{called(option.name)} must be {expected}; got {shown(value)}."
        )


def _check_sections(sections, called):
    for name, kind in SECTIONS.items():
        for each in dataclasses.fields(kind):
            _check_option(each, getattr(sections[name], each.name), called)
    files = len(sections["corpus"].files)
    if files > MOST_FILES:
        raise UserError(f"{called('files')} must be at most {MOST_FILES}; got {files}.")
    model = sections["model"]
    head_size = max(1, model.embedding_size // model.num_heads)
    rotates = model.encoder == "self-attention" and model.position == "rotary"
    if rotates and head_size % 2:
        raise UserError(
            f"{called('embedding_size')} / {called('num_heads')} must be even with "
            f"{called('position')} rotary; got {model.embedding_size} / "
            f"{model.num_heads} = {head_size}. Change one of them."
        )
