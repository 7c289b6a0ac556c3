"""What every attention layer keeps: masks, empty rows, one step, dropout, memory."""

import itertools

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
    attention_inputs,
    check_layer,
    compiled,
    gradients,
    randomise,
    reference_attention,
    run_example,
)
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays as drawn_arrays
from keras import layers, ops

from keras_attention import (
    AttentionPooling,
    BahdanauAttention,
    CoverageAttention,
    LocationSensitiveAttention,
    LuongAttention,
    MonotonicAttention,
    MultiHeadAttention,
    ScaledDotProductAttention,
    ScoreAttention,
)


@keras.saving.register_keras_serializable(package="tests")
class Distance(ScoreAttention):
    """A layer as a user would write it."""

    def score(self, query, key):
        return -ops.sum((query[:, :, None] - key[:, None]) ** 2, axis=-1)


# Every attention layer without a state, and one from outside.
# Those with one are tested in test_feedback.py.
ATTENTIONS = {
    "distance": Distance,
    "scaled": ScaledDotProductAttention,
    "additive": lambda **arguments: BahdanauAttention(U, **arguments),
    "dot": LuongAttention,
    "general": lambda **arguments: LuongAttention("general", **arguments),
    "concat": lambda **arguments: LuongAttention("concat", U, **arguments),
    "multi-head": lambda **arguments: MultiHeadAttention(3, 4, 5, **arguments),
}
every_attention = pytest.mark.parametrize("make", ATTENTIONS.values(), ids=ATTENTIONS)


def every_attention_with(*choices):
    """Every attention with every combination of choices, most of them marked slow.

    The rest still holds every pair of an attention and a choice, and of two choices.
    """
    length = len(choices[-1][1])
    rows = []
    for index, (name, make) in enumerate(ATTENTIONS.items()):
        for places in itertools.product(*(range(len(each)) for _, each in choices)):
            chosen = (index + sum(places)) % length == 0
            rows.append(
                pytest.param(
                    make,
                    *(
                        each[place]
                        for place, (_, each) in zip(places, choices, strict=True)
                    ),
                    id="-".join([name, *map(str, places)]),
                    marks=[] if chosen else pytest.mark.slow,
                )
            )
    return pytest.mark.parametrize(["make", *(name for name, _ in choices)], rows)


MASKS = drawn_arrays(bool, (B, T)), drawn_arrays(bool, (B, S))
PAIRS = drawn_arrays(bool, (B, T, S))


def built(make, inputs=None, **arguments):
    """A layer with random weights."""
    layer = make(**arguments)
    layer(**(inputs or attention_inputs()))
    return randomise(layer)


def attend(layer, inputs, **call):
    """Context and weights as arrays, the weights with an axis for heads."""
    context, weights = arrays(layer(**inputs, **call, return_attention_scores=True))
    return context, by_head(weights)


def by_head(weights):
    """Weights (B, T, S) or (B, H, T, S) with an axis for heads in any case."""
    return weights if weights.ndim == 4 else weights[:, None]


def assert_same(some, others):
    """Assert that two lists of arrays agree one by one."""
    for one, other in zip(some, others, strict=True):
        assert_close(one, other)


def seen(inputs):
    """The pairs (B, T, S) that the masks among the inputs let through."""
    pairs = np.ones((B, T, S), bool)
    pairs &= inputs.get("query_mask", np.ones((B, T), bool))[:, :, None]
    pairs &= inputs.get("value_mask", np.ones((B, S), bool))[:, None, :]
    pairs &= inputs.get("key_mask", np.ones((B, S), bool))[:, None, :]
    return pairs & inputs.get("attention_mask", True)


def left_padding(length=S):
    """A mask whose first row is padded on the left, whose second is full."""
    mask = np.ones((B, length), bool)
    mask[0, :2] = False
    return mask


# ---- weights and masks


