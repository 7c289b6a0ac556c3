"""A model and an example in, a picture or a page out."""

import keras
import numpy as np
import pytest
from helpers import DQ, U, array, assert_close, compiled
from keras import layers

from keras_attention.layers.pooling import AttentionPooling
from keras_attention.page.view import AttentionView
from keras_attention.plots.save import save_figure
from keras_attention.recording.plot_model import (
    plot_model_attention,
    view_model_attention,
)
from keras_attention.recording.record import record_attention

H, WORDS = 2, 17
TOKENS = np.array([[3, 1, 4, 0, 0], [1, 5, 9, 2, 6]])
SOURCE, TARGET = ["the", "small", "cat"], ["le", "petit", "chat"]
FIVE = [*SOURCE, "sleeps", "."]


def tagger(heads=H, count=1):
    """A stock Keras model of self-attention layers "attention_0", "attention_1"."""
    tokens = keras.Input((None,), dtype="int32")
    x = layers.Embedding(WORDS, DQ, mask_zero=True)(tokens)
    for index in range(count):
        attention = layers.MultiHeadAttention(heads, U, name=f"attention_{index}")
        x = layers.Add()([x, attention(x, x)])
    return keras.Model(tokens, layers.Dense(1)(x))


def translator():
    """Self-attention of five source words, and three target words attend to it."""
    source, target = keras.Input((None, DQ)), keras.Input((None, DQ))
    memory = layers.MultiHeadAttention(1, U, name="self")(source, source)
    output = layers.MultiHeadAttention(H, U, name="cross")(target, memory)
    return keras.Model([source, target], output)


def classifier():
    """Self-attention, then a pooling layer, whose one row is no word."""
    tokens = keras.Input((None,), dtype="int32")
    x = layers.Embedding(WORDS, DQ, mask_zero=True)(tokens)
    x = layers.MultiHeadAttention(H, U, name="attention")(x, x)
    x = AttentionPooling(name="pooling")(x)
    return keras.Model(tokens, layers.Dense(1)(x))


def drawn(ax):
    return np.asarray(ax.images[0].get_array())


def test_a_stock_keras_model_is_drawn_in_one_line():
    model = tagger()
    axes = plot_model_attention(model, TOKENS, SOURCE)
    with record_attention(model) as record:
        model(TOKENS)
    assert axes.shape == (H,)
    for head, ax in enumerate(axes):
        assert_close(drawn(ax), record["attention_0"][0, head, :3, :3])
        assert [label.get_text() for label in ax.get_xticklabels()] == SOURCE


def test_one_head_makes_one_picture():
    model = tagger()
    axes = plot_model_attention(model, TOKENS, SOURCE)
    one = plot_model_attention(model, TOKENS, SOURCE, head=1, scale="row-max")
    largest = drawn(axes[1]).max(axis=1, keepdims=True)
    assert_close(drawn(one), drawn(axes[1]) / largest)
    alone = plot_model_attention(tagger(heads=1), TOKENS, SOURCE)
    assert drawn(alone).shape == (3, 3)


def test_the_example_and_the_layer_are_chosen():
    model, random = translator(), np.random.default_rng(0)
    inputs = [
        random.normal(size=(2, length, DQ)).astype("float32") for length in (5, 3)
    ]
    with record_attention(model) as record:
        model(inputs)
    axes = plot_model_attention(
        model, inputs, list("abcde"), TARGET, layer="cross", example=1
    )
    assert_close(drawn(axes[0]), record["cross"][1, 0])


def test_a_page_holds_every_layer():
    view = view_model_attention(tagger(count=2), TOKENS, FIVE, example=1, title="Cat")
    assert isinstance(view, AttentionView)
    page = view.html
    for text in ("attention_0", "attention_1", "Cat", *FIVE):
        assert text in page


def test_a_page_holds_the_layers_that_are_named():
    model = tagger(count=3)
    for layer in ("attention_1", ["attention_1", "attention_2"]):
        view = view_model_attention(model, TOKENS, FIVE, layer=layer, example=1)
        page = view.html
        assert "attention_1" in page
        assert ("attention_2" in page) == isinstance(layer, list)
        assert "attention_0" not in page


