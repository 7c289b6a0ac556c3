import itertools
import types

import keras
import numpy as np
import pytest
from helpers import array, run_example
from keras import layers, ops

import keras_attention as ka
from keras_attention.recurrent import cells
from keras_attention.recurrent.cells import cells_with_dropout
from keras_attention.recurrent.steps import ORDERS

B, T, S, DX, DV, UNITS = 2, 3, 5, 7, 11, 13


@keras.saving.register_keras_serializable()
class LeakyCell(layers.Layer):
    """A cell of one's own: one state, an output of another size, no `training`."""

    def __init__(self, units, size, **kwargs):
        super().__init__(**kwargs)
        self.state_size = units
        self.output_size = size

    def build(self, shape):
        self.kernel = self.add_weight(shape=(shape[-1], self.state_size), name="in")
        self.out = self.add_weight(
            shape=(self.state_size, self.output_size), name="out"
        )
        self.built = True

    def call(self, inputs, states):
        (state,) = states
        state = 0.5 * state + ops.tanh(ops.matmul(inputs, self.kernel))
        return ops.matmul(state, self.out), state

    def get_config(self):
        sizes = {"units": self.state_size, "size": self.output_size}
        return {**super().get_config(), **sizes}


CELLS = {
    "gru": lambda **k: layers.GRUCell(4, **k),
    "lstm": lambda **k: layers.LSTMCell(4, **k),
    "simple": lambda **k: layers.SimpleRNNCell(4, **k),
    "stack": lambda **k: [layers.GRUCell(4, **k), layers.LSTMCell(6, **k)],
    "own": lambda **k: LeakyCell(4, 6, **k),
}
ATTENTIONS = {
    "bahdanau": lambda **k: ka.BahdanauAttention(UNITS, **k),
    "luong": lambda **k: ka.LuongAttention(score="general", **k),
    "multi-head": lambda **k: ka.MultiHeadAttention(2, 3, **k),
    "scaled-dot": lambda **k: ka.ScaledDotProductAttention(**k),
}
# order, attentional units, input feeding
SHAPES = [
    ("previous", None, False),
    ("previous", 8, False),
    ("current", None, False),
    ("current", 8, False),
    ("current", None, True),
    ("current", 8, True),
    ("conditional", None, False),
    ("conditional", 8, False),
]


def to_numpy(tensor):
    return np.asarray(ops.convert_to_numpy(ops.cast(tensor, "float32")))


def inputs():
    random = np.random.default_rng(5)
    sequence = random.normal(size=(B, T, DX)).astype("float32")
    memory = random.normal(size=(B, S, DV)).astype("float32")
    return sequence, memory, np.array([[1, 1, 1, 0, 0], [1, 1, 1, 1, 1]], bool)


def make(cell="gru", attention="bahdanau", shape=SHAPES[0], dtype="float32", **more):
    order, units, feeding = shape
    return ka.AttentionRNN(
        CELLS[cell](dtype=dtype),
        ATTENTIONS[attention](dtype=dtype),
        order=order,
        attentional_units=units,
        input_feeding=feeding,
        dtype=dtype,
        **more,
    )


def memory_for(attention, cell, shape):
    """The memory, cut to the size of the query where that is the only score."""
    _, memory, mask = inputs()
    if attention == "scaled-dot":
        of_output = shape[0] == "current" and cell in ("stack", "own")
        memory = memory[..., : 6 if of_output else 4]
    return memory, mask


def check_steps(cell, attention, shape, dtype="float32"):
    """Assert that one step at a time gives what the whole gives."""
    sequence, (memory, mask) = inputs()[0], memory_for(attention, cell, shape)
    decoder = make(cell, attention, shape, dtype=dtype)
    options = {"return_attention_scores": True, "return_state": True}
    whole, weights, *states = decoder(
        sequence, memory=memory, memory_mask=mask, **options
    )
    prepared, carried = decoder.prepare(memory, mask), None
    for t in range(T):
        output, row, *carried = decoder(
            sequence[:, t : t + 1], memory=prepared, initial_state=carried, **options
        )
        # bfloat16 and float16 round sums of another order by their last bit.
        close = {"rtol": 1e-5, "atol": 1e-6 if dtype == "float32" else 0.02}
        for found, wanted in (
            (to_numpy(output)[:, 0], to_numpy(whole)[:, t]),
            (to_numpy(row)[..., 0, :], to_numpy(weights)[..., t, :]),
        ):
            np.testing.assert_allclose(found, wanted, **close)
    for one, all_at_once in zip(carried, states, strict=True):
        np.testing.assert_allclose(to_numpy(one), to_numpy(all_at_once), **close)