@every_attention
def test_weights_are_shares_of_what_may_be_seen(make):
    layer = built(make)
    # Compiled once for all examples.
    runs = [
        compiled(layer, use_causal_mask=causal, return_attention_scores=True)
        for causal in (False, True)
    ]

    @given(*MASKS, PAIRS, st.booleans(), st.integers(0, 3))
    def check(query_mask, value_mask, attention_mask, causal, seed):
        inputs = attention_inputs(seed) | {
            "query_mask": query_mask,
            "value_mask": value_mask,
            "attention_mask": attention_mask,
        }
        context, weights = arrays(runs[causal](inputs))
        weights = by_head(weights)
        pairs = seen(inputs) & (np.tri(T, S, dtype=bool) if causal else True)
        assert (weights >= 0).all()
        assert (weights[~np.broadcast_to(pairs[:, None], weights.shape)] == 0).all()
        total = np.broadcast_to(pairs.any(-1)[:, None], weights.shape[:-1])
        np.testing.assert_allclose(weights.sum(-1), total, atol=1e-5)
        assert (context[~pairs.any(-1)] == 0).all()

    check()


@every_attention
def test_every_mask_argument_hides_as_the_pairs_it_means(make):
    layer = built(make)
    random = np.random.default_rng(0)
    masks = {
        "query_mask": random.random((B, T)) < 0.7,
        "value_mask": random.random((B, S)) < 0.7,
        "key_mask": random.random((B, S)) < 0.7,
        "attention_mask": random.random((T, S)) < 0.7,
    }
    for names in [*[[name] for name in masks], list(masks)]:
        inputs = attention_inputs() | {name: masks[name] for name in names}
        pairs = {"attention_mask": seen(inputs)}
        assert_same(attend(layer, inputs), attend(layer, attention_inputs() | pairs))


@every_attention
def test_the_order_of_the_keys_does_not_matter(make):
    layer, inputs = built(make), attention_inputs() | {"value_mask": left_padding()}
    context, weights = attend(layer, inputs)
    order = np.random.default_rng(0).permutation(S)
    shuffled = inputs | {
        name: inputs[name][:, order] for name in ("key", "value", "value_mask")
    }
    shuffled_context, shuffled_weights = attend(layer, shuffled)
    assert_close(shuffled_context, context)
    assert_close(shuffled_weights, weights[..., order])


@every_attention
def test_examples_of_a_batch_do_not_see_each_other(make):
    layer, inputs = built(make), attention_inputs() | {"value_mask": left_padding()}
    whole = attend(layer, inputs)
    for index in range(B):
        alone = attend(
            layer, {name: x[index : index + 1] for name, x in inputs.items()}
        )
        assert_same(alone, [each[index : index + 1] for each in whole])


@every_attention
def test_under_a_causal_mask_later_inputs_do_not_matter(make):
    random = np.random.default_rng(0)
    x = random.normal(size=(B, S, DQ)).astype("float32")
    layer = built(make, {"query": x, "value": x})
    before = attend(layer, {"query": x, "value": x}, use_causal_mask=True)[0]
    for t in range(S - 1):
        changed = x.copy()
        changed[:, t + 1 :] = random.normal(size=changed[:, t + 1 :].shape)
        inputs = {"query": changed, "value": changed}
        after = attend(layer, inputs, use_causal_mask=True)[0]
        assert_close(after[:, : t + 1], before[:, : t + 1])
        assert np.abs(after[:, t + 1 :] - before[:, t + 1 :]).max() > 1e-3


@every_attention
def test_under_a_causal_mask_no_gradient_reaches_the_future(make):
    x = attention_inputs()["query"]
    layer = built(make, {"query": x, "value": x})
    # Only the output of step 1 counts: the queries after it are masked out.
    first_two = np.arange(T)[None] * np.ones((B, 1)) < 2
    inputs = {"query": x, "value": x, "query_mask": first_two}
    of_inputs, _ = gradients(layer, inputs, use_causal_mask=True)
    for gradient in of_inputs.values():
        assert (gradient[:, 2:] == 0).all()
    assert np.abs(of_inputs["value"][:, :2]).min() > 0


# ---- padding and rows that see nothing


