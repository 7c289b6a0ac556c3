import dataclasses
import json

import pytest

from nmt.config import SECTIONS, Config, read_settings
from nmt.errors import UserError
from nmt.presets import PRESETS


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
        ("max_pieces", 1025, "max_pieces must be at most 1024; got 1025"),
        ("units", 10**400, r"units must be at most 8192; got 10+... .401 characters"),
        ("learning_rate", 10**400, "learning_rate must be at most 1000; got 1000"),
        ("encoder_layers", 17, "encoder_layers must be at most 16; got 17"),
        ("num_heads", 129, "num_heads must be at most 128; got 129"),
        ("vocabulary_size", 10**7, "vocabulary_size must be at most 1000000; got"),
        ("source", "\ud800", r"source must be without control"),
        ("source", "e\x1b[2Jn", r"source must be without control .* got 'e.x1b.2Jn'"),
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
        (
            lambda c: c["model"].update(units=10**9),
            "config.json: units must be at most 8192; got 1000000000",
        ),
        (
            lambda c: c["model"].update(
                encoder="self-attention", position="rotary", embedding_size=6
            ),
            "config.json: num_heads must be even with .*; got 6 / 4 = 1",
        ),
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


def test_every_number_has_a_limit():
    for section in SECTIONS.values():
        for option in dataclasses.fields(section):
            if option.type in (int, float):
                limits = option.metadata
                assert limits["least"] is not None
                assert limits["most"] is not None or limits["below"] is not None


def test_a_file_in_the_place_of_a_folder_is_told(tmp_path):
    (tmp_path / "model").touch()
    with pytest.raises(UserError, match="model is a file. Expected a folder that"):
        Config.load(tmp_path / "model/config.json")


def test_any_part_of_the_settings_is_read_from_a_file(tmp_path):
    path = tmp_path / "some.json"
    path.write_text('{"model": {"units": 9}, "training": {}}')
    assert read_settings(path) == {"units": 9}
    PRESETS["demo"].save(path)
    assert Config().replace(**read_settings(path)) == PRESETS["demo"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[]", "some.json holds no settings of a model. Expected an object with"),
        ('{"modell": {}}', r"some.json has sections \['modell'\]. Expected"),
        ('{"model": 3}', "some.json: model must be an object; got 3"),
        ('{"model": {"unit": 3}}', r"unknown settings \['unit'\] in model. Known: "),
        ('{"model": {"units": 0}}', "some.json: units must be at least 1; got 0"),
        ('{"format": 2}', "some.json has format 2; this version"),
    ],
)
def test_wrong_settings_of_a_file_are_told(tmp_path, content, message):
    path = tmp_path / "some.json"
    path.write_text(content)
    with pytest.raises(UserError, match=message):
        read_settings(path)
    with pytest.raises(UserError, match="There is no file .*none.json. Check the path"):
        read_settings(tmp_path / "none.json")


def test_settings_with_any_damaged_byte_are_loaded_or_told(tmp_path):
    path = tmp_path / "config.json"
    Config().save(path)
    sound, told = path.read_bytes(), 0
    for place in range(400):
        for mask in (1, 255):
            damaged = bytearray(sound)
            damaged[place] ^= mask
            path.write_bytes(damaged)
            try:
                Config.load(path)
            except UserError as error:
                told += 1
                assert len(str(error).splitlines()) == 1
    assert told > 300
