"""Data diversification: what is added to the text, and how a training goes on."""

import json
import shutil

import keras
import pytest
import tensorflow as tf
from tiny_training import CONFIG, PAIRS, corpus

from nmt.config import Config
from nmt.corpora.streamed import stream_files
from nmt.errors import UserError
from nmt.training import training
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
    expected = set()
    for name, side in (("forward", sources), ("backward", targets)):
        found = Translator.load(out / "teachers" / f"{name}-1")(side, batch_size=128)
        pairs = zip(side, (each.text for each in found), strict=True)
        pairs = [pair for pair in pairs if pair[1].strip()]
        expected |= {pair if name == "forward" else pair[::-1] for pair in pairs}
    assert set(added(out)) == expected
    assert all(LONG[0] not in pair and LONG[1] not in pair for pair in added(out))


def test_the_models_have_the_settings_of_the_training_and_other_seeds(stopped):
    out, lines = stopped
    forward, backward = (
        Config.load(out / "teachers" / name / "config.json")
        for name in ("forward-1", "backward-1")
    )
    assert forward.training == DIVERSE.replace(diversify=0, seed=2).training
    assert backward.training == forward.training
    assert (backward.corpus.source, backward.corpus.target) == ("b", "a")
    assert lines[0] == "Model forward-1, a to b, whose translations are added:"
    assert f"{len(added(out))} translated pairs are added to the text." in lines


def test_it_learns_from_the_text_and_from_what_is_added(stopped, tmp_path):
    seen = []

    class Count(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            seen.append(self.params["steps"])

    def steps(pairs, config):
        train(tmp_path / str(len(seen)), config, pairs, [Count(), Stop()])
        return seen[-1]

    out, _ = stopped
    together = steps((*PAIRS, LONG, *added(out)), DIVERSE.replace(diversify=0))
    shutil.copytree(out, tmp_path / str(len(seen)))
    assert steps((*PAIRS, LONG), DIVERSE) == together


def test_it_goes_on_without_the_models(copy):
    shutil.rmtree(copy / "teachers")
    lines = train(copy)
    assert lines[1] == f"Going on after batch 1 of epoch 1 of {copy}."
    assert not (copy / "teachers").exists()
    history = json.loads((copy / "history.json").read_text())
    assert len(history) == DIVERSE.training.epochs


def test_a_training_that_was_killed_before_it_began_translates_once(copy):
    for path in copy.iterdir():
        if path.is_file() and path.name not in ("added.json", "checksums.json"):
            path.unlink()
    shutil.rmtree(copy / "teachers")
    before = added(copy)
    train(copy, callbacks=[Stop()])
    assert added(copy) == before
    assert not (copy / "teachers").exists()


def test_what_was_added_to_another_text_is_made_anew(copy):
    for path in copy.iterdir():
        if path.is_file() and path.name not in ("added.json", "checksums.json"):
            path.unlink()
    shutil.rmtree(copy / "teachers")
    pairs = PAIRS[:20]
    train(copy, pairs=pairs, callbacks=[Stop()])
    written = {side for pair in pairs for side in pair}
    assert all(written.intersection(pair) for pair in added(copy))
    assert len(added(copy)) <= 40


def test_pairs_that_are_gone_or_changed_are_told(copy):
    path = copy / "added.json"
    path.write_text(path.read_text("utf-8").replace("dog", "cat"), "utf-8")
    with pytest.raises(UserError, match=r"added\.json is damaged"):
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


def test_another_training_does_not_take_it_over(stopped, tmp_path):
    out, _ = stopped
    trained = out / "teachers" / "forward-1"
    DIVERSE.save(trained / "config.json")
    assert Start(trained).settings(tmp_path).training.diversify == 0
    assert Start(tmp_path).settings(out).training.diversify == 1