@pytest.mark.parametrize(
    ("cell", "dtype", "shapes"),
    [
        ("gru", "float32", SHAPES),
        ("lstm", "float32", SHAPES[1::3]),
        ("simple", "float32", SHAPES[0::5]),
        ("stack", "float32", SHAPES[1::2]),
        ("own", "float32", SHAPES[0::3]),
        ("gru", "mixed_bfloat16", SHAPES[0::3]),
        ("stack", "mixed_float16", SHAPES[1::3]),
    ],
)
def test_one_step_at_a_time_equals_the_whole(cell, dtype, shapes):
    for shape in shapes:
        check_steps(cell, "bahdanau", shape, dtype)


@pytest.mark.parametrize(
    ("cell", "attention", "shape"),
    [
        ("stack", "luong", SHAPES[5]),
        ("lstm", "luong", SHAPES[0]),
        ("own", "multi-head", SHAPES[2]),
        ("stack", "multi-head", SHAPES[6]),
        ("own", "scaled-dot", SHAPES[3]),
        ("simple", "scaled-dot", SHAPES[7]),
    ],
)
def test_with_any_attention_one_step_at_a_time_equals_the_whole(cell, attention, shape):
    check_steps(cell, attention, shape)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("cell", "attention", "shape"), list(itertools.product(CELLS, ATTENTIONS, SHAPES))
)
def test_every_cell_steps_with_every_attention(cell, attention, shape):
    check_steps(cell, attention, shape)


@pytest.mark.parametrize("attention", ATTENTIONS)
@pytest.mark.parametrize("shape", SHAPES)
def test_weights_sum_to_one_over_real_memory_and_padding_gets_nothing(attention, shape):
    sequence, (memory, mask) = inputs()[0], memory_for(attention, "gru", shape)
    _, weights = make("gru", attention, shape)(
        sequence, memory=memory, memory_mask=mask, return_attention_scores=True
    )
    weights = to_numpy(weights)
    heads = (2,) if attention == "multi-head" else ()
    assert weights.shape == (B, *heads, T, S)
    np.testing.assert_allclose(weights.sum(-1), 1, rtol=1e-5)
    assert np.all(weights[0, ..., 3:] == 0)


@pytest.mark.parametrize("shape", SHAPES)
def test_padding_of_the_memory_changes_nothing_even_nan(shape):
    sequence, memory, mask = inputs()
    decoder = make(shape=shape)
    expected = to_numpy(decoder(sequence, memory=memory, memory_mask=mask))
    memory[0, 3:] = np.nan
    found = to_numpy(decoder(sequence, memory=memory, memory_mask=mask))
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("shape", SHAPES)
def test_a_masked_step_keeps_the_states_and_gives_zeros(shape):
    sequence, memory, _ = inputs()
    decoder = make(shape=shape)
    options = {"memory": memory, "return_state": True, "return_attention_scores": True}
    keep = np.array([[True, True, False]] * B)
    short, _, *states = decoder(sequence[:, :2], **options)
    output, weights, *kept = decoder(sequence, sequence_mask=keep, **options)
    np.testing.assert_allclose(
        to_numpy(output)[:, :2], to_numpy(short), rtol=1e-5, atol=1e-6
    )
    assert np.all(to_numpy(output)[:, 2] == 0)
    assert np.all(to_numpy(weights)[:, 2] == 0)
    for before, after in zip(states, kept, strict=True):
        np.testing.assert_allclose(
            to_numpy(after), to_numpy(before), rtol=1e-5, atol=1e-6
        )


def test_the_last_output_is_that_of_the_last_real_step():
    sequence, memory, _ = inputs()
    decoder = make(return_sequences=False)
    keep = np.array([[True, True, False], [True, True, True]])
    last = to_numpy(decoder(sequence, memory=memory, sequence_mask=keep))
    decoder.return_sequences = True
    every = to_numpy(decoder(sequence, memory=memory))
    np.testing.assert_allclose(last, [every[0, 1], every[1, 2]], rtol=1e-5, atol=1e-6)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def gru_step(cell, x, h):
    """One step of `keras.layers.GRUCell` with its defaults, in float64."""
    kernel, recurrent, bias = (np.asarray(w, "float64") for w in cell.get_weights())
    xz, xr, xh = np.split(x @ kernel + bias[0], 3, axis=-1)
    hz, hr, hh = np.split(h @ recurrent + bias[1], 3, axis=-1)
    z, r = sigmoid(xz + hz), sigmoid(xr + hr)
    return z * h + (1 - z) * np.tanh(xh + r * hh)


