"""The masking grid: what a mask must do, in every situation and on every path.

A cell is a situation, a path through the layer, a precision, a way to run, and whether
the weights are returned. In each of them a mask lets nothing through, a query that
attends to nothing gets exactly 0, gradients are finite, and the numbers are those of
the plain path. `tests/test_masking.py` and `benchmarks/masking.py` run through the
cells.

Shapes: `B` batch, `N` steps of queries and keys, `D` features.
"""

import itertools
from typing import Any, NamedTuple

import keras
import numpy as np
from keras import ops

import keras_attention as ka

B, N, D = 2, 6, 8

SITUATIONS = ("empty row", "NaN in padding", "left padding, causal", "window, padding")
PATHS = ("full", "chunked", "cached")
PRECISIONS = ("float32", "float16", "bfloat16")
MODES = ("eager", "graph", "xla")

_TOLERANCES = {"float32": 2e-5, "float16": 2e-2, "bfloat16": 1.5e-1}


class Subject(NamedTuple):
    """A layer under test.

    Attributes:
        name: Str.
        make: Function of keywords of the constructor (`dtype`, `chunk_size`) that gives
            the layer.
        paths: Those of `PATHS` that it has.
        call: Function of the layer, query, value and masks; see `call_layer`.
        situations: Those of `SITUATIONS` that apply to it.
    """

    name: str
    make: Any
    paths: tuple = ("full",)
    call: Any = None
    situations: tuple = SITUATIONS


class Cell(NamedTuple):
    """One cell of the grid."""

    situation: str
    path: str
    precision: str
    mode: str
    weights: bool


def cells(subject, modes=MODES):
    """List the cells that apply to a subject."""
    for values in itertools.product(
        subject.situations, PATHS, PRECISIONS, modes, (False, True)
    ):
        cell = Cell(*values)
        if cell.path in subject.paths:
            yield cell


def pairwise(subjects, modes=MODES):
    """Choose cells so that any two values of any two columns meet, subjects included.

    Returns:
        List of `(subject, cell)`.
    """
    every = [(subject, cell) for subject in subjects for cell in cells(subject, modes)]
    pairs = {
        (subject.name, *cell): set(
            itertools.combinations(enumerate((subject.name, *cell)), 2)
        )
        for subject, cell in every
    }
    missing = set().union(*pairs.values())
    chosen = []
    # The one with most pairs still missing, again and again: some pairs come twice.
    while missing:
        best = max(every, key=lambda each: len(pairs[each[0].name, *each[1]] & missing))
        missing -= pairs[best[0].name, *best[1]]
        chosen.append(best)
    return chosen


# ---- the situations


class Inputs(NamedTuple):
    """Arrays of one situation, and which pairs are visible in it."""

    query: np.ndarray
    value: np.ndarray
    query_mask: np.ndarray | None
    value_mask: np.ndarray
    causal: bool
    window: int | None
    visible: np.ndarray  # B N N


def inputs_of(situation):
    """Draw the inputs of a situation."""
    random = np.random.default_rng(5)
    value = random.normal(size=(B, N, D)).astype("float32")
    query = value.copy()
    value_mask = np.ones((B, N), bool)
    query_mask, causal, window = None, False, None
    places = np.arange(N)
    visible = np.ones((N, N), bool)
    if situation == "empty row":
        value_mask[1] = False
    elif situation == "NaN in padding":
        value_mask[:, -2:] = False
        query_mask = value_mask.copy()
        value[:, -2:] = np.nan
        query[:, -2:] = np.nan
    elif situation == "left padding, causal":
        value_mask[1, :2] = False
        causal = True
        visible = places[None, :] <= places[:, None]
    else:
        value_mask[1, -3:] = False
        window = 1
        visible = np.abs(places[None, :] - places[:, None]) <= window
    visible = visible[None] & value_mask[:, None, :]
    if query_mask is not None:
        visible = visible & query_mask[:, :, None]
    return Inputs(query, value, query_mask, value_mask, causal, window, visible)


