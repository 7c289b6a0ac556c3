"""Words, sentences, document."""

import keras
import numpy as np
import pytest
from helpers import (
    DQ,
    DV,
    B,
    S,
    T,
    U,
    array,
    arrays,
    assert_close,
    check_layer,
    gradients,
    randomise,
    run_example,
)
from keras import layers

from keras_attention.layers.hierarchical import HierarchicalAttention

N = T  # sentences


def words(seed=0):
    random = np.random.default_rng(seed)
    return random.normal(size=(B, N, S, DQ)).astype("float32")


def mask():
    """The first document has a short sentence and a padded one."""
    real = np.ones((B, N, S), bool)
    real[0, 0, 3:] = False
    real[0, 2] = False
    return real


def recurrent(units, **arguments):
    return layers.SimpleRNN(units, return_sequences=True, **arguments)


def attention(seed=0, **arguments):
    layer = HierarchicalAttention(U, **arguments)
    layer.build((None, None, None, DQ))
    return randomise(layer, seed)


def with_encoders(seed=0):
    return attention(
        seed,
        word_encoder=layers.Bidirectional(recurrent(DV)),
        sentence_encoder=recurrent(DQ),
    )


@keras.saving.register_keras_serializable("tests")
class Fresh(HierarchicalAttention):
    """Copies its encoders, so that the layers of a test share none."""

    def __init__(self, units, word_encoder, sentence_encoder, kernel_initializer, **kw):
        word_encoder, sentence_encoder = (
            type(encoder).from_config(encoder.get_config())
            for encoder in (word_encoder, sentence_encoder)
        )
        super().__init__(
            units, word_encoder, sentence_encoder, kernel_initializer, **kw
        )


def test_it_keeps_the_contract():
    arguments = {
        "units": U,
        "word_encoder": layers.Dense(DV, name="words"),
        "sentence_encoder": recurrent(DQ, name="sentences"),
        "kernel_initializer": keras.initializers.HeNormal(seed=3),
    }
    inputs = {"words": words(), "mask": mask()}
    check_layer(Fresh, arguments, inputs, {"return_attention_scores": True})


def test_it_pools_words_into_sentences_and_these_into_a_document():
    layer, x, real = attention(), words(), mask()
    document, word_weights, sentence_weights = arrays(
        layer(x, mask=real, return_attention_scores=True)
    )
    sentences = np.zeros((B, N, DQ), "float32")
    for i in range(N):
        vector, weights = arrays(
            layer.word_pooling(x[:, i], mask=real[:, i], return_attention_scores=True)
        )
        assert_close(word_weights[:, i], weights)
        sentences[:, i] = vector
    expected = layer.sentence_pooling(
        sentences, mask=real.any(-1), return_attention_scores=True
    )
    assert_close(document, expected[0])
    assert_close(sentence_weights, expected[1])
    assert_close(document, layer(x, mask=real))


def test_weights_sum_to_one_and_padding_gets_none():
    real = mask()
    _, of_words, of_sentences = arrays(
        with_encoders()(words(), mask=real, return_attention_scores=True)
    )
    np.testing.assert_array_equal(of_words > 0, real)
    np.testing.assert_array_equal(of_sentences > 0, real.any(-1))
    assert_close(of_words.sum(-1), real.any(-1).astype("float32"))
    assert_close(of_sentences.sum(-1), np.ones(B, "float32"))


def test_an_encoder_reads_a_sentence_on_its_own():
    # Through the encoder the words of sentence 1 reach the weights of sentence 1 alone.
    layer, x = attention(word_encoder=recurrent(DV)), words()
    changed = x.copy()
    changed[:, 1, 0] += 1
    _, before, _ = arrays(layer(x, return_attention_scores=True))
    _, after, _ = arrays(layer(changed, return_attention_scores=True))
    np.testing.assert_array_equal((before == after).all(axis=(0, 2)), [1, 0, 1])