def additive(attention, query, memory, mask):
    weights = {w.name: np.asarray(w.numpy(), "float64") for w in attention.weights}
    hidden = np.tanh(
        (query @ weights["query_kernel"])[:, None]
        + memory @ weights["key_kernel"]
        + weights["bias"]
    )
    scores = np.where(mask, (hidden @ weights["vector"])[..., 0], -np.inf)
    rows = np.exp(scores - scores.max(-1, keepdims=True))
    rows /= rows.sum(-1, keepdims=True)
    return np.einsum("bs,bsd->bd", rows, memory)


@pytest.mark.parametrize("order", ORDERS)
def test_each_order_equals_its_equations_in_float64(order):
    sequence, memory, mask = inputs()
    decoder = make(shape=(order, None, False))
    found = to_numpy(decoder(sequence, memory=memory, memory_mask=mask))
    cell, attention = decoder.cells[0], decoder.attention
    state = np.zeros((B, 4))
    for t in range(T):
        x = sequence[:, t].astype("float64")
        if order == "previous":
            context = additive(attention, state, memory, mask)
            state = gru_step(cell, np.concatenate([x, context], -1), state)
        else:
            state = gru_step(cell, x, state)
            context = additive(attention, state, memory, mask)
            if order == "conditional":
                state = gru_step(decoder.context_cell, context, state)
        expected = np.concatenate([context, state], -1)
        np.testing.assert_allclose(found[:, t], expected, rtol=1e-4, atol=1e-5)


def test_input_feeding_gives_the_attentional_vector_to_the_next_step():
    sequence, memory, _ = inputs()
    decoder = make(shape=("current", 8, True))
    found = to_numpy(decoder(sequence, memory=memory))
    fed, state = np.zeros((B, 8)), np.zeros((B, 4))
    kernel = np.asarray(decoder.attentional.get_weights()[0], "float64")
    everything = np.ones((B, S), bool)
    for t in range(T):
        state = gru_step(
            decoder.cells[0], np.concatenate([sequence[:, t], fed], -1), state
        )
        context = additive(decoder.attention, state, memory, everything)
        fed = np.tanh(np.concatenate([context, state], -1) @ kernel)
        np.testing.assert_allclose(found[:, t], fed, rtol=1e-4, atol=1e-5)


def without_shapes(config):
    """Leave out what a built layer adds to its configuration."""
    if isinstance(config, list):
        return [without_shapes(each) for each in config]
    if not isinstance(config, dict):
        return config
    return {k: without_shapes(v) for k, v in config.items() if k != "build_config"}


@pytest.mark.parametrize(
    ("cell", "shape"),
    [("gru", shape) for shape in SHAPES]
    + [("stack", SHAPES[1]), ("stack", SHAPES[4]), ("own", SHAPES[7])],
)
def test_saved_and_loaded_it_gives_equal_outputs(cell, shape, tmp_path):
    sequence, memory, mask = inputs()
    decoder = make(cell, shape=shape, name="decoder")
    ins = [
        keras.Input((None, DX)),
        keras.Input((None, DV)),
        keras.Input((None,), dtype="bool"),
    ]
    outs = decoder(
        ins[0],
        memory=ins[1],
        memory_mask=ins[2],
        return_attention_scores=True,
        return_state=True,
    )
    model = keras.Model(ins, outs)
    expected = model([sequence, memory, mask])
    assert outs[0].shape == (None, None, expected[0].shape[-1])
    assert len(outs[1].shape) == 3
    model.save(tmp_path / "decoder.keras")
    loaded = keras.models.load_model(tmp_path / "decoder.keras")
    for found, wanted in zip(loaded([sequence, memory, mask]), expected, strict=True):
        np.testing.assert_array_equal(to_numpy(found), to_numpy(wanted))
    again = loaded.get_layer("decoder").get_config()
    assert without_shapes(again) == without_shapes(decoder.get_config())


