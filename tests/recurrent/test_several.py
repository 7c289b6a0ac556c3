"""`AttentionRNN` with several attentions, on one memory and on one memory each."""

import keras
import numpy as np
import pytest
from helpers import JIT, B, S, T, array, assert_close
from keras import layers, ops

import keras_attention as ka
from tests.recurrent.test_states import OPTIONS, WanderingAttention, dtypes

DX, DV, S2, DV2 = 7, 11, 3, 13

# order, attentional units, input feeding
SHAPES = [
    ("previous", None, False),
    ("current", None, False),
    ("current", 8, True),
    ("conditional", 8, False),
]


def inputs():
    random = np.random.default_rng(5)
    sequence, first, second = (
        random.normal(size=shape).astype("float32")
        for shape in ((B, T, DX), (B, S, DV), (B, S2, DV2))
    )
    masks = [
        np.array([[1, 1, 1, 0, 0], [1, 1, 1, 1, 1]], bool),
        np.array([[1, 1, 1], [1, 1, 0]], bool),
    ]
    return sequence, [first, second], masks


def make(attentions, shape=SHAPES[0], dtype="float32", **more):
    order, units, feeding = shape
    return ka.AttentionRNN(
        layers.LSTMCell(4, dtype=dtype),
        attentions,
        order=order,
        attentional_units=units,
        input_feeding=feeding,
        dtype=dtype,
        **more,
    )


def two_kinds(dtype="float32"):
    """One attention that remembers, and one of two heads."""
    return [
        WanderingAttention(dtype=dtype),
        ka.MultiHeadAttention(2, 3, output_shape=5, dtype=dtype),
    ]


def by_hand(decoder, sequence, memories, masks):
    """Loop over a decoder of one cell, with each attention called as a layer."""
    cell, states = decoder.cells[0], [np.zeros((B, 4), "float32")] * 2
    outputs, weights = [], []
    for t in range(sequence.shape[1]):

        def ask(query):
            answers = [
                attention(query, memory, value_mask=mask, return_attention_scores=True)
                for attention, memory, mask in zip(
                    decoder.attention, memories, masks, strict=True
                )
            ]
            weights.append([answer[1] for answer in answers])
            return ops.concatenate([answer[0] for answer in answers], axis=-1)

        x = sequence[:, t]
        if decoder.order == "previous":
            context = ask(states[0])
            output, states = cell(ops.concatenate([x, context], axis=-1), states)
        else:
            output, states = cell(x, states)
            context = ask(output)
            if decoder.order == "conditional":
                output, states = decoder.context_cell(context, states)
        outputs.append(ops.concatenate([context, output], axis=-1))
    return ops.stack(outputs, 1), [
        ops.stack(each, -2) for each in zip(*weights, strict=True)
    ]


@pytest.mark.parametrize("sources", [1, 2])
@pytest.mark.parametrize("order", ["previous", "current", "conditional"])
def test_contexts_are_joined_and_weights_are_a_list(order, sources):
    sequence, memories, masks = inputs()
    memory, mask = (memories, masks) if sources == 2 else (memories[0], masks[0])
    attentions = [ka.BahdanauAttention(5), ka.MultiHeadAttention(2, 3)]
    decoder = make(attentions, (order, None, False))
    found, weights = decoder(
        sequence, memory=memory, memory_mask=mask, return_attention_scores=True
    )
    if sources == 1:
        memories, masks = [memory] * 2, [mask] * 2
    expected, expected_weights = by_hand(decoder, sequence, memories, masks)
    assert_close(found, expected)
    assert isinstance(weights, list) and len(weights) == 2
    for one, other in zip(weights, expected_weights, strict=True):
        assert_close(one, other)


@pytest.mark.parametrize("dtype", ["float32", "mixed_float16"])
@pytest.mark.parametrize("shape", SHAPES)
def test_with_several_one_step_at_a_time_equals_the_whole(shape, dtype):
    sequence, memories, masks = inputs()
    decoder = make(two_kinds(dtype), shape, dtype)
    whole, weights, *states = decoder(
        sequence, memory=memories, memory_mask=masks, **OPTIONS
    )
    assert [each.shape for each in map(array, weights)] == [
        (B, T, S),
        (B, 2, T, S2),
    ]
    assert dtypes(states[-2:]) == ["int32", "float32"]
    prepared, carried = decoder.prepare(memories, masks), None
    precision = dtype.removeprefix("mixed_")
    for t in range(T):
        output, rows, *carried = decoder(
            sequence[:, t : t + 1], memory=prepared, initial_state=carried, **OPTIONS
        )
        assert_close(array(output)[:, 0], array(whole)[:, t], precision)
        for row, all_rows in zip(rows, weights, strict=True):
            row, all_rows = array(row)[..., 0, :], array(all_rows)[..., t, :]
            assert_close(row, all_rows, precision)
    for one, other in zip(carried, states, strict=True):
        assert_close(one, other, precision)


@pytest.mark.parametrize("shape", SHAPES)
def test_each_mask_hides_the_padding_of_its_own_memory(shape):
    sequence, memories, masks = inputs()
    decoder = make(two_kinds(), shape)
    call = {"memory_mask": masks, "return_attention_scores": True}
    expected, _ = decoder(sequence, memory=memories, **call)
    memories[0][0, 3:] = np.nan
    memories[1][1, 2:] = np.nan
    found, weights = decoder(sequence, memory=memories, **call)
    np.testing.assert_array_equal(array(found), array(expected))
    assert np.all(array(weights[0])[0, :, 3:] == 0)
    assert np.all(array(weights[1])[1, :, :, 2:] == 0)