@every_attention
@pytest.mark.parametrize("junk", [np.nan, 1e30])
def test_padding_does_not_count_whatever_it_holds(make, junk):
    masks = {"query_mask": left_padding(T), "value_mask": left_padding()}
    clean = attention_inputs() | masks
    spoilt = dict(clean)
    for name, mask in (
        ("query", "query_mask"),
        ("value", "value_mask"),
        ("key", "value_mask"),
    ):
        hidden = ~masks[mask][:, :, None]
        spoilt[name] = np.where(hidden, np.float32(junk), clean[name])
    layer = built(make)
    assert_same(attend(layer, spoilt), attend(layer, clean))
    of_inputs, of_weights = gradients(layer, spoilt)
    expected_inputs, expected_weights = gradients(layer, clean)
    for name in ("query", "value", "key"):
        assert_close(of_inputs[name], expected_inputs[name])
    assert_same(of_weights, expected_weights)


@every_attention
def test_a_shorter_sequence_equals_a_padded_one(make):
    layer, inputs = built(make), attention_inputs()
    mask = np.arange(S)[None] * np.ones((B, 1)) < 3
    padded = attend(layer, inputs | {"value_mask": mask})
    short = attend(
        layer, inputs | {name: inputs[name][:, :3] for name in ("value", "key")}
    )
    assert_close(padded[0], short[0])
    assert_close(padded[1][..., :3], short[1])


def padded_left_and_causal():
    masks = {"query_mask": left_padding(T), "value_mask": left_padding()}
    return masks, {"use_causal_mask": True}


def an_empty_source():
    mask = np.ones((B, S), bool)
    mask[0] = False
    return {"value_mask": mask}, {}


def a_window_full_of_padding():
    window = np.abs(np.arange(T)[:, None] - np.arange(S)[None]) <= 1
    return {"value_mask": left_padding(), "attention_mask": window}, {}


@every_attention_with(
    ("case", [padded_left_and_causal, an_empty_source, a_window_full_of_padding]),
    ("dtype", ["float32", "mixed_float16", "mixed_bfloat16"]),
)
def test_a_query_that_attends_to_nothing_gets_nothing(make, case, dtype):
    masks, call = case()
    inputs = attention_inputs() | masks
    for name in ("key", "value"):
        inputs[name][~masks["value_mask"]] = np.nan
    layer = built(make, dtype=dtype)
    context, weights = attend(layer, inputs, **call)
    empty = ~seen(inputs)
    if call:
        empty |= ~np.tri(T, S, dtype=bool)
    empty = empty.all(-1)
    assert empty.any()
    assert (context[empty] == 0).all()
    assert (np.moveaxis(weights, 1, 2)[empty] == 0).all()
    assert np.isfinite(context).all()
    assert np.abs(context[~empty]).min() > 0
    np.testing.assert_array_equal(array(layer(**inputs, **call)), context)
    of_inputs, of_weights = gradients(layer, inputs, **call)
    for gradient in [*of_inputs.values(), *of_weights]:
        assert np.isfinite(gradient).all()


@every_attention_with(("xla", [False, True]), ("with_weights", [False, True]))
def test_compiled_and_not_gives_the_same(make, xla, with_weights):
    masks, call = padded_left_and_causal()
    inputs = attention_inputs() | masks
    layer = built(make)
    call["return_attention_scores"] = with_weights
    outputs = compiled(layer, xla, **call)(inputs)
    assert_same(arrays(outputs), arrays(layer(**inputs, **call)))


@every_attention
def test_one_key_gets_all_the_weight(make):
    inputs = attention_inputs()
    inputs = inputs | {name: inputs[name][:, :1] for name in ("value", "key")}
    layer = built(make, inputs)
    weights = attend(layer, inputs)[1]
    np.testing.assert_array_equal(weights, np.ones_like(weights))


# ---- one step; memory


@every_attention
def test_one_step_is_a_row_of_the_whole(make):
    layer = built(make)
    inputs = attention_inputs() | {"value_mask": left_padding()}
    pairs = np.random.default_rng(0).random((B, T, S)) < 0.7
    real = left_padding(T)
    masks = {"attention_mask": pairs, "query_mask": real}
    context, weights = attend(layer, inputs | masks)
    for t in range(T):
        step = inputs | {
            "query": inputs["query"][:, t],
            "attention_mask": pairs[:, t],
            "query_mask": real[:, t],
        }
        step_context, step_weights = arrays(layer(**step, return_attention_scores=True))
        assert_close(step_context, context[:, t])
        assert_close(np.reshape(step_weights, (B, -1, S)), weights[:, :, t])