@pytest.mark.parametrize("shape", [SHAPES[0], SHAPES[5], SHAPES[6]])
def test_it_trains_with_dropout_in_cell_and_attention(shape):
    sequence, memory, mask = inputs()
    order, units, feeding = shape
    decoder = ka.AttentionRNN(
        [layers.GRUCell(4, dropout=0.2), layers.LSTMCell(4, recurrent_dropout=0.2)],
        ka.BahdanauAttention(UNITS, dropout=0.2),
        order=order,
        attentional_units=units,
        input_feeding=feeding,
    )
    ins = [
        keras.Input((None, DX)),
        keras.Input((None, DV)),
        keras.Input((None,), dtype="bool"),
    ]
    model = keras.Model(ins, decoder(ins[0], memory=ins[1], memory_mask=ins[2]))
    model.compile("sgd", "mse")
    target = np.zeros(model([sequence, memory, mask]).shape, "float32")
    history = model.fit([sequence, memory, mask], target, epochs=2, verbose=0)
    assert np.all(np.isfinite(history.history["loss"]))
    first, second = (
        to_numpy(decoder(sequence, memory=memory, training=True)) for _ in range(2)
    )
    assert np.abs(first - second).max() > 1e-3
    calm = [to_numpy(decoder(sequence, memory=memory)) for _ in range(2)]
    np.testing.assert_array_equal(*calm)


@keras.saving.register_keras_serializable()
class CountedCell(layers.LSTMCell):
    """Counts its steps."""

    steps = 0

    def call(self, inputs, states, training=False):
        self.steps += 1
        return super().call(inputs, states, training=training)


@pytest.mark.parametrize("share", [0.0, 0.2])
@pytest.mark.parametrize("name", ["dropout", "recurrent_dropout"])
def test_a_cell_without_dropout_does_no_step_more_in_training(name, share):
    sequence, memory, _ = inputs()
    cell = CountedCell(4, **{name: share})
    decoder = ka.AttentionRNN(cell, ka.BahdanauAttention(UNITS))
    decoder(sequence[:, :1], memory=memory, training=True)
    assert cell.steps == (2 if share else 1)


def test_dropout_is_known_of_cells_that_say_so_and_expected_of_others():
    own = LeakyCell(4, 6)
    own.get_dropout_mask = lambda inputs: None
    drop = [
        own,
        layers.LSTMCell(4, dropout=0.1),
        layers.LSTMCell(4, recurrent_dropout=0.1),
    ]
    keep = [layers.GRUCell(4), LeakyCell(4, 6)]
    assert cells_with_dropout([*keep, *drop]) == drop
    stack = layers.StackedRNNCells([keep[0], drop[1]])
    assert cells_with_dropout([stack]) == [drop[1]]


def test_the_signature_of_a_cell_is_read_once(monkeypatch):
    sequence, memory, _ = inputs()
    read = []
    signature = cells.inspect.signature
    monkeypatch.setattr(
        cells.inspect, "signature", lambda call: read.append(call) or signature(call)
    )
    own = CountedCell(4)
    decoder = ka.AttentionRNN(own, ka.BahdanauAttention(UNITS))
    cells._takes_training.cache_clear()
    for t in range(T):
        decoder(sequence[:, t : t + 1], memory=memory)
    assert own.steps == T
    assert read.count(CountedCell.call) == 1


@pytest.mark.parametrize("attention", [*ATTENTIONS, "feedback"])
def test_a_call_does_not_count_among_the_layers_without_a_name(attention):
    sequence, memory, _ = inputs()
    makers = ATTENTIONS | {"feedback": lambda: ka.CoverageAttention(UNITS)}
    alone = makers[attention]()
    decoder = ka.AttentionRNN(layers.GRUCell(4), makers[attention]())
    memory = memory[..., :4]

    def number():
        """The number that Keras gives to the next RNN without a name."""
        return int(("0_" + layers.RNN(layers.GRUCell(2)).name).rsplit("_", 1)[-1])

    layers.RNN(layers.GRUCell(2))
    before = number()
    for length in (1, T):
        decoder(sequence[:, :length], memory=memory)
        alone(sequence[:, :length, :4], memory)
    assert number() == before + 1


