"""The exported model, loaded where none of our packages can be imported."""

import ast
import errno
import json
import os
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf
from markdown_blocks import ROOT, python_blocks, run_apart

from nmt.app.cli import main
from nmt.config import Config
from nmt.model import TranslationModel
from nmt.text import Vocabulary
from nmt.translation.export import ExportedModel, export_model
from nmt.translation.translator import Translator

WORDS = ["dog", "cat", "runs", "sleeps", "the", "a", "red", "big", "house", "in"]
TEXTS = [
    "the red dog runs",
    " ",
    "a cat",
    "big big house in the house",
    "sleeps",
    "\u3000\u200b",
]
CONFIG = Config().replace(
    vocabulary_size=60, embedding_size=8, units=12, attention_units=8
)
PROGRAM = """
import json, sys

class Blocked:
    def find_spec(self, name, *_):
        if name.partition(".")[0] in ("nmt", "keras_attention", "sentencepiece"):
            raise ImportError(name)

sys.meta_path.insert(0, Blocked())
import tensorflow as tf
import tensorflow_text

path, prefix, *texts = sys.argv[1:]
model = tf.saved_model.load(path)
plain = model.signatures["serving_default"](text=tf.constant(texts))
full = model.signatures["translate"](
    text=tf.constant(texts),
    prefix=tf.constant([prefix] * len(texts)),
    n_best=tf.constant(2),
)
as_lists = {}
for name, part in {**{f"plain_{k}": v for k, v in plain.items()}, **full}.items():
    as_lists[name] = part.numpy().tolist()
print(json.dumps(as_lists, default=lambda text: text.decode("utf-8")))
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    keras.utils.set_random_seed(11)
    folder = tmp_path_factory.mktemp("model")
    vocabulary = Vocabulary.train([*WORDS, *TEXTS], 60)
    model = TranslationModel(CONFIG.model, len(vocabulary))
    model.set_weights([3 * weight for weight in model.get_weights()])
    CONFIG.save(folder / "config.json")
    (folder / "vocabulary.model").write_bytes(vocabulary.model)
    model.save_weights(folder / "model.weights.h5")
    return folder


def run(path, prefix, *texts):
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(path), prefix, *texts],
        capture_output=True,
        text=True,
        encoding="utf-8",
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return {name: np.array(x) for name, x in json.loads(done.stdout).items()}


def test_it_translates_as_the_command_does(folder, tmp_path, capsys):
    out = tmp_path / "exported"
    assert main(["export", "--model", str(folder), "--out", str(out)]) == 0
    printed = capsys.readouterr()
    assert printed.out == f"{out / '1'}\n" and "en" in printed.err
    found = run(out / "1", "", *TEXTS)
    translator = Translator.load(folder)
    for row, text in enumerate(TEXTS):
        if translator.count_pieces([text]) == [1]:
            assert found["plain_text"][row] == "" and found["plain_score"][row] == 0
            continue
        best = translator(text)
        assert found["plain_text"][row] == best.text
        assert found["plain_score"][row] == pytest.approx(best.score, abs=1e-4)
        for n, one in enumerate(translator(text, n_best=2)):
            assert found["text"][row][n] == one.text
            assert found["score"][row][n] == pytest.approx(one.score, abs=1e-4)
            steps, size = one.weights.shape
            assert found["length"][row][n] == steps
            weights = found["attention"][row][n]
            np.testing.assert_allclose(weights[:steps, :size], one.weights, atol=1e-5)
            assert not weights[steps:].any() and not weights[:, size:].any()
            assert found["pieces"][row][n][:steps].tolist() == one.target_tokens
            assert found["source_pieces"][row][:size].tolist() == one.source_tokens


def test_the_page_on_serving_has_a_program_that_runs(folder, tmp_path):
    export_model(Translator.load(folder), tmp_path / "served" / "phrasebook")
    page = (ROOT / "docs" / "serving.md").read_text(encoding="utf-8")
    (program,) = python_blocks(page)
    done = run_apart(program, tmp_path)
    assert done.returncode == 0, done.stderr[-2000:]
    assert len(ast.literal_eval(done.stdout.splitlines()[-1])) == 2


def test_a_second_export_is_a_second_version_and_takes_a_beginning(folder, tmp_path):
    (tmp_path / ".partial-1-1").mkdir()  # another process at work
    translator = Translator.load(folder, folder)
    paths = [export_model(translator, tmp_path, beam_size=3) for _ in range(2)]
    assert paths == [tmp_path / "1", tmp_path / "2"]
    found = run(paths[1], "the", "a cat", "sleeps")
    alone = Translator.load(folder)
    for row, text in enumerate(["a cat", "sleeps"]):
        wanted = alone(text, beam_size=3, n_best=2, prefix="the")
        assert found["text"][row].tolist() == [one.text for one in wanted]
    left = sorted(path.name for path in tmp_path.iterdir())
    assert left == [".partial-1-1", "1", "2"]


def test_one_translation_at_least_and_all_beams_at_most_are_given(folder):
    module = ExportedModel(Translator.load(folder), 2)
    counts = (-1, 0, 1, 2, 9)
    found = [module.translate(["a cat"], [""], count)["text"] for count in counts]
    assert [texts.shape[1] for texts in found] == [1, 1, 1, 2, 2]


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (tf.errors.ResourceExhaustedError, os.strerror(errno.ENOSPC)),
        (tf.errors.OutOfRangeError, os.strerror(errno.EFBIG)),
    ],
)
def test_a_full_disk_is_told_and_leaves_nothing_behind(
    folder, tmp_path, capsys, monkeypatch, error, reason
):
    def save(module, path, signatures):
        tf.io.gfile.makedirs(f"{path}/variables")
        raise error(None, None, f"{{{{node}}}} {path}/x; {reason} [Op:SaveV2]")

    monkeypatch.setattr(tf.saved_model, "save", save)
    out = tmp_path / "new" / "exported"
    assert main(["export", "--model", str(folder), "--out", str(out)]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"nmt: error: {out}: {reason}; what was there before is ")
    assert not list(tmp_path.iterdir())


def test_a_full_memory_is_not_taken_for_a_full_disk(folder, tmp_path, monkeypatch):
    def save(*_, **__):
        raise tf.errors.ResourceExhaustedError(None, None, "OOM when allocating tensor")

    monkeypatch.setattr(tf.saved_model, "save", save)
    with pytest.raises(tf.errors.ResourceExhaustedError):
        export_model(Translator.load(folder), tmp_path)


def test_a_folder_that_cannot_be_is_refused(folder, tmp_path, capsys):
    (tmp_path / "file").write_text("")
    out = tmp_path / "file" / "x"
    assert main(["export", "--model", str(folder), "--out", str(out)]) == 2
    assert "--out must be a folder" in capsys.readouterr().err
