"""What a symbolic call gives, told from shapes: Keras would trace the whole call."""

import keras
from keras import ops

from keras_attention.chunked import Visibility
from keras_attention.core import check_head_mask, check_mask
from keras_attention.layers.cache import Cache


def attention_spec(
    layer,
    query,
    value,
    key=None,
    query_mask=None,
    value_mask=None,
    key_mask=None,
    attention_mask=None,
    use_causal_mask=False,
    return_attention_scores=False,
    training=False,
):
    """Check a symbolic call of an `AttentionLayer`, and describe its outputs."""
    check_symbolic_call(layer, query, value, key, query_mask, value_mask, key_mask)
    if attention_mask is not None:
        if len(query.shape) == 2:
            attention_mask = ops.expand_dims(attention_mask, -2)
        sizes = {"B": query.shape[0], "T": steps(query), "S": value.shape[1]}
        check_mask("attention_mask", attention_mask, "(T, S)", "(B, T, S)", **sizes)
    shape = layer.compute_output_shape(query.shape, value.shape)
    context = keras.KerasTensor(shape, layer.compute_dtype)
    if not return_attention_scores:
        return context
    shape = layer.weights_shape(query.shape, value.shape)
    return context, keras.KerasTensor(shape, layer.compute_dtype)


def head_attention_spec(
    layer,
    query,
    value,
    key=None,
    query_mask=None,
    value_mask=None,
    key_mask=None,
    attention_mask=None,
    use_causal_mask=False,
    return_attention_scores=False,
    training=False,
    attention_bias=None,
    head_mask=None,
    cache=None,
):
    """Check a symbolic call of a `MultiHeadAttention`, and describe its outputs."""
    check_symbolic_call(layer, query, value, key, query_mask, value_mask, key_mask)
    check_mask("attention_mask", attention_mask)
    batch, key_length, dtype = query.shape[0], value.shape[1], layer.compute_dtype
    if cache is not None:
        query_shape = (batch, steps(query), query.shape[-1])
        cache = layer.check_cache(cache, query_shape, value.shape)
        key_length = cache.key.shape[2]
    pairs = attention_mask, attention_bias
    if len(query.shape) == 2:
        pairs = [None if each is None else ops.expand_dims(each, -2) for each in pairs]
    visible = Visibility(attention_mask=pairs[0], bias=pairs[1])
    visible.check((batch, layer.num_heads, steps(query), key_length))
    if head_mask is not None:
        check_head_mask(head_mask, (batch, layer.num_heads))
    shape = layer.compute_output_shape(query.shape, value.shape)
    results = [keras.KerasTensor(shape, dtype)]
    if return_attention_scores:
        shape = layer.weights_shape(query.shape, (batch, key_length, None))
        results.append(keras.KerasTensor(shape, dtype))
    if cache is not None:
        types = Cache(dtype, dtype, "bool", "int32")
        pairs = zip(cache, types, strict=True)
        results.append(Cache(*(keras.KerasTensor(x.shape, kind) for x, kind in pairs)))
    return results[0] if len(results) == 1 else tuple(results)


def check_symbolic_call(layer, query, value, key, query_mask, value_mask, key_mask):
    """Raise `ValueError` if a shape or a mask does not fit, as the call would."""
    key_shape = None if key is None else key.shape
    layer.check_shapes(query.shape, value.shape, key_shape)
    batch, length = value.shape[:2]
    check_mask("value_mask", value_mask, "(B, S)", B=batch, S=length)
    check_mask("key_mask", key_mask, "(B, S)", B=batch, S=length)
    if query_mask is not None and len(query.shape) == 2:
        query_mask = ops.expand_dims(query_mask, -1)
    check_mask("query_mask", query_mask, "(B, T)", B=query.shape[0], T=steps(query))


def steps(query):
    """Tell the number of queries of a call: 1 for a query without an axis of time."""
    return 1 if len(query.shape) == 2 else query.shape[1]
