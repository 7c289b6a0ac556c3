"""Tests of a model that was trained by the command: what all commands do with it."""

import json
import os
import subprocess
import sys

import numpy as np
from small_training import TINY, write

from nmt.app.cli import main
from nmt.config import Config
from nmt.translation.folder import check_text_files


def test_a_trained_model_translates_and_is_scored(trained, capsys):
    assert main(["translate", "--model", str(trained), "My son sings here now."]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 1
    assert main(["evaluate", "--model", str(trained), "--beam", "2"]) == 0
    table = capsys.readouterr().out
    assert "simple en-es, raw text, test:" in table and "beam 2" in table
    for name in ("BLEU", "BLEU -lc", "chrF", "TER", "token accuracy", "entropy"):
        assert name in table
    command = ["evaluate", "--model", str(trained), "--split", "validation", "--json"]
    assert main(command) == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert json.loads(line)["split"] == "validation"


def test_a_trained_model_draws_and_tells_where_it_looked(trained, tmp_path, capsys):
    picture = tmp_path / "cat.svg"
    command = ["translate", "--model", str(trained), "The cat runs.", "--json"]
    assert main([*command, "--plot", str(picture), "--n-best", "2"]) == 0
    best, second = json.loads(capsys.readouterr().out)
    assert best["source"] == second["source"] == "The cat runs."
    for found in (best, second):
        weights = np.array(found["weights"])
        assert weights.shape == (
            len(found["target_tokens"]),
            len(found["source_tokens"]),
        )
        np.testing.assert_allclose(weights.sum(axis=1), 1, atol=1e-4)
    assert picture.read_text(encoding="utf-8").startswith("<?xml")


def test_a_trained_model_is_exported_as_pages(trained, tmp_path, capsys):
    out = tmp_path / "pages"
    command = ["serve", "--model", str(trained), "--beam", "2", "--export", str(out)]
    assert main([*command, "My son <b>sings</b>.", "The cat runs."]) == 0
    assert capsys.readouterr().out == f"wrote {out / 'index.html'}\n"
    assert {path.name for path in out.iterdir()} == {"1.html", "2.html", "index.html"}
    assert "&lt;b&gt;sings&lt;/b&gt;" in (out / "index.html").read_text("utf-8")
    text = write(tmp_path / "text", "A dog eats.", "", "A dog runs.")
    command[-1] = str(tmp_path / "more")
    assert main([*command, "--input", str(text)]) == 0
    assert len(list((tmp_path / "more").iterdir())) == 3


def test_the_same_command_says_that_training_was_finished(trained, pairs, capsys):
    command = ["train", str(pairs), "--source", "en", "--target", "es", *TINY]
    weights = trained / "model.weights.h5"
    before = weights.read_bytes()
    assert main([*command, "--out", str(trained)]) == 0
    assert "finished before" in capsys.readouterr().out
    assert weights.read_bytes() == before


def test_other_settings_are_refused_and_lose_nothing(trained, pairs, refused):
    before = {path: path.read_bytes() for path in trained.iterdir()}
    command = ["train", pairs, "--source", "en", "--target", "es", *TINY]
    line = refused(*command, "--units", "9", "--out", trained)
    assert "units is 8 there and 9 now" in line
    assert {path: path.read_bytes() for path in trained.iterdir()} == before


def test_files_of_a_model_that_changed_are_not_read(pairs, trained, refused, tmp_path):
    for path in trained.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    secret = write(tmp_path / "secret", "root:x:0", "more")
    config = Config.load(tmp_path / "config.json")
    config.replace(files=(str(secret),)).save(tmp_path / "config.json")
    line = refused("evaluate", "--model", tmp_path)
    assert "does not say what text" in line and "--source-file" in line
    moved = write(tmp_path / "moved.tsv", *pairs.read_text("utf-8").splitlines())
    command = ["train", str(moved), "--source", "en", "--target", "es", *TINY]
    assert main([*command, "--out", str(tmp_path)]) == 0
    assert Config.load(tmp_path / "config.json").corpus.files == (str(moved),)
    check_text_files(tmp_path, Config.load(tmp_path / "config.json"), "Wait")


def test_an_unknown_split_is_refused_with_those_that_there_are(trained, refused):
    line = refused("evaluate", "--model", trained, "--split", "best")
    assert "simple has no split 'best'. Known: train, validation, test" in line


def test_bad_input_is_told_without_a_wait_for_tensorflow(trained, pairs, tmp_path):
    for name in ("config.json", "vocabulary.model"):
        (tmp_path / name).write_bytes((trained / name).read_bytes())
    train = ["train", pairs, "--source", "en", "--target", "es", *TINY]
    complaints = {
        "has no split 'best'": ["evaluate", "--model", trained, "--split", "best"],
        "units is 8 there and 9": [*train, "--units", "9", "--out", trained],
        "holds no weights yet": ["translate", "--model", tmp_path, "a"],
    }
    commands = [list(map(str, command)) for command in complaints.values()]
    code = (
        "import sys\nfrom nmt.app.cli import main\n"
        f"for command in {commands!r}:\n    assert main(command) == 2\n"
        "assert 'nmt' in sys.modules\n"
        "assert not {'keras', 'keras_attention', 'tensorflow'} & set(sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    for complaint, line in zip(complaints, done.stderr.splitlines(), strict=True):
        assert complaint in line


def test_a_command_says_nothing_but_its_answer(trained):
    done = subprocess.run(
        [sys.executable, "-m", "nmt", "translate", "--model", trained, "A dog runs."],
        env={k: v for k, v in os.environ.items() if k != "TF_CPP_MIN_LOG_LEVEL"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert len(done.stdout.splitlines()) == 1
    # This model has learnt next to nothing, and says so.
    assert all(
        line.startswith("nmt: note: 1 of 1") for line in done.stderr.splitlines()
    )