@pytest.mark.parametrize("shape", SHAPES[1::2])
def test_the_attentional_vector_may_be_linear(shape, tmp_path):
    sequence, memory, _ = inputs()
    linear = make(shape=shape, attentional_activation=None)
    bent = make(shape=shape)
    for decoder in (linear, bent):
        decoder.build((B, T, DX), (B, S, DV))
    bent.set_weights(linear.get_weights())
    # In the first step alone: with input feeding the next steps differ.
    found = [to_numpy(each(sequence[:, :1], memory=memory)) for each in (linear, bent)]
    np.testing.assert_allclose(np.tanh(found[0]), found[1], rtol=1e-5, atol=1e-6)
    assert np.abs(found[0] - found[1]).max() > 1e-4
    again = ka.AttentionRNN.from_config(linear.get_config())
    again.build((B, T, DX), (B, S, DV))
    again.set_weights(linear.get_weights())
    np.testing.assert_array_equal(
        to_numpy(again(sequence[:, :1], memory=memory)), found[0]
    )


def test_an_activation_of_the_attentional_vector_wants_units():
    with pytest.raises(ValueError, match="must be left out without `attentional_uni"):
        make(attentional_activation=None)


def test_a_config_needs_no_key_that_has_a_default():
    config = make(shape=("previous", None, False)).get_config()
    few = {name: config[name] for name in ("cell", "attention")}
    again = ka.AttentionRNN.from_config(few).get_config()
    assert without_names(again) == without_names(config)
    with_units = make(shape=SHAPES[1]).get_config()
    del with_units["attentional_activation"]  # a file from before it was there
    old = ka.AttentionRNN.from_config(with_units)
    assert old.attentional_activation is keras.activations.tanh


def without_names(config):
    return {name: value for name, value in config.items() if name != "name"}


@pytest.mark.parametrize(
    ("layer", "mend"),
    [
        (lambda: layers.GRU(8), "keras.layers.GRUCell"),
        (lambda: layers.LSTM(8), "keras.layers.LSTMCell"),
        (lambda: layers.SimpleRNN(8), "keras.layers.SimpleRNNCell"),
        (lambda: layers.RNN(layers.GRUCell(8)), "Pass a cell"),
        (lambda: layers.Bidirectional(layers.GRU(8)), "keras.layers.GRUCell"),
        (lambda: layers.TimeDistributed(layers.Dense(8)), "keras.layers.GRUCell"),
        (lambda: layers.Dense(8), "keras.layers.GRUCell"),
    ],
)
def test_a_layer_over_all_steps_is_refused_with_the_name_of_its_cell(layer, mend):
    for cell in (layer(), [layers.GRUCell(4), layer()]):
        with pytest.raises(ValueError, match=f"`cell` must be a Keras RNN .*{mend}"):
            ka.AttentionRNN(cell, ka.BahdanauAttention(3))
    with pytest.raises(ValueError, match=mend):
        make(shape=SHAPES[6], context_cell=layer())


def test_cell_states_alone_may_start_it():
    sequence, memory, _ = inputs()
    decoder = make(shape=("current", 8, True))
    start = np.ones((B, 4), "float32")
    alone = decoder(sequence, memory=memory, initial_state=[start])
    full = decoder(
        sequence, memory=memory, initial_state=[start, np.zeros((B, 8), "float32")]
    )
    np.testing.assert_array_equal(to_numpy(alone), to_numpy(full))


def test_the_padding_mask_of_an_embedding_reaches_memory_and_sequence():
    tokens = np.array([[3, 4, 0], [5, 6, 7]])
    source = np.array([[2, 3, 0, 0, 0], [4, 5, 6, 7, 8]])
    embed = layers.Embedding(10, DX, mask_zero=True)
    decoder = make()
    implicit = decoder(embed(tokens), memory=embed(source))
    plain = layers.Embedding(10, DX, weights=embed.get_weights())
    explicit = decoder(
        plain(tokens),
        memory=plain(source),
        sequence_mask=ka.padding_mask(tokens),
        memory_mask=ka.padding_mask(source),
    )
    np.testing.assert_array_equal(to_numpy(implicit), to_numpy(explicit))


class Forgetful(layers.Layer):
    """Drops its mask, as all recurrent layers of a later Keras do."""

    def call(self, inputs):
        return ops.tanh(inputs)