@every_attention
@pytest.mark.parametrize("dtype", ["float32", "mixed_bfloat16"])
def test_a_memory_prepared_once_serves_every_step(make, dtype):
    layer, inputs, mask = built(make, dtype=dtype), attention_inputs(), left_padding()
    inputs["key"][~mask] = inputs["value"][~mask] = np.nan
    expected = layer(**inputs, value_mask=mask, return_attention_scores=True)
    memory = layer.prepare(inputs["value"], inputs["key"], value_mask=mask)
    state = layer.initial_state(memory)
    steps = []
    for t in range(T):
        query = ops.convert_to_tensor(inputs["query"][:, t : t + 1])
        context, weights, state = layer.attend(query, memory, state)
        assert context.dtype == expected[0].dtype
        steps.append((array(context), array(weights)))
    precision = dtype.removeprefix("mixed_")
    for index, axis in ((0, 1), (1, -2)):
        joined = np.concatenate([step[index] for step in steps], axis=axis)
        assert_close(joined, expected[index], precision)


@every_attention
def test_the_context_has_the_size_it_is_said_to_have(make):
    layer, inputs = built(make), attention_inputs()
    size = layer.context_size(inputs["query"].shape, inputs["value"].shape)
    assert layer(**inputs).shape == (B, T, size)


@every_attention
def test_keys_may_be_left_out(make):
    inputs = attention_inputs(value_size=DQ)
    del inputs["key"]
    layer = built(make, inputs)
    with_keys = inputs | {"key": inputs["value"]}
    assert_same(attend(layer, inputs), attend(layer, with_keys))


# ---- dropout


@every_attention
def test_dropout_changes_the_context_in_training_and_never_the_weights(make):
    layer, inputs = built(make, dropout=0.5, seed=1), attention_inputs()
    context, weights = attend(layer, inputs)
    dropped_context, dropped_weights = attend(layer, inputs, training=True)
    assert np.abs(dropped_context - context).max() > 1e-3
    assert_close(dropped_weights, weights)
    assert_close(attend(layer, inputs)[0], context)


@every_attention
def test_the_seed_decides_what_is_dropped(make):
    inputs = attention_inputs()

    def dropped(seed):
        layer = built(make, dropout=0.5, seed=seed)
        return array(layer(**inputs, training=True))

    np.testing.assert_array_equal(dropped(1), dropped(1))
    assert np.abs(dropped(1) - dropped(2)).max() > 1e-3


@every_attention
def test_a_memory_drops_the_same_at_every_step(make):
    inputs = attention_inputs()
    layer = built(make, dropout=0.5, seed=1)
    memory = layer.prepare(inputs["value"], inputs["key"], draw_dropout=True)
    query = ops.convert_to_tensor(inputs["query"][:, :1])
    first = array(layer.attend(query, memory, training=True)[0])
    again = array(layer.attend(query, memory, training=True)[0])
    np.testing.assert_array_equal(first, again)
    undropped = layer.prepare(inputs["value"], inputs["key"])
    assert np.abs(first - array(layer.attend(query, undropped)[0])).max() > 1e-3


def test_dropout_drops_its_share_and_scales_the_rest():
    size, rate = 50, 0.3
    random = np.random.default_rng(0)
    query, key = random.normal(size=(2, 4, size, DQ)).astype("float32")
    # With values of 1 at one key each, the context is the weights that were used.
    value = np.broadcast_to(np.eye(size, dtype="float32"), (4, size, size))
    layer = ScaledDotProductAttention(dropout=rate, seed=1)
    used, weights = arrays(
        layer(query, value, key, return_attention_scores=True, training=True)
    )
    factors = used / weights
    kept = factors > 0.5
    np.testing.assert_allclose(factors[kept], 1 / (1 - rate), rtol=1e-4)
    np.testing.assert_allclose(factors[~kept], 0, atol=1e-6)
    # Four standard deviations of the share of 10,000 draws.
    assert abs(kept.mean() - (1 - rate)) < 4 * np.sqrt(rate * (1 - rate) / kept.size)


