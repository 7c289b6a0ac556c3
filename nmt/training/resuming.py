"""Whether a training can begin or go on in a folder, and what of it may change."""

import dataclasses
import os

from nmt.config import CONFIG_FILE, Config
from nmt.errors import UserError
from nmt.files import alone_with
from nmt.limits import flag
from nmt.training.checkpoint import (
    HISTORY_FILE,
    STATE_FILE,
    has_state,
    read_progress,
)
from nmt.training.start import check_start
from nmt.translation import (
    VOCABULARY_FILE,
    WEIGHTS_FILE,
    changing_checksums,
    check_model_file,
    read_checksums,
    text_file_sums,
)

MAY_CHANGE = (
    *("epochs", "max_minutes", "patience", "learning_rate", "clip_norm"),
    "save_minutes",
)
"""Options that may change when a training goes on."""

SCHEDULED = ("epochs", "max_minutes")
"""Those that the schedule of the learning rate follows."""

WHY_NOT = {
    "vocabulary": "its pieces are chosen",
    "model": "its weights are made for that",
    "training": "what it learnt rests on that",
}
"""Section → why its other options may not change. What the text is that it learnt to
translate, its fingerprint says, wherever that is and whatever its languages are called.
"""

SHOWN_DIFFERENCES = 4
"""Settings that a refusal names; more would fill the screen."""


def check_folder(out, config, text, start=None):
    """Refuse a folder in which this training can neither begin nor go on.

    While there is no state nothing was learnt, and the settings may be any.

    Args:
        out: Path of the folder; it need not exist.
        config: `Config` of the training.
        text: The `fingerprint` of the text that is trained on.
        start: `Start`, or `None` for new weights.

    Raises:
        UserError: If it holds a model of other settings or of another text, or one that
            has lost what it needs to go on, or was started from another model; or if
            it cannot start from this one.
    """
    check_start(out, config, start)
    if has_state(out) or (out / HISTORY_FILE).exists():
        _check_there(out, CONFIG_FILE, VOCABULARY_FILE, STATE_FILE)
        _check_settings(out, Config.load(out / CONFIG_FILE), config)
        check_model_file(out, VOCABULARY_FILE)
        progress = read_progress(out, text)
        if progress and progress.history:  # no weights are saved before
            _check_there(out, WEIGHTS_FILE)
            check_model_file(out, WEIGHTS_FILE)
    elif os.path.lexists(out / WEIGHTS_FILE) and not _is_same_start(
        out, config, text, start
    ):
        raise UserError(
            f"{out} holds a model without the state of its training, which would be "
            "lost. Choose another --out."
        )


def note_settings(out, config, text, start=None):
    """Write settings, fingerprint of the text, and start, where they are not there."""
    if not (out / CONFIG_FILE).exists() or Config.load(out / CONFIG_FILE) != config:
        with alone_with(out / CONFIG_FILE):
            config.save(out / CONFIG_FILE)
    files = text_file_sums(config.corpus.files)
    with changing_checksums(out) as sums:
        sums |= {"text": text, "text_files": files}
        if start is None:
            sums.pop("start", None)  # of a try that failed
        elif note := start.note():
            sums["start"] = note


def changes(there, now):
    """Tell the changes of a training that goes on, one line each.

    Args:
        there: `Config` it was begun with.
        now: `Config` it goes on with.
    """
    pairs = [(getattr(there.training, o), getattr(now.training, o)) for o in MAY_CHANGE]
    return [
        f"From here on {flag(option)} is {new} ({old} before)"
        + ("; the learning rate follows." if option in SCHEDULED else ".")
        for option, (old, new) in zip(MAY_CHANGE, pairs, strict=True)
        if old != new
    ]


def _is_same_start(out, config, text, start):
    """Say whether weights without a state are of this training, killed in between."""
    sums = read_checksums(out)
    if not (out / CONFIG_FILE).exists() or sums["text"] != text:
        return False
    if sums.get("start") != (start and start.note()):
        return False
    return not _differences(Config.load(out / CONFIG_FILE), config)


def _check_there(out, *names):
    for name in names:
        if not os.path.lexists(out / name):
            raise UserError(
                f"{out} holds a model that cannot be trained further: its {name} "
                "is gone. Choose another --out, or put the file back."
            )


def _check_settings(out, there, now):
    differences = _differences(there, now)
    if not differences:
        return
    shown = "; ".join(differences[:SHOWN_DIFFERENCES])
    if len(differences) > SHOWN_DIFFERENCES:
        shown += f"; and {len(differences) - SHOWN_DIFFERENCES} more"
    was = f"{there.corpus.source} to {there.corpus.target}"
    raise UserError(
        f"{out} holds a model, {was}, of other settings: {shown}. Choose another "
        "--out, or the settings it was begun with; when it goes on, only "
        f"{', '.join(map(flag, MAY_CHANGE))} and what chooses devices and pictures may "
        "change."
    )


def _differences(there, now):
    return [
        f"{flag(key)} is {old!r} there and {new!r} now ({WHY_NOT[section]})"
        for section in WHY_NOT
        for (key, old), new in zip(
            dataclasses.asdict(getattr(there, section)).items(),
            dataclasses.asdict(getattr(now, section)).values(),
            strict=True,
        )
        if old != new
        and key not in MAY_CHANGE
        and (key, new) != ("precision", "auto")  # which goes on in what was chosen
    ]