def call_layer(layer, query, value, inputs, return_attention_scores):
    """Call a layer of query and value with the masks of a situation."""
    attention_mask = None
    if inputs.window is not None:
        attention_mask = ka.local_mask(N, N, window=inputs.window)[None]
    return layer(
        query,
        value,
        query_mask=inputs.query_mask,
        value_mask=inputs.value_mask,
        attention_mask=attention_mask,
        use_causal_mask=inputs.causal,
        return_attention_scores=return_attention_scores,
    )


def call_pooling(layer, query, value, inputs, return_attention_scores):
    """Call a layer of one sequence."""
    return layer(
        value,
        mask=inputs.value_mask,
        return_attention_scores=return_attention_scores,
    )


def call_hierarchy(layer, query, value, inputs, return_attention_scores):
    """Call a layer of documents: each has one sentence."""
    document, *weights = _as_list(
        layer(
            value[:, None],
            mask=inputs.value_mask[:, None],
            return_attention_scores=return_attention_scores,
        )
    )
    return [document, *weights[:1]]  # the words'


def call_rnn(layer, query, value, inputs, return_attention_scores):
    """Call a recurrent layer: the queries are its steps."""
    return layer(
        query,
        value,
        sequence_mask=inputs.query_mask,
        memory_mask=inputs.value_mask,
        return_attention_scores=return_attention_scores,
    )


def attend_step_by_step(layer, query, value, inputs, return_attention_scores):
    """Ask by steps of one query each, through a cache."""
    cache = layer.empty_cache(batch_size=B, max_length=N)
    outputs, weights = [], []
    for t in range(N):
        here = slice(t, t + 1)
        query_mask = inputs.query_mask
        output, *rest, cache = layer(
            query[:, here],
            value[:, here],
            query_mask=None if query_mask is None else query_mask[:, here],
            value_mask=inputs.value_mask[:, here],
            use_causal_mask=True,
            return_attention_scores=return_attention_scores,
            cache=cache,
        )
        outputs.append(output)
        weights.extend(rest)
    output = ops.concatenate(outputs, axis=1)
    if not return_attention_scores:
        return output
    return output, ops.concatenate(weights, axis=2)[:, :, :, :N]


# ---- the checks


def faults(subject, cell):
    """Run one cell.

    Returns:
        List of what is wrong with it; empty if all holds.
    """
    inputs = inputs_of(cell.situation)
    if cell.path == "cached":
        inputs = _with_causal(inputs)
    layer = _make(subject, cell)
    call = subject.call or call_layer
    if cell.path == "cached":
        call = attend_step_by_step
    outputs, gradients = _run(layer, call, inputs, cell)
    found = []
    for name, tensors in (("outputs", outputs), ("gradients", gradients)):
        if not all(np.isfinite(each).all() for each in tensors):
            found.append(f"{name} are not finite")
    visible = inputs.visible
    if call in (call_pooling, call_hierarchy):
        visible = inputs.value_mask[:, None, :]
    output, *weights = outputs
    if call is call_rnn:
        output = output[..., :D]  # the context, beside the output of the cell
    if np.any(_rows(output, visible)[~visible.any(-1)] != 0):
        found.append("a query that attends to nothing gets something")
    for each in weights:
        each = each.reshape((B, -1, *visible.shape[-2:]))
        if np.any(each[np.broadcast_to(~visible[:, None], each.shape)] != 0):
            found.append("weights where all is hidden")
    if not found:
        expected = _reference(subject, cell, call, inputs)
        for name, one, other in zip(
            ("output", "weights"), outputs, expected, strict=False
        ):
            limit = _TOLERANCES[cell.precision] * max(1.0, np.abs(other).max())
            if np.abs(one - other).max() > limit:
                found.append(f"another {name} than on the plain path")
    return found


def _with_causal(inputs):
    """A cache holds no later step: the whole it equals is causal."""
    places = np.arange(N)
    visible = inputs.visible & (places[None, :] <= places[:, None])
    return inputs._replace(causal=True, visible=visible)


