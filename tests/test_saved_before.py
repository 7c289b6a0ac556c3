"""Models that were saved before the modules moved into rooms still load.

`tests/data/before_rooms` was made by commit 6d583a0: a `.keras` file with every layer,
its inputs and outputs, and a folder of `nmt` with translations by it.
"""

import json
from pathlib import Path

import keras
import numpy as np
import pytest

import keras_attention as ka

FOLDER = Path(__file__).parent / "data/before_rooms"
LAYERS = (
    ka.AttentionPooling,
    ka.AttentionRNN,
    ka.BahdanauAttention,
    ka.CoverageAttention,
    ka.HierarchicalAttention,
    ka.LocationSensitiveAttention,
    ka.LuongAttention,
    ka.MonotonicAttention,
    ka.MultiHeadAttention,
    ka.PositionEmbedding,
    ka.PositionalEncoding,
    ka.ScaledDotProductAttention,
)


@pytest.fixture(scope="module")
def model():
    return keras.saving.load_model(FOLDER / "layers.keras")


def test_the_file_holds_every_layer(model):
    kinds = {type(layer) for layer in model.layers}
    assert not set(LAYERS) - kinds


def test_a_keras_file_loads_and_gives_the_same_numbers(model):
    with np.load(FOLDER / "layers.npz") as saved:
        expected = [saved[name] for name in sorted(saved) if "output" in name]
        found = model([saved["source"], saved["target"]])
    assert len(found) == len(expected) == 34
    for one, other in zip(found, expected, strict=True):
        one = keras.ops.convert_to_numpy(one)
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="nmt's backend")
def test_an_nmt_folder_loads_and_translates_alike():
    from nmt import Translator

    translator = Translator.load(FOLDER / "nmt_model")
    lines = (FOLDER / "nmt_translations.jsonl").read_text("utf-8").splitlines()
    expected = [json.loads(line) for line in lines]
    results = translator([each["source"] for each in expected], beam_size=3)
    for result, before in zip(results, expected, strict=True):
        assert result.text == before["text"]
        assert result.score == pytest.approx(before["score"], abs=1e-4)
        assert list(result.target_tokens) == before["target_tokens"]
        np.testing.assert_allclose(result.weights, before["weights"], atol=1e-5)
