"""Chunked attention: the numbers and gradients of the full form, in less memory."""

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
)
from keras import ops

from keras_attention import (
    AttentionRNN,
    BahdanauAttention,
    LuongAttention,
    MultiHeadAttention,
    PositionBias,
    ScaledDotProductAttention,
    ScoreAttention,
    attention_coverage,
    attention_entropy,
)
from keras_attention.chunked import (
    AdditiveTerm,
    AttentionStatistics,
    DotTerm,
    Visibility,
    attend,
    describe,
)
from keras_attention.core.scores import additive_scores
from keras_attention.core.softmax import masked_softmax

H, D = 4, 2
BACKEND = keras.backend.backend()
needs_gradients = pytest.mark.skipif(
    BACKEND not in ("tensorflow", "jax"), reason="tested where gradients are"
)


def normal(*shape, seed=0):
    return np.random.default_rng([seed, *shape]).normal(size=shape).astype("float32")


def coin(*shape, seed=0):
    return np.random.default_rng([seed, *shape]).random(shape) < 0.7


def bucket(distance):
    return ops.clip(distance, -2, 2) + 2


# ---- the functions, with every option by name


class Positions:
    """A bias by distance, in slopes, and in a table with a function to its rows."""

    def __init__(self, slopes, relative):
        self.slopes, self.relative = slopes, relative

    def bias(self, relative):
        total = 0.0
        if self.slopes is not None:
            distances = ops.cast(ops.abs(relative), "float32")[..., None, :, :]
            total = total - self.slopes[:, None, None] * distances
        if self.relative is not None:
            table, bucket = self.relative
            found = ops.take(table, bucket(relative), axis=0)
            total = total + ops.moveaxis(found, -1, -3)
        return total


def visibility(slopes=None, relative=None, **options):
    if slopes is not None or relative is not None:
        options["position"] = Positions(slopes, relative)
    return Visibility(**options).with_four_axes()


def chunked_dot_attention(query, key, value, chunk_size, **options):
    terms = [(DotTerm(), (query, key))]
    return attend(terms, value, visibility(**options), chunk_size)


def chunked_additive_attention(query, key, value, vector, chunk_size, **options):
    query, key, value = (ops.convert_to_tensor(each) for each in (query, key, value))
    terms = [(AdditiveTerm(), (query[:, None], key[:, None], vector))]
    return attend(terms, value[:, None], visibility(**options), chunk_size)[:, 0]


def chunked_dot_statistics(query, key, chunk_size, **options):
    return describe([(DotTerm(), (query, key))], visibility(**options), chunk_size)


def chunked_additive_statistics(query, key, vector, chunk_size, **options):
    query, key = ops.convert_to_tensor(query), ops.convert_to_tensor(key)
    terms = [(AdditiveTerm(), (query[:, None], key[:, None], vector))]
    found = describe(terms, visibility(**options), chunk_size)
    return AttentionStatistics(*(each[:, 0] for each in found))


# ---- the full form, and gradients of functions


