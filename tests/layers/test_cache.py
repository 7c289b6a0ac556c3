"""The cache of keys and values: step by step as all at once."""

import keras
import numpy as np
import pytest
from helpers import (
    DQ,
    B,
    array,
    arrays,
    assert_close,
    compiled,
    gradients,
    randomise,
)
from keras import ops

from keras_attention import MultiHeadAttention
from keras_attention.layers.cache import Cache

LENGTH, PLACES = 5, 7
GROUPED = {"num_heads": 6, "key_dim": 4, "num_key_value_heads": 2, "value_dim": 3}
OPTIONS = {
    "plain": {},
    "rotary": {"position": "rotary"},
    "alibi": {"position": "alibi"},
    "relative": {"position": "relative"},
    "window": {"window": 1},
    "rotary window": {"position": "rotary", "window": 2},
    "no bias vectors": {"use_bias": False},
}
every_option = pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)


def sequence(length=LENGTH, seed=0):
    random = np.random.default_rng(seed)
    return random.normal(size=(B, length, DQ)).astype("float32")


def left_padding():
    mask = np.ones((B, LENGTH), bool)
    mask[0, :2] = False
    return mask


def built(**arguments):
    layer = MultiHeadAttention(**GROUPED | arguments)
    layer.build((None, None, DQ), (None, None, DQ))
    return randomise(layer)


def in_pieces(layer, x, pieces, mask=None, **call):
    """Feed pieces of a sequence one by one; outputs, and weights of all places."""
    cache, outputs, start = layer.empty_cache(B, PLACES), [], 0
    for length in pieces:
        part = slice(start, start + length)
        start += length
        masks = {} if mask is None else {"value_mask": mask[:, part]}
        *results, cache = layer(
            x[:, part],
            x[:, part],
            cache=cache,
            return_attention_scores=True,
            **masks,
            **call,
        )
        assert isinstance(cache, Cache)
        outputs.append(arrays(results))
    outputs, weights = zip(*outputs, strict=True)
    return np.concatenate(outputs, axis=1), np.concatenate(weights, axis=2)


@every_option
@pytest.mark.parametrize("pieces", [[1] * 5, [2, 1, 2], [5]], ids=str)
def test_pieces_give_what_the_whole_gives(options, pieces):
    layer, x, mask = built(**options), sequence(), left_padding()
    expected, expected_weights = arrays(
        layer(x, x, value_mask=mask, use_causal_mask=True, return_attention_scores=True)
    )
    output, weights = in_pieces(layer, x, pieces, mask)
    assert_close(output, expected)
    assert_close(weights[..., :LENGTH], expected_weights)
    assert (weights[..., LENGTH:] == 0).all()
    # Left padding attends to nothing.
    assert (output[0, :2] == 0).all()


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@every_option
def test_pieces_give_what_the_whole_gives_in_low_precision(options, dtype):
    layer, x = built(**options, dtype=f"mixed_{dtype}"), sequence()
    expected = layer(x, x, use_causal_mask=True)
    output, _ = in_pieces(layer, x, [1, 3, 1])
    assert_close(output, expected, dtype)


@every_option
def test_chunks_of_memory_give_what_the_whole_gives(options):
    layer, x, mask = built(**options, chunk_size=2), sequence(), left_padding()
    expected = layer(x, x, value_mask=mask, use_causal_mask=True)
    cache, outputs = layer.empty_cache(B, PLACES), []
    for part in (slice(0, 3), slice(3, 4), slice(4, 5)):
        output, cache = layer(
            x[:, part], x[:, part], value_mask=mask[:, part], cache=cache
        )
        outputs.append(array(output))
    assert_close(np.concatenate(outputs, axis=1), expected)


def test_masks_and_biases_of_pairs_count_the_places_of_the_cache():
    layer, x = built(), sequence()
    random = np.random.default_rng(0)
    pairs = random.random((B, LENGTH, PLACES)) < 0.7
    bias = random.normal(size=(LENGTH, PLACES)).astype("float32")
    expected = layer(
        x,
        x,
        attention_mask=pairs[..., :LENGTH],
        attention_bias=bias[:, :LENGTH],
        use_causal_mask=True,
    )
    output, _ = in_pieces(layer, x, [5], attention_mask=pairs, attention_bias=bias)
    assert_close(output, expected)


def test_a_query_of_one_step_may_ask():
    layer, x = built(position="rotary"), sequence()
    expected = array(layer(x, x, use_causal_mask=True))
    cache = layer.empty_cache(B, PLACES)
    for t in range(LENGTH):
        output, cache = layer(x[:, t], x[:, t : t + 1], cache=cache)
        assert_close(output, expected[:, t])


