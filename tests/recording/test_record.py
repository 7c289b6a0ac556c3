"""Recording the weights of the attention layers in a model."""

import keras
import numpy as np
import pytest
from helpers import (
    DQ,
    DV,
    JIT,
    B,
    S,
    T,
    U,
    array,
    arrays,
    assert_close,
    attention_inputs,
    compiled,
    randomise,
    run_example,
)
from keras import layers

import keras_attention as ka
from keras_attention.layers.hierarchical import HierarchicalAttention
from keras_attention.layers.pooling import AttentionPooling
from keras_attention.recording.record import AttentionRecord, record_attention

H, WORDS = 2, 17
TENSORFLOW = keras.backend.backend() == "tensorflow"


def sentences(length=S, examples=B):
    """Tokens, padded with 0; one sentence is all padding."""
    tokens = np.random.default_rng(0).integers(1, WORDS, size=(examples, length))
    tokens[0, 3:] = 0
    tokens[1] = 0
    return tokens


def classifier(attention=None, compile=True):
    """A stock Keras model around one attention layer called "attention"."""
    tokens = keras.Input((None,), dtype="int32")
    x = layers.Embedding(WORDS, DQ, mask_zero=True)(tokens)
    attention = attention or layers.MultiHeadAttention(H, U, name="attention")
    x = layers.Add()([x, attention(x, x)])
    model = keras.Model(tokens, layers.Dense(1)(x))
    if compile:
        model.compile("sgd", "mse", jit_compile=JIT)
    return model


def test_predict_is_recorded_in_a_stock_model_that_has_predicted_before():
    model, batch = classifier(), sentences(examples=5)
    model.predict(batch, verbose=0)
    with record_attention(model) as record:
        model.predict(batch, batch_size=2, verbose=0)
    assert list(record) == ["attention"]
    x = model.layers[1](batch)
    _, expected = model.get_layer("attention")(x, x, return_attention_scores=True)
    assert record["attention"].shape == (5, H, S, S)
    assert_close(record["attention"], expected)
    assert [len(each) for each in record.batches("attention")] == [2, 2, 1]


def test_outputs_do_not_change_in_any_bit():
    # With weights, Keras gives a query that may attend to nothing other outputs.
    model, batch = classifier(), sentences()
    expected = array(model(batch))
    with record_attention(model) as record:
        np.testing.assert_array_equal(array(model(batch)), expected)
        np.testing.assert_array_equal(array(model.predict(batch, verbose=0)), expected)
    assert len(record.batches("attention")) == 2


def test_everything_is_put_back_after_an_exception_too():
    model, batch = classifier(), sentences()
    model.predict(batch, verbose=0)
    attention = model.get_layer("attention")
    names = ("run_eagerly", "jit_compile", "predict_function", "train_function")
    before = [getattr(model, name) for name in names]
    assert before[2] is not None
    kept = {layer: set(vars(layer)) for layer in (model, attention)}
    with pytest.raises(RuntimeError, match="on purpose"), record_attention(model):
        assert model.run_eagerly
        model.predict(batch, verbose=0)
        raise RuntimeError("on purpose")
    for name, value in zip(names, before, strict=True):
        assert getattr(model, name) is value
    for layer, attributes in kept.items():
        assert set(vars(layer)) == attributes
        assert layer.call.__func__ is type(layer).call


def keras_layers():
    return {
        "multi-head": layers.MultiHeadAttention(H, U),
        "grouped": layers.GroupQueryAttention(U, 4, 2),
        "flash": layers.MultiHeadAttention(H, U, dropout=0.1),
        "dropout": layers.MultiHeadAttention(H, U, dropout=0.1),
    }


