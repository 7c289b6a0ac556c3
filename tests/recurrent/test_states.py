"""States of an attention inside `AttentionRNN`: their types, shapes, and masks."""

import keras
import numpy as np
import pytest
from helpers import B, S, T, array, assert_close, compiled, gradients
from keras import layers, ops

import keras_attention as ka
from keras_attention.core.softmax import masked_softmax

DX, DV = 7, 11
START = 1000  # bfloat16 cannot count on from here


@keras.saving.register_keras_serializable()
class WanderingAttention(ka.ScoreAttention):
    """Counts its steps in int32, and avoids what it saw, a sum in float32."""

    def initial_state(self, memory):
        batch, length = ops.shape(memory.value)[0], ops.shape(memory.value)[1]
        return [ops.zeros((batch, 1), "int32"), ops.zeros((batch, length), "float32")]

    def attend(self, query, memory, state=(), query_mask=None, **kwargs):
        count, seen = state
        strength = ops.cast(ops.sum(query, axis=-1), "float32")  # B 1
        position = ops.arange(ops.shape(seen)[1], dtype="float32")
        rhythm = ops.sin(ops.cast(count, "float32") * position)
        scores = rhythm + strength * ops.cast(memory.key[:, :, 0], "float32") - seen
        mask = None if memory.mask is None else memory.mask[:, None]
        weights = masked_softmax(scores[:, None], mask)
        context = ops.matmul(ops.cast(weights, memory.value.dtype), memory.value)
        state = [count + 1, seen + weights[:, 0]]
        return context, ops.cast(weights, self.compute_dtype), state


# order, attentional units, input feeding
SHAPES = [
    ("previous", None, False),
    ("current", None, False),
    ("current", 8, True),
    ("conditional", 8, False),
]
OPTIONS = {"return_attention_scores": True, "return_state": True}


def inputs():
    random = np.random.default_rng(5)
    return {
        "sequence": random.normal(size=(B, T, DX)).astype("float32"),
        "memory": random.normal(size=(B, S, DV)).astype("float32"),
        "memory_mask": np.array([[1, 1, 1, 0, 0], [1, 1, 1, 1, 1]], bool),
    }


def make(shape=SHAPES[0], dtype="float32"):
    order, units, feeding = shape
    return ka.AttentionRNN(
        layers.GRUCell(4, dtype=dtype),
        WanderingAttention(dtype=dtype),
        order=order,
        attentional_units=units,
        input_feeding=feeding,
        dtype=dtype,
    )


def start(decoder, given):
    """States with a late counter and a large sum, as after many steps."""
    memory = decoder.prepare(given["memory"], given["memory_mask"])
    *cells, count, seen = decoder.initial_states(memory)
    return [*cells, count + START, seen + START]


def dtypes(states):
    return [keras.backend.standardize_dtype(state.dtype) for state in states]


@pytest.mark.parametrize("dtype", ["float32", "mixed_float16", "mixed_bfloat16"])
@pytest.mark.parametrize("shape", SHAPES)
def test_states_of_an_attention_keep_their_type_and_their_precision(shape, dtype):
    given = inputs()
    decoder = make(shape, dtype)
    *_, count, seen = decoder(**given, **OPTIONS)
    assert dtypes([count, seen]) == ["int32", "float32"]
    begin = start(decoder, given)
    _, weights, *states = decoder(**given, initial_state=begin, **OPTIONS)
    assert dtypes(states) == dtypes(begin)
    np.testing.assert_array_equal(array(states[-2]), START + T)
    total = START + array(weights).sum(axis=1, dtype="float32")
    np.testing.assert_allclose(array(states[-1]), total, atol=0.02)


@pytest.mark.parametrize("dtype", ["float32", "mixed_bfloat16"])
@pytest.mark.parametrize("shape", SHAPES)
def test_with_states_one_step_at_a_time_equals_the_whole(shape, dtype):
    given = inputs()
    decoder = make(shape, dtype)
    whole, weights, *states = decoder(**given, **OPTIONS)
    memory, carried = decoder.prepare(given["memory"], given["memory_mask"]), None
    precision = dtype.removeprefix("mixed_")
    for t in range(T):
        output, row, *carried = decoder(
            given["sequence"][:, t : t + 1],
            memory=memory,
            initial_state=carried,
            **OPTIONS,
        )
        assert_close(array(output)[:, 0], array(whole)[:, t], precision)
        assert_close(array(row)[:, 0], array(weights)[:, t], precision)
    assert dtypes(carried) == dtypes(states)
    for one, all_at_once in zip(carried, states, strict=True):
        assert_close(one, all_at_once, precision)


@pytest.mark.parametrize("shape", SHAPES)
def test_a_masked_step_keeps_the_states_of_the_attention(shape):
    given = inputs()
    decoder = make(shape)
    *_, count, seen = decoder(**given, **OPTIONS)
    # The same steps with one that does not count put in between.
    padded = np.insert(given["sequence"], 1, np.nan, axis=1)
    keep = np.array([[True, False, True, True]] * B)
    given["sequence"] = padded
    _, weights, *states = decoder(**given, sequence_mask=keep, **OPTIONS)
    assert np.all(array(weights)[:, 1] == 0)
    np.testing.assert_array_equal(array(states[-2]), array(count))
    assert_close(states[-1], seen)


