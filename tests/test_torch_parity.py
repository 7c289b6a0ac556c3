"""`MultiHeadAttention` against that of PyTorch, with copied weights."""

import numpy as np
import pytest
from helpers import array, randomise

from keras_attention import MultiHeadAttention

pytestmark = pytest.mark.torch

OPTIONS = [
    "no mask",
    "key padding",
    "mask per example",
    "mask per head",
    "causal",
    "padding and causal",
    "no bias vectors",
    "own sizes",
]


def torch_layer(layer, query_size, key_size, value_size):
    """PyTorch's layer with the weights of ours, `(E, H, D)` turned into `(H D, E)`."""
    import torch

    given = {weight.name: torch.tensor(array(weight)) for weight in layer.weights}

    def as_matrix(name):
        kernel = given[f"{name}_kernel"]
        return kernel.reshape(kernel.shape[0], -1).T

    theirs = torch.nn.MultiheadAttention(
        query_size,
        layer.num_heads,
        bias=layer.use_bias,
        kdim=key_size,
        vdim=value_size,
        batch_first=True,
    ).eval()
    names = "query", "key", "value"
    with torch.no_grad():
        if theirs.in_proj_weight is not None:  # all sizes are one
            theirs.in_proj_weight.copy_(torch.cat([as_matrix(name) for name in names]))
        else:
            theirs.q_proj_weight.copy_(as_matrix("query"))
            theirs.k_proj_weight.copy_(as_matrix("key"))
            theirs.v_proj_weight.copy_(as_matrix("value"))
        theirs.out_proj.weight.copy_(given["output_kernel"].reshape(-1, query_size).T)
        if layer.use_bias:
            theirs.in_proj_bias.copy_(
                torch.cat([given[f"{name}_bias"].reshape(-1) for name in names])
            )
            theirs.out_proj.bias.copy_(given["output_bias"])
    return theirs


def draw(options, random):
    """Draw the sizes, the inputs and our masks of one example."""
    batch, length, keys, heads, head_size = (
        int(each) for each in random.integers(1, 9, 5)
    )
    size = heads * head_size  # PyTorch's heads share the query's size
    key_size = value_size = size
    if options == "own sizes":
        key_size, value_size = (int(each) for each in random.integers(1, 17, 2))
    shapes = {
        "query": (batch, length, size),
        "value": (batch, keys, value_size),
        "key": (batch, keys, key_size),
    }
    inputs = {
        name: random.normal(size=shape).astype("float32")
        for name, shape in shapes.items()
    }
    masks = {}
    if "padding" in options:
        masks["value_mask"] = random.random((batch, keys)) < 0.7
    if options == "mask per example":
        masks["attention_mask"] = random.random((batch, length, keys)) < 0.7
    if options == "mask per head":
        masks["attention_mask"] = random.random((batch, heads, length, keys)) < 0.7
    for mask in masks.values():
        mask[..., 0] = True  # rows that see nothing are NaN in PyTorch
    return heads, head_size, inputs, masks


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize(
    "count", [2, pytest.param(100, marks=pytest.mark.slow)], ids=["few", "many"]
)
def test_it_equals_that_of_pytorch_at_random_shapes(options, count):
    import torch

    random = np.random.default_rng(OPTIONS.index(options))
    for seed in range(count):
        heads, head_size, inputs, masks = draw(options, random)
        query, value, key = (inputs[name] for name in ("query", "value", "key"))
        layer = MultiHeadAttention(
            heads, head_size, use_bias=options != "no bias vectors"
        )
        layer.build(query.shape, value.shape, key.shape)
        randomise(layer, seed)
        causal = "causal" in options
        output, weights = layer(
            **inputs,
            **masks,
            use_causal_mask=causal,
            return_attention_scores=True,
        )
        # True hides there.
        hidden = {}
        if "value_mask" in masks:
            hidden["key_padding_mask"] = torch.tensor(~masks["value_mask"])
        pairs = masks.get("attention_mask")
        length, keys = query.shape[1], key.shape[1]
        if pairs is not None:
            if pairs.ndim == 3:
                pairs = np.repeat(pairs[:, None], heads, axis=1)
            hidden["attn_mask"] = torch.tensor(~pairs.reshape(-1, length, keys))
        if causal:
            hidden["attn_mask"] = torch.tensor(~np.tri(length, keys, dtype=bool))
        theirs = torch_layer(layer, *(x.shape[-1] for x in (query, key, value)))
        asked = [torch.tensor(x) for x in (query, key, value)]
        for average in (False, True):
            with torch.no_grad():
                expected, their_weights = theirs(
                    *asked, average_attn_weights=average, **hidden
                )
            expected = expected.numpy()
            scale = max(1, np.abs(expected).max())
            np.testing.assert_allclose(
                array(output) / scale, expected / scale, atol=1e-5
            )
            ours = array(weights).mean(1) if average else array(weights)
            np.testing.assert_allclose(ours, their_weights.numpy(), atol=1e-5)
