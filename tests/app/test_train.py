"""Tests of `nmt train`: settings, and text that it can or cannot train on."""

import json
import os
from pathlib import Path
from types import SimpleNamespace

import pytest
from small_training import MODEL, TINY, write

from nmt.app.cli import main
from nmt.config import Config
from nmt.corpora.corpora import Corpus
from nmt.corpora.parallel import ParallelText
from nmt.presets import PRESETS


def test_every_setting_has_its_flag_with_its_choices_in_the_help(capsys):
    assert main(["train", "--help"]) == 0
    told = " ".join(capsys.readouterr().out.split())
    for flag in ("--vocabulary-size", "--cell {gru,lstm}", "--max-minutes", "--seed"):
        assert flag in told
    assert "{previous,current,conditional}" in told
    of_base = told.split(" --attend-embeddings, ")[1].split("(default: ")[1]
    assert of_base.startswith("yes)")  # of the class it is "no"
    for part in ("train", "validation", "test"):
        assert f"--{part}-source FILE" in told and f"--{part}-target FILE" in told


@pytest.mark.parametrize(
    ("name", "preset"),
    [("multi30k", "base"), ("spa-eng", "short"), ("phrasebook", "demo")],
)
def test_a_corpus_is_trained_on_with_the_preset_made_for_it(monkeypatch, name, preset):
    text = ParallelText(("a",), ("b",))
    corpus = Corpus(name, "en", "es", "raw", {"train": text, "validation": text})
    asked = []
    monkeypatch.setattr("nmt.app.inputs.load", lambda *_: corpus)
    monkeypatch.setattr(
        "nmt.training.train",
        lambda corpus, config, out, picture_of, **_: asked.append(config),
    )
    for choice in ([], ["--preset", "base"]):
        assert main(["train", name, "--out", "folder", *choice]) == 0
    made_for, chosen = asked
    assert made_for.training == PRESETS[preset].training
    assert made_for.model == PRESETS[preset].model
    assert chosen.training == PRESETS["base"].training