def test_a_list_of_memories_takes_the_masks_that_its_tensors_carry():
    tokens = [np.array([[3, 4, 0], [5, 6, 7]]), np.array([[2, 0], [4, 5]])]
    sequence = inputs()[0]
    embed = layers.Embedding(10, DX, mask_zero=True)
    decoder = make([ka.BahdanauAttention(5), ka.BahdanauAttention(3)])
    implicit = decoder(sequence, memory=[embed(each) for each in tokens])
    plain = layers.Embedding(10, DX, weights=embed.get_weights())
    explicit = decoder(
        sequence,
        memory=[plain(each) for each in tokens],
        memory_mask=[ka.padding_mask(each) for each in tokens],
    )
    np.testing.assert_array_equal(array(implicit), array(explicit))


@pytest.mark.parametrize("shape", SHAPES)
def test_a_model_of_two_sources_trains_saves_and_loads(shape, tmp_path):
    sequence, memories, masks = inputs()
    ins = [
        keras.Input((None, DX)),
        keras.Input((None, DV)),
        keras.Input((None, DV2)),
        keras.Input((None,), dtype="bool"),
        keras.Input((None,), dtype="bool"),
    ]
    decoder = make(two_kinds(), shape, name="decoder")
    outputs, weights = decoder(
        ins[0], memory=ins[1:3], memory_mask=ins[3:], return_attention_scores=True
    )
    # JAX has one symbol for all unknown lengths, so it may announce it for another.
    assert [len(each.shape) for each in weights] == [3, 4]
    data = [sequence, *memories, *masks]
    trained = keras.Model(ins, outputs)
    trained.compile("sgd", "mse", jit_compile=JIT)
    target = np.zeros((B, T, outputs.shape[-1]), "float32")
    history = trained.fit(data, target, verbose=0)
    assert np.isfinite(history.history["loss"]).all()
    model = keras.Model(ins, [outputs, *weights])
    model.save(tmp_path / "decoder.keras")
    again = keras.models.load_model(tmp_path / "decoder.keras")
    tensors = [ops.convert_to_tensor(each) for each in data]
    for one, other in zip(again(tensors), model(tensors), strict=True):
        np.testing.assert_array_equal(array(one), array(other))
    attentions = again.get_layer("decoder").attention
    assert [type(each) for each in attentions] == [
        WanderingAttention,
        ka.MultiHeadAttention,
    ]


def test_a_list_of_one_attention_gives_a_list_of_weights():
    sequence, memories, masks = inputs()
    decoder = make([ka.BahdanauAttention(5)])
    call = {"return_attention_scores": True}
    output, (weights,) = decoder(
        sequence, memory=memories[0], memory_mask=masks[0], **call
    )
    other, (same,) = decoder(
        sequence, memory=memories[:1], memory_mask=masks[:1], **call
    )
    np.testing.assert_array_equal(array(output), array(other))
    np.testing.assert_array_equal(array(weights), array(same))
    assert array(weights).shape == (B, T, S)


def test_wrong_attentions_are_told():
    one = ka.BahdanauAttention(3)
    for wrong in ([], [one, layers.Dense(3)]):
        with pytest.raises(ValueError, match="`attention` must be an attention layer"):
            make(wrong)
    with pytest.raises(ValueError, match="`attention` must hold each layer once"):
        make([one, one])


def test_memories_and_masks_that_do_not_fit_are_told():
    sequence, memories, masks = inputs()
    single, double = make(ka.BahdanauAttention(3)), make(two_kinds())
    for decoder, memory in ((single, memories), (double, memories[:1])):
        with pytest.raises(ValueError, match="`memory` must be one for all attentions"):
            decoder(sequence, memory=memory)
    with pytest.raises(ValueError, match=r"`memory` must have shape \(B, S, Dv\)"):
        double(sequence, memory=[memories[0], memories[1][:, 0]])
    for memory, mask in (
        (memories, masks[0]),
        (memories, masks[:1]),
        (memories[0], masks),
    ):
        with pytest.raises(ValueError, match="`memory_mask` must be one mask for one"):
            make(two_kinds())(sequence, memory=memory, memory_mask=mask)


def test_prepared_memories_that_do_not_fit_are_told():
    sequence, memories, masks = inputs()
    decoder = make(two_kinds())
    unbuilt = make(two_kinds())
    decoder(sequence, memory=memories)
    prepared = decoder.prepare(memories, masks)
    with pytest.raises(ValueError, match=r"`memory` must be a tensor .* first call"):
        unbuilt(sequence, memory=prepared)
    for wrong in (prepared[0], [prepared[0], memories[1]]):
        with pytest.raises(ValueError, match="`memory` must be what `prepare` gave"):
            decoder(sequence, memory=wrong)
    with pytest.raises(ValueError, match="`memory_mask` must be None with a prepared"):
        decoder(sequence, memory=prepared, memory_mask=masks)
    with pytest.raises(ValueError, match="`memory` must be a tensor, and the layer"):
        decoder.prepare([memories[0], keras.Input((None, DV2))])
