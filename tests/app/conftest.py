"""What the tests of this room share."""

import io
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from quick_graphs import quick_graphs
from small_training import TINY, write

from nmt.app.cli import main
from nmt.config import LONGEST, Config

__all__ = ["quick_graphs"]


@pytest.fixture
def refused(capsys):
    """Run a command that must be refused; give its one line of complaint."""

    def run(*argv):
        assert main([str(argument) for argument in argv]) == 2
        out, err = capsys.readouterr()
        assert out == ""
        (line,) = err.splitlines()
        return line.removeprefix("nmt: error: ")

    return run


@pytest.fixture
def stdin(monkeypatch):
    """Set what standard input holds."""

    def put(data):
        stream = io.TextIOWrapper(io.BytesIO(data), encoding="utf-8")
        monkeypatch.setattr("sys.stdin", stream)

    return put


@pytest.fixture(scope="module")
def pairs(tmp_path_factory):
    """A file of a few hundred simple sentence pairs."""
    subjects = {"the cat": "el gato", "a dog": "un perro", "my son": "mi hijo"}
    verbs = {"sleeps": "duerme", "eats": "come", "runs": "corre", "sings": "canta"}
    places = {"here": "aquí", "there": "allí", "at home": "en casa", "now": "ahora"}
    times = {f"on day {n}": f"el día {n}" for n in range(6)}
    rows = [
        " ".join(chosen).capitalize() + ".\t" + " ".join(theirs).capitalize() + "."
        for subject, sujeto in subjects.items()
        for verb, verbo in verbs.items()
        for place, lugar in places.items()
        for time, hora in times.items()
        for chosen, theirs in [
            ((subject, verb, place, time), (sujeto, verbo, lugar, hora))
        ]
    ]
    return write(tmp_path_factory.mktemp("pairs") / "simple.tsv", *rows)


@pytest.fixture(scope="module")
def trained(pairs, tmp_path_factory):
    """A folder with a model that was trained by the command."""
    out = tmp_path_factory.mktemp("models") / "simple"
    command = ["train", str(pairs), "--source", "en", "--target", "es"]
    assert main([*command, "--out", str(out), *TINY]) == 0
    return out


class Shouter:
    """A translator into capitals. Each letter is a piece."""

    def __init__(self):
        self.searches = []
        self.doubts = {}
        self.counted = []
        self.failures = {}

    def count_pieces(self, texts, side="source"):
        self.counted += texts
        return [len(text) + 1 for text in texts]

    def shorten(self, text, side="source"):
        return text[: LONGEST - 1]

    def __call__(self, texts, n_best=1, **search):
        self.searches.append(search)
        for text in texts:
            if text in self.failures:
                raise self.failures[text]
        best = [[self.translation(text)] * n_best for text in texts]
        return best if n_best > 1 else [only for (only,) in best]

    def translation(self, text):
        return SimpleNamespace(
            source=text,
            text=text.upper(),
            score=-1.0,
            source_tokens=["▁a"],
            target_tokens=["▁A"],
            doubts=self.doubts.get(text, ()),
            weights=np.ones((1, 1), "float32"),
            plot=lambda path: Path(path).write_text(text, encoding="utf-8"),
            blocks=lambda: f"[{text}]",
        )


@pytest.fixture
def shouter(monkeypatch):
    """Take the place of every model."""
    translator = Shouter()
    monkeypatch.setattr("nmt.app.inputs.load_translator", lambda *given: translator)
    monkeypatch.setattr("nmt.app.inputs.load_config", lambda folder: Config())
    return translator