@pytest.mark.parametrize("attention", [ka.BahdanauAttention(3), WanderingAttention()])
def test_nan_in_a_masked_step_reaches_no_gradient(attention):
    decoder = ka.AttentionRNN(layers.GRUCell(4), attention)
    given = inputs()
    given["sequence"][0, 2] = np.nan
    keep = np.array([[True, True, False], [True, True, True]])
    decoder.build((B, T, DX), (B, S, DV))
    of_inputs, of_weights = gradients(decoder, given, sequence_mask=keep)
    for gradient in [*of_inputs.values(), *of_weights]:
        assert np.isfinite(gradient).all()
    assert np.all(of_inputs["sequence"][0, 2] == 0)


def test_states_keep_their_types_inside_a_functional_model(tmp_path):
    given = inputs()
    decoder = make(SHAPES[2], "mixed_float16")
    decoder(**given)
    begin = start(decoder, given)
    states = [
        keras.Input((size,), dtype=dtype)
        for size, dtype in zip((4, 8, 1, None), dtypes(begin), strict=True)
    ]
    ins = [
        keras.Input((None, DX)),
        keras.Input((None, DV)),
        keras.Input((None,), dtype="bool"),
    ]
    outs = decoder(
        ins[0], memory=ins[1], memory_mask=ins[2], initial_state=states, **OPTIONS
    )
    assert dtypes(outs) == ["float16"] * 4 + ["int32", "float32"]
    model = keras.Model([*ins, *states], outs)
    expected = decoder(**given, initial_state=begin, **OPTIONS)
    model.save(tmp_path / "decoder.keras")
    again = keras.models.load_model(tmp_path / "decoder.keras")
    tensors = [ops.convert_to_tensor(x) for x in given.values()]
    for found in (model, again):
        outputs = found([*tensors, *begin])
        assert dtypes(outputs) == dtypes(expected)
        for one, other in zip(outputs, expected, strict=True):
            assert_close(one, other, "float16")


@pytest.mark.parametrize("shape", SHAPES)
def test_compiled_it_gives_the_same_states(shape):
    given = inputs()
    decoder = make(shape)
    expected = decoder(**given, **OPTIONS)
    for one, other in zip(compiled(decoder, **OPTIONS)(given), expected, strict=True):
        assert_close(one, other)


@pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="JAX compiles known lengths alone"
)
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("shape", SHAPES)
def test_lengths_may_be_unknown_until_it_runs(shape, masked):
    import tensorflow as tf

    given = inputs()
    if masked:
        given["sequence_mask"] = np.array([[True, True, False], [True] * 3])
    decoder = make(shape)
    expected = decoder(**given, **OPTIONS)
    unknown = {
        name: tf.TensorSpec(
            [None, None, x.shape[2]] if x.ndim == 3 else [None, None], x.dtype
        )
        for name, x in given.items()
    }

    @tf.function(input_signature=[unknown], autograph=False)
    def run(given):
        return decoder(**given, **OPTIONS)

    for one, other in zip(run(given), expected, strict=True):
        assert_close(one, other)


@keras.saving.register_keras_serializable()
class StartedCell(layers.GRUCell):
    """A cell that begins with a state that is learnt."""

    def build(self, shape):
        super().build(shape)
        self.start = self.add_weight(shape=(self.units,), initializer="ones")

    def get_initial_state(self, batch_size=None):
        return [ops.tile(self.start[None], (batch_size, 1))]


def test_a_cell_says_itself_what_it_begins_with():
    sequence = keras.random.normal((2, 3, 5), seed=1)
    memory = keras.random.normal((2, 4, 6), seed=2)
    layer = ka.AttentionRNN(StartedCell(7), ka.BahdanauAttention(8))
    found = layer(sequence, memory=memory)
    given = layer(sequence, memory=memory, initial_state=[np.ones((2, 7))])
    np.testing.assert_array_equal(found, given)
    zeros = layer(sequence, memory=memory, initial_state=[np.zeros((2, 7))])
    assert np.abs(np.asarray(found) - np.asarray(zeros)).max() > 0.01


def test_a_learnt_first_state_is_trained_and_saved(tmp_path):
    sequence, memory = keras.Input((None, 5)), keras.Input((None, 6))
    layer = ka.AttentionRNN(StartedCell(7), ka.BahdanauAttention(8))
    model = keras.Model([sequence, memory], layer(sequence, memory=memory))
    model.compile("sgd", "mse")
    given = [np.ones((2, 3, 5), "float32"), np.ones((2, 4, 6), "float32")]
    model.fit(given, np.zeros((2, 3, 13)), verbose=0)
    assert (array(layer.cells[0].start) != 1).all()
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    assert_close(again(given), array(model(given)))


def test_cells_that_keras_has_stacked_begin_with_zeros():
    stacked = layers.StackedRNNCells([layers.GRUCell(4), layers.GRUCell(4)])
    layer = ka.AttentionRNN(stacked, ka.BahdanauAttention(8))
    sequence, memory = np.ones((2, 3, 5), "float32"), np.ones((2, 4, 6), "float32")
    found = layer(sequence, memory=memory)
    zeros = [np.zeros((2, 4))] * 2
    assert_close(layer(sequence, memory=memory, initial_state=zeros), array(found))


def test_a_cell_that_begins_with_something_else_is_refused():
    class Wrong(layers.GRUCell):
        def get_initial_state(self, batch_size=None):
            return [ops.zeros((batch_size, 3))]

    layer = ka.AttentionRNN(Wrong(7, name="wrong"), ka.BahdanauAttention(8))
    with pytest.raises(ValueError, match="`get_initial_state` of the cell 'wrong'"):
        layer(np.zeros((2, 3, 5)), memory=np.zeros((2, 4, 6)))
