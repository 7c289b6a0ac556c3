"""What defines a model and its training: frozen, saved as JSON beside the weights."""

import dataclasses
import json
import math
from dataclasses import dataclass, field
from pathlib import Path

from nmt.errors import UserError
from nmt.files import write_whole

FORMAT = 1
CONFIG_FILE = "config.json"


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

LONGEST = 1024
"""Most pieces of a sentence that is trained on or translated, the end included: the
weights of a search need memory that grows with the square of it."""

POSITIONS = ("sinusoidal", "learned", "rotary", "alibi", "relative")


def _option(default, help, choices=None, least=None, below=None):
    limits = {"choices": choices, "least": least, "below": below}
    return field(default=default, metadata={"help": help, **limits})


@dataclass(frozen=True)
class CorpusConfig:
    """The parallel text that a model is trained on."""

    name: str = _option("phrasebook", "name of the corpus")
    source: str = _option("en", "language translated from")
    target: str = _option("es", "language translated to")
    text: str = _option("raw", "form of the text", choices=("raw", "tok"))
    files: tuple[str, ...] = _option((), "local files, in the order of `from_files`")


@dataclass(frozen=True)
class VocabularyConfig:
    """The joint SentencePiece vocabulary of both languages."""

    vocabulary_size: int = _option(6000, "number of pieces", least=8)


@dataclass(frozen=True)
class ModelConfig:
    """The shape of the encoder and the decoder."""

    encoder: str = _option("rnn", "kind of encoder", choices=("rnn", "self-attention"))
    encoder_layers: int = _option(1, "layers of the encoder", least=1)
    cell: str = _option("gru", "RNN cell", choices=("gru", "lstm"))
    attention: str = _option(
        "bahdanau",
        "attention of the decoder; none: the mean of the source at every step",
        choices=ATTENTIONS,
    )
    position: str = _option(
        "sinusoidal", "positions of the encoder self-attention", choices=POSITIONS
    )
    order: str = _option(
        "conditional",
        "when the decoder attends: before its step, after it, or between two cells",
        choices=("previous", "current", "conditional"),
    )
    input_feeding: bool = _option(
        True, "whether the order current feeds each output to the next step"
    )
    embedding_size: int = _option(256, "size of the embeddings", least=1)
    units: int = _option(256, "size of the RNN states, per direction", least=1)
    attention_units: int = _option(256, "size inside additive attention", least=1)
    num_heads: int = _option(4, "heads, where attention has heads", least=1)
    dropout: float = _option(
        0.4, "dropout of embeddings, states and output", least=0, below=1
    )


