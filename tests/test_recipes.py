"""The recipes of the docs: each is run as it stands, and gives what it promises."""

import re

import keras
import numpy as np
import pytest
from markdown_blocks import ROOT, python_blocks, run_apart

TEXT = (ROOT / "docs" / "recipes.md").read_text(encoding="utf-8")
_, *SECTIONS = re.split(r"^## ", TEXT, flags=re.M)
RECIPES = {section.partition("\n")[0]: section for section in SECTIONS}
(BEGINNING,) = python_blocks(TEXT.partition("\n## ")[0])
# Its second block is a program of its own.
FRESH = "Saving, and loading in a fresh process"


@pytest.fixture(autouse=True)
def _in_a_folder_and_float32(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    policy = keras.config.dtype_policy()
    yield
    keras.config.set_dtype_policy(policy)


def run(name):
    """Run the blocks of a recipe one after the other; give the names they leave."""
    names = {"__name__": "recipe"}
    blocks = python_blocks(RECIPES[name])
    for code in [BEGINNING, *(blocks[:1] if name == FRESH else blocks)]:
        exec(compile(code, name, "exec"), names)
    return names


def test_a_classifier_learns_and_tells_the_words_that_it_looks_at():
    names = run("Attention over an LSTM, for a classifier")
    assert names["history"].history["accuracy"][-1] > 0.9
    weights = names["explainer"].predict(names["texts"], verbose=0)
    np.testing.assert_allclose(weights.sum(axis=1), 1, atol=1e-5)
    assert not weights[names["texts"] == 0].any()


def test_an_encoder_and_a_decoder_learn_to_reverse_a_line():
    names = run("An encoder and a decoder that attends")
    assert names["written"] == [7, 4, 4, 9, 3]
    whole = names["model"]([names["line"], np.array([[1, 7, 4, 4, 9]])])
    assert np.argmax(whole[0], axis=-1).tolist() == names["written"]


def test_a_score_of_ones_own_has_masks_weights_and_a_place_in_a_decoder():
    names = run("A score of your own")
    gap = names["query"][:, :, None] - names["value"][:, None]
    scores = np.where(names["mask"][:, None], -(gap**2).sum(-1), -np.inf)
    expected = np.exp(scores - scores.max(-1, keepdims=True))
    expected /= expected.sum(-1, keepdims=True)
    np.testing.assert_allclose(names["weights"], expected, atol=1e-5)
    np.testing.assert_allclose(
        names["context"], expected @ names["value"], rtol=1e-4, atol=1e-5
    )
    assert names["outputs"].shape == (2, 3, 16)


def test_a_mask_is_kept_by_layers_lost_by_operators_and_holds_if_passed():
    names = run("Masks that Keras attaches, and where they are lost")
    padding = {name: float(row[2]) for name, row in names["weights"].items()}
    assert padding["a layer keeps it"] == padding["passed, it holds"] == 0
    assert padding["an operator drops it"] > 0.1


def test_mixed_precision_computes_in_low_and_keeps_variables_in_full():
    names = run("Mixed precision")
    assert keras.config.dtype_policy().name == "float32"
    layer = names["model"].get_layer("attention")
    assert layer.compute_dtype == "bfloat16"
    assert {weight.dtype for weight in layer.weights} == {"float32"}
    assert names["model"].output.dtype == "float32"
    first, last = names["history"].history["loss"]
    assert last < first
    weights = keras.ops.cast(names["explained"], "float32")
    np.testing.assert_allclose(np.sum(weights, axis=-1), 1, atol=0.02)
    assert not np.triu(weights, 1).any()


def test_a_saved_model_loads_in_a_fresh_process_that_imports_the_layers(tmp_path):
    run(FRESH)
    _, loading = python_blocks(RECIPES[FRESH])
    done = run_apart(loading, tmp_path)
    assert done.returncode == 0, done.stderr
    without = re.sub("^import keras_attention.*\n", "", loading, flags=re.M)
    assert without != loading
    done = run_apart(without, tmp_path)
    assert done.returncode == 1
    assert "Could not locate class" in done.stderr


def test_weights_of_a_model_are_recorded_and_drawn(tmp_path):
    names = run("The weights of a model, drawn")
    record = names["record"]
    assert {name: record[name].shape for name in record} == {
        "stock": (1, 2, 6, 6),
        "ours": (1, 2, 6, 6),
    }
    assert not np.triu(record["ours"], 1).any()
    assert "not an explanation" in (tmp_path / "head.svg").read_text(encoding="utf-8")
    assert (tmp_path / "heads.png").read_bytes().startswith(b"\x89PNG")


def test_long_input_in_chunks_gives_the_same_numbers():
    names = run("Long input in little memory")
    assert names["found"].shape == (1, 1000, 32)
    assert names["long"].chunk_size == 128
    assert names["layer"].chunk_size is None


def test_decoding_with_a_cache_gives_the_rows_of_the_whole():
    names = run("Decoding step by step, with a cache")
    assert np.stack(names["steps"], axis=1).shape == (2, 6, 32)
    assert names["cache"].key.shape[1] == 2


def test_every_recipe_is_one_of_these_tests():
    source = (ROOT / "tests" / "test_recipes.py").read_text(encoding="utf-8")
    run_here = {*re.findall(r'run\("(.*)"\)', source), FRESH}
    assert run_here == set(RECIPES)
    assert len(RECIPES) == 9


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_is_a_sentence_or_three_and_blocks_of_under_15_lines(name):
    blocks = python_blocks(RECIPES[name])
    assert blocks
    for code in blocks:
        assert len(code.splitlines()) < 15
        assert max(map(len, code.splitlines())) <= 88
    prose = RECIPES[name].partition("```")[0].partition("\n")[2]
    sentences = re.findall(r"[.:](?:\s|$)", prose)
    assert 1 <= len(sentences) <= 3
