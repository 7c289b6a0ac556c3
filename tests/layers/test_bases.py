"""The bases that users build on: their examples run, and keep the contract."""

import keras
import numpy as np
import pytest
from helpers import DQ, B, S, T, array, assert_close, run_example

import keras_attention as ka

NAMES = {name: getattr(ka, name) for name in ka.__all__}


def inputs():
    random = np.random.default_rng(4)
    query = random.normal(size=(B, T, DQ)).astype("float32")
    return query, random.normal(size=(B, S, DQ)).astype("float32")


@pytest.fixture(
    params=[("AttentionLayer", "MeanAttention"), ("FeedbackAttention", "Restless")]
)
def attention(request):
    base, name = request.param
    return run_example(getattr(ka, base), **NAMES)[name]()


def test_weights_sum_to_1_and_are_0_where_hidden(attention):
    query, value = inputs()
    mask = np.arange(S) < 3
    context, weights = attention(
        query,
        value,
        value_mask=np.stack([mask, np.zeros(S, bool)]),
        return_attention_scores=True,
    )
    weights = array(weights)
    np.testing.assert_allclose(weights[0].sum(-1), 1, rtol=1e-6)
    assert not weights[0][:, ~mask].any() and not weights[1].any()
    assert_close(context, weights @ value)


def test_it_can_attend_in_an_rnn(attention):
    query, value = inputs()
    rnn = ka.AttentionRNN(keras.layers.GRUCell(DQ), attention)
    outputs, weights = rnn(query, memory=value, return_attention_scores=True)
    assert array(outputs).shape == (B, T, 2 * DQ)
    np.testing.assert_allclose(array(weights).sum(-1), 1, rtol=1e-6)


def test_a_mean_attends_to_all_alike():
    query, value = inputs()
    mean = run_example(ka.AttentionLayer, **NAMES)["MeanAttention"]()
    assert_close(array(mean(query, value)), value.mean(1, keepdims=True).repeat(T, 1))


def test_what_feeds_back_depends_on_the_weights_before():
    query, value = inputs()
    layer = run_example(ka.FeedbackAttention, **NAMES)["Restless"]()
    _, weights = layer(query, value, return_attention_scores=True)
    scores = query @ value.transpose(0, 2, 1)
    previous = np.zeros((B, S))
    for step in range(T):
        exponentials = np.exp(scores[:, step] - 9 * previous)
        previous = exponentials / exponentials.sum(-1, keepdims=True)
        np.testing.assert_allclose(array(weights)[:, step], previous, rtol=1e-4)


def test_a_bias_of_ones_own_gives_the_same_in_chunks():
    names = run_example(ka.PositionBias, **NAMES)
    x = inputs()[1]
    chunked, whole = (
        names["attention"],
        ka.MultiHeadAttention(2, 4, position=names["Nearby"](2)),
    )
    expected = whole(x, x)
    chunked.chunk_size = 2
    chunked(x, x)
    chunked.set_weights(whole.get_weights())
    assert_close(chunked(x, x), expected)


def test_an_attention_without_attend_is_told_what_it_owes():
    with pytest.raises(TypeError, match="`attend` must be written by a subclass"):
        ka.AttentionLayer()(*inputs())


def test_an_attend_of_ones_own_is_what_a_call_goes_through_in_chunks_too():
    class Halved(ka.BahdanauAttention):
        def attend(self, *args, **kwargs):
            context, weights, state = super().attend(*args, **kwargs)
            return context / 2, weights, state

    query, value = inputs()
    plain, halved = ka.BahdanauAttention(4), Halved(4, chunk_size=2)
    expected = array(plain(query, value)) / 2
    halved.build(query.shape, value.shape)
    halved.set_weights(plain.get_weights())
    assert_close(halved(query, value), expected)
    assert_close(halved(query, value, return_attention_scores=True)[0], expected)