def test_optional_outputs_come_in_their_order():
    layer, x = built(), sequence(1)
    call = {"cache": layer.empty_cache(B, PLACES), "return_attention_scores": True}
    output, weights, cache = layer(x, x, **call)
    assert tuple(output.shape) == (B, 1, DQ)
    assert tuple(weights.shape) == (B, 6, 1, PLACES)
    assert cache._fields == ("key", "value", "mask", "length")
    assert [tuple(each.shape) for each in cache] == [
        (B, 2, PLACES, 4),
        (B, 2, PLACES, 3),
        (B, PLACES),
        (),
    ]


@pytest.mark.parametrize("dtype", ["float32", "mixed_float16", "mixed_bfloat16"])
def test_an_empty_cache_has_the_types_of_the_layer(dtype):
    cache = built(dtype=dtype).empty_cache(B, PLACES)
    types = [keras.backend.standardize_dtype(each.dtype) for each in cache]
    precision = dtype.removeprefix("mixed_")
    assert types == [precision, precision, "bool", "int32"]
    assert not any(array(each).any() for each in cache)


@pytest.mark.parametrize("position", ["rotary", "alibi", "relative"])
@pytest.mark.parametrize("dtype", ["float32", "mixed_float16", "mixed_bfloat16"])
def test_far_positions_are_told_apart_in_every_precision(position, dtype):
    # The last query is at 4095, where float16 counts in steps of 4 and bfloat16 of
    # 32; two places before it are filled, and all others are padding.
    layer = built(position=position, dtype=dtype)
    x = sequence(3)

    def ask(start):
        cache = layer.empty_cache(B, 4096)
        cache = cache._replace(length=ops.convert_to_tensor(start, "int32"))
        for t in range(3):
            part = x[:, t : t + 1]
            output, weights, cache = layer(
                part, part, cache=cache, return_attention_scores=True
            )
        assert int(cache.length) == start + 3
        return array(output), array(weights)[..., start : start + 3]

    near, far = ask(0), ask(4093)
    for one, other in zip(near, far, strict=True):
        # What the layers add depends on the distance alone; an angle of 4095 is
        # itself rounded to 5e-4.
        if dtype == "float32":
            np.testing.assert_allclose(one, other, atol=5e-3)
        else:
            assert_close(one, other, dtype.removeprefix("mixed_"))


@pytest.mark.parametrize("xla", [False, True])
def test_a_compiled_step_serves_all_steps(xla):
    layer, x = built(position="rotary", window=3), sequence()
    expected = array(layer(x, x, use_causal_mask=True))
    step, cache = compiled(layer, xla), layer.empty_cache(B, PLACES)
    for t in range(LENGTH):
        part = x[:, t : t + 1]
        output, cache = step({"query": part, "value": part, "cache": cache})
        assert_close(array(output)[:, 0], expected[:, t])
    assert int(array(cache.length)) == LENGTH


def test_a_cache_may_be_the_state_of_a_compiled_loop():
    layer, start = built(position="alibi"), sequence(1)

    def generate(query, cache):
        """Feed each output back as the next input."""

        def step(x, cache, outputs):
            output, new = layer(x, x, cache=cache)
            place = ops.reshape(ops.arange(LENGTH) == cache.length, (1, -1, 1))
            return output, new, ops.where(place, output, outputs)

        _, cache, outputs = ops.while_loop(
            lambda x, cache, outputs: cache.length < LENGTH,
            step,
            (query, cache, ops.zeros((B, LENGTH, DQ))),
        )
        return outputs

    backend, cache = keras.backend.backend(), layer.empty_cache(B, PLACES)
    if backend == "tensorflow":
        import tensorflow as tf

        generate = tf.function(generate, autograph=False)
    elif backend == "jax":
        import jax

        generate = jax.jit(generate)
    outputs = array(generate(ops.convert_to_tensor(start), cache))
    inputs = np.concatenate([start, outputs[:, :-1]], axis=1)
    assert_close(outputs, layer(inputs, inputs, use_causal_mask=True))


def test_no_new_steps_leave_the_cache_as_it_is():
    layer, x = built(position="alibi"), sequence()
    _, cache = layer(x, x, cache=layer.empty_cache(B, PLACES))
    output, after = layer(x[:, :0], x[:, :0], cache=cache)
    assert output.shape == (B, 0, DQ)
    for one, other in zip(after, cache, strict=True):
        np.testing.assert_array_equal(array(one), array(other))