# ---- in models


@every_attention
def test_the_mask_of_an_embedding_reaches_the_layer(make):
    source, target = np.array([[3, 4, 0], [5, 0, 0]]), np.array([[6, 0], [2, 3]])
    inputs = keras.Input((None,), dtype="int32"), keras.Input((None,), dtype="int32")
    embedding = layers.Embedding(8, DQ, mask_zero=True)
    model = keras.Model(
        inputs,
        make()(
            embedding(inputs[0]), embedding(inputs[1]), return_attention_scores=True
        ),
    )
    context, weights = arrays(model([target, source]))
    pairs = (target != 0)[:, :, None] & (source != 0)[:, None, :]
    weights = by_head(weights)
    pairs = np.broadcast_to(pairs[:, None], weights.shape)
    assert (weights[~pairs] == 0).all()
    assert (weights[pairs] > 0).all()
    assert (context[target == 0] == 0).all()


@every_attention
def test_the_mask_of_one_embedded_token_reaches_the_layer(make):
    tokens = np.array([3, 0])
    query = layers.Embedding(8, DQ, mask_zero=True)(tokens)
    inputs = attention_inputs() | {"query": query}
    context, weights = arrays(make()(**inputs, return_attention_scores=True))
    assert (context[1] == 0).all()
    assert (weights[1] == 0).all()
    assert np.abs(context[0]).min() > 0


@every_attention
def test_an_explicit_mask_wins_over_a_carried_one(make):
    tokens = np.array([[3, 4, 0], [5, 0, 0]])
    embedded = layers.Embedding(8, DQ, mask_zero=True)(tokens)
    explicit = np.array([[True, False, True], [True, True, True]])
    weights = array(
        make()(
            array(embedded)[:, :1],
            embedded,
            value_mask=explicit,
            return_attention_scores=True,
        )[1]
    )
    np.testing.assert_array_equal(by_head(weights)[:, 0, 0] > 0, explicit)


@every_attention
def test_an_explicit_mask_works_after_an_encoder_that_drops_its_own(make):
    tokens = keras.Input((None,), dtype="int32")
    embedded = layers.Embedding(8, DQ, mask_zero=True)(tokens)
    # Doubling by a bare operation loses the mask, as some layers do, and Keras takes
    # the product for a sparse tensor.
    encoded = embedded * 2
    weights = make()(
        encoded,
        encoded,
        value_mask=ops.not_equal(tokens, 0),
        return_attention_scores=True,
    )[1]
    batch = np.array([[3, 4, 0], [5, 0, 0]])
    weights = array(keras.Model(tokens, weights)(batch))
    np.testing.assert_array_equal(by_head(weights)[:, 0, 0] > 0, batch != 0)


@every_attention
def test_the_query_hands_its_mask_on(make):
    tokens = np.array([[3, 4, 0], [5, 0, 0]])
    embedded = layers.Embedding(8, DQ, mask_zero=True)(tokens)
    context, weights = make()(embedded, embedded, return_attention_scores=True)
    mask = keras.src.backend.get_keras_mask(context)
    np.testing.assert_array_equal(array(mask), tokens != 0)
    assert keras.src.backend.get_keras_mask(weights) is None


# ---- the base class


def test_a_users_layer_keeps_the_contract():
    inputs = attention_inputs() | {"value_mask": left_padding()}
    arguments = {"dropout": 0.1, "seed": 3, "chunk_size": None}
    check_layer(Distance, arguments, inputs, {"return_attention_scores": True})


def test_a_users_layer_attends_by_its_score():
    inputs = attention_inputs()
    gaps = inputs["query"][:, :, None] - inputs["key"][:, None]
    expected = reference_attention(-(gaps**2).sum(-1), inputs["value"])
    context, weights = arrays(Distance()(**inputs, return_attention_scores=True))
    assert_close(context, expected[0].astype("float32"))
    assert_close(weights, expected[1].astype("float32"))


