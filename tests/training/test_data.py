"""The batches of a training: from memory or streamed, begun anywhere."""

import dataclasses
from itertools import islice

import numpy as np
import pytest
from tiny_training import CONFIG, PAIRS, corpus, run

from nmt.corpora.streamed import StreamedText
from nmt.errors import UserError
from nmt.text import batches as making
from nmt.text.batches import training_batches
from nmt.text.vocabulary import PAD_ID, Vocabulary
from nmt.training import data as of_training
from nmt.training import training
from nmt.training.checkpoint import Progress, fingerprint
from nmt.training.data import Data

SETTINGS = CONFIG.replace(epoch_steps=5, shuffle_pairs=9).training


@pytest.fixture(scope="module")
def vocabulary():
    return Vocabulary.train([*map(" ".join, PAIRS)], 60)


@pytest.fixture(scope="module")
def stream(tmp_path_factory):
    """The tiny text in two shards."""
    folder = tmp_path_factory.mktemp("stream")
    files = [], []
    for number, part in enumerate((PAIRS[:10], PAIRS[10:])):
        for side in (0, 1):
            path = folder / f"part-{number}.{side}"
            path.write_text("".join(f"{pair[side]}\n" for pair in part), "utf-8")
            files[side].append(str(path))
    return StreamedText(*map(tuple, files))


def arrays(batches):
    return [[np.asarray(ids) for ids in batch] for batch in batches]


def assert_equal(some, others):
    for one, other in zip(some, others, strict=True):
        for ids, same in zip(one, other, strict=True):
            np.testing.assert_array_equal(ids, same)


def test_an_epoch_from_memory_is_a_pass_and_goes_on_inside(vocabulary):
    text, settings = corpus().splits["train"], CONFIG.training
    expected = [make() for make in training_batches(text, vocabulary, settings, 2)]
    progress = Progress(history=[{}])
    steps, batches = Data(text, vocabulary, settings, progress).epoch()
    assert steps == len(expected)
    assert_equal(arrays(batches), expected)
    progress.batch = 2
    steps, batches = Data(text, vocabulary, settings, progress).epoch()
    assert steps == len(expected)
    assert_equal(arrays(batches), expected[2:])
    for most in (len(expected), 3):
        progress.batch = most + 1
        settings = dataclasses.replace(settings, epoch_steps=3 if most == 3 else 0)
        with pytest.raises(UserError, match=f"after batch {most + 1} of an epoch of"):
            Data(text, vocabulary, settings, progress).epoch()


@pytest.mark.parametrize(("alpha", "times"), [(0.0, 1), (0.1, 3)])
def test_pieces_are_split_once_unless_they_are_drawn(
    vocabulary, monkeypatch, alpha, times
):
    split, called = of_training.split_pairs, []

    def counted(*how):
        called.append(1)
        return split(*how)

    monkeypatch.setattr(making, "split_pairs", counted)
    monkeypatch.setattr(of_training, "split_pairs", counted)
    text = corpus().splits["train"]
    settings = CONFIG.replace(sampling_alpha=alpha).training
    progress = Progress()
    epochs = Data(text, vocabulary, settings, progress)
    for _ in range(3):
        found = arrays(epochs.epoch()[1])
        number = len(progress.history) + 1
        pieces = split(text, vocabulary, settings, number)
        expected = training_batches(text, vocabulary, settings, number, pieces)
        assert_equal(found, [make() for make in expected])
        progress.history.append({})
    assert len(called) == times


def test_a_stream_that_fits_in_memory_gives_the_batches_of_memory(vocabulary, stream):
    whole = StreamedText(stream.source_files[:1], stream.target_files[:1])
    settings = CONFIG.replace(epoch_steps=1).training
    text = corpus(PAIRS[:10]).splits["train"]
    makers = training_batches(text, vocabulary, settings, 1)
    expected = [make() for make in makers]
    makers = training_batches(text, vocabulary, settings, 2)
    expected += [make() for make in makers]
    data = Data(whole, vocabulary, settings, Progress())
    found = [batch for _ in expected for batch in arrays(data.epoch()[1])]
    assert_equal(found, expected)


@pytest.fixture(scope="module")
def places(vocabulary, stream):
    """Four epochs of a stream: its batches, and where each left the progress."""
    progress = Progress()
    data = Data(stream, vocabulary, SETTINGS, progress)
    batches, places = [], []
    for _ in range(4):
        steps, epoch = data.epoch()
        assert steps == SETTINGS.epoch_steps
        for batch in epoch:
            places.append((progress.passes, progress.parts, progress.pass_batches))
            batches += arrays([batch])
    assert places[-1][0] > 1  # several passes
    assert {part for _, part, _ in places} == {0, 1, 2}
    return batches, places


def rest_of(stream, vocabulary, **place):
    return arrays(Data(stream, vocabulary, SETTINGS, Progress(**place)).epoch()[1])


