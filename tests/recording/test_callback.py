"""Tests of `AttentionCallback` and `EpochPictures`."""

import keras
import numpy as np
import pytest
from keras import layers

from keras_attention.recording.callback import AttentionCallback, EpochPictures
from keras_attention.recording.record import record_attention
from tests.helpers import run_example

SOURCE, TARGET = ["a", "small", "<dog>"], ["un", "perro"]
TRAINS = keras.backend.backend() != "numpy"
needs_gradients = pytest.mark.skipif(not TRAINS, reason="NumPy cannot train")


def rows(*weights):
    return np.array(weights, "float32")


EVEN = rows([1 / 3, 1 / 3, 1 / 3], [1 / 3, 1 / 3, 1 / 3])
SHARP = rows([1, 0, 0], [0, 0, 1])


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_each_epoch_has_its_picture_and_the_page_has_them_all(tmp_path):
    pictures = EpochPictures(tmp_path / "pictures")
    pictures.add(1, EVEN, SOURCE, TARGET)
    pictures.add(2, SHARP, SOURCE, TARGET)
    assert names(tmp_path / "pictures") == [
        *("epoch-001.npz", "epoch-001.svg", "epoch-002.npz", "epoch-002.svg"),
        "index.html",
    ]
    svg = (tmp_path / "pictures" / "epoch-002.svg").read_text("utf-8")
    assert "<desc>Attention weights" in svg
    page = (tmp_path / "pictures" / "index.html").read_text("utf-8")
    assert page.count('"label":"1"') == page.count('"label":"2"') == 1
    assert '"frame_name":"epoch"' in page
    assert "<dog>" not in page


def test_a_training_that_goes_on_adds_to_what_is_there(tmp_path):
    EpochPictures(tmp_path).add(1, EVEN, SOURCE, TARGET)
    EpochPictures(tmp_path).add(2, SHARP, SOURCE, TARGET)
    page = (tmp_path / "index.html").read_bytes()
    for epoch, weights in enumerate([EVEN, SHARP], 1):
        EpochPictures(tmp_path / "whole").add(epoch, weights, SOURCE, TARGET)
    assert (tmp_path / "whole" / "index.html").read_bytes() == page


def test_a_training_that_begins_anew_shows_no_later_epochs_of_the_old_one(tmp_path):
    for epoch in (1, 2, 3):
        EpochPictures(tmp_path).add(epoch, SHARP, SOURCE, TARGET)
    EpochPictures(tmp_path).add(1, EVEN, SOURCE, TARGET)
    page = (tmp_path / "index.html").read_text("utf-8")
    assert '"label":"1"' in page and '"label":"2"' not in page


def test_words_may_change_from_epoch_to_epoch(tmp_path):
    EpochPictures(tmp_path).add(1, SHARP[:1], SOURCE, ["gato"])
    EpochPictures(tmp_path).add(2, SHARP, SOURCE, TARGET)
    page = (tmp_path / "index.html").read_text("utf-8")
    assert "gato" in page and "perro" in page


def test_heads_and_layers_are_on_the_page_and_the_last_layer_in_the_picture(tmp_path):
    weights = {"first/attention": EVEN, "second/attention": np.stack([SHARP, EVEN])}
    EpochPictures(tmp_path).add(7, weights, SOURCE, TARGET)
    page = (tmp_path / "index.html").read_text("utf-8")
    assert "first/attention" in page and "second/attention" in page
    assert "mean of the 2 panels" in (tmp_path / "epoch-007.svg").read_text("utf-8")


def test_pictures_for_files_stay_out_of_the_pyplot_of_a_program(tmp_path):
    from matplotlib import pyplot

    EpochPictures(tmp_path).add(1, EVEN, SOURCE, TARGET)
    EpochPictures(tmp_path).add(2, np.stack([EVEN, SHARP]), SOURCE, TARGET)
    assert pyplot.get_fignums() == []


def test_what_cannot_be_drawn_leaves_no_file(tmp_path):
    folder = tmp_path / "pictures"
    with pytest.raises(ValueError, match="`epoch` must be a positive int. Received: e"):
        EpochPictures(folder).add(0, SHARP, SOURCE, TARGET)
    with pytest.raises(ValueError, match=r"must have shape .*\(2, 3\)"):
        EpochPictures(folder).add(1, SHARP.T, SOURCE, TARGET)
    with pytest.raises(ValueError, match="must lie between 0 and 1"):
        EpochPictures(folder).add(1, SHARP * np.nan, SOURCE, TARGET)
    assert not folder.exists()