@pytest.mark.parametrize("kind", ["multi-head", "grouped", "flash", "dropout"])
def test_the_multi_head_layers_of_keras_are_recorded(kind):
    layer = keras_layers()[kind]
    inputs = attention_inputs()
    mask = np.tril(np.ones((B, T, S), bool))
    _, expected = layer(**inputs, attention_mask=mask, return_attention_scores=True)
    output = array(layer(**inputs, attention_mask=mask))
    if kind == "flash":
        layer._flash_attention = True  # refuses to give weights
    with record_attention(layer) as record:
        again = layer(**inputs, attention_mask=mask)
    np.testing.assert_array_equal(array(again), output)
    assert_close(record[layer.name], expected)
    assert record[layer.name].ndim == 4


@pytest.mark.parametrize("kind", [layers.Attention, layers.AdditiveAttention])
def test_the_single_head_layers_of_keras_are_recorded(kind):
    layer, inputs = kind(), attention_inputs(value_size=DQ)
    inputs = [inputs[name] for name in ("query", "value", "key")]
    mask = [None, np.arange(S) < np.array([[3], [S]])]
    _, expected = layer(inputs, mask=mask, return_attention_scores=True)
    with record_attention(layer) as record:
        layer(inputs, mask=mask, use_causal_mask=False)
    assert_close(record[layer.name], array(expected)[:, None])


@pytest.mark.parametrize("one_step", [False, True])
def test_our_layers_are_recorded_with_an_axis_for_heads_and_one_for_queries(one_step):
    inputs = attention_inputs(key_size=DV)
    if one_step:
        inputs["query"] = inputs["query"][:, 0]
    for layer in (
        ka.BahdanauAttention(U, dropout=0.5),
        ka.ScaledDotProductAttention(),
        ka.MultiHeadAttention(H, U),
    ):
        if isinstance(layer, ka.ScaledDotProductAttention):
            inputs["key"] = attention_inputs()["key"]
        with record_attention(layer) as record:
            layer(**inputs)
        _, expected = layer(**inputs, return_attention_scores=True)
        heads = H if isinstance(layer, ka.MultiHeadAttention) else 1
        weights = record[layer.name]
        assert weights.shape == (B, heads, 1 if one_step else T, S)
        assert_close(weights.ravel(), array(expected).ravel())


def test_pooling_is_recorded_with_its_hops_as_queries():
    x = attention_inputs()["value"]
    for hops in (1, 3):
        layer = AttentionPooling(U, hops=hops)
        with record_attention(layer) as record:
            layer(x)
        _, expected = layer(x, return_attention_scores=True)
        assert_close(record[layer.name], array(expected).reshape(B, 1, hops, S))


def test_both_levels_of_a_hierarchy_are_recorded():
    words = np.random.default_rng(0).normal(size=(B, T, S, DQ)).astype("float32")
    layer = HierarchicalAttention(U, word_encoder=layers.Dense(DV), name="document")
    with record_attention(layer) as record:
        layer(words)
    _, of_words, of_sentences = arrays(layer(words, return_attention_scores=True))
    assert_close(record["document/words"], of_words[:, None])
    assert_close(record["document/sentences"], of_sentences[:, None, None])


def decoder(dropout=0.0):
    cell = layers.GRUCell(DQ, dropout=dropout, recurrent_dropout=dropout, seed=5)
    attention = ka.BahdanauAttention(U, dropout=dropout, seed=7)
    return ka.AttentionRNN(cell, attention, name="decoder")


def test_an_attention_rnn_is_recorded_once_for_all_its_steps():
    target, memory = keras.Input((None, DQ)), keras.Input((None, DV))
    outputs, weights = decoder()(target, memory=memory, return_attention_scores=True)
    model = keras.Model([target, memory], outputs)
    inputs = [attention_inputs()[name] for name in ("query", "value")]
    expected = keras.Model([target, memory], weights)(inputs)
    with record_attention(model) as record:
        model.predict(inputs, verbose=0)
    assert list(record) == ["decoder"]
    assert_close(record["decoder"], array(expected)[:, None])