@pytest.mark.parametrize("done", [1, 5, 6, 9, 14])
def test_a_stream_goes_on_anywhere(vocabulary, stream, places, done):
    batches, places = places
    passes, parts, pass_batches = places[done - 1]
    rest = rest_of(
        stream, vocabulary, passes=passes, parts=parts, pass_batches=pass_batches
    )
    assert_equal(rest, batches[done : done + SETTINGS.epoch_steps])


@pytest.mark.parametrize("done", [1, 5, 6, 9, 14])
def test_a_state_without_a_number_of_parts_goes_on_at_its_batch_of_the_pass(
    vocabulary, stream, places, done
):
    batches, places = places
    passes = places[done - 1][0]
    in_pass = sum(place[0] == passes for place in places[:done])
    rest = rest_of(stream, vocabulary, passes=passes, pass_batches=in_pass)
    assert_equal(rest, batches[done : done + SETTINGS.epoch_steps])


def test_parts_that_were_learnt_from_are_not_split_again(vocabulary, stream):
    split = []

    class Noting:
        def sample_ids(self, texts, *how):
            split.append(len(texts))
            return vocabulary.sample_ids(texts, *how)

    next(Data(stream, Noting(), SETTINGS, Progress(parts=2))._passes())
    assert split == [6, 6]  # both sides of the last part, of 24 pairs in parts of 9


def test_much_that_the_vocabulary_does_not_know_is_told_once(
    vocabulary, stream, tmp_path, caplog
):
    list(Data(stream, vocabulary, SETTINGS, Progress())._makers(1))
    assert not caplog.records
    path = tmp_path / "later"
    path.write_text("the dog runs\n" * 9 + "Ω ψ\n" * 18, "utf-8")
    text = StreamedText((str(path),), (str(path),))
    list(Data(text, vocabulary, SETTINGS, Progress())._makers(1))
    (line,) = caplog.messages
    assert "of a part of the text are unknown" in line and "Mix the lines" in line


def test_each_pass_over_a_stream_has_every_pair_in_another_order(vocabulary, stream):
    settings = CONFIG.replace(sampling_alpha=0.0, shuffle_pairs=9).training
    data = Data(stream, vocabulary, settings, Progress())
    passes = [
        [
            vocabulary.text([i for i in row if i != PAD_ID])
            for _, makers in data._makers(number)
            for make in makers
            for row in make().target_out
        ]
        for number in (1, 2)
    ]
    assert passes[0] != passes[1]
    for found in passes:
        assert sorted(found) == sorted(target for _, target in PAIRS)


def test_no_more_pairs_are_read_than_are_shuffled_at_once(vocabulary, stream):
    data = Data(stream, vocabulary, SETTINGS, Progress())
    read = []
    text = type("Counted", (), {"source_files": stream.source_files})()
    text.pairs = lambda order: (read.append(1) or pair for pair in PAIRS)
    data.text = text
    parts = data._parts(1)
    assert [len(part.source) for part in islice(parts, 2)] == [9, 9]
    assert len(read) == 18


@pytest.mark.parametrize("streamed", [False, True])
def test_a_text_without_a_pair_that_is_short_enough_is_told(
    vocabulary, stream, streamed
):
    text = stream if streamed else corpus().splits["train"]
    settings = CONFIG.replace(epoch_steps=5 * streamed, max_pieces=2).training
    with pytest.raises(UserError, match="No pair has at most 2 pieces on both sides"):
        list(Data(text, vocabulary, settings, Progress()).epoch()[1])


def test_a_streamed_text_is_trained_on_and_gone_on_with(stream, tmp_path):
    text = corpus()
    text.splits["train"] = stream
    config = CONFIG.replace(epochs=2, epoch_steps=5, shuffle_pairs=9)
    lines = []
    training.train(text, config, tmp_path / "whole", lines.append)
    assert lines[0].startswith("tiny a-b, pairs: train those of 2 files, validation 5;")

    class Killed(Exception):
        pass

    def killed(line):
        if line.startswith("epoch   1"):
            raise Killed

    with pytest.raises(Killed):
        training.train(text, config, tmp_path / "killed", killed)
    history = training.train(text, config, tmp_path / "killed", lines.append)
    assert [row["steps"] for row in history] == [5, 10]
    with pytest.raises(UserError, match="Give --epoch-steps"):
        training.train(text, CONFIG, tmp_path / "none")


def test_a_streamed_text_is_known_by_the_names_and_sizes_of_its_files(tmp_path):
    text = corpus()
    path = tmp_path / "a"
    path.write_text("one\n", "utf-8")
    text.splits["train"] = StreamedText((str(path),), (str(path),))
    before = fingerprint(text)
    assert fingerprint(text) == before
    path.write_text("other\n", "utf-8")
    assert fingerprint(text) != before


def test_epochs_from_memory_can_be_by_steps(tmp_path):
    history, _ = run(tmp_path / "model", CONFIG.replace(epochs=2, epoch_steps=3))
    assert [row["steps"] for row in history] == [3, 6]