def _rows(output, visible):
    """Give the output as `(B, queries, features)`."""
    return output.reshape((B, visible.shape[1], -1))


def _make(subject, cell, precision=None):
    keras.utils.clear_session(free_memory=False)
    precision = precision or cell.precision
    options = {"dtype": precision if precision == "float32" else f"mixed_{precision}"}
    if cell.path == "chunked":
        options["chunk_size"] = 4  # the last chunk of 6 is a partial one
    if cell.situation == "window, padding" and cell.path == "cached":
        options["window"] = 1
    return subject.make(**options)


def _reference(subject, cell, call, inputs):
    """Run the plain path: full, eager, float32, with weights, on clean inputs."""
    layer = _make(subject, cell._replace(path="full"), "float32")
    if cell.path == "cached":
        call = subject.call or call_layer
        if inputs.window is not None:
            inputs = inputs._replace(causal=True)
    clean = inputs._replace(
        query=np.nan_to_num(inputs.query), value=np.nan_to_num(inputs.value)
    )
    plain = cell._replace(mode="eager", weights=True)
    outputs, _ = _run(layer, call, clean, plain, gradients=False)
    return outputs


def _run(layer, call, inputs, cell, gradients=True):
    """Give outputs, and gradients of query, value and weights, as NumPy arrays."""
    clean = np.zeros((B, N, D), "float32")
    call(layer, clean, clean, inputs_of("left padding, causal"), False)  # builds it
    random = np.random.default_rng(6)
    layer.set_weights([random.normal(0, 0.4, w.shape) for w in layer.weights])

    def run_call(query, value):
        return _as_list(call(layer, query, value, inputs, cell.weights))

    run = {"tensorflow": _run_tensorflow, "jax": _run_jax}.get(keras.backend.backend())
    if run is None:
        outputs, found = run_call(inputs.query, inputs.value), []
    else:
        outputs, found = run(layer, run_call, inputs, cell, gradients)
    return [_array(each) for each in outputs], [_array(each) for each in found]


def _run_tensorflow(layer, run_call, inputs, cell, gradients):
    import tensorflow as tf

    def step(query, value):
        if not gradients:
            return run_call(query, value), []
        variables = [variable.value for variable in layer.trainable_variables]
        with tf.GradientTape() as tape:
            tape.watch([query, value])
            outputs = run_call(query, value)
            loss = tf.reduce_sum(tf.cast(outputs[0], tf.float32) ** 2)
        sources = [query, value, *variables]
        found = tape.gradient(loss, sources, unconnected_gradients="zero")
        return outputs, [tf.convert_to_tensor(each) for each in found]

    if cell.mode != "eager":
        step = tf.function(step, jit_compile=cell.mode == "xla", autograph=False)
    return step(tf.constant(inputs.query), tf.constant(inputs.value))


def _run_jax(layer, run_call, inputs, cell, gradients):
    import jax

    fixed = [variable.value for variable in layer.non_trainable_variables]
    pairs = list(layer.trainable_variables), list(layer.non_trainable_variables)

    def loss(query, value, weights):
        mapping = zip(pairs[0] + pairs[1], [*weights, *fixed], strict=True)
        with keras.StatelessScope(state_mapping=list(mapping)):
            outputs = run_call(query, value)
        return (outputs[0].astype("float32") ** 2).sum(), outputs

    weights = [variable.value for variable in pairs[0]]
    arguments = (
        jax.numpy.asarray(inputs.query),
        jax.numpy.asarray(inputs.value),
        weights,
    )
    if not gradients:
        return loss(*arguments)[1], []
    step = jax.grad(loss, argnums=(0, 1, 2), has_aux=True)
    if cell.mode != "eager":
        step = jax.jit(step)
    (of_query, of_value, of_weights), outputs = step(*arguments)
    return outputs, [of_query, of_value, *of_weights]


def _as_list(outputs):
    return list(outputs) if isinstance(outputs, (list, tuple)) else [outputs]


def _array(tensor):
    return ops.convert_to_numpy(ops.cast(tensor, "float32"))


