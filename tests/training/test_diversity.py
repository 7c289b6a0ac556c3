"""Data diversification: what is added to the text, and how a training goes on."""

import json
import shutil

import keras
import numpy as np
import pytest
import tensorflow as tf
from tiny_training import CONFIG, PAIRS, corpus

from nmt.config import Config
from nmt.corpora.streamed import stream_files
from nmt.errors import UserError
from nmt.training import diversity, training
from nmt.training.data import Data
from nmt.training.start import Start
from nmt.translation.translator import Translator

DIVERSE = CONFIG.replace(diversify=1, epochs=2, sampling_alpha=0.0, max_pieces=12)
LONG = ("the dog " * 12, "dog the " * 12)


class Stop(keras.callbacks.Callback):
    """Stops after the first step."""

    def on_train_batch_end(self, batch, logs=None):
        self.model.stop_training = True


def train(out, config=DIVERSE, pairs=(*PAIRS, LONG), callbacks=()):
    lines = []
    training.train(corpus(pairs), config, out, lines.append, callbacks=callbacks)
    return lines


@pytest.fixture(scope="module")
def stopped(tmp_path_factory):
    """A training that was stopped after its first step."""
    out = tmp_path_factory.mktemp("diverse") / "out"
    return out, train(out, callbacks=[Stop()])


@pytest.fixture
def copy(stopped, tmp_path):
    return shutil.copytree(stopped[0], tmp_path / "out")


def added(out):
    content = json.loads((out / "added.json").read_text("utf-8"))
    return list(zip(content["source"], content["target"], strict=True))


def test_each_side_of_the_text_is_translated_by_a_model_of_its_direction(stopped):
    out, _ = stopped
    sources, targets = (list(side) for side in zip(*PAIRS, strict=True))
    expected, written = set(), set(zip(sources, targets, strict=True))
    for name, side in (("forward", sources), ("backward", targets)):
        found = Translator.load(out / "teachers" / f"{name}-1")(side)
        pairs = zip(side, (each.text for each in found), strict=True)
        pairs = [pair for pair in pairs if pair[1].strip()]
        expected |= {pair if name == "forward" else pair[::-1] for pair in pairs}
    assert set(added(out)) == expected - written
    assert all(LONG[0] not in pair and LONG[1] not in pair for pair in added(out))


def test_the_models_have_the_settings_of_the_training_and_other_seeds(stopped):
    out, lines = stopped
    forward, backward = (
        Config.load(out / "teachers" / name / "config.json")
        for name in ("forward-1", "backward-1")
    )
    assert forward.training == DIVERSE.replace(diversify=0, seed=2).training
    assert backward.training == forward.training
    for name in ("forward-1", "backward-1"):  # the callback that stops is not theirs
        history = json.loads((out / "teachers" / name / "history.json").read_text())
        assert len(history) == DIVERSE.training.epochs
    assert (backward.corpus.source, backward.corpus.target) == ("b", "a")
    assert lines[0] == "Model forward-1, a to b, whose translations are added:"
    assert f"{len(added(out))} translated pairs are added to the text." in lines


def test_it_learns_from_the_text_and_from_what_is_added(copy, monkeypatch):
    texts = []

    class Noting(Data):
        def __init__(self, text, *more):
            texts.append(text)
            super().__init__(text, *more)

    monkeypatch.setattr("nmt.training.job.Data", Noting)
    train(copy, callbacks=[Stop()])
    assert list(zip(*texts[0], strict=True)) == [*PAIRS, LONG, *added(copy)]


def test_it_goes_on_without_the_models(copy):
    shutil.rmtree(copy / "teachers")
    lines = train(copy)
    assert lines[1] == f"Going on after batch 1 of epoch 1 of {copy}."
    assert not (copy / "teachers").exists()
    history = json.loads((copy / "history.json").read_text())
    assert len(history) == DIVERSE.training.epochs


def as_before_the_first_step(out):
    for path in out.iterdir():
        if path.is_file() and path.name not in ("added.json", "checksums.json"):
            path.unlink()


def test_a_training_that_was_killed_before_it_began_translates_once(copy):
    as_before_the_first_step(copy)
    shutil.rmtree(copy / "teachers")
    before = added(copy)
    train(copy, DIVERSE.replace(save_minutes=3.0), callbacks=[Stop()])
    assert added(copy) == before
    assert not (copy / "teachers").exists()