def test_padding_changes_nothing_whatever_it_holds():
    layer, x = with_encoders(), words()
    padded = np.full((B, N + 2, S + 2, DQ), np.nan, "float32")
    padded[:, :N, :S] = x
    real = np.zeros(padded.shape[:3], bool)
    real[:, :N, :S] = True
    document, of_words, of_sentences = arrays(
        layer(padded, mask=real, return_attention_scores=True)
    )
    expected = arrays(layer(x, return_attention_scores=True))
    assert_close(document, expected[0])
    assert_close(of_words[:, :N, :S], expected[1])
    assert_close(of_sentences[:, :N], expected[2])


def test_a_document_that_is_all_padding_gives_zero_and_finite_gradients():
    layer, x, real = attention(sentence_encoder=layers.Dense(DV)), words(), mask()
    real[1] = False
    x[~real] = np.nan
    for output in arrays(layer(x, mask=real, return_attention_scores=True)):
        assert (output[1] == 0).all()
        assert np.isfinite(output).all()
    of_inputs, of_weights = gradients(layer, {"words": x}, mask=real)
    for gradient in [of_inputs["words"], *of_weights]:
        assert np.isfinite(gradient).all()
    assert (of_inputs["words"][~real] == 0).all()


def test_the_mask_of_an_embedding_reaches_it_and_it_survives_a_file(tmp_path):
    tokens = keras.Input((None, None), dtype="int32")
    embedded = layers.Embedding(17, DQ, mask_zero=True)(tokens)
    document, *weights = HierarchicalAttention(
        U,
        word_encoder=layers.Bidirectional(recurrent(DV)),
        sentence_encoder=recurrent(DV),
    )(embedded, return_attention_scores=True)
    assert [each.shape for each in weights] == [(None, None, None), (None, None)]
    model = keras.Model(tokens, [layers.Dense(1)(document), *weights])
    batch = np.array([[[3, 1, 4], [1, 5, 0], [0, 0, 0]]])
    outputs = arrays(model(batch))
    np.testing.assert_array_equal(outputs[1] > 0, batch > 0)
    np.testing.assert_array_equal(outputs[2] > 0, [[True, True, False]])
    model.save(tmp_path / "model.keras")
    again = arrays(keras.models.load_model(tmp_path / "model.keras")(batch))
    for before, after in zip(outputs, again, strict=True):
        np.testing.assert_array_equal(before, after)


class Unmasked(layers.Layer):
    """An encoder that takes no mask and drops the one that its input carries."""

    def call(self, inputs):
        return inputs + 1.0


def test_an_encoder_may_drop_the_mask():
    layer, real = attention(word_encoder=Unmasked()), mask()
    _, of_words, of_sentences = arrays(
        layer(words(), mask=real, return_attention_scores=True)
    )
    np.testing.assert_array_equal(of_words > 0, real)
    np.testing.assert_array_equal(of_sentences > 0, real.any(-1))


def test_symbolic_shapes_are_known_without_a_call(monkeypatch):
    expected = with_encoders()(words(), mask=mask(), return_attention_scores=True)
    layer = with_encoders()
    real = keras.Input(batch_shape=(B, N, S), dtype="bool")
    monkeypatch.setattr(layer, "call", None)
    found = layer.compute_output_spec(
        keras.Input(batch_shape=(B, N, S, DQ)), mask=real, return_attention_scores=True
    )
    assert [each.shape for each in found] == [tuple(each.shape) for each in expected]
    assert layer.compute_output_shape((B, N, S, DQ)) == (B, DQ)
    assert layer.compute_output_shape((None, None, None, DQ)) == (None, DQ)
    assert layer.compute_output_spec(keras.Input((N, S, DQ))).shape == (None, DQ)


def test_time_distributed_reads_each_document():
    layer, real = with_encoders(), np.stack([mask(), ~mask()], axis=1)
    documents = np.stack([words(0), words(1)], axis=1)
    wrapped = layers.TimeDistributed(layer)
    vectors = array(wrapped(documents, mask=real))
    for index in range(2):
        expected = layer(documents[:, index], mask=real[:, index])
        assert_close(vectors[:, index], expected)
    assert wrapped(keras.Input((2, N, S, DQ))).shape == (None, 2, DQ)
    assert wrapped(keras.Input((None, None, None, DQ))).shape == (None, None, DQ)