def test_several_attentions_of_an_rnn_have_an_entry_each():
    attentions = [ka.BahdanauAttention(U), ka.MultiHeadAttention(H, U)]
    layer = ka.AttentionRNN(layers.GRUCell(DQ), attentions, name="decoder")
    inputs = attention_inputs()
    inputs = {"sequence": inputs["query"], "memory": inputs["value"]}
    with record_attention(layer) as record:
        layer(**inputs)
    _, expected = layer(**inputs, return_attention_scores=True)
    assert_close(record["decoder/0"], array(expected[0])[:, None])
    assert_close(record["decoder/1"], expected[1])


class Encoder(layers.Layer):
    """Layers in a list and in a dict, two of one name, one used twice."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.blocks = [layers.MultiHeadAttention(H, U, name="block") for _ in (0, 1)]
        self.extra = {"last": ka.ScaledDotProductAttention(name="last")}

    def build(self, shape):
        for block in self.blocks:
            block.build(shape, shape)

    def call(self, x):
        for block in (*self.blocks, self.blocks[0]):
            x = x + block(x, x)
        return x + self.extra["last"](x, x)


class Translator(keras.Model):
    """A subclassed model with a functional one in it."""

    def __init__(self):
        super().__init__()
        self.encoder = Encoder(name="encoder")
        inputs = keras.Input((None, DQ))
        attention = layers.Attention(name="attention")
        self.top = keras.Model(inputs, attention([inputs, inputs]), name="top")

    def call(self, x):
        return self.top(self.encoder(x))


def test_entries_are_named_by_the_path_and_by_the_use():
    model, x = Translator(), attention_inputs()["query"]
    expected = array(model(x))
    with record_attention(model) as record:
        for _ in range(2):
            np.testing.assert_array_equal(array(model(x)), expected)
    assert {name: weights.shape for name, weights in record.items()} == {
        "encoder/block": (2 * B, H, T, T),
        "encoder/block_1": (2 * B, H, T, T),
        "encoder/block:1": (2 * B, H, T, T),
        "encoder/last": (2 * B, 1, T, T),
        "top/attention": (2 * B, 1, T, T),
    }
    x = array(x)
    for name, block in (
        ("encoder/block", model.encoder.blocks[0]),
        ("encoder/block_1", model.encoder.blocks[1]),
        ("encoder/block:1", model.encoder.blocks[0]),
    ):
        change, weights = block(x, x, return_attention_scores=True)
        assert_close(record[name][B:], weights)
        x = x + array(change)


def test_dropout_is_drawn_as_without_recording():
    inputs = attention_inputs()
    inputs = {"sequence": inputs["query"], "memory": inputs["value"], "training": True}

    def layer():
        new = decoder(dropout=0.5)
        new.build(*[inputs[name].shape for name in ("sequence", "memory")])
        return randomise(new)

    plain, called, recorded = layer(), layer(), layer()
    expected = arrays([plain(**inputs) for _ in (0, 1)])
    weights = [array(called(**inputs, return_attention_scores=True)[1]) for _ in (0, 1)]
    with record_attention(recorded) as record:
        outputs = arrays([recorded(**inputs) for _ in (0, 1)])
    np.testing.assert_array_equal(outputs, expected)
    assert not np.array_equal(outputs[0], outputs[1])
    assert_close(record["decoder"][:, 0], np.concatenate(weights))


def test_losses_are_counted_once():
    inputs = keras.Input((None, DQ))
    pooled = AttentionPooling(U, hops=3, penalty=1.0)(inputs)
    model = keras.Model(inputs, pooled)
    x = attention_inputs()["value"][:, :, :DQ]
    model(x)
    (expected,) = arrays(model.losses)
    with record_attention(model):
        model(x)
        assert_close(np.stack(arrays(model.losses)), expected[None])


def test_its_example_runs():
    model, batch = Translator(), attention_inputs()["query"]
    model.encoder.extra["last"].name = "attention"
    model(batch)
    for documented in (record_attention, AttentionRecord):
        given = {"model": model, "batch": batch, "record_attention": record_attention}
        names = run_example(documented, **given)
        assert names["weights"].shape == (B, 1, T, T)


def test_evaluate_is_recorded_and_gives_the_same_loss():
    model, batch = classifier(), sentences()
    targets = np.ones((*batch.shape, 1))
    expected = model.evaluate(batch, targets, verbose=0)
    with record_attention(model) as record:
        loss = model.evaluate(batch, targets, verbose=0)
    np.testing.assert_allclose(loss, expected, rtol=1e-6)
    assert record["attention"].shape == (B, H, S, S)


def test_fit_is_recorded_where_the_backend_lets_values_be_read():
    model, batch = classifier(), sentences()
    targets = np.ones((*batch.shape, 1))
    before = model.get_weights()
    with record_attention(model) as record:
        model.fit(batch, targets, verbose=0)
    if TENSORFLOW:
        assert record["attention"].shape == (B, H, S, S)
    else:
        with pytest.raises(KeyError, match="'attention' ran, but .*differentiated"):
            record["attention"]
    assert any(
        not np.array_equal(some, other)
        for some, other in zip(before, model.get_weights(), strict=True)
    )
    model.fit(batch, targets, verbose=0)


def test_low_precision_is_widened():
    layer = layers.MultiHeadAttention(H, U, dtype="mixed_bfloat16")
    with record_attention(layer) as record:
        layer(**attention_inputs())
    assert record[layer.name].dtype == np.float32


def test_two_recordings_at_once_both_see_every_call():
    model, batch = classifier(compile=False), sentences()
    with record_attention(model) as first, record_attention(model) as second:
        model(batch)
    assert len(first.batches("attention")) == len(second.batches("attention")) == 1
    np.testing.assert_array_equal(first["attention"], second["attention"])


def test_batches_of_several_lengths_are_told_apart():
    model = classifier(compile=False)
    with record_attention(model) as record:
        for length in (S, 7):
            model(sentences(length))
    message = r"one length .* shapes \(B, 2, 5, 5\), \(B, 2, 7, 7\)\. Pad the inputs"
    with pytest.raises(ValueError, match=message):
        record["attention"]
    assert "attention" in record
    shapes = [batch.shape for batch in record.batches("attention")]
    assert shapes == [(B, H, S, S), (B, H, 7, 7)]


def test_a_name_that_is_not_there_is_told_with_those_that_are():
    model, batch = classifier(compile=False), sentences()
    with record_attention(model) as record:
        with pytest.raises(KeyError, match="Recorded: nothing. The model has to run"):
            record["attention"]
        model(batch)
    assert "attentoin" not in record
    assert repr(record) == "<AttentionRecord of 'attention'>"
    with pytest.raises(KeyError, match="No weights of 'attentoin'. .*: 'attention'"):
        record["attentoin"]


@pytest.mark.skipif(keras.backend.backend() == "numpy", reason="compiles nothing")
def test_what_runs_compiled_is_said_to_be_unread():
    layer, inputs = layers.MultiHeadAttention(H, U), attention_inputs()
    expected = array(layer(**inputs))
    with record_attention(layer) as record:
        assert_close(compiled(layer)(inputs), expected)
    assert len(record) == 0
    with pytest.raises(KeyError, match="ran, but where its weights cannot be read"):
        record[layer.name]
    with pytest.raises(KeyError, match="What ran cannot be read there: 'multi_head"):
        record["other"]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: "model", "`model` must be a Keras model or layer. .*='model'"),
        (lambda: Translator(), "`model` must be built. Received: .*built=False"),
        (lambda: layers.Dense(1), "`model` must hold an attention layer.*<Dense"),
    ],
)
def test_a_model_that_cannot_be_recorded_is_an_error(make, message):
    with pytest.raises(ValueError, match=message), record_attention(make()):
        pass