def test_what_was_added_to_another_text_is_made_anew(copy, monkeypatch):
    as_before_the_first_step(copy)
    pairs = PAIRS[:20]
    refusal = "forward-1 was begun on another text.* Or delete .*forward-1: its model"
    with pytest.raises(UserError, match=refusal):
        train(copy, pairs=pairs)
    taught_by(monkeypatch, lambda sources: [(each, "new") for each in sources])
    train(copy, pairs=pairs, callbacks=[Stop()])
    sources, targets = zip(*pairs, strict=True)
    new = [(each, "new") for each in sources] + [("new", each) for each in targets]
    assert added(copy) == list(dict.fromkeys(new))


def taught_by(monkeypatch, translate):
    """Let a function take the place of the models."""
    monkeypatch.setattr(diversity, "_train", lambda job, folder: None)
    monkeypatch.setattr(
        diversity, "_translations", lambda folder, sources, config: translate(sources)
    )


def test_models_that_are_trained_are_not_trained_again(copy):
    before = added(copy)
    as_before_the_first_step(copy)
    (copy / "added.json").unlink()
    lines = train(copy, callbacks=[Stop()])
    finished = [line for line in lines if line.endswith("nothing is left to do.")]
    assert len(finished) == 2
    assert added(copy) == before


def test_a_model_whose_state_is_damaged_need_not_cost_the_others(copy):
    as_before_the_first_step(copy)
    (copy / "added.json").unlink()
    state = copy / "teachers" / "forward-1" / "training_state.npz"
    with np.load(state) as arrays:
        values = dict(arrays)
    name = next(name for name in values if name != "meta" and values[name].size > 9)
    values[name] = values[name][:1]
    np.savez(state, **values)
    with pytest.raises(UserError, match=r"Or delete .*forward-1: its model is then"):
        train(copy)


def test_models_that_translate_nothing_add_nothing(tmp_path, monkeypatch):
    taught_by(monkeypatch, lambda sources: [])
    lines = train(tmp_path, callbacks=[Stop()])
    assert "0 translated pairs are added to the text." in lines


def test_what_people_wrote_is_not_added_again(tmp_path, monkeypatch):
    taught_by(monkeypatch, lambda sources: [*PAIRS, *[("the dog", "dog the")] * 2])
    train(tmp_path, callbacks=[Stop()])
    backward = [pair[::-1] for pair in PAIRS]
    new = ("the dog", "dog the")
    assert added(tmp_path) == [new, *backward, new[::-1]]


def test_pairs_that_are_gone_or_changed_are_told(copy):
    path = copy / "added.json"
    path.write_text(path.read_text("utf-8").replace("dog", "cat"), "utf-8")
    with pytest.raises(UserError, match=r"added\.json is damaged"):
        train(copy)
    (copy / "checksums.json").unlink()
    path.write_text('{"source": ["a"], "target": []}', "utf-8")
    with pytest.raises(UserError, match=r"added\.json is broken\. Put it back"):
        train(copy)
    path.unlink()
    with pytest.raises(UserError, match=r"added\.json is gone, on which .* rests"):
        train(copy)


def test_it_refuses_streams_and_several_devices(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).write_text("one two\n" * 4)
    files = [str(tmp_path / name) for name in ("a", "b")]
    streamed = stream_files(*files, *files)
    config = DIVERSE.replace(epoch_steps=2)
    with pytest.raises(UserError, match="--diversify translates the text before"):
        training.train(streamed, config, tmp_path / "out")
    strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    with pytest.raises(UserError, match="--diversify trains its models on one device"):
        training.train(
            corpus(), DIVERSE, tmp_path / "out", lambda line: None, strategy=strategy
        )
    assert not (tmp_path / "out").exists()


def test_a_cluster_is_refused_before_it_is_joined(tmp_path, monkeypatch):
    cluster = {"worker": ["localhost:1", "localhost:2"]}
    task = {"type": "worker", "index": 1}
    monkeypatch.setenv("TF_CONFIG", json.dumps({"cluster": cluster, "task": task}))
    monkeypatch.setattr("nmt.training.workers.join", lambda *_: pytest.fail("joined"))
    for strategy in ("auto", "multi-worker"):
        with pytest.raises(UserError, match="--diversify trains its models on one"):
            training.train(corpus(), DIVERSE, tmp_path / "out", strategy=strategy)
    assert not (tmp_path / "out").exists()


def test_another_training_does_not_take_it_over(copy, tmp_path):
    trained = copy / "teachers" / "forward-1"
    DIVERSE.save(trained / "config.json")
    settings = Start(trained).settings(tmp_path).training
    assert (settings.diversify, settings.precision) == (0, "auto")
    assert Start(tmp_path).settings(copy).training.diversify == 1
