"""The paths that attend without weights, beside the one that holds them."""

import keras
import numpy as np
import pytest
from helpers import B, S, T, array, assert_close, gradients
from keras import ops

from keras_attention.chunked import Visibility
from keras_attention.layers import head_attention
from keras_attention.layers.head_attention import (
    attend_at_once,
    attend_fused,
    attend_without_weights,
    has_fused_path,
)

H, D = 4, 6

KEY_MASK = np.array([[True, True, False, True, False], [False] * S])
PAIRS = np.random.default_rng(3).random((B, T, S)) < 0.4
PAIRS[0, 1] = False
OF_HEADS = np.random.default_rng(4).random((B, H, T, S)) < 0.5
OF_HEADS[1, 2, 0] = False

VISIBLE = {
    "all": Visibility(),
    "causal": Visibility(causal=True),
    "causal, later": Visibility(causal=True, offset=2),
    "causal, padding": Visibility(causal=True, key_mask=KEY_MASK),
    "queries": Visibility(query_mask=np.array([[True, False, True]] * B)),
    "padding": Visibility(key_mask=KEY_MASK),
    "pairs": Visibility(attention_mask=PAIRS),
    "pairs of each head": Visibility(attention_mask=OF_HEADS),
    "window": Visibility(window=0, offset=3),
}


class Attend(keras.layers.Layer):
    """A path as a layer, for the gradient helper."""

    def __init__(self, path, visible):
        super().__init__()
        self.attend = path
        self.visible = visible
        self.built = True

    def call(self, query, key, value):
        heads, attends = self.attend(query, key, value, self.visible.with_four_axes())
        if attends is None:
            return heads
        return ops.where(attends[:, None], heads, ops.zeros_like(heads))


def with_weights(query, key, value, visible):
    heads, _, attends = attend_at_once(query, key, value, visible, lambda each: each)
    return heads, attends


def fused(query, key, value, visible):
    mask = visible.whole(T, S)
    rows = None
    if visible.may_hide_rows():
        rows = ops.any(mask, axis=-1, keepdims=True)
    heads = attend_fused(query, key, value, visible, mask, rows)
    if rows is None:
        return heads, None
    return ops.where(rows, heads, ops.zeros_like(heads)), ops.any(rows, axis=1)


def inputs(groups=H):
    random = np.random.default_rng(0)
    shapes = {"query": (B, H, T, D), "key": (B, groups, S, D)}
    shapes["value"] = shapes["key"]
    return {
        name: random.normal(size=shape).astype("float32")
        for name, shape in shapes.items()
    }


@pytest.mark.parametrize("groups", [2, H])
@pytest.mark.parametrize("name", VISIBLE)
@pytest.mark.parametrize("path", [attend_without_weights, fused])
def test_masking_without_weights_equals_that_with_them(path, name, groups):
    given, visible = inputs(groups), VISIBLE[name]
    layers = Attend(path, visible), Attend(with_weights, visible)
    one, other = (array(layer(**given)) for layer in layers)
    assert_close(one, other)
    mask = visible.with_four_axes().whole(T, S)
    if mask is not None:
        shown = np.broadcast_to(array(mask), (B, H, T, S)).any(-1)
        np.testing.assert_array_equal(one[~shown], 0)
    ours, theirs = (gradients(layer, given)[0] for layer in layers)
    for each, expected in theirs.items():
        assert np.isfinite(ours[each]).all()
        assert_close(ours[each], expected)


def test_a_causal_mask_alone_hides_no_row_and_anything_else_may():
    hides = {name for name, each in VISIBLE.items() if each.may_hide_rows()}
    assert set(VISIBLE) - hides == {"all", "causal", "causal, later"}


@pytest.mark.parametrize("has_it", [True, False])
def test_a_fused_path_of_the_backend_is_taken_where_it_serves(monkeypatch, has_it):
    taken = []
    attend = ops.dot_product_attention

    def noted(*args, **options):
        taken.append(options["is_causal"])
        return attend(*args, **options)

    monkeypatch.setattr(ops, "dot_product_attention", noted)
    monkeypatch.setattr(head_attention, "has_fused_path", lambda: has_it)
    given = [ops.convert_to_tensor(each) for each in inputs().values()]
    for visible in (
        Visibility(causal=True),
        Visibility(causal=True, offset=2),
        Visibility(bias=np.zeros((T, S), "float32")),
    ):
        attend_without_weights(*given, visible.with_four_axes())
    narrow = [*given[:2], given[2][..., :3]]
    attend_without_weights(*narrow, Visibility())
    assert taken == ([True, False] if has_it else [])


def test_jax_has_a_fused_path_on_a_gpu_alone(monkeypatch):
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    for device, expected in (("cpu:0", False), ("gpu:0", True), ("tpu:0", False)):
        monkeypatch.setattr(keras.distribution, "list_devices", lambda d=device: [d])
        assert has_fused_path() == expected
    monkeypatch.setattr(keras.backend, "backend", lambda: "tensorflow")
    assert not has_fused_path()
