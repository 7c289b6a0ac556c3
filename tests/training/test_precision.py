"""Training in float32, bfloat16 and float16, and which of them is chosen."""

import types

import keras
import numpy as np
import pytest
from tiny_training import CONFIG, corpus, run, weights

import nmt
from nmt.config import Config
from nmt.text import make_batch
from nmt.training import precision
from nmt.training.job import Job
from nmt.training.learner import Learner

SIZE = 60


def losses(kind, steps=3, **options):
    keras.utils.set_random_seed(3)
    options = {"dropout": 0.0, "learning_rate": 0.01, **options}
    learner = Learner(CONFIG.replace(**options), SIZE, precision=kind)
    random = np.random.default_rng(1)
    ids = [random.integers(4, SIZE, size).tolist() for size in (3, 6, 5)]
    learner.set_rate(0.01)
    found = [float(learner.learn(make_batch(ids, ids[::-1]))) for _ in range(steps)]
    assert np.isfinite(float(learner.gradient_norm))
    assert all(variable.dtype == "float32" for variable in learner.model.weights)
    return found


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("bfloat16", {"cell": "lstm", "order": "previous"}),
        ("bfloat16", {}),
        ("float16", {}),
        ("bfloat16", {"encoder": "self-attention", "position": "rotary"}),
        ("float16", {"encoder": "self-attention", "position": "alibi"}),
    ],
)
def test_a_model_learns_in_half_precision_as_in_float32(kind, options):
    whole, half = losses("float32", **options), losses(kind, **options)
    assert half == pytest.approx(whole, rel=0.03)
    assert half[-1] < half[0]
    assert keras.config.dtype_policy().name == "float32"


def test_a_step_that_overflows_in_float16_is_left_out_and_scaled_down():
    keras.utils.set_random_seed(3)
    learner = Learner(CONFIG.replace(dropout=0.0), SIZE, precision="float16")
    learner.optimizer.dynamic_scale.assign(2.0**126)
    before = learner.model.get_weights()
    learner.learn(make_batch([[5, 6]], [[7]]))
    for old, new in zip(before, learner.model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
    assert float(learner.optimizer.dynamic_scale) == 2.0**125


@pytest.mark.parametrize(("slower", "chosen"), [(2.0, "bfloat16"), (1.2, "float32")])
def test_what_is_much_faster_is_chosen(monkeypatch, slower, chosen):
    seconds = {"float32": slower, "bfloat16": 1.0}
    monkeypatch.setattr(precision, "_seconds", seconds.get)
    found, reason = precision.choose_precision()
    assert found == chosen
    assert reason == f"a product in bfloat16 is {slower} times as fast on this CPU"


def test_both_products_are_timed():
    assert all(precision._seconds(name) > 0 for name in ("float32", "bfloat16"))


def test_a_training_says_its_precision_keeps_it_and_goes_on_in_it(
    tmp_path, monkeypatch
):
    out = tmp_path / "model"
    monkeypatch.setattr(precision, "_seconds", {"float32": 2, "bfloat16": 1}.get)
    config = CONFIG.replace(precision="auto")
    _, lines = run(out, config.replace(epochs=1))
    assert "Computes in bfloat16: a product in bfloat16 is 2.0 times" in lines[1]
    assert Config.load(out / "config.json").training.precision == "bfloat16"
    monkeypatch.setattr(precision, "_seconds", {"float32": 1, "bfloat16": 2}.get)
    run(out, config.replace(epochs=2))
    assert Config.load(out / "config.json").training.precision == "bfloat16"
    assert all(np.isfinite(weight).all() for weight in weights(out))
    with pytest.raises(nmt.UserError, match="--precision is 'bfloat16' there and 'flo"):
        run(out, CONFIG.replace(epochs=2, precision="float32"))


def test_float16_is_for_one_device():
    several = types.SimpleNamespace(replicas=2)
    job = Job(corpus(), CONFIG.replace(precision="float16"), several, print, ())
    with pytest.raises(nmt.UserError, match="--precision float16 is for one device"):
        job.begin()
