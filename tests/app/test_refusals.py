"""Tests of bad use: each is one line that says what is wrong, and status 2."""

import pytest
from small_training import write

from nmt.config import Config


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
            "train x --encoder self-attention --position rotary --embedding-size 6",
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