@pytest.mark.parametrize("name", ["units", "word_encoder", "sentence_encoder"])
def test_a_configuration_without_an_argument_gives_its_default(name):
    config = with_encoders().get_config()
    del config[name]
    layer = HierarchicalAttention.from_config(config)
    assert getattr(layer, name) is None
    assert layer.compute_output_shape((B, N, S, DQ))[0] == B


def test_a_configuration_of_its_name_alone_is_enough():
    layer = HierarchicalAttention.from_config({"name": "attention"})
    assert layer(words()).shape == (B, DQ)


@pytest.mark.parametrize("shape", [(0, N, S), (B, 0, S), (B, N, 0)])
@pytest.mark.parametrize("make", [attention, with_encoders])
def test_no_document_sentence_or_word_gives_zeros(shape, make):
    outputs = arrays(
        make()(
            np.ones((*shape, DQ)),
            mask=np.ones(shape, bool),
            return_attention_scores=True,
        )
    )
    assert [each.shape for each in outputs] == [(shape[0], DQ), shape, shape[:2]]
    for output in outputs:
        assert not output.any()


def test_its_example_runs():
    names = run_example(HierarchicalAttention)
    assert names["document"].shape == (None, 64)
    assert names["word_weights"].shape == (None, None, None)
    assert names["sentence_weights"].shape == (None, None)


def test_units_that_do_not_fit_are_an_error():
    with pytest.raises(ValueError, match=r"`units` must be a positive int. .*units=0"):
        HierarchicalAttention(units=0)


@pytest.mark.parametrize("name", ["word_encoder", "sentence_encoder"])
def test_an_encoder_that_is_no_layer_is_an_error(name):
    with pytest.raises(ValueError, match=f"`{name}` must be a Keras layer or None"):
        HierarchicalAttention(**{name: "gru"})


@pytest.mark.parametrize(
    "encoder",
    [
        lambda: layers.SimpleRNN(DV),
        lambda: recurrent(DV, return_state=True),
        lambda: layers.LSTM(DV, return_sequences=True, return_state=True),
        lambda: layers.Conv1D(DV, 3),
        lambda: layers.GlobalAveragePooling1D(),
    ],
)
@pytest.mark.parametrize("level", ["word", "sentence"])
def test_an_encoder_that_keeps_no_sequence_is_an_error(level, encoder):
    layer = HierarchicalAttention(**{f"{level}_encoder": encoder()})
    with pytest.raises(ValueError, match=f"`{level}_encoder` must give a sequence of"):
        layer.build((B, N, S, DQ))


def test_words_that_do_not_fit_are_an_error():
    for shape in [(B, S, DQ), (B, N, S, None)]:
        with pytest.raises(ValueError, match=r"`words` must have shape \(B, N, S, D\)"):
            HierarchicalAttention().build(shape)


def test_a_mask_that_does_not_fit_is_an_error():
    with pytest.raises(ValueError, match=r"`mask` must have shape \(B, N, S\)"):
        attention()(words(), mask=np.ones((B, N), bool))
    with pytest.raises(ValueError, match=r"`mask` must have shape \(B, N, S\)"):
        attention()(keras.Input((N, S, DQ)), mask=keras.Input((N, S + 1), dtype="bool"))
    # One row for all documents and sentences will do.
    layer, row = attention(), np.arange(S) < 3
    everywhere = np.broadcast_to(row, (B, N, S))
    assert_close(layer(words(), mask=row[None, None]), layer(words(), mask=everywhere))


def test_another_size_of_features_than_it_was_built_for_is_an_error():
    message = f"The last axis must have the size {DQ} that the layer was built for"
    shape = (N, S, DQ + 1)
    for x in (np.ones((B, *shape), "float32"), keras.Input(shape)):
        with pytest.raises(ValueError, match=message):
            attention()(x)