def test_explicit_masks_are_enough_after_an_encoder_that_drops_its_mask():
    source = np.array([[2, 3, 0, 0, 0], [4, 5, 6, 7, 8]])
    target = np.array([[3, 4, 0], [5, 6, 7]])
    embed, encoder, decoder = (
        layers.Embedding(10, DX, mask_zero=True),
        Forgetful(),
        make(),
    )

    def run(source, target):
        return decoder(
            encoder(embed(target)),
            memory=encoder(embed(source)),
            sequence_mask=ka.padding_mask(target),
            memory_mask=ka.padding_mask(source),
            return_attention_scores=True,
        )

    with pytest.warns(UserWarning, match="will therefore destroy the mask"):
        padded, weights = run(source, target)
        short, short_weights = run(source[:1, :2], target[:1, :2])
    np.testing.assert_allclose(
        to_numpy(padded)[:1, :2], to_numpy(short), rtol=1e-5, atol=1e-6
    )
    np.testing.assert_allclose(
        to_numpy(weights)[:1, :2, :2], to_numpy(short_weights), rtol=1e-5, atol=1e-6
    )
    assert np.all(to_numpy(padded)[0, 2] == 0)
    assert np.all(to_numpy(weights)[0, :, 2:] == 0)


@pytest.mark.parametrize("shape", SHAPES)
def test_cells_and_attentions_may_have_types_of_their_own(shape):
    sequence, memory, _ = inputs()
    order, units, feeding = shape
    decoder = ka.AttentionRNN(
        layers.GRUCell(4, dtype="float32"),
        ka.BahdanauAttention(UNITS, dtype="float32"),
        order=order,
        attentional_units=units,
        input_feeding=feeding,
        dtype="mixed_float16",
    )
    for length in (1, T):
        output, *states = decoder(
            sequence[:, :length], memory=memory, return_state=True
        )
        for tensor in (output, *states):
            assert keras.backend.standardize_dtype(tensor.dtype) == "float16"
            assert np.isfinite(to_numpy(tensor)).all()


def test_the_example_of_its_docstring_runs():
    sequence, memory, mask = inputs()
    names = run_example(
        ka.AttentionRNN,
        BahdanauAttention=ka.BahdanauAttention,
        target=sequence,
        states=memory,
        mask=mask,
    )
    assert names["outputs"].shape == (B, T, 512 + DV)
    assert names["weights"].shape == (B, T, S)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"order": "after"}, "`order` must be 'previous', 'current' or"),
        ({"input_feeding": True}, "`input_feeding` must be False unless"),
        ({"input_feeding": np.ones(2)}, "`input_feeding` must be a bool"),
        ({"return_sequences": "yes"}, "`return_sequences` must be a bool"),
        ({"context_cell": layers.GRUCell(4)}, "`context_cell` must be None unless"),
        (
            {"order": "conditional", "context_cell": layers.GRUCell(5)},
            "`context_cell` must have states of",
        ),
        ({"attentional_units": 0}, "`attentional_units` must be a positive int"),
        ({"attention": layers.Dense(3)}, "`attention` must be an attention layer"),
        ({"attention": []}, "`attention` must be an attention layer"),
        ({"cell": layers.Dense(3)}, "`cell` must be a Keras RNN cell"),
        ({"cell": types.SimpleNamespace(state_size=4)}, "be a Keras RNN cell"),
        ({"cell": []}, "`cell` must be a Keras RNN cell, or a list that holds"),
        ({"cell": [layers.GRUCell(4)] * 2}, "or a list that holds each cell once"),
        (
            {"cell": layers.StackedRNNCells([layers.GRUCell(2), layers.LSTMCell(2)])},
            "Pass the cells of a stack as a list",
        ),
    ],
)
def test_a_wrong_argument_is_told(arguments, message):
    defaults = {"cell": layers.GRUCell(4), "attention": ka.BahdanauAttention(3)}
    with pytest.raises(ValueError, match=message):
        ka.AttentionRNN(**{**defaults, **arguments})


def test_wrong_shapes_are_told():
    sequence, memory, _ = inputs()
    with pytest.raises(ValueError, match=r"`sequence` must have shape \(B, T, Dx\)"):
        make()(sequence[:, 0], memory=memory)
    with pytest.raises(ValueError, match=r"`memory` must have shape \(B, S, Dv\)"):
        make()(sequence, memory=memory[:, 0])
    with pytest.raises(ValueError, match="must hold 1 cell states, or all 1"):
        make()(sequence, memory=memory, initial_state=[sequence[:, 0]] * 3)
    with pytest.raises(ValueError, match=r"`initial_state\[0\]` must have shape"):
        make()(sequence, memory=memory, initial_state=[np.ones((B, 99), "float32")])


