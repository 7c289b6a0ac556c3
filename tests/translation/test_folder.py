"""Tests of `nmt.translation.folder`, and of what `Translator.load` refuses."""

import errno
import hashlib
import json
import os
import threading

import keras
import numpy as np
import pytest

from nmt.config import Config
from nmt.errors import UserError
from nmt.model.translation_model import TranslationModel
from nmt.text.vocabulary import Vocabulary
from nmt.training.checkpoint import save_weights
from nmt.translation import folder as folders
from nmt.translation.translator import Translator

CONFIG = Config().replace(
    vocabulary_size=40, embedding_size=8, units=8, attention_units=8
)
LINES = ["the dog runs", "a cat sleeps", "the red house"]
OTHER_LINES = ["my son sings", "one bird flies", "now he looks"]


def save(out, vocabulary, model):
    out.mkdir(exist_ok=True)
    CONFIG.save(out / "config.json")
    folders.write_model_file(out, "vocabulary.model", vocabulary.model)
    save_weights(out, model)


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    out = tmp_path_factory.mktemp("saved") / "model"
    vocabulary = Vocabulary.train(LINES, 40)
    keras.utils.set_random_seed(3)
    model = TranslationModel(CONFIG.model, len(vocabulary))
    save(out, vocabulary, model)
    return out, vocabulary, model


@pytest.fixture
def model_folder(saved, tmp_path):
    for path in saved[0].iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    return tmp_path