@dataclass(frozen=True)
class TrainingConfig:
    """How a model is trained."""

    epochs: int = _option(15, "passes over the training text", least=1)
    batch_tokens: int = _option(
        2200, "target pieces in a batch, padding included", least=1
    )
    max_pieces: int = _option(
        100,
        "longest training sentence, in pieces; longer pairs are left out",
        least=1,
        below=LONGEST + 1,
    )
    learning_rate: float = _option(3e-3, "highest learning rate of Adam", least=0)
    warmup_steps: int = _option(300, "steps in which the rate rises to it", least=0)
    label_smoothing: float = _option(
        0.1, "share of the target that goes to all pieces", least=0, below=1
    )
    clip_norm: float = _option(1.0, "largest norm of the gradient", least=0)
    sampling_alpha: float = _option(
        0.0,
        "share of merges left out at random when splitting into pieces",
        least=0,
        below=1,
    )
    average_decay: float = _option(
        0.998, "decay of the running average of the weights; 0: none", least=0, below=1
    )
    patience: int = _option(
        6, "epochs without gain on the validation text before stopping", least=1
    )
    max_minutes: float = _option(
        0.0, "stop after so many minutes of training; 0: no limit", least=0
    )
    seed: int = _option(
        1, "seed of data order, pieces, first weights and dropout", least=0, below=2**32
    )
    deterministic: bool = _option(False, "the same weights to the last bit; slower")


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
        for name in SECTIONS:
            section = getattr(self, name)
            for option in dataclasses.fields(section):
                _check(option, getattr(section, option.name))
        model = self.model
        head_size = max(1, model.embedding_size // model.num_heads)
        if model.position == "rotary" and head_size % 2:
            raise UserError(
                "Option position rotary needs heads of an even size; got "
                f"embedding_size {model.embedding_size} / num_heads {model.num_heads} "
                f"= {head_size}. Change one of them."
            )

    def replace(self, **values):
        """Return a copy with options replaced, each in the section that has it."""
        sections = {}
        for name, kind in SECTIONS.items():
            own = {option.name for option in dataclasses.fields(kind)}
            chosen = {key: value for key, value in values.items() if key in own}
            sections[name] = dataclasses.replace(getattr(self, name), **chosen)
        known = {o.name for kind in SECTIONS.values() for o in dataclasses.fields(kind)}
        unknown = sorted(set(values) - known)
        if unknown:
            raise UserError(f"Unknown options {unknown}; known are {sorted(known)}.")
        return Config(**sections)

    def save(self, path):
        """Write the settings as JSON, whole or not at all."""
        text = json.dumps({"format": FORMAT, **dataclasses.asdict(self)}, indent=2)
        write_whole(path, lambda partial: partial.write_text(text + "\n", "utf-8"))

    @classmethod
    def load(cls, path):
        """Read settings from JSON.

        Raises:
            UserError: If the file is missing, is not such a file, has another format
                version, or has unknown keys.
        """
        path = Path(path)
        mend = "Expected a folder that `nmt train` made."
        if not path.parent.is_dir():
            raise UserError(f"There is no folder {path.parent}. {mend}")
        try:
            content = json.loads(path.read_text("utf-8"))
        except FileNotFoundError:
            raise UserError(
                f"{path.parent} is no folder of a model: it holds no {path.name}. "
                f"{mend}"
            ) from None
        except OSError as error:
            raise UserError(f"Cannot read {path}: {error.strerror}. {mend}") from None
        except (ValueError, RecursionError):
            raise UserError(f"{path} is not valid JSON. {mend}") from None
        if not isinstance(content, dict) or "format" not in content:
            raise UserError(f"{path} holds no settings of a model. {mend}")
        version = content.pop("format")
        if version != FORMAT:
            raise UserError(
                f"{path} has format {version!r}; this version of nmt reads format "
                f"{FORMAT}. Train again, or use the version that made it."
            )
        if set(content) != set(SECTIONS):
            raise UserError(
                f"{path} has sections {sorted(content)}; expected {sorted(SECTIONS)}."
            )
        sections = {}
        for name, kind in SECTIONS.items():
            known = {option.name for option in dataclasses.fields(kind)}
            values = content[name]
            if not isinstance(values, dict):
                raise UserError(f"{path}: {name} must be an object. {mend}")
            if not set(values) <= known:
                wrong = sorted(set(values) - known)
                raise UserError(f"{path}: unknown settings {wrong}. {mend}")
            # An option that came later has its default, which is what a model from
            # before it has.
            if isinstance(values.get("files"), list):
                values["files"] = tuple(map(str, values["files"]))
            sections[name] = kind(**values)
        return cls(**sections)


def _check(option, value):
    limits = option.metadata
    kinds = {int: (int,), float: (int, float), str: (str,), bool: (bool,)}
    kinds = kinds.get(option.type, (tuple,))
    if not isinstance(value, kinds) or (
        isinstance(value, bool) and option.type is not bool
    ):
        raise UserError(
            f"Option {option.name} must be of type {kinds[-1].__name__}; got {value!r}."
        )
    if limits["choices"] is not None and value not in limits["choices"]:
        choices = ", ".join(limits["choices"])
        raise UserError(
            f"Option {option.name} must be one of {choices}; got {value!r}."
        )
    if limits["least"] is not None and not value >= limits["least"]:
        raise UserError(
            f"Option {option.name} must be at least {limits['least']}; got {value!r}."
        )
    if isinstance(value, float) and not math.isfinite(value):
        raise UserError(f"Option {option.name} must be finite; got {value!r}.")
    if limits["below"] is not None and not value < limits["below"]:
        raise UserError(
            f"Option {option.name} must be less than {limits['below']}; got {value!r}."
        )


PRESETS = {
    "base": Config(),
    # For very many sentences of a few words. A batch of as many pieces as in "base"
    # would be hundreds of them, and too few steps; each is seen too seldom to be learnt
    # by heart.
    "short": Config(
        model=ModelConfig(dropout=0.1),
        training=TrainingConfig(batch_tokens=600),
    ),
    "demo": Config(
        vocabulary=VocabularyConfig(vocabulary_size=1000),
        model=ModelConfig(
            embedding_size=128, units=128, attention_units=128, dropout=0.1
        ),
        training=TrainingConfig(
            epochs=3,
            batch_tokens=600,
            learning_rate=5e-3,
            warmup_steps=60,
            label_smoothing=0.05,
            average_decay=0.99,
        ),
    ),
}