def test_a_worker_that_is_not_the_chief_needs_no_folder(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr("nmt.training.train", lambda *_, **__: None)
    (tmp_path / "file").touch()
    command = ["train", "phrasebook", "--out", str(tmp_path / "file" / "model")]
    for number, status in ((0, 2), (1, 0)):
        task = {"type": "worker", "index": number}
        addresses = {"worker": ["127.0.0.1:9001", "127.0.0.1:9002"]}
        cluster = json.dumps({"cluster": addresses, "task": task})
        monkeypatch.setenv("TF_CONFIG", cluster)
        assert main(command) == status
        assert ("--out must be a folder" in capsys.readouterr().err) == bool(status)


def test_a_file_named_like_a_corpus_is_trained_on_as_any_file(monkeypatch, tmp_path):
    asked = []
    monkeypatch.setattr(
        "nmt.training.train",
        lambda corpus, config, out, picture_of, **_: asked.append(config),
    )
    monkeypatch.chdir(tmp_path)
    lines = [f"word {i}\twort {i}\n" for i in range(40)]
    Path("phrasebook").write_text("".join(lines), "utf-8")
    assert main(["train", "phrasebook", "--out", "folder"]) == 0
    assert asked[0].training == PRESETS["base"].training


def test_settings_that_are_not_given_are_those_of_the_preset(monkeypatch, pairs):
    asked = []
    monkeypatch.setattr(
        "nmt.training.train",
        lambda corpus, config, out, picture_of, **_: asked.append((config, out)),
    )
    command = [
        "train",
        str(pairs),
        "--preset",
        "demo",
        "--units",
        "5",
        "--cell",
        "lstm",
    ]
    bools = ["--deterministic", "--no-input-feeding"]
    assert main([*command, "--out", "folder", *bools]) == 0
    ((config, out),) = asked
    assert out == Path("folder")
    wanted = PRESETS["demo"].replace(
        units=5, cell="lstm", deterministic=True, input_feeding=False
    )
    assert (config.model, config.training) == (wanted.model, wanted.training)
    assert config.vocabulary == wanted.vocabulary
    assert (config.corpus.name, config.corpus.files) == ("simple", (str(pairs),))


@pytest.fixture
def asked(monkeypatch):
    """The settings that trainings are begun with, in place of these trainings."""
    configs = []
    monkeypatch.setattr(
        "nmt.training.train",
        lambda corpus, config, out, picture_of, **_: configs.append(config),
    )
    return configs


def test_settings_come_from_a_file_before_the_preset_and_after_the_flags(
    asked, pairs, tmp_path
):
    path = write(tmp_path / "some.json", '{"model": {"units": 7, "cell": "lstm"}}')
    command = ["train", str(pairs), "--config", str(path), "--out", "folder"]
    assert main([*command, "--preset", "demo", "--units", "5"]) == 0
    wanted = PRESETS["demo"].replace(units=5, cell="lstm")
    assert (asked[0].model, asked[0].training) == (wanted.model, wanted.training)
    assert main(["train", "phrasebook", *command[2:]]) == 0
    assert asked[1].training == PRESETS["demo"].training


def test_settings_of_a_file_have_to_fit_those_that_are_given_too(
    asked, pairs, tmp_path, refused, capsys
):
    # With 256, the size of the preset, a head would have an odd size.
    path = write(
        tmp_path / "some.json",
        '{"model": {"encoder": "self-attention", "position": "rotary"}}',
    )
    command = ["train", str(pairs), "--config", str(path), "--out", "folder"]
    command += ["--num-heads", "3"]
    assert main([*command, "--embedding-size", "192"]) == 0
    assert asked[0].model.position == "rotary"
    capsys.readouterr()
    told = f"--embedding-size / --num-heads must be even with {path}: position rotary"
    assert told in refused(*command)


def test_the_settings_of_a_model_train_another_of_its_kind(
    asked, pairs, tmp_path, refused, capsys
):
    model = PRESETS["demo"].replace(name="phrasebook", source="es", target="en")
    model.save(tmp_path / "config.json")
    command = ["train", "--config", str(tmp_path / "config.json"), "--out", "folder"]
    assert main(command) == 0
    assert main([*command, "--epochs", "9", "--source", "en", "--target", "es"]) == 0
    assert asked == [model, model.replace(epochs=9, source="en", target="es")]
    capsys.readouterr()
    # Files are those of whoever wrote the settings.
    model.replace(files=("/etc/passwd",), name="own").save(tmp_path / "config.json")
    assert "local files, which are not opened because" in refused(*command)
    assert main([*command, str(pairs)]) == 0
    assert asked[2].corpus.files == (str(pairs),)
    # So are the languages: they are those of its own text.
    assert (asked[2].corpus.source, asked[2].corpus.target) == ("source", "target")
    assert asked[2].model == model.model
    model.replace(text="tok").save(tmp_path / "config.json")
    assert main([*command, "phrasebook", "--source", "es"]) == 0
    assert asked[3].corpus == model.replace(text="raw").corpus


def test_settings_name_no_file_that_is_opened(
    asked, pairs, tmp_path, refused, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "diary", *pairs.read_text("utf-8").splitlines())
    for name in (str(pairs), "diary", "none.tsv", "/dev/zero", ""):
        Config().replace(name=name).save(tmp_path / "config.json")
        told = refused("train", "--config", "config.json", "--out", "folder")
        assert "which is none of the corpora that nmt has: multi30k" in told
    # Even one that has the name of a corpus: on the command line it would be meant.
    (tmp_path / "diary").rename(tmp_path / "phrasebook")
    Config().save(tmp_path / "config.json")
    assert main(["train", "--config", "config.json", "--out", "folder"]) == 0
    assert (asked[0].corpus, asked[0].corpus.files) == (Config().corpus, ())


def test_a_training_from_a_model_has_its_settings_and_languages(asked, pairs, tmp_path):
    command = ["train", str(pairs), "--from", str(MODEL), "--out", str(tmp_path / "x")]
    assert main([*command, "--epochs", "2", "--dropout", "0.3"]) == 0
    config = Config.load(MODEL / "config.json").replace(epochs=2, dropout=0.3)
    assert asked[0] == config.replace(name="simple", files=(str(pairs),))
    more = write(tmp_path / "some.json", '{"vocabulary": {"vocabulary_size": 50}}')
    command += ["--config", str(more), "--source", "it", "--new-vocabulary"]
    assert main(command) == 0
    assert asked[1].vocabulary.vocabulary_size == 50
    assert (asked[1].corpus.source, asked[1].corpus.target) == ("it", "es")


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        ([], None),
        (["--pictures"], ""),
        (["--picture-of", "A cat."], "A cat."),
        (["--pictures", "--picture-of", "A cat."], "A cat."),
    ],
)
def test_pictures_while_training_are_asked_for(monkeypatch, pairs, options, wanted):
    asked = []
    monkeypatch.setattr(
        "nmt.training.train",
        lambda corpus, config, out, picture_of, **_: asked.append(picture_of),
    )
    assert main(["train", str(pairs), "--out", "folder", *options]) == 0
    assert asked == [wanted]