def test_nan_in_padding_stays_out():
    layer, x, mask = built(), sequence(), left_padding()
    expected, _ = in_pieces(layer, x, [2, 3], mask)
    dirty = np.where(mask[:, :, None], x, np.nan)
    output, _ = in_pieces(layer, dirty, [2, 3], mask, query_mask=None)
    assert_close(output[1], expected[1])
    assert_close(output[0, 2:], expected[0, 2:])


def test_gradients_pass_through_the_cache():
    layer, x = built(position="rotary"), sequence(2)
    _, cache = layer(x, x, cache=layer.empty_cache(B, PLACES))
    inputs = {"query": sequence(2, seed=1), "value": sequence(2, seed=2)}
    of_inputs, of_weights = gradients(layer, inputs, cache=cache)
    for gradient in [*of_inputs.values(), *of_weights]:
        assert np.isfinite(gradient).all()
        assert np.abs(gradient).max() > 0


def test_a_functional_model_may_hand_a_cache_on(tmp_path):
    layer, x = built(position="rotary"), sequence()
    inputs = keras.Input(batch_shape=(B, 1, DQ))
    empty = layer.empty_cache(B, PLACES)
    symbolic = Cache(
        *(
            keras.Input(
                batch_shape=each.shape,
                dtype=keras.backend.standardize_dtype(each.dtype),
            )
            for each in empty
        )
    )
    output, cache = layer(inputs, inputs, cache=symbolic)
    model = keras.Model([inputs, *symbolic], [output, *cache])
    model.save(tmp_path / "model.keras")
    expected = array(layer(x, x, use_causal_mask=True))
    for each in (model, keras.models.load_model(tmp_path / "model.keras")):
        cache = list(empty)
        for t in range(LENGTH):
            part = ops.convert_to_tensor(x[:, t : t + 1])
            output, *cache = each([part, *cache])
            assert_close(array(output)[:, 0], expected[:, t])


@pytest.mark.parametrize("taken, steps", [(7, 1), (5, 3), (0, 8)])
def test_a_full_cache_is_refused(taken, steps):
    layer, x = built(), sequence(steps)
    cache = layer.empty_cache(B, PLACES)
    cache = cache._replace(length=ops.convert_to_tensor(taken, "int32"))
    with pytest.raises(ValueError, match=f"`cache` must have room .* {taken} of 7"):
        layer(x, x, cache=cache)


@pytest.mark.skipif(keras.backend.backend() == "numpy", reason="nothing is compiled")
def test_compiled_code_drops_what_finds_no_room():
    layer, x = built(), sequence(3)
    cache = layer.empty_cache(B, PLACES)
    cache = cache._replace(length=ops.convert_to_tensor(5, "int32"))
    _, new = compiled(layer)({"query": x, "value": x, "cache": cache})
    two = layer(x[:, :2], x[:, :2], cache=cache)[1]
    for mine, expected in zip(new[:3], two[:3], strict=True):
        assert_close(mine, expected)


def test_a_cache_of_another_shape_is_refused():
    layer, x = built(), sequence(1)
    other = {
        "key": built(key_dim=5).empty_cache(B, PLACES),
        "value": built(value_dim=4).empty_cache(B, PLACES),
        "mask": layer.empty_cache(B, PLACES)._replace(mask=np.zeros((B, 3), bool)),
        "length": layer.empty_cache(B, PLACES)._replace(length=np.zeros(B, "int32")),
    }
    for name, cache in other.items():
        with pytest.raises(ValueError, match=rf"`cache.{name}` must have shape"):
            layer(x, x, cache=cache)
    for cache in (
        layer.empty_cache(B + 1, PLACES),
        built(num_key_value_heads=3).empty_cache(B, PLACES),
    ):
        with pytest.raises(ValueError, match=r"`cache.key` must have shape"):
            layer(x, x, cache=cache)


@pytest.mark.parametrize("cache", [(), (1.0,), {"key": np.zeros(3)}])
def test_what_is_no_cache_is_refused(cache):
    layer, x = built(), sequence(1)
    with pytest.raises(ValueError, match="`cache` must be what `empty_cache` or"):
        layer(x, x, cache=cache)


def test_each_new_query_must_bring_its_key():
    layer = built()
    cache = layer.empty_cache(B, PLACES)
    with pytest.raises(ValueError, match="`query` and `value` must have one length"):
        layer(sequence(1), sequence(2), cache=cache)


@pytest.mark.parametrize("name", ["batch_size", "max_length"])
@pytest.mark.parametrize("size", [0, -2, 1.5, "4", True, None])
def test_sizes_of_a_cache_must_be_positive_ints(name, size):
    arguments = {"batch_size": B, "max_length": PLACES} | {name: size}
    with pytest.raises(ValueError, match=f"`{name}` must be a positive int"):
        built().empty_cache(**arguments)
