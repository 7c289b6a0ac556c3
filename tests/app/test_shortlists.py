"""`--shortlist` of the commands: learnt from the training text, then kept."""

import shutil
from pathlib import Path

import pytest

from nmt.app.cli import main
from nmt.config import Config
from nmt.translation import Translator

MODEL = Path(__file__).parents[1] / "data/before_rooms/nmt_model"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    copy = tmp_path / "model"
    shutil.copytree(MODEL, copy)
    config = Config.load(copy / "config.json")
    config.replace(name="phrasebook", files=()).save(copy / "config.json")
    translator = Translator.load(copy)
    monkeypatch.setattr("nmt.app.inputs.load_translator", lambda *given: translator)
    return copy


def test_a_shortlist_is_learnt_once(folder, capsys):
    command = ["translate", "--model", str(folder), "the dog eats here ."]
    assert main(command) == 0
    plain = capsys.readouterr().out
    for message in ("learning a shortlist from", ""):
        assert main([*command, "--shortlist", "100000"]) == 0
        out, err = capsys.readouterr()
        assert out == plain
        assert ("learning a shortlist" in err) == bool(message)
    assert (folder / "shortlist.npz").is_file()


def test_what_was_streamed_has_none(folder, refused):
    config = Config.load(folder / "config.json").replace(streamed=True)
    config.save(folder / "config.json")
    command = ["translate", "--model", folder, "--shortlist", 100, "the dog"]
    assert "streamed and not kept. Leave --shortlist out." in refused(*command)


def test_the_folder_of_its_text_can_be_given(folder, refused, tmp_path):
    command = ["translate", "--model", folder, "the dog", "--data", tmp_path]
    assert "--data and --no-verify are for the text that --shortlist" in refused(
        *command
    )
    assert main([*map(str, command), "--shortlist", "100000"]) == 0