def model(attention=None):
    """A stock Keras model: its decoder side attends to its encoder side."""
    source, target = keras.Input((3,), dtype="int32"), keras.Input((2,), dtype="int32")
    keys = layers.Embedding(9, 4)(source)
    queries = layers.Embedding(9, 4)(target)
    self_attention = layers.MultiHeadAttention(2, 3, name="own")(queries, queries)
    attention = attention or layers.MultiHeadAttention(2, 3, dropout=0.5, name="cross")
    outputs = layers.Dense(1)(layers.Dropout(0.5)(attention(self_attention, keys)))
    built = keras.Model([source, target], outputs)
    built.compile("sgd", "mse")
    return built


RANDOM = np.random.default_rng(3)
EXAMPLES = [RANDOM.integers(1, 9, (8, length)) for length in (3, 2)]
WANTED = RANDOM.normal(size=(8, 2, 1)).astype("float32")
EXAMPLE = [each[:1] for each in EXAMPLES]


def fit(model, *callbacks, epochs=2, **options):
    keras.utils.set_random_seed(5)
    history = model.fit(
        EXAMPLES,
        WANTED,
        batch_size=4,
        epochs=epochs,
        verbose=0,
        callbacks=list(callbacks),
        **options,
    )
    return history.history["loss"]


@needs_gradients
def test_a_stock_keras_model_is_drawn_after_every_epoch(tmp_path):
    trained = model()
    folder = tmp_path / "pictures"
    callback = AttentionCallback(EXAMPLE, SOURCE, TARGET, folder=folder)
    fit(trained, callback, epochs=1)
    fit(trained, callback, initial_epoch=1, epochs=2)
    epochs = ["epoch-001", "epoch-002"]
    files = [f"{name}.{kind}" for name in epochs for kind in ("npz", "svg")]
    assert names(folder) == [*files, "index.html"]
    with np.load(folder / "epoch-002.npz") as numbers:
        weights = numbers["layer cross"]
        assert set(numbers) == {"words", "layer cross"}  # the other has no 3 columns
    with record_attention(trained) as record:
        trained(EXAMPLE)
    np.testing.assert_allclose(weights, record["cross"][0], rtol=1e-5)


@needs_gradients
def test_the_callback_changes_nothing_that_is_learnt(tmp_path, monkeypatch):
    drawn = []
    monkeypatch.setattr(EpochPictures, "add", lambda self, *what: drawn.append(what))

    def trained(*callbacks):
        keras.utils.set_random_seed(4)
        one = model()
        return fit(one, *callbacks), one.get_weights()

    losses, weights = trained()
    callback = AttentionCallback(EXAMPLE, SOURCE, TARGET, folder=tmp_path)
    drawn_losses, drawn_weights = trained(callback)
    assert [epoch for epoch, *_ in drawn] == [1, 2]
    np.testing.assert_allclose(drawn_losses, losses, rtol=1e-6)
    for one, other in zip(drawn_weights, weights, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-7)


def test_one_layer_can_be_chosen_and_a_wrong_one_is_told_at_once(tmp_path):
    def begin(**options):
        callback = AttentionCallback(EXAMPLE, folder=tmp_path / "pictures", **options)
        callback.set_model(model())
        callback.on_train_begin()
        return callback

    callback = begin(source=TARGET, layer="own")
    callback.on_epoch_end(0)
    with np.load(tmp_path / "pictures" / "epoch-001.npz") as numbers:
        assert numbers["layer own"].shape == (2, 2, 2)
    with pytest.raises(ValueError, match="`layer` must be one of 'own', 'cross'. Rec"):
        begin(source=SOURCE, target=TARGET, layer="other")
    with pytest.raises(ValueError, match=r"as many words .* 2 target and 2 source"):
        begin(source=TARGET, target=TARGET, layer="cross")
    with pytest.raises(
        ValueError, match=r"shapes \{'own': \(2, 2\), 'cross': \(2, 3\)"
    ):
        begin(source=["one"])


@pytest.mark.parametrize(
    "inputs", [EXAMPLES, [], np.zeros(3), [EXAMPLE[0], EXAMPLES[1]]]
)
def test_inputs_have_to_be_one_example(inputs, tmp_path):
    with pytest.raises(ValueError, match="`inputs` must be one example, with a batch"):
        AttentionCallback(inputs, SOURCE, TARGET, folder=tmp_path)


def test_the_examples_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run_example(EpochPictures)
    run_example(AttentionCallback)


def test_weights_that_are_no_numbers_end_no_training(tmp_path, monkeypatch):
    callback = AttentionCallback(
        np.zeros((1, 3)), SOURCE, TARGET, folder=tmp_path / "pictures"
    )
    monkeypatch.setattr(callback, "_weights", lambda: {"a": np.full((1, 2, 3), np.nan)})
    with pytest.warns(UserWarning, match="attention of epoch 4 is not drawn"):
        callback.on_epoch_end(3)