def test_the_base_asks_for_a_score():
    with pytest.raises(TypeError, match=r"`score\(query, key\)` must be written"):
        ScoreAttention()(**attention_inputs())


@pytest.mark.parametrize("chunk_size", [None, 2])
def test_a_score_of_another_shape_is_refused(chunk_size):
    class Swapped(ScoreAttention):
        def score(self, query, key):
            return ops.matmul(key, ops.transpose(query, (0, 2, 1)))

    layer = Swapped(chunk_size=chunk_size)
    with pytest.raises(ValueError, match="`score` of Swapped must give scores"):
        layer(**attention_inputs())


@pytest.mark.parametrize("chunk_size", [None, 2])
def test_a_row_of_minus_infinity_gets_weights_0(chunk_size):
    class FirstStepSeesNothing(ScoreAttention):
        def score(self, query, key):
            scores = ops.matmul(query, ops.transpose(key, (0, 2, 1)))
            first = ops.arange(0, ops.shape(query)[1])[:, None] == 0
            first = first if chunk_size is None else ops.zeros_like(first)
            never = ops.min(scores, axis=-1, keepdims=True) < -1e9
            return ops.where(ops.logical_or(first, never), -np.inf, scores)

    inputs = attention_inputs()
    if chunk_size is not None:  # a chunk does not know its place: by a huge query
        inputs["query"][:, 0] = 1e12 * inputs["key"][:, 0]
        inputs["key"][:, 1] = -inputs["key"][:, 0]
    layer = FirstStepSeesNothing(chunk_size=chunk_size)
    context, weights = arrays(layer(**inputs, return_attention_scores=True))
    for found in (context, weights, array(layer(**inputs))):
        assert np.isfinite(found).all()
        assert not found[:, 0].any() and found[:, 1:].any()
    found = layer.statistics(**inputs)
    if chunk_size is not None:
        assert (array(found.argmax)[:, 0] == -1).all()
        assert not array(found.entropy)[:, 0].any()


def test_a_score_that_draws_random_numbers_goes_without_chunks():
    class Dropped(ScoreAttention):
        def __init__(self, **arguments):
            super().__init__(**arguments)
            self.drop = layers.Dropout(0.5, seed=1)

        def score(self, query, key):
            return ops.matmul(self.drop(query), ops.transpose(key, (0, 2, 1)))

    inputs = attention_inputs()
    Dropped()(**inputs, training=True)
    with pytest.raises(ValueError, match="`chunk_size` must be None where `score`"):
        Dropped(chunk_size=2)(**inputs)


def test_another_score_of_a_subclass_loses_the_terms_of_the_one_before():
    class Minus(BahdanauAttention):
        def score(self, query, key):
            return -super().score(query, key)

    class Negated:
        def score(self, query, key):
            return -super().score(query, key)

    class Mixed(Negated, BahdanauAttention):
        pass

    inputs = attention_inputs()
    for kind in (Minus, Mixed):
        chunked, whole = kind(U, chunk_size=2), kind(U)
        expected = whole(**inputs)
        chunked(**inputs)
        chunked.set_weights(whole.get_weights())
        assert_close(chunked(**inputs), expected)


def test_another_call_from_a_mixin_is_traced():
    class Doubled:
        def call(self, query, value, key=None):
            context = super().call(query, value, key)
            return keras.ops.concatenate([context, context], axis=-1)

    class Mixed(Doubled, ScaledDotProductAttention):
        pass

    query, value = keras.Input((T, DV)), keras.Input((S, DV))
    assert Mixed()(query, value).shape == (None, T, 2 * DV)


def test_the_example_runs():
    layer = run_example(ScoreAttention)["Distance"]()
    inputs = attention_inputs()
    assert_close(layer(**inputs), Distance()(**inputs))


# ---- errors