def test_a_model_folder_is_named_after_corpus_and_languages(
    monkeypatch, tmp_path, pairs
):
    monkeypatch.chdir(tmp_path)
    asked = []
    monkeypatch.setattr(
        "nmt.training.train",
        lambda corpus, config, out, picture_of, **_: asked.append(out),
    )
    assert main(["train", str(pairs), "--source", "en", "--target", "es"]) == 0
    assert asked == [Path("models/simple-en-es")]


@pytest.mark.skipif(os.name != "posix", reason="modes are a matter of POSIX")
def test_a_folder_that_may_not_be_written_is_refused_at_once(refused, tmp_path, pairs):
    tmp_path.chmod(0o555)
    if os.access(tmp_path, os.W_OK):
        tmp_path.chmod(0o755)
        pytest.skip("nothing is read-only to this user")
    line = refused("train", pairs, "--out", tmp_path / "model")
    tmp_path.chmod(0o755)
    assert "--out cannot be written: this user may not write in" in line


def test_training_text_that_cannot_be_used_is_refused(refused, tmp_path):
    three, two = write(tmp_path / "a", *"abc"), write(tmp_path / "b", *"xy")
    empty, broken = write(tmp_path / "empty"), tmp_path / "broken"
    broken.write_bytes(b"a\nb\nc\xc3\n")
    out = tmp_path / "out"

    def complaint(source, target):
        command = ["train", "--train-source", source, "--train-target", target]
        return refused(*command, "--out", out)

    assert "a has 3 lines, but" in complaint(three, two)
    assert "empty is empty." in complaint(empty, three)
    assert "broken, line 3: byte 0xc3" in complaint(three, broken)
    assert not out.exists()


def test_tensorflow_is_loaded_as_always_before_it_opens_the_text(monkeypatch):
    class Stop(Exception):
        pass

    def stop(device):
        raise Stop

    monkeypatch.setattr("nmt.app.commands.train.import_tensorflow", stop)
    monkeypatch.setattr("nmt.app.commands.train.stream_files", pytest.fail)
    command = ["train", "--stream", "--epoch-steps", "9", "--train-source", "gs://b/a"]
    with pytest.raises(Stop):
        main([*command, "--train-target", "b.de"])


def test_text_is_streamed_or_it_is_told_what_that_needs(
    pairs, refused, tmp_path, capsys
):
    rows = [line.split("\t") for line in pairs.read_text("utf-8").splitlines()]
    for side, name in enumerate(("source", "target")):
        lines = [row[side] for row in rows]
        write(tmp_path / f"part-1.{name}", *lines[:150])
        write(tmp_path / f"part-2.{name}", *lines[150:])
        write(tmp_path / f"valid.{name}", *lines[:5])
    sides = ("source", "target")
    train = [f"--train-{side}={tmp_path}/part-*.{side}" for side in sides]
    valid = [f"--validation-{side}={tmp_path}/valid.{side}" for side in sides]
    out = tmp_path / "out"
    command = ["train", "--stream", *train, "--out", str(out), *TINY]
    assert "--stream needs --epoch-steps" in refused(*command)
    command += ["--epoch-steps", "3"]
    assert "--stream needs --train-source" in refused(*command[:2])
    assert "Give --validation-source and" in refused(*command)
    test = [f"--test-{side}={tmp_path}/valid.{side}" for side in sides]
    assert "have no use with --stream" in refused(*command, *valid, *test)
    assert not out.exists()
    assert main([*command, *valid]) == 0
    assert "train those of 2 files, validation 5;" in capsys.readouterr().out
    assert json.loads((out / "history.json").read_text())[-1]["steps"] == 6
    line = refused("evaluate", "--model", out)
    assert "was trained on text that was streamed" in line


def test_a_checksum_that_does_not_match_is_refused_and_the_file_kept(
    refused, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    data = tmp_path / "data"
    data.mkdir()
    (data / "spa-eng.zip").write_bytes(b"no archive")
    assert "spa-eng.zip" in refused("train", "spa-eng", "--data", data)
    assert (data / "spa-eng.zip").read_bytes() == b"no archive"
    assert not (tmp_path / "models").exists()


def test_without_a_network_it_is_told_where_a_file_may_be_put(
    capsys, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")  # nobody listens there
    monkeypatch.setattr("pooch.core.time", SimpleNamespace(sleep=lambda seconds: None))
    assert main(["train", "multi30k", "--data", str(tmp_path / "data")]) == 2
    line = capsys.readouterr().err.splitlines()[-1]
    assert "no connection to https://" in line and "put the file at" in line
    assert not list(tmp_path.iterdir())