def test_weights_that_went_through_memory_are_the_same_to_the_last_bit(saved):
    out, _, model = saved
    loaded = Translator.load(out).model.get_weights()
    for one, other in zip(model.get_weights(), loaded, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("name", ["vocabulary.model", "model.weights.h5"])
def test_a_flipped_bit_is_told(model_folder, name):
    content = bytearray((model_folder / name).read_bytes())
    content[len(content) * 3 // 4] ^= 1
    (model_folder / name).write_bytes(content)
    with pytest.raises(UserError, match=f"{name} is damaged or of another model: chec"):
        Translator.load(model_folder)


def test_the_vocabulary_of_another_model_is_told(saved, model_folder):
    other = Vocabulary.train(OTHER_LINES, 40)
    assert len(other) == len(saved[1])
    (model_folder / "vocabulary.model").write_bytes(other.model)
    with pytest.raises(UserError, match="vocabulary.model is damaged or of another"):
        Translator.load(model_folder)
    (model_folder / "checksums.json").unlink()  # as in folders of earlier versions
    fewer = Vocabulary.train(OTHER_LINES, 36)
    (model_folder / "vocabulary.model").write_bytes(fewer.model)
    with pytest.raises(UserError, match="has 36 pieces, but .* with 40: it is the voc"):
        Translator.load(model_folder)


def test_killed_between_checksum_and_file_both_files_are_taken(
    saved, model_folder, monkeypatch
):
    old = (model_folder / "model.weights.h5").read_bytes()
    _, vocabulary, model = saved
    write_whole = folders.write_whole

    def killed(path, write):
        if path.name != "checksums.json":
            raise KeyboardInterrupt
        write_whole(path, write)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(folders, "write_whole", killed)
        folders.write_model_file(model_folder, "model.weights.h5", b"new")
    folders.check_model_file(model_folder, "model.weights.h5")
    for content in (b"newer", b"newest"):
        folders.write_model_file(model_folder, "model.weights.h5", content)
        folders.check_model_file(model_folder, "model.weights.h5")
    (model_folder / "model.weights.h5").write_bytes(old)
    with pytest.raises(UserError, match="is damaged or of another model"):
        folders.check_model_file(model_folder, "model.weights.h5")


def test_a_file_that_is_replaced_while_it_is_checked_is_good(model_folder, monkeypatch):
    read, replaced = folders.read_checksums, []

    def replaced_before(folder):
        if not replaced:
            replaced.append(folder)
            folders.write_model_file(folder, "model.weights.h5", b"new")
        return read(folder)

    monkeypatch.setattr(folders, "read_checksums", replaced_before)
    folders.check_model_file(model_folder, "model.weights.h5")
    assert replaced


def test_a_file_of_before_checksums_stays_good_until_it_is_replaced(
    model_folder, monkeypatch
):
    (model_folder / "checksums.json").unlink()
    monkeypatch.setattr(folders.Path, "write_bytes", lambda *_: 1 / 0)  # killed here
    with pytest.raises(ZeroDivisionError):
        folders.write_model_file(model_folder, "model.weights.h5", b"new")
    folders.check_model_file(model_folder, "model.weights.h5")


@pytest.mark.parametrize("number", [np.nan, np.inf])
def test_weights_that_are_not_finite_are_told(saved, tmp_path, number):
    _, vocabulary, model = saved
    before = np.asarray(model.output_bias)
    model.output_bias.assign(before + number)
    save(tmp_path, vocabulary, model)
    model.output_bias.assign(before)
    with pytest.raises(UserError, match="weights that are no finite numbers: its tr"):
        Translator.load(tmp_path)


def test_weights_that_cannot_be_read_are_not_called_missing_or_broken(model_folder):
    weights = model_folder / "model.weights.h5"
    weights.unlink()
    weights.mkdir()
    with pytest.raises(UserError, match="Cannot read .*weights.h5: Is a directory"):
        folders.read_folder(model_folder)
    weights.rmdir()
    weights.symlink_to(weights)
    with pytest.raises(UserError, match="Cannot read .*h5: Too many levels of symbol"):
        folders.read_folder(model_folder)
    weights.unlink()
    with pytest.raises(UserError, match="holds no weights yet"):
        folders.read_folder(model_folder)


@pytest.mark.parametrize(
    "content",
    ["{", "[]", "{}", '{"text": 1, "text_files": {}, "model_files": {}}'],
)
def test_broken_checksums_are_told(model_folder, content):
    (model_folder / "checksums.json").write_text(content)
    with pytest.raises(UserError, match="checksums.json is broken. Put it back"):
        folders.read_folder(model_folder)


def test_files_that_settings_name_are_opened_if_they_are_those_of_the_training(
    model_folder, monkeypatch
):
    text = model_folder / "text"
    text.write_text("a\tb\n")
    config = CONFIG.replace(files=(str(text), ""))

    def unreadable(path, *mode):
        if path == str(text):
            raise PermissionError(errno.EACCES, "Permission denied", path)
        return open(path, *mode)

    def refusal():
        with pytest.raises(UserError) as error:
            folders.check_text_files(model_folder, config, "Wait")
        assert " now. Wait, or give the `nmt train` command" in str(error.value)
        return str(error.value)

    # Settings that came from elsewhere name a file of the user's.
    unknown = refusal()
    assert "does not say what text" in unknown
    with folders.changing_checksums(model_folder) as sums:
        sums["text_files"] = folders.text_file_sums(config.corpus.files)
    folders.check_text_files(model_folder, config, "Wait")
    text.write_text("secret")
    # Whoever wrote the folder learns nothing of the file, nor whether there is one.
    assert refusal() == unknown
    text.unlink()
    assert refusal() == unknown
    os.mkfifo(text)  # never opened: that would wait for ever
    assert refusal() == unknown
    text.unlink()
    text.symlink_to("/dev/zero")
    assert refusal() == unknown
    text.unlink()
    text.write_text("a\tb\n")
    monkeypatch.setattr(folders, "open", unreadable, raising=False)
    assert refusal() == unknown


def test_folders_of_before_have_no_checksums_and_load(model_folder):
    before = Translator.load(model_folder)("the dog").text
    (model_folder / "checksums.json").unlink()
    assert Translator.load(model_folder)("the dog").text == before
    assert json.loads((model_folder / "config.json").read_text())["format"] == 1


def test_what_two_processes_write_at_once_is_listed_for_both(model_folder):
    pytest.importorskip("fcntl")
    begun, may_end = threading.Event(), threading.Event()

    def train():
        with folders.changing_checksums(model_folder) as sums:
            begun.set()
            may_end.wait(60)
            sums["model_files"]["model.weights.h5"] = ["new"]

    def learn():
        folders.write_model_file(model_folder, folders.LINKS_FILE, b"links")

    training, learning = (threading.Thread(target=each) for each in (train, learn))
    training.start()
    begun.wait(60)
    learning.start()
    learning.join(0.3)
    assert learning.is_alive()  # it waits for the other
    may_end.set()
    training.join(60)
    learning.join(60)
    listed = folders.read_checksums(model_folder)["model_files"]
    assert listed["model.weights.h5"] == ["new"]
    assert listed[folders.LINKS_FILE] == [hashlib.sha256(b"links").hexdigest()]


def test_settings_that_ask_for_more_than_the_weights_hold_are_told(model_folder):
    config = Config.load(model_folder / "config.json")
    for options in ({"units": 8192, "encoder_layers": 16}, {"embedding_size": 8192}):
        config.replace(**options).save(model_folder / "config.json")
        with pytest.raises(UserError, match="or is broken: it is too small. Put the"):
            Translator.load(model_folder)