@every_attention
@pytest.mark.parametrize("seed", ["a", 1.5, -1, True])
def test_a_seed_is_an_int(make, seed):
    with pytest.raises(ValueError, match="`seed` must be an int of at least 0"):
        make(seed=seed)


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (lambda value: BahdanauAttention(U, value), "normalize"),
        (lambda value: BahdanauAttention(U, use_bias=value), "use_bias"),
        (lambda value: LuongAttention(use_scale=value), "use_scale"),
        (lambda value: MultiHeadAttention(3, 4, use_bias=value), "use_bias"),
        (lambda value: AttentionPooling(U, use_bias=value), "use_bias"),
        (
            lambda value: LocationSensitiveAttention(U, cumulative=value),
            "cumulative",
        ),
        (lambda value: CoverageAttention(U, use_bias=value), "use_bias"),
    ],
)
def test_a_switch_is_a_bool(make, name):
    for value in ("yes", 1, None, np.ones((B, S, DV), "float32")):
        with pytest.raises(ValueError, match=f"`{name}` must be a bool. Received: "):
            make(value)
    assert make(np.True_).get_config()[name] is True


def test_a_seed_may_be_of_numpy():
    layer = ScaledDotProductAttention(dropout=0.5, seed=np.int64(3))
    assert type(layer.get_config()["seed"]) is int
    MonotonicAttention(LuongAttention(), seed=np.int64(3))


@every_attention
@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("query_mask", (B, S)),
        ("value_mask", (B, T)),
        ("key_mask", (B, S, 1)),
        ("attention_mask", (B, S, T)),
    ],
)
def test_a_mask_of_another_shape_is_refused(make, name, shape):
    layer = built(make)
    with pytest.raises(ValueError, match=rf"`{name}` must have shape \(.* Received: "):
        layer(**attention_inputs(), **{name: np.ones(shape, bool)})


@every_attention
@pytest.mark.parametrize("dropout", [-0.1, 1, 1.5, "0.1", None, True, float("nan")])
def test_dropout_must_be_a_share(make, dropout):
    with pytest.raises(ValueError, match="`dropout` must be a number of at least 0"):
        make(dropout=dropout)


@every_attention
@pytest.mark.parametrize(
    ("shapes", "message"),
    [
        (((B,), (B, S, DQ)), r"`query` must have shape \(B, T, Dq\), or \(B, Dq\)"),
        (((B, T, S, DQ), (B, S, DQ)), r"`query` must have shape \(B, T, Dq\)"),
        (((B, T, DQ), (B, DQ)), r"`value` must have shape \(B, S, Dv\)"),
        (((B, T, DQ), (B, S, DV), (B, DQ)), r"`key` must have shape \(B, S, Dk\)"),
        (((B, T, None), (B, S, DQ)), "The last axis of `query` must be of known size"),
        (((B, T, DQ), (B, S, None)), "The last axis of `value` must be of known size"),
        (
            ((B, T, DQ), (B, S, DV), (B, S + 1, DQ)),
            r"`key` and `value` must have one length \(axis 1\)\. Received: "
            r"key_shape=\(2, 6, 7\), value_shape=\(2, 5, 11\)",
        ),
        (
            ((B + 1, T, DQ), (B, S, DQ)),
            r"`query` and `value` must have one batch size \(axis 0\)\. Received: ",
        ),
        (((B, T, DQ), (B, S, DV), (1, S, DQ)), "`key` and `value` must have one batch"),
    ],
)
def test_shapes_that_do_not_fit_are_refused(make, shapes, message):
    with pytest.raises(ValueError, match=message):
        make().build(*shapes)


@every_attention
def test_lengths_that_are_not_known_are_not_compared(make):
    layer = make()
    layer.build((None, None, DQ), (None, S, DV), (None, None, DQ))
    assert layer.built


@pytest.mark.parametrize(
    "make",
    [
        LuongAttention,
        lambda: MonotonicAttention(LuongAttention()),
        ScaledDotProductAttention,
    ],
)
def test_a_layer_whose_first_inputs_were_wrong_takes_right_ones_later(make):
    layer = make()
    with pytest.raises(ValueError, match="Received"):
        layer(np.zeros((2, 3, 7), "float32"), np.zeros((2, 4, 5), "float32"))
    context = layer(np.zeros((2, 3, 5), "float32"), np.zeros((2, 4, 5), "float32"))
    assert context.shape == (2, 3, 5)