# ---- the layers


@keras.saving.register_keras_serializable(package="tests.masking")
class Distance(ka.ScoreAttention):
    """A score of one's own."""

    def score(self, query, key):
        return -ops.sum((query[:, :, None] - key[:, None]) ** 2, axis=-1)


def our_subjects():
    """List our layers, each as a `Subject`."""
    plain = {
        "BahdanauAttention": lambda **o: ka.BahdanauAttention(5, **o),
        "BahdanauAttention, normalised": lambda **o: ka.BahdanauAttention(
            5, normalize=True, **o
        ),
        "LuongAttention, dot": lambda **o: ka.LuongAttention(**o),
        "LuongAttention, general": lambda **o: ka.LuongAttention("general", **o),
        "LuongAttention, concat": lambda **o: ka.LuongAttention("concat", 5, **o),
        "ScaledDotProductAttention": ka.ScaledDotProductAttention,
        "ScoreAttention of one's own": Distance,
    }
    subjects = [
        Subject(name, make, ("full", "chunked")) for name, make in plain.items()
    ]
    for kind in ("monotonic", "predictive"):
        subjects.append(
            Subject(
                f"LuongAttention, local {kind}",
                lambda kind=kind, **o: ka.LuongAttention(
                    window=kind, window_size=2, **o
                ),
            )
        )
    heads = {
        "MultiHeadAttention": {},
        "MultiHeadAttention, grouped": {"num_key_value_heads": 1},
        "MultiHeadAttention, rotary": {"position": "rotary"},
        "MultiHeadAttention, ALiBi": {"position": "alibi"},
        "MultiHeadAttention, relative": {"position": "relative"},
    }
    for name, options in heads.items():
        subjects.append(
            Subject(
                name,
                lambda options=options, **o: ka.MultiHeadAttention(
                    2, 4, **options, **o
                ),
                PATHS,
            )
        )
    stateful = {
        "LocationSensitiveAttention": lambda **o: ka.LocationSensitiveAttention(
            5, filters=3, kernel_size=3, **o
        ),
        "CoverageAttention": lambda **o: ka.CoverageAttention(5, **o),
        "MonotonicAttention": lambda **o: ka.MonotonicAttention(
            ka.BahdanauAttention(5, **o), **o
        ),
    }
    subjects += [Subject(name, make) for name, make in stateful.items()]
    alone = ("empty row", "NaN in padding")
    subjects.append(
        Subject(
            "AttentionPooling",
            lambda **o: ka.AttentionPooling(5, **o),
            call=call_pooling,
            situations=alone,
        )
    )
    subjects.append(
        Subject(
            "HierarchicalAttention",
            lambda **o: ka.HierarchicalAttention(5, **o),
            call=call_hierarchy,
            situations=alone,
        )
    )
    subjects.append(
        Subject(
            "AttentionRNN",
            lambda **o: ka.AttentionRNN(
                keras.layers.GRUCell(D, **o), ka.BahdanauAttention(5, **o), **o
            ),
            call=call_rnn,
            situations=alone,
        )
    )
    return subjects


def keras_subjects():
    """List Keras' layers, each as a `Subject`."""

    def call_pair(layer, query, value, inputs, return_attention_scores):
        # These two take lists, and no mask for each pair: a window is not theirs.
        return layer(
            [query, value],
            mask=[inputs.query_mask, inputs.value_mask],
            use_causal_mask=inputs.causal,
            return_attention_scores=return_attention_scores,
        )

    three = SITUATIONS[:3]
    return [
        Subject(
            "MultiHeadAttention", lambda **o: keras.layers.MultiHeadAttention(2, 4, **o)
        ),
        Subject(
            "GroupQueryAttention",
            lambda **o: keras.layers.GroupQueryAttention(4, 2, 1, **o),
        ),
        Subject("Attention", keras.layers.Attention, call=call_pair, situations=three),
        Subject(
            "AdditiveAttention",
            keras.layers.AdditiveAttention,
            call=call_pair,
            situations=three,
        ),
    ]