def test_masks_of_another_shape_are_told():
    sequence, memory, mask = inputs()
    with pytest.raises(ValueError, match=r"`memory_mask` must have shape \(B, S\)"):
        make()(sequence, memory=memory, memory_mask=mask[:, :3])
    with pytest.raises(ValueError, match=r"`sequence_mask` must have shape \(B, T\)"):
        make()(sequence, memory=memory, sequence_mask=mask)


def test_prepare_wants_a_built_layer_and_a_tensor():
    _, memory, _ = inputs()
    with pytest.raises(ValueError, match="the layer must be built"):
        make().prepare(memory)
    decoder = make()
    decoder.build((B, T, DX), (B, S, DV))
    with pytest.raises(ValueError, match="`memory` must be a tensor"):
        decoder.prepare(keras.Input((None, DV)))


def test_the_second_cell_of_the_conditional_order_draws_dropout_of_its_own():
    cell = layers.GRUCell(4, recurrent_dropout=0.5, seed=7)
    layer = ka.AttentionRNN(cell, ka.BahdanauAttention(8), order="conditional")
    state = np.ones((2, 4), "float32")
    one, other = (
        np.asarray(each.get_recurrent_dropout_mask(state))
        for each in (cell, layer.context_cell)
    )
    assert (one != other).any()
    again = ka.AttentionRNN(
        layers.GRUCell(4, seed=7), ka.BahdanauAttention(8), order="conditional"
    )
    assert again.context_cell.seed == layer.context_cell.seed


def test_the_second_cell_of_the_conditional_order_has_weights_of_its_own():
    start = keras.initializers.Orthogonal(seed=7)
    cell = layers.GRUCell(4, recurrent_initializer=start)
    layer = ka.AttentionRNN(cell, ka.BahdanauAttention(8), order="conditional")
    layer.build((2, 3, 5), (2, 4, 6))
    one, other = (
        array(cell.recurrent_kernel),
        array(layer.context_cell.recurrent_kernel),
    )
    assert (one != other).any()


def test_cells_in_a_stack_of_keras_draw_new_dropout_in_every_call():
    cells = [layers.GRUCell(4, dropout=0.5, seed=1), layers.GRUCell(4)]
    layer = ka.AttentionRNN(layers.StackedRNNCells(cells), ka.BahdanauAttention(8))
    for batch in (3, 2):
        given = {"sequence": np.ones((batch, 3, 5)), "memory": np.ones((batch, 4, 6))}
        one, other = (array(layer(**given, training=True)) for _ in range(2))
        assert (one != other).any()


@pytest.mark.parametrize(
    "attention",
    [
        ka.BahdanauAttention(8, dropout=0.5, seed=1),
        ka.MultiHeadAttention(2, 4, dropout=0.5, seed=1),
    ],
)
def test_a_prepared_memory_has_dropout_in_training_too(attention):
    layer = ka.AttentionRNN(layers.GRUCell(4), attention)
    sequence, memory, _ = inputs()
    layer.build(sequence.shape, memory.shape)
    prepared = layer.prepare(memory)
    plain, again = (array(layer(sequence, memory=prepared)) for _ in range(2))
    np.testing.assert_array_equal(plain, again)
    one, other = (
        array(layer(sequence, memory=prepared, training=True)) for _ in range(2)
    )
    assert (one != plain).any() and (one != other).any()


class StoppingCell(layers.GRUCell):
    """A cell whose step fails, where it is told to."""

    fails = False

    def call(self, inputs, states, training=False):
        results = super().call(inputs, states, training=training)
        if self.fails:
            raise RuntimeError("stopped")
        return results


def test_a_call_that_failed_leaves_no_dropout_behind():
    cell = StoppingCell(4, dropout=0.5, seed=1)
    layer = ka.AttentionRNN(cell, ka.BahdanauAttention(8))
    sequence, memory = np.ones((2, 3, 5), "float32"), np.ones((2, 4, 6), "float32")
    layer(sequence, memory=memory)
    cell.fails = True
    with pytest.raises(RuntimeError, match="stopped"):
        layer(sequence, memory=memory, training=True)
    cell.fails = False
    sequence, memory = (
        np.ones((5, *x.shape[1:]), "float32") for x in (sequence, memory)
    )
    assert layer(sequence, memory=memory, training=True).shape[0] == 5
