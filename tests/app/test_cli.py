"""Tests of the command line: what a user types, and what comes back."""

import io
import json
import os
import signal
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from nmt.app.cli import main, parser
from nmt.config import Config
from nmt.corpora.corpora import Corpus
from nmt.corpora.parallel import ParallelText
from nmt.errors import UserError
from nmt.presets import PRESETS
from nmt.translation.folder import check_text_files

HEAVY = {
    *("keras", "matplotlib", "numpy", "pooch", "sacrebleu", "sentencepiece"),
    *("tensorflow", "tensorflow_text", "tqdm"),
}
MODEL = Path(__file__).parents[1] / "data" / "before_rooms" / "nmt_model"
TINY = (
    *("--vocabulary-size", "60", "--embedding-size", "8", "--units", "8"),
    *("--attention-units", "8", "--epochs", "2", "--batch-tokens", "300"),
)


def write(path, *lines):
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


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


@pytest.mark.parametrize(
    "command",
    [
        *([], ["demo"], ["corpora"], ["train"], ["translate"], ["score"], ["align"]),
        *(["evaluate"], ["serve"]),
    ],
)
def test_help_loads_nothing_heavy(command):
    code = (
        "import sys\nfrom nmt.app.cli import main\n"
        f"status = main([*{command!r}, '--help'])\n"
        "print(*{name.partition('.')[0] for name in sys.modules})\n"
        "sys.exit(status)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    *said, loaded = done.stdout.splitlines()
    assert said[0].startswith(" ".join(["usage: nmt", *command]))
    assert not HEAVY & set(loaded.split())


def test_every_setting_has_its_flag_with_its_choices_in_the_help(capsys):
    assert main(["train", "--help"]) == 0
    told = " ".join(capsys.readouterr().out.split())
    for flag in ("--vocabulary-size", "--cell {gru,lstm}", "--max-minutes", "--seed"):
        assert flag in told
    assert "{previous,current,conditional}" in told
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


def test_one_line_goes_out_for_each_line_that_comes_in(shouter, stdin, capsys):
    stdin(b"one\n\ntwo\r\n   \nthree")
    assert main(["translate", "--model", "m"]) == 0
    assert capsys.readouterr().out == "ONE\n\nTWO\n\nTHREE\n"


def test_no_lines_give_no_lines(shouter, stdin, capsys):
    stdin(b"")
    assert main(["translate", "--model", "m"]) == 0
    assert capsys.readouterr().out == ""


def test_a_file_is_translated_like_standard_input(shouter, tmp_path, capsys):
    path = write(tmp_path / "text", "one", "", "two")
    assert main(["translate", "--model", "m", "--input", str(path)]) == 0
    assert capsys.readouterr().out == "ONE\n\nTWO\n"


def test_the_best_translations_are_numbered_by_their_lines(shouter, stdin, capsys):
    stdin(b"one\n\ntwo\n")
    assert main(["translate", "--model", "m", "--n-best", "2", "--beam", "3"]) == 0
    one, two = ["1\t-1.0000\tONE"] * 2, ["3\t-1.0000\tTWO"] * 2
    assert capsys.readouterr().out.splitlines() == [*one, "", *two]


def test_options_of_the_search_reach_it(shouter):
    command = ["translate", "--model", "m", "a"]
    assert main([*command, "--beam", "7", "--length-penalty", "0.5"]) == 0
    assert main([*command, "--coverage-penalty", "0", "--prefix", "El"]) == 0
    sampling = ["--sample", "--temperature", "0.7", "--top-k", "9", "--seed", "3"]
    assert main([*command, *sampling]) == 0
    assert shouter.searches[:2] == [
        {"beam_size": 7, "length_penalty": 0.5},
        {"coverage_penalty": 0.0, "prefix": "El"},
    ]
    assert shouter.searches[2].items() >= {
        ("sample", True),
        ("temperature", 0.7),
        ("top_k", 9),
    }


def test_several_pictures_are_numbered_by_their_lines(shouter, stdin, tmp_path, capsys):
    stdin(b"one\n\ntwo\n")
    picture = tmp_path / "look.svg"
    assert main(["translate", "--model", "m", "--plot", str(picture)]) == 0
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {
        "look-1.svg": "one",
        "look-3.svg": "two",
    }
    told = capsys.readouterr()
    assert told.out == "ONE\n\nTWO\n"
    assert "look-3.svg" in told.err


def test_one_picture_keeps_its_name(shouter, tmp_path):
    picture = tmp_path / "look.PNG"
    assert main(["translate", "--model", "m", "one", "--plot", str(picture)]) == 0
    assert picture.read_text() == "one"


def test_a_dash_draws_in_the_terminal_after_each_translation(shouter, stdin, capsys):
    stdin(b"one\n\ntwo\n")
    assert main(["translate", "--model", "m", "--plot", "-"]) == 0
    assert capsys.readouterr() == ("ONE\n[one]\n\nTWO\n[two]\n", "")
    assert main(["translate", "--model", "m", "--plot=-", "--n-best=2", "one"]) == 0
    out, _ = capsys.readouterr()
    assert out.splitlines() == ["1\t-1.0000\tONE", "1\t-1.0000\tONE", "[one]"]


def test_without_attention_there_is_nothing_to_draw(refused, tmp_path):
    Config().replace(attention="none").save(tmp_path / "config.json")
    picture = tmp_path / "x.svg"
    for plot in (picture, "-"):
        line = refused("translate", "--model", tmp_path, "a", "--plot", plot)
        assert "model without attention" in line
    assert not picture.exists()
    line = refused("serve", "--model", tmp_path)
    assert "model without attention" in line
    line = refused("serve", "--model", tmp_path, "--export", tmp_path / "pages", "a")
    assert "model without attention" in line
    assert not (tmp_path / "pages").exists()


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


def test_corpora_are_listed_with_what_is_on_disk(tmp_path, capsys):
    assert main(["corpora", "--data", str(tmp_path)]) == 0
    table = capsys.readouterr().out
    assert "multi30k" in table and "0 of 15 files" in table
    assert "phrasebook" in table and "built in" in table
    assert "CC BY 2.0" in table


@pytest.mark.parametrize(
    ("command", "complaint"),
    [
        ("", "required: COMMAND. See: nmt --help"),
        ("fly", "invalid choice: 'fly'"),
        ("train --fly", "unrecognized arguments: --fly. See: nmt train --help"),
        ("train", "no text to train on. Give the name of a corpus"),
        ("train nothing", "unknown corpus 'nothing'. Known corpora: "),
        ("train multi30k --source xx", "multi30k has no language 'xx'. Known: "),
        ("train spa-eng --text tok", "spa-eng has no text 'tok', only raw"),
        ("train spa-eng --train-source a", "both CORPUS (spa-eng) and files"),
        ("train --train-source a", "--train-target"),
        ("train missing.tsv", "missing.tsv. Check the path."),
        ("train --train-source no --train-target no", "Check the path."),
        ("train missing.tsv --text tok", "--text tok is for public corpora"),
        ("train multi30k --cell rnn", "argument --cell: invalid choice: 'rnn'"),
        ("train multi30k --units many", "argument --units: invalid int value: 'many'"),
        ("train multi30k --units 0", "--units must be at least 1; got 0."),
        ("train multi30k --units 9" + 400 * "0", "--units must be at most 8192; got 9"),
        ("train multi30k --encoder-layers 17", "--encoder-layers must be at most 16"),
        ("train multi30k --learning-rate 1e999", "--learning-rate must be finite; got"),
        ("train multi30k --epochs 0", "--epochs must be at least 1; got 0."),
        (
            "train multi30k --position rotary --embedding-size 6",
            "--embedding-size / --num-heads must be even with --position rotary; got 6",
        ),
        ("train --config none.json", "There is no file none.json. Check the path."),
        ("train --config .", "Cannot read .: Is a directory. Expected an object with"),
        ("train multi30k --dropout nan", "--dropout must be at least 0; got nan."),
        ("train multi30k --seed -1", "--seed must be at least 0; got -1."),
        ("train multi30k --seed 4294967296", "--seed must be less than 4294967296"),
        ("train multi30k --clip-norm inf", "--clip-norm must be finite; got inf."),
        ("train multi30k --text html", "argument --text: invalid choice: 'html'"),
        ("train multi30k --preset huge", "argument --preset: invalid choice: 'huge'"),
        ("train multi30k --picture-of=", "--picture-of is empty"),
        ("train multi30k --pictures --attention none", "has nothing to draw. Leave"),
        ("translate a", "the following arguments are required: --model"),
        ("translate --model nowhere a", "There is no folder nowhere"),
        ("evaluate --model nowhere", "There is no folder nowhere"),
        ("translate --model m a --input f", "both TEXT and --input were given"),
        ("translate --model m --input f", "no file f. Check the path."),
        ("translate --model m --input .", "is a folder. Expected a text file."),
        ("translate --model m a --beam 0", "must be a whole number from 1 to 200"),
        ("translate --model m a --beam x", "must be a whole number from 1 to 200"),
        ("translate --model m a --n-best 6", "at most --beam. Got --n-best 6 and"),
        ("translate --model m a --top-k 3", "--top-k needs --sample"),
        ("translate --model m a --sample --beam 2", "--beam has no use with --sample"),
        ("translate --model m a --sample --n-best 2", "--n-best has no use with"),
        ("translate --model m a --sample --temperature 0", "must be a number above 0"),
        ("translate --model m a --length-penalty nan", "must be a number from 0 to 10"),
        ("translate --model m a --length-penalty 11", "must be a number from 0 to 10"),
        ("translate --model m a --coverage-penalty -1", "a number from 0 to 1000"),
        ("translate --model m a --plot x.gif", "must end in .png, .svg, .pdf, .html."),
        ("translate --model m a --plot x", "must end in .png, .svg, .pdf, .html."),
        ("translate --model m a --plot - --json", "--plot - and --json both write"),
        ("serve", "the following arguments are required: --model"),
        ("serve --model nowhere", "There is no folder nowhere"),
        ("serve --model nowhere --export x a", "There is no folder nowhere"),
        ("serve --model m --port 65536", "a whole number from 0 to 65535"),
        ("serve --model m --beam 21", "--beam must be at most 20 here. Got: 21."),
        ("serve --model m a", "TEXT and --input are for --export"),
        ("serve --model m --input f", "TEXT and --input are for --export"),
        ("serve --model m --export x --port 1", "--port has no use with --export"),
    ],
)
def test_bad_use_is_one_line_and_status_2(
    command, complaint, refused, monkeypatch, tmp_path
):
    monkeypatch.chdir(tmp_path)
    assert complaint in refused(*command.split())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("text", ["", "  "])
def test_an_empty_argument_to_translate_is_refused(text, refused):
    line = refused("translate", "--model", "m", "good", text)
    assert "argument 2 to translate is empty" in line


def test_a_beginning_that_is_not_utf8_is_refused(refused):
    line = refused("translate", "--model", "m", "a", "--prefix", "caf\udce9")
    assert line == "--prefix is not UTF-8. Set the terminal to UTF-8."


def test_a_closed_standard_input_is_told(refused, monkeypatch):
    monkeypatch.setattr("sys.stdin", None)
    assert "standard input is closed" in refused("translate", "--model", "m")


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


def test_a_folder_that_is_no_model_is_refused(refused, tmp_path):
    assert "config.json" in refused("translate", "--model", tmp_path, "a")
    assert "config.json" in refused("evaluate", "--model", tmp_path)


def test_a_model_of_another_version_is_refused(refused, tmp_path):
    Config().save(tmp_path / "config.json")
    text = (tmp_path / "config.json").read_text().replace('"format": 1', '"format": 99')
    (tmp_path / "config.json").write_text(text)
    assert "format 99" in refused("translate", "--model", tmp_path, "a")


def test_a_file_in_the_place_of_a_model_folder_is_refused(refused, tmp_path, pairs):
    path = write(tmp_path / "taken", "text")
    assert "--out must be a folder" in refused("train", pairs, "--out", path)
    assert "--out must be a folder" in refused("demo", "--out", path)
    line = refused("train", pairs, "--tensorboard", path)
    assert "--tensorboard must be a folder" in line
    assert f"but {path} is a file" in refused("demo", "--out", path / "in" / "it")
    assert f"but {path} is a file" in refused(
        "translate", "--model", "m", "a", "--plot", path / "x.svg"
    )
    assert path.read_text() == "text\n"


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


def test_a_message_of_several_lines_becomes_one(monkeypatch, refused):
    def fail(args):
        raise UserError("first\n  second")

    monkeypatch.setattr("nmt.app.commands.demo.run", fail)
    assert refused("demo") == "first second"


def test_control_characters_of_an_error_do_not_reach_the_terminal(refused, tmp_path):
    line = refused("translate", "--model", tmp_path / "\x1b[2J\x9bx", "a")
    assert r"\x1b[2J\x9bx" in line and line.isprintable()
    write(tmp_path / "a\x07.tsv", *(f"word {i}\twort {i}" for i in range(40)))
    line = refused("train", tmp_path / "a\x07.tsv", "--out", tmp_path / "out")
    assert "must be without control characters; got 'a\\x07'" in line


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
    check_text_files(tmp_path, Config.load(tmp_path / "config.json"))


def test_a_failure_of_the_system_is_one_line_and_status_1(monkeypatch, capsys):
    def fail(args):
        raise PermissionError(13, "Permission denied", "/locked/x")

    monkeypatch.setattr("nmt.app.commands.demo.run", fail)
    assert main(["demo"]) == 1
    assert capsys.readouterr().err == "nmt: error: /locked/x: Permission denied.\n"


@pytest.mark.parametrize(("command", "resumes"), [("demo", True), ("corpora", False)])
def test_an_interrupt_ends_in_one_line(monkeypatch, capsys, command, resumes):
    def interrupt(args):
        raise KeyboardInterrupt

    monkeypatch.setattr(f"nmt.app.commands.{command}.run", interrupt)
    assert main([command]) == 130
    (line,) = capsys.readouterr().err.split("\n", 1)[1].splitlines()
    assert line.startswith("nmt: interrupted.")
    assert ("goes on" in line) == resumes


def test_a_command_that_is_told_to_end_ends_as_by_ctrl_c(monkeypatch, capsys):
    cleaned = []

    def work(args):
        try:
            signal.raise_signal(signal.SIGTERM)
        finally:
            cleaned.append(True)

    monkeypatch.setattr("nmt.app.commands.demo.run", work)
    before = signal.getsignal(signal.SIGTERM)
    assert main(["demo"]) == 130
    assert cleaned and signal.getsignal(signal.SIGTERM) == before
    assert "nmt: interrupted." in capsys.readouterr().err


@pytest.mark.parametrize(
    "kind", [MemoryError, type("ResourceExhaustedError", (Exception,), {})]
)
def test_too_little_memory_is_one_line_and_status_1(monkeypatch, capsys, kind):
    def work(args):
        raise kind("many\nlines")

    monkeypatch.setattr("nmt.app.commands.demo.run", work)
    assert main(["demo"]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("nmt: error: not enough memory. Try a smaller --beam")


def test_a_log_gets_each_line_when_it_is_told(monkeypatch):
    log, seen = io.BytesIO(), []

    def work(args):
        print("epoch 1")
        seen.append(log.getvalue())

    monkeypatch.setattr("nmt.app.commands.demo.run", work)
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(log, encoding="utf-8"))
    assert main(["demo"]) == 0
    assert seen == [b"epoch 1\n"]


@pytest.mark.skipif(not hasattr(signal, "SIGPIPE"), reason="needs POSIX pipes")
def test_a_reader_that_goes_away_is_no_error_message():
    read, write_end = os.pipe()
    os.close(read)
    done = subprocess.run(
        [sys.executable, "-m", "nmt", "corpora", "--data", "."],
        stdout=write_end,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    os.close(write_end)
    assert (done.returncode, done.stderr) == (1, "")


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


def test_the_parser_takes_no_shortened_flags():
    with pytest.raises(UserError, match="unrecognized arguments: --uni"):
        parser().parse_args(["train", "multi30k", "--uni", "3"])


@pytest.mark.parametrize("epsilon", [1e-7, "none"])
def test_what_keras_json_says_is_for_other_programs(tmp_path, epsilon):
    settings = {"backend": "jax", "floatx": "float16", "epsilon": epsilon}
    (tmp_path / "keras.json").write_text(json.dumps(settings))
    code = (
        "import os\n"
        "from nmt.app.tensorflow_import import import_tensorflow\n"
        "import_tensorflow()\nimport keras\n"
        "print(keras.config.backend(), keras.config.dtype_policy().name)\n"
        "print(os.environ['KERAS_HOME'])\n"
    )
    env = {key: value for key, value in os.environ.items() if key != "KERAS_BACKEND"}
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**env, "KERAS_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == f"tensorflow float32\n{tmp_path}\n"
    assert json.loads((tmp_path / "keras.json").read_text()) == settings


def test_another_keras_backend_is_told(monkeypatch, capsys, tmp_path):
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    assert main(["demo", "--out", str(tmp_path / "demo")]) == 2
    assert "KERAS_BACKEND is 'jax', but nmt runs on TensorFlow" in (
        capsys.readouterr().err
    )


def test_the_version_is_that_of_the_package(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"nmt {version('keras-attention-nmt')}\n"