def test_of_a_classifier_what_fits_is_shown_and_what_does_not_is_told():
    model = classifier()
    told = (
        "Left out, as they do not fit 5 target and 5 source words: "
        r"'pooling' \(H, T, S = 1, 1, 5\). To see one, name it as `layer`"
    )
    with pytest.warns(UserWarning, match=told) as caught:
        page = view_model_attention(model, TOKENS, FIVE, example=1).html
    assert [warning.filename for warning in caught] == [__file__]
    assert "attention" in page and "pooling" not in page
    axes = plot_model_attention(model, TOKENS, FIVE, example=1)
    assert [drawn(ax).shape for ax in axes] == [(5, 5)] * H
    with pytest.raises(ValueError, match="at most 5 and 5 words for the layer 'attent"):
        view_model_attention(model, TOKENS, list("abcdef"))


def test_the_pooling_layer_of_a_classifier_is_shown_by_its_name():
    model, sentence = classifier(), ["sentence"]
    with record_attention(model) as record:
        model(TOKENS)
    ax = plot_model_attention(model, TOKENS, FIVE, sentence, layer="pooling", example=1)
    assert_close(drawn(ax), record["pooling"][1, 0])
    view = view_model_attention(model, TOKENS, FIVE, sentence, layer="pooling")
    assert "sentence" in view.html
    with pytest.raises(ValueError, match="at most 5 and 1 words for the layer 'pool"):
        view_model_attention(model, TOKENS, FIVE, layer=["attention", "pooling"])


def test_what_several_heads_give_is_saved(tmp_path):
    axes = plot_model_attention(tagger(), TOKENS, SOURCE)
    save_figure(axes, tmp_path / "a.svg")
    assert "mean of the 2 panels" in (tmp_path / "a.svg").read_text("utf-8")


class Compiled(layers.Layer):
    """Runs its attention where nothing can be read."""

    def __init__(self):
        super().__init__()
        self.attention = layers.Attention()
        self.run = compiled(lambda x: self.attention([x, x]))

    def call(self, x):
        return self.run({"x": x})


@pytest.mark.skipif(keras.backend.backend() == "numpy", reason="compiles nothing")
def test_a_model_whose_weights_cannot_be_read_is_an_error():
    layer, x = Compiled(), np.ones((1, 3, DQ), "float32")
    assert_close(layer(x), array(layer.attention([x, x])))
    with pytest.raises(ValueError, match="`model` must call its .*gave no weights"):
        plot_model_attention(layer, x, SOURCE)


@pytest.mark.parametrize("draw", [plot_model_attention, view_model_attention])
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"layer": "attention"}, r"`layer` must name a .*layer='attention'. There are"),
        ({"example": 2}, r"`example` must be an int from 0 to 1.* example=2"),
        ({"source": list("abcdef")}, r"at most 5 and 5 words .* Received: 6 and 6"),
        ({"source": SOURCE, "example": 1}, r"`source` must have 5 .* beyond the first"),
        ({"source": "cat"}, "`source` must be a sequence of str"),
    ],
)
def test_what_does_not_fit_is_an_error(draw, options, message):
    options = {"source": SOURCE} | options
    with pytest.raises(ValueError, match=message):
        draw(tagger(), TOKENS, **options)


def test_a_layer_must_be_chosen_among_several():
    model = tagger(count=2)
    message = (
        r"`layer` must name one .*layer=None. There are 'attention_0' \(H, T, S = 2, "
    )
    with pytest.raises(ValueError, match=message):
        plot_model_attention(model, TOKENS, SOURCE)
    with pytest.raises(ValueError, match=message):
        view_model_attention(model, TOKENS, SOURCE, TARGET)


@pytest.mark.parametrize("head", [-1, H, "mean"])
def test_a_head_that_is_not_there_is_an_error(head):
    with pytest.raises(ValueError, match="`head` must be an int from 0 to 1, a head"):
        plot_model_attention(tagger(), TOKENS, SOURCE, head=head)
