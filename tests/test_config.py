import json

import pytest

from nmt.config import PRESETS, Config
from nmt.errors import UserError


def test_settings_come_back_from_a_file(tmp_path):
    # The second file has a name that is not UTF-8.
    config = PRESETS["demo"].replace(name="ñ", files=("a", "\udcff"), dropout=0.25)
    config.save(tmp_path / "config.json")
    assert Config.load(tmp_path / "config.json") == config
    assert [path.name for path in tmp_path.iterdir()] == ["config.json"]


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("order", "after", "order must be one of previous, current, conditional"),
        ("units", 0, "units must be at least 1; got 0"),
        ("units", 2.5, "units must be of type int; got 2.5"),
        ("dropout", 1.0, "dropout must be less than 1; got 1.0"),
        ("dropout", "much", "dropout must be of type float; got 'much'"),
        ("epochs", True, "epochs must be of type int; got True"),
        ("learning_rate", float("inf"), "learning_rate must be finite; got inf"),
        ("max_pieces", 1025, "max_pieces must be less than 1025; got 1025"),
        ("seed", 2**32, "seed must be less than 4294967296"),
        ("deterministic", 1, "deterministic must be of type bool; got 1"),
    ],
)
def test_a_wrong_value_is_told(option, value, message):
    with pytest.raises(UserError, match=message):
        Config().replace(**{option: value})


def test_an_unknown_option_is_told():
    with pytest.raises(UserError, match=r"Unknown options \['unit'\]; known are"):
        Config().replace(unit=3)


def test_a_file_that_holds_no_settings_is_told(tmp_path):
    path = tmp_path / "config.json"
    with pytest.raises(UserError, match="is no folder of a model: it holds no"):
        Config.load(path)
    path.write_text("{")
    with pytest.raises(UserError, match="is not valid JSON"):
        Config.load(path)
    path.write_text("[1]")
    with pytest.raises(UserError, match="holds no settings of a model"):
        Config.load(path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c.update(format=99), "has format 99; this version of nmt reads"),
        (lambda c: c.update(more={}), "has sections .*'more'"),
        (lambda c: c["model"].update(colour=1), r"unknown settings \['colour'\]"),
        (lambda c: c.update(model=[{}]), "config.json: model must be an object"),
        (lambda c: c["corpus"].update(files=3), "files must be of type tuple; got 3"),
        (lambda c: c["model"].update(units=-1), "units must be at least 1; got -1"),
    ],
)
def test_a_changed_file_is_told(tmp_path, change, message):
    path = tmp_path / "config.json"
    Config().save(path)
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))
    with pytest.raises(UserError, match=message):
        Config.load(path)


def test_an_option_that_came_after_a_model_stands_at_its_default(tmp_path):
    path = tmp_path / "config.json"
    Config().replace(units=9).save(path)
    content = json.loads(path.read_text())
    del content["model"]["input_feeding"]
    path.write_text(json.dumps(content))
    assert Config.load(path) == Config().replace(units=9)
