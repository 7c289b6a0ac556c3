"""Tests of `nmt.translation.weights`: files that are damaged, or made to be read."""

from pathlib import Path

import h5py
import keras
import numpy as np
import pytest

from nmt.config import Config
from nmt.errors import UserError
from nmt.model.translation_model import TranslationModel
from nmt.text.vocabulary import Vocabulary
from nmt.translation.weights import check_weights, load_weights

MODEL = Path(__file__).parents[1] / "data" / "before_rooms" / "nmt_model"
WEIGHTS = MODEL / "model.weights.h5"
PIECES = 5


@pytest.fixture(scope="module")
def vocabulary():
    return Vocabulary.load(MODEL / "vocabulary.model")


@pytest.fixture(scope="module")
def model(vocabulary):
    config = Config.load(MODEL / "config.json")
    return TranslationModel(config.model, len(vocabulary))


class Small(keras.Model):
    """A model of few weights, in a small file."""

    def __init__(self):
        super().__init__()
        self.output_bias = self.add_weight(name="output_bias", shape=(PIECES,))
        self.dense = keras.layers.Dense(2)
        self.dense.build((None, 3))
        self.built = True


@pytest.fixture
def copy(tmp_path):
    path = tmp_path / "model.weights.h5"
    path.write_bytes(WEIGHTS.read_bytes())
    return path


def replaced(path, name, value):
    """Put something else in the place of what a file of weights has."""
    with h5py.File(path, "r+") as file:
        del file[name]
        file[name] = value


def elsewhere(folder):
    """A file whose numbers would be read if a link to it was followed."""
    path = folder / "secret.h5"
    path.write_bytes(WEIGHTS.read_bytes())
    return path


def outside(path, name, other):
    """Numbers that are bytes of another file."""
    with h5py.File(path, "r+") as file:
        shape = file[name].shape
        del file[name]
        file.create_dataset(
            name, shape, "float32", external=[(other, 0, h5py.h5f.UNLIMITED)]
        )


def virtual(path, name, other):
    """Numbers that are a view of those in another file."""
    with h5py.File(path, "r+") as file:
        shape = file[name].shape
        del file[name]
        layout = h5py.VirtualLayout(shape, "float32")
        layout[:] = h5py.VirtualSource(other, name, shape)
        file.create_virtual_dataset(name, layout)


@pytest.mark.parametrize("name", ["vars", "vars/0", "encoder", "encoder/layers"])
def test_links_out_of_the_file_are_refused(copy, vocabulary, tmp_path, name):
    other = elsewhere(tmp_path)
    for link in (h5py.ExternalLink(other, name), h5py.SoftLink("/bridges")):
        replaced(copy, name, link)
        with pytest.raises(UserError, match="or is broken: .* leads out of it"):
            check_weights(copy, vocabulary)


@pytest.mark.parametrize("kind", [outside, virtual])
def test_numbers_that_are_in_another_file_are_refused(copy, vocabulary, tmp_path, kind):
    kind(copy, "vars/0", elsewhere(tmp_path))
    with pytest.raises(UserError, match="or is broken: 0 leads out of it"):
        check_weights(copy, vocabulary)


def test_a_group_that_holds_itself_is_read_once(copy, vocabulary):
    with h5py.File(copy, "r+") as file:
        file["encoder/again"] = file["encoder"]
        file["encoder/root"] = file["/"]
    check_weights(copy, vocabulary)


@pytest.mark.parametrize("value", [h5py.Empty("float32"), np.float32(1)])
def test_weights_of_no_shape_are_told(copy, vocabulary, value):
    replaced(copy, "vars/0", value)
    with pytest.raises(UserError, match="does not fit its config.json, or is broken"):
        check_weights(copy, vocabulary)
    replaced(copy, "vars", value)
    with pytest.raises(UserError, match="does not fit its config.json, or is broken"):
        check_weights(copy, vocabulary)


def test_weights_of_another_type_are_told(copy, vocabulary, model):
    replaced(copy, "bridges/dense/vars/0", h5py.Empty("float32"))
    with pytest.raises(UserError, match="does not fit its config.json, or is broken"):
        load_weights(model, copy)


def test_weights_with_any_damaged_byte_are_loaded_or_told(tmp_path):
    model, path = Small(), tmp_path / "model.weights.h5"
    model.save_weights(path)
    sound, told = path.read_bytes(), 0
    for place in range(400):  # the header, and the names of the first groups
        damaged = bytearray(sound)
        damaged[place] ^= 255
        path.write_bytes(damaged)
        try:
            check_weights(path, range(PIECES))
            load_weights(model, path)
        except UserError as error:
            told += 1
            assert len(str(error).splitlines()) == 1
    assert told > 100


def small(**options):
    keras.utils.set_random_seed(options.get("encoder_layers", 1))
    sizes = {"embedding_size": 8, "units": 6, "attention_units": 4, "num_heads": 2}
    config = Config().replace(**sizes, **options)
    return TranslationModel(config.model, PIECES)


@pytest.mark.parametrize("encoder", ["rnn", "self-attention"])
def test_all_weights_come_back_and_a_layer_that_is_missing_is_told(tmp_path, encoder):
    path = tmp_path / "model.weights.h5"
    model = small(encoder=encoder, encoder_layers=2)
    model.save_weights(path)
    other = small(encoder=encoder, encoder_layers=2)
    for variable in other.weights:
        variable.assign(variable + 1)
    load_weights(other, path)
    for one, same in zip(model.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(one, same)
    with pytest.raises(UserError, match="does not fit its config.json, or is broken"):
        load_weights(small(encoder=encoder, encoder_layers=3), path)