def full_dot_weights(query, key, options):
    """The weights of all pairs at once, by the arithmetic of the full form."""
    key = ops.repeat(key, query.shape[1] // key.shape[1], axis=1)
    scores = ops.matmul(query, ops.transpose(key, (0, 1, 3, 2)))
    scores = ops.cast(scores, "float32")
    gap = distances(options, query.shape[2], key.shape[2])
    if "bias" in options:
        scores = scores + ops.cast(options["bias"], "float32")
    if "slopes" in options:
        scores = scores - options["slopes"][:, None, None] * np.abs(gap)
    if "relative" in options:
        table, bucket = options["relative"]
        buckets = bucket(gap.astype("int32"))
        scores = scores + ops.transpose(ops.take(table, buckets, axis=0), (2, 0, 1))
    mask = visible(options, scores.shape)
    return masked_softmax(scores, mask)


def distances(options, queries, keys):
    offset = int(options.get("offset", 0))
    gap = np.arange(keys)[None] - np.arange(queries)[:, None] - offset
    return gap.astype("float32")


def visible(options, shape):
    """The pairs (B, H, T, S) that all masks among the options let through."""
    gap = distances(options, *shape[-2:])
    mask = np.ones(shape, bool)
    if "query_mask" in options:
        mask &= options["query_mask"][:, None, :, None]
    if "key_mask" in options:
        mask &= options["key_mask"][:, None, None, :]
    if "attention_mask" in options:
        pairs = options["attention_mask"]
        mask &= pairs if pairs.ndim != 3 else pairs[:, None]
    if options.get("causal"):
        mask &= gap <= 0
    if options.get("window") is not None:
        mask &= np.abs(gap) <= options["window"]
    return mask


def full_dot(query, key, value, **options):
    value = ops.repeat(value, query.shape[1] // value.shape[1], axis=1)
    weights = full_dot_weights(query, key, options)
    return ops.matmul(ops.cast(weights, value.dtype), value)


def full_additive(query, key, value, vector, **options):
    scores = additive_scores(query, key, vector)
    mask = visible(options, (B, 1, T, S))[:, 0]
    return ops.matmul(masked_softmax(scores, mask), value)


def output_and_gradients(function, inputs, xla=None, signature=None):
    """Differentiate a function of tensors; `xla`: compiled, with XLA or without."""

    def weigh(output):
        # Each number counts differently: a sum would hide an exchange of two.
        output = ops.cast(output, "float32")
        return ops.sum(output * normal(*array_shape) + output**2)

    if BACKEND == "tensorflow":
        import tensorflow as tf

        def run(*inputs):
            with tf.GradientTape() as tape:
                tape.watch(inputs)
                output = function(*inputs)
                total = weigh(output)
            found = tape.gradient(total, inputs)
            return output, [tf.convert_to_tensor(each) for each in found]

        inputs = [tf.constant(x) for x in inputs]
        array_shape = function(*inputs).shape
        if xla is not None:
            run = tf.function(run, jit_compile=xla, input_signature=signature)
        output, found = run(*inputs)
    else:
        import jax

        array_shape = jax.eval_shape(function, *inputs).shape

        def run(*inputs):
            output = function(*inputs)
            return weigh(output), output

        run = jax.grad(run, argnums=tuple(range(len(inputs))), has_aux=True)
        found, output = jax.jit(run)(*inputs)
    return [array(output), *arrays(list(found))]


def assert_same_with_gradients(function, reference, inputs, **compilation):
    found = output_and_gradients(function, inputs, **compilation)
    expected = output_and_gradients(reference, inputs)
    for one, other in zip(found, expected, strict=True):
        assert_close(one, other)


# ---- options, and a choice of their combinations

# The first choice of each leaves the option out.
CHOICES = {
    "chunk_size": [2, 7, 16],
    "groups": [H, 2],
    "query_mask": [None, (B, T)],
    "key_mask": [None, (B, S)],
    "attention_mask": [None, (T, S), (B, H, T, S)],
    "bias": [None, (1, H, T, S), (B, 1, 1, S)],
    "causal": [None, True],
    "window": [None, 1],
    "offset": [None, 2, np.int32(-1)],
    "slopes": [None, (H,)],
    "relative": [None, (5, H)],
}


def pairwise(choices):
    """Rows of choices among which every pair of two choices is found."""

    def pairs(row):
        return set(itertools.combinations(enumerate(row), 2))

    rows = list(itertools.product(*(range(len(each)) for each in choices.values())))
    # Enough to choose from, and quick.
    rows = [rows[i] for i in np.random.default_rng(0).permutation(len(rows))[:500]]
    found, left = [], set().union(*map(pairs, rows))
    while left:
        found.append(max(rows, key=lambda row: len(pairs(row) & left)))
        left -= pairs(found[-1])
    return found, [row for row in rows if row not in found]


def option_rows():
    """The pairwise rows, and 100 more that are slow."""
    often, seldom = pairwise(CHOICES)
    for row in often + seldom[:100]:
        options = {
            name: choices[place]
            for (name, choices), place in zip(CHOICES.items(), row, strict=True)
            if choices[place] is not None
        }
        marks = [] if row in often else pytest.mark.slow
        yield pytest.param(options, id="".join(map(str, row)), marks=marks)


def drawn_options(options):
    """Options with arrays in the place of their shapes, and the float ones by name."""
    options, floats = dict(options), {}
    for name in ("query_mask", "key_mask", "attention_mask"):
        if name in options:
            options[name] = coin(*options[name])
    for name in ("bias", "slopes", "relative"):
        if name in options:
            floats[name] = normal(*options.pop(name))
    return options, floats


def dot_inputs(groups=H):
    return [normal(B, H, T, D), normal(B, groups, S, D), normal(B, groups, S, DV)]


def dot_functions(options, floats):
    """Chunked and full, as functions of query, key, value and the float options."""
    names = list(floats)

    def with_floats(attend, extra):
        def run(query, key, value, *given):
            given = dict(zip(names, given, strict=True))
            if "relative" in given:
                given["relative"] = (given["relative"], bucket)
            return attend(query, key, value, **options, **given, **extra)

        return run

    options = dict(options)
    chunk_size = options.pop("chunk_size")
    return (
        with_floats(chunked_dot_attention, {"chunk_size": chunk_size}),
        with_floats(full_dot, {}),
    )


# ---- inner products


@needs_gradients
@pytest.mark.parametrize("options", list(option_rows()))
def test_chunks_give_the_numbers_and_gradients_of_the_whole(options):
    options, floats = drawn_options(options)
    inputs = [*dot_inputs(options.pop("groups")), *floats.values()]
    assert_same_with_gradients(*dot_functions(options, floats), inputs)


ALL = {
    "chunk_size": 3,
    "query_mask": (B, T),
    "key_mask": (B, S),
    "attention_mask": (B, T, S),
    "bias": (1, H, T, S),
    "causal": True,
    "window": 3,
    "offset": 1,
    "slopes": (H,),
    "relative": (5, H),
}


def test_all_options_together_equal_a_reference_in_float64():
    options, floats = drawn_options(ALL)
    query, key, value = dot_inputs()
    output = dot_functions(options, floats)[0](query, key, value, *floats.values())
    gap = distances(options, T, S)
    scores = query.astype("float64") @ key.transpose(0, 1, 3, 2)
    scores += floats["bias"] - floats["slopes"][:, None, None] * np.abs(gap)
    buckets = np.clip(gap, -2, 2).astype(int) + 2
    scores += floats["relative"][buckets].transpose(2, 0, 1)
    expected, _ = reference_attention(scores, value, visible(options, scores.shape))
    assert_close(output, expected.astype("float32"))


@pytest.mark.skipif(BACKEND != "tensorflow", reason="tf.function is TensorFlow's")
@pytest.mark.parametrize("lengths", ["known", "open", "xla"])
def test_compiled_chunks_give_the_numbers_and_gradients_of_the_whole(lengths):
    import tensorflow as tf

    options, floats = drawn_options(ALL)
    inputs = [*dot_inputs(), *floats.values()]
    signature = None
    if lengths == "open":
        signature = [
            tf.TensorSpec(
                [size if axis in (1, 3) else None for axis, size in enumerate(x.shape)]
                if x.ndim == 4 and x.shape[3] != S
                else x.shape
            )
            for x in inputs
        ]
    assert_same_with_gradients(
        *dot_functions(options, floats),
        inputs,
        xla=lengths == "xla",
        signature=signature,
    )


@needs_gradients
@pytest.mark.parametrize("shape", [(T, S), (B, T, S), (1, T, 1), (B, H, 1, S)])
def test_a_bias_for_many_pairs_gets_the_sum_of_their_gradients(shape):
    def full(query, key, value, bias):
        bias = bias if len(shape) != 3 else bias[:, None]
        return full_dot(query, key, value, bias=bias)

    assert_same_with_gradients(
        lambda *inputs: chunked_dot_attention(
            *inputs[:3], bias=inputs[3], chunk_size=2
        ),
        full,
        [*dot_inputs(), normal(*shape)],
    )


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_low_precision_is_summed_in_float32(dtype):
    length = 256
    query = ops.zeros((1, 1, 1, D), dtype)
    value = ops.ones((1, 1, length, DV), dtype)
    key = ops.zeros((1, 1, length, D), dtype)
    output = chunked_dot_attention(query, key, value, chunk_size=1)
    assert keras.backend.standardize_dtype(output.dtype) == dtype
    # The mean of ones: bfloat16 would stop counting at 256, and round each sum.
    np.testing.assert_array_equal(array(output), 1)


@needs_gradients
@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_low_precision_comes_near_the_numbers_of_the_whole(dtype):
    chunked, full = dot_functions({"chunk_size": 2, "causal": True}, {})

    def low(query, key, value):
        return chunked(*(ops.cast(x, dtype) for x in (query, key, value)))

    found = output_and_gradients(low, dot_inputs())
    for one, other in zip(found, output_and_gradients(full, dot_inputs()), strict=True):
        scale = max(1.0, np.abs(other).max())
        assert_close(one / scale, other / scale, dtype)


@needs_gradients
def test_a_query_that_attends_to_nothing_gets_nothing_and_finite_gradients():
    options = {
        "chunk_size": 2,
        "query_mask": np.arange(T)[None] > np.zeros((B, 1)),
        "key_mask": np.arange(S)[None] > np.array([[1], [S]]),  # the second: none
        "causal": True,
    }
    output, *found = output_and_gradients(
        dot_functions(options, {})[0], [100 * x for x in dot_inputs()]
    )
    empty = ~visible(options, (B, H, T, S)).any(-1)
    assert empty[1].all()
    assert not empty.all()
    assert (output[empty] == 0).all()
    assert np.abs(output[~empty]).min() > 0
    assert (found[0][empty] == 0).all()
    for gradient in found:
        assert np.isfinite(gradient).all()


class Near(PositionBias):
    """Hides, by minus infinity, what is not a neighbour."""

    def bias(self, relative):
        near = ops.abs(relative)[..., None, :, :] <= 1
        shape = (*relative.shape[:-2], 2, *relative.shape[-2:])
        bias = ops.where(ops.broadcast_to(near, shape), 0.0, float("-inf"))
        return ops.cast(bias, self.compute_dtype)


@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_a_bias_by_distance_of_minus_infinity_hides_a_pair(dtype):
    x, near = normal(2, 6, 5), Near(2, dtype=dtype)
    whole = MultiHeadAttention(2, 4, position=near)
    whole.build(x.shape, x.shape)
    parts = MultiHeadAttention(2, 4, position=near, chunk_size=2)
    parts.build(x.shape, x.shape)
    parts.set_weights(whole.get_weights())
    assert_close(parts(x, x), whole(x, x))
    assert_close(parts.statistics(x, x).entropy, whole.statistics(x, x).entropy)
    assert np.isfinite(array(parts.statistics(x, x).entropy)).all()


@pytest.mark.parametrize("chunk_size", [None, 2])
def test_keys_that_all_have_a_bias_of_minus_infinity_are_attended_to_alike(chunk_size):
    x, shown = normal(2, 6, 5), np.array([[True, True, False]] * 2)
    layer = MultiHeadAttention(2, 4, position=Near(2), chunk_size=chunk_size)
    options = {"value": x[:, :3], "value_mask": shown}
    output, weights = layer(x, **options, return_attention_scores=True)
    weights = array(weights)[:, :, 3:]  # queries of which no key is a neighbour
    assert_close(weights, np.broadcast_to(np.float32([0.5, 0.5, 0]), weights.shape))
    assert_close(layer(x, **options), output)
    found = layer.statistics(x, **options)
    assert_close(array(found.entropy)[:, :, 3:], np.ones((2, 2, 3), "float32"))


def test_statistics_over_no_keys_are_zeros():
    class Distance(ScoreAttention):
        def score(self, query, key):
            return -ops.sum((query[:, :, None] - key[:, None]) ** 2, axis=-1)

    layer, query = Distance(), normal(2, 3, 4)
    layer.build(query.shape, query.shape)
    found = layer.statistics(query, query[:, :0])
    assert not array(found.entropy).any() and (array(found.argmax) == -1).all()
    assert found.coverage.shape == (2, 0)
    causal = layer.statistics(query, query[:, :0], use_causal_mask=True)
    assert (array(causal.argmax) == -1).all()


@needs_gradients
def test_a_bias_of_minus_infinity_hides_a_pair():
    bias = np.where(coin(B, 1, T, S), normal(B, 1, T, S), np.float32("-inf"))
    bias[1, 0, 1] = -np.inf
    mask = np.isfinite(bias)
    inputs = dot_inputs()
    hidden = output_and_gradients(
        lambda *x: chunked_dot_attention(*x, chunk_size=2, bias=bias), inputs
    )
    masked = output_and_gradients(
        lambda *x: chunked_dot_attention(
            *x, chunk_size=2, bias=np.where(mask, bias, 0), attention_mask=mask
        ),
        inputs,
    )
    for one, other in zip(hidden, masked, strict=True):
        assert_close(one, other)


# ---- the additive score


@needs_gradients
@pytest.mark.parametrize(
    ("chunk_size", "options"),
    [
        (16, {}),
        (2, {"key_mask": (B, S), "causal": True, "offset": 2}),
        (3, {"query_mask": (B, T), "attention_mask": (B, T, S), "window": 1}),
    ],
)
def test_additive_chunks_give_the_numbers_and_gradients_of_the_whole(
    chunk_size, options
):
    options, _ = drawn_options(options)
    inputs = [normal(B, T, U), normal(B, S, U), normal(B, S, DV), normal(U)]
    assert_same_with_gradients(
        lambda *x: chunked_additive_attention(*x, chunk_size=chunk_size, **options),
        lambda *x: full_additive(*x, **options),
        inputs,
    )


# ---- memory


@pytest.mark.skipif(BACKEND != "jax", reason="JAX lists all arrays of a computation")
@pytest.mark.parametrize("kind", ["dot", "additive"])
def test_no_array_of_a_training_step_grows_with_the_number_of_pairs(kind):
    import jax

    length, chunk_size = 997, 32

    def attend(query, key, value):
        options = {"chunk_size": chunk_size, "causal": True, "window": 500}
        if kind == "additive":
            return chunked_additive_attention(query, key, value, query[0, 0], **options)
        query, key, value = (x[:, None] for x in (query, key, value))
        slopes = query[0, 0, 0, :1]
        return chunked_dot_attention(query, key, value, slopes=slopes, **options)

    def step(query, key, value):
        return attend(query, key, value).sum()

    inputs = [np.zeros((1, length, D), "float32")] * 3
    shapes = array_shapes(jax.make_jaxpr(jax.grad(step, (0, 1, 2)))(*inputs).jaxpr)
    assert (1, length, D) in shapes  # the inputs are among them
    assert max(map(np.prod, shapes)) <= length * chunk_size


def array_shapes(jaxpr):
    """The shapes of all arrays in a computation and those inside it."""
    shapes = set()
    for equation in jaxpr.eqns:
        for variable in (*equation.invars, *equation.outvars):
            shapes.add(tuple(variable.aval.shape))
        for value in equation.params.values():
            for each in value if isinstance(value, (tuple, list)) else [value]:
                inner = getattr(each, "jaxpr", each)
                if hasattr(inner, "eqns"):
                    shapes |= array_shapes(inner)
    return shapes


# ---- statistics


def assert_statistics(found, weights, key_mask):
    assert_close(found.entropy, attention_entropy(weights, key_mask).astype("float32"))
    coverage = attention_coverage(weights, key_mask)
    assert_close(found.coverage, coverage.astype("float32"))
    best = np.where(weights.sum(-1) > 0, weights.argmax(-1), -1)
    np.testing.assert_array_equal(array(found.argmax), best)


@pytest.mark.parametrize("chunk_size", [2, 16])
def test_statistics_are_those_of_the_weights(chunk_size):
    options, floats = drawn_options(ALL | {"chunk_size": chunk_size})
    options["key_mask"][:, 0] = True
    del options["chunk_size"]
    options |= floats | {"relative": (floats["relative"], bucket)}
    query, key, _ = dot_inputs(2)
    weights = array(full_dot_weights(query, key, options))
    found = chunked_dot_statistics(query, key, chunk_size=chunk_size, **options)
    assert_statistics(found, weights, options["key_mask"])


def test_a_mask_for_all_keys_at_once_counts_each_of_them():
    query, key, vector = normal(B, T, U), normal(B, S, U), normal(U)
    masks = np.ones((B, 1), bool), np.ones((B, S), bool)
    one, all_ = (
        chunked_additive_statistics(query, key, vector, chunk_size=2, key_mask=mask)
        for mask in masks
    )
    assert_close(one.entropy, array(all_.entropy))


def test_additive_statistics_are_those_of_the_weights():
    query, key, vector = normal(B, T, U), normal(B, S, U), normal(U)
    weights = array(masked_softmax(additive_scores(query, key, vector)))
    found = chunked_additive_statistics(query, key, vector, chunk_size=2)
    assert_statistics(found, weights, None)


# ---- layers


@keras.saving.register_keras_serializable(package="tests.chunked")
class Distance(ScoreAttention):
    """A score of one's own, with a weight."""

    def build(self, query_shape, value_shape, key_shape=None):
        super().build(query_shape, value_shape, key_shape)
        self.sharpness = self.add_weight(name="sharpness", shape=())

    def score(self, query, key):
        gap = ops.sum((query[:, :, None] - key[:, None]) ** 2, axis=-1)
        return -gap * ops.cast(self.sharpness, gap.dtype)


LAYERS = {
    "distance": Distance,
    "scaled": ScaledDotProductAttention,
    "additive": lambda **rest: BahdanauAttention(U, **rest),
    "normalised": lambda **rest: BahdanauAttention(U, normalize=True, **rest),
    "dot": lambda **rest: LuongAttention("dot", use_scale=True, **rest),
    "general": lambda **rest: LuongAttention("general", use_scale=True, **rest),
    "concat": lambda **rest: LuongAttention("concat", U, use_scale=True, **rest),
}
every_layer = pytest.mark.parametrize("make", LAYERS.values(), ids=LAYERS)
# One of each way through the chunks, and the rest marked slow.
layer_kinds = pytest.mark.parametrize(
    "make",
    [
        pytest.param(make, id=name, marks=() if name in kinds else pytest.mark.slow)
        for kinds in [("distance", "general", "concat")]
        for name, make in LAYERS.items()
    ],
)


def layer_pair(make, inputs, dtype=None):
    """The layer in chunks of 2, and the whole one with the same weights."""
    pair = [make(chunk_size=chunk_size, dtype=dtype) for chunk_size in (2, None)]
    for layer in pair:
        layer(**inputs)
        randomise(layer)
    return pair


def masked_inputs():
    inputs = attention_inputs() | {
        "query_mask": np.array([[False, True, True], [True, True, True]]),
        "value_mask": np.array([[False, False, True, True, True], [True] * 5]),
        "attention_mask": coin(B, T, S),
    }
    # What is hidden may be anything.
    inputs["query"][~inputs["query_mask"]] = np.nan
    for name in ("key", "value"):
        inputs[name][~inputs["value_mask"]] = np.nan
    return inputs


@needs_gradients
@layer_kinds
def test_a_chunked_layer_gives_the_numbers_and_gradients_of_the_whole(make):
    inputs = masked_inputs()
    chunked, whole = layer_pair(make, inputs)
    call = {"use_causal_mask": True}
    assert_close(chunked(**inputs, **call), whole(**inputs, **call))
    found, found_weights = gradients(chunked, inputs, **call)
    expected, expected_weights = gradients(whole, inputs, **call)
    for name in expected:
        assert_close(found[name], expected[name])
    for one, other in zip(found_weights, expected_weights, strict=True):
        assert_close(one, other)


@layer_kinds
def test_a_chunked_layer_gives_weights_when_asked_and_the_same_context(make):
    inputs = masked_inputs()
    chunked, whole = layer_pair(make, inputs)
    context, weights = chunked(**inputs, return_attention_scores=True)
    assert_close(weights, whole(**inputs, return_attention_scores=True)[1])
    assert_close(chunked(**inputs), context)


class ContextAndWeights(keras.layers.Layer):
    """Gives both side by side, so that both are differentiated."""

    def __init__(self, attention):
        super().__init__()
        self.attention = attention
        self.supports_masking = True

    def call(self, query, value, key, query_mask, value_mask, attention_mask):
        masks = {
            "query_mask": query_mask,
            "value_mask": value_mask,
            "attention_mask": attention_mask,
        }
        both = self.attention(query, value, key, **masks, return_attention_scores=True)
        return ops.concatenate(both, axis=-1)


@needs_gradients
@layer_kinds
def test_with_weights_a_chunked_layer_has_the_gradients_of_the_whole(make):
    inputs = masked_inputs()
    results = []
    for attention in layer_pair(make, inputs):
        layer = ContextAndWeights(attention)
        layer(**inputs)
        of_inputs, of_weights = gradients(layer, inputs)
        results.append([*of_inputs.values(), *of_weights])
    for one, other in zip(*results, strict=True):
        assert_close(one, other)


@pytest.mark.skipif(BACKEND != "jax", reason="JAX lists all arrays of a computation")
def test_with_weights_the_hidden_layer_is_made_in_chunks_too():
    import jax

    length, chunk_size = 96, 8
    x = np.zeros((1, length, DQ), "float32")
    layer = BahdanauAttention(U, chunk_size=chunk_size)
    layer(x, x)

    def step(query, value):
        context, weights = layer(query, value, return_attention_scores=True)
        return context.sum() + (weights**2).sum()

    shapes = array_shapes(jax.make_jaxpr(jax.grad(step, (0, 1)))(x, x).jaxpr)
    assert (1, length, length) in shapes  # the weights are among them
    assert max(map(np.prod, shapes)) <= chunk_size * length * U


@layer_kinds
def test_one_step_of_a_chunked_layer_is_a_row_of_the_whole(make):
    inputs = attention_inputs()
    chunked, _ = layer_pair(make, inputs)
    context = array(chunked(**inputs))
    inputs["query"] = inputs["query"][:, 1]
    assert_close(chunked(**inputs), context[:, 1])


@layer_kinds
def test_statistics_of_a_layer_are_those_of_its_weights(make):
    inputs = masked_inputs()
    for layer in layer_pair(make, inputs):
        weights = array(
            layer(**inputs, use_causal_mask=True, return_attention_scores=True)[1]
        )
        found = layer.statistics(**inputs, use_causal_mask=True)
        assert_statistics(found, weights, inputs["value_mask"])


def test_statistics_refuse_masks_that_do_not_fit():
    inputs = attention_inputs()
    layer = ScaledDotProductAttention()
    layer(**inputs)
    for name, shape in (("query_mask", (B, T + 1)), ("attention_mask", (T, S + 1))):
        with pytest.raises(ValueError, match=f"`{name}` must have shape"):
            layer.statistics(**inputs, **{name: np.ones(shape, bool)})


@pytest.mark.parametrize("known", [ScaledDotProductAttention, LuongAttention])
def test_a_score_of_ones_own_over_a_known_one_counts_in_chunks_too(known):
    class Sharper(known):
        def score(self, query, key):
            return 3 * super().score(query, key)

    inputs = attention_inputs()
    chunked, whole = Sharper(chunk_size=2), Sharper()
    context, weights = whole(**inputs, return_attention_scores=True)
    assert_close(chunked(**inputs), context)
    assert_statistics(chunked.statistics(**inputs), array(weights), None)


@pytest.mark.parametrize("make", [Distance, LAYERS["additive"]], ids=["own", "known"])
@pytest.mark.parametrize("xla", [False, True])
def test_a_compiled_chunked_layer_gives_the_same(make, xla):
    inputs = masked_inputs()
    chunked, whole = layer_pair(make, inputs)
    call = {"use_causal_mask": True}
    output = compiled(chunked, xla, **call)(inputs)
    assert_close(output, whole(**inputs, **call))


@pytest.mark.parametrize(
    ("layer_class", "arguments", "weights"),
    [
        (Distance, {}, False),
        (Distance, {}, True),
        pytest.param(ScaledDotProductAttention, {}, False, marks=pytest.mark.slow),
        (BahdanauAttention, {"units": U, "normalize": True, "use_bias": True}, False),
    ],
)
def test_a_chunked_layer_keeps_the_contract(layer_class, arguments, weights):
    if layer_class is BahdanauAttention:
        arguments = arguments | {"kernel_initializer": keras.initializers.HeNormal(1)}
    arguments = arguments | {"dropout": 0.0, "seed": None, "chunk_size": 2}
    inputs = attention_inputs() | {"value_mask": coin(B, S)}
    call = {"use_causal_mask": True, "return_attention_scores": weights}
    check_layer(layer_class, arguments, inputs, call)


@pytest.mark.parametrize("order", ["previous", "current"])
def test_a_chunked_attention_in_a_loop_gives_the_same(order):
    targets, memory = normal(B, T, DQ), normal(B, S, DQ)
    outputs = []
    for chunk_size in (2, None):
        layer = AttentionRNN(
            keras.layers.GRUCell(DQ), Distance(chunk_size=chunk_size), order=order
        )
        layer(targets, memory=memory)
        outputs.append(array(randomise(layer)(targets, memory=memory)))
    assert_close(*outputs)


# ---- errors


@every_layer
@pytest.mark.parametrize("chunk_size", [0, -1, 1.5, True, "8"])
def test_the_chunk_size_must_be_a_positive_int(make, chunk_size):
    with pytest.raises(ValueError, match="`chunk_size` must be a positive int"):
        make(chunk_size=chunk_size)


@every_layer
def test_chunks_and_dropout_do_not_go_together(make):
    with pytest.raises(ValueError, match="`dropout` must be 0 with `chunk_size`"):
        make(chunk_size=2, dropout=0.1)


@pytest.mark.parametrize("window", ["monotonic", "predictive"])
def test_chunks_and_a_local_window_do_not_go_together(window):
    with pytest.raises(ValueError, match="`chunk_size` must be None with a window"):
        LuongAttention(window=window, chunk_size=2)


@pytest.mark.parametrize("chunk_size", [0, 2.0, None])
def test_the_functions_refuse_a_chunk_size_that_is_none(chunk_size):
    message = "`chunk_size` must be a positive int"
    with pytest.raises(ValueError, match=message):
        chunked_dot_attention(*dot_inputs(), chunk_size=chunk_size)
    with pytest.raises(ValueError, match=message):
        chunked_additive_statistics(
            normal(B, T, U), normal(B, S, U), normal(U), chunk_size=chunk_size
        )


@pytest.mark.parametrize("chunk_size", [1, 2, 7])
def test_rows_that_attend_to_something_are_told_and_change_nothing(chunk_size):
    query, key, value = normal(B, H, T, D), normal(B, H, S, D), normal(B, H, S, 3)
    mask = coin(B, 1, T, S)
    mask[0, 0, 1] = False
    terms = [(DotTerm(), (query, key))]
    visible = visibility(attention_mask=mask)
    plain = attend(terms, value, visible, chunk_size)
    told = array(attend(terms, value, visible, chunk_size, tell_rows=True))
    np.testing.assert_array_equal(told[..., :-1], array(plain))
    rows = np.broadcast_to(mask.any(-1), (B, H, T))
    np.testing.assert_array_equal(told[..., -1], rows)
    assert (told[~rows] == 0).all()
