import subprocess
import sys

import numpy as np
import pytest

from nmt.config import TrainingConfig
from nmt.corpora.parallel import ParallelText
from nmt.text.batches import make_batch, pad, training_batches, validation_batches
from nmt.text.vocabulary import END_ID, PAD_ID, START_ID, Vocabulary

RANDOM = np.random.default_rng(2)
WORDS = ["dog", "cat", "runs", "sleeps", "the", "a", "red", "big", "house", "in"]
SOURCE = tuple(
    " ".join(RANDOM.choice(WORDS, RANDOM.integers(1, 12))) for _ in range(97)
)
TEXT = ParallelText(SOURCE, tuple(line.upper() for line in SOURCE))


@pytest.fixture(scope="module")
def vocabulary():
    return Vocabulary.train([*TEXT.source, *TEXT.target], 60)


def seen(vocabulary, batches):
    """Read batches back as pairs of texts."""
    return [
        (vocabulary.text(source), vocabulary.text(target))
        for batch in batches
        for source, target in zip(batch.source, batch.target_out, strict=True)
    ]


def made(vocabulary, training, epoch=1):
    return [make() for make in training_batches(TEXT, vocabulary, training, epoch)]


def test_pad_fills_on_the_right():
    np.testing.assert_array_equal(pad([[5, 6], [], [7]]), [[5, 6], [0, 0], [7, 0]])


def test_a_batch_shifts_the_target_by_one():
    batch = make_batch([[7, 8]], [[5, 6]])
    np.testing.assert_array_equal(batch.source, [[7, 8, END_ID]])
    np.testing.assert_array_equal(batch.target_in, [[START_ID, 5, 6]])
    np.testing.assert_array_equal(batch.target_out, [[5, 6, END_ID]])


@pytest.mark.parametrize("alpha", [0.0, 0.2])
def test_an_epoch_holds_every_pair_once_and_no_batch_is_too_large(vocabulary, alpha):
    training = TrainingConfig(batch_tokens=150, sampling_alpha=alpha)
    batches = made(vocabulary, training)
    assert sorted(seen(vocabulary, batches)) == sorted(zip(*TEXT, strict=True))
    assert len(batches) > 3
    for batch in batches:
        assert batch.target_out.size <= 150
        assert ((batch.target_out != PAD_ID).sum(1) > 0).all()


def test_pairs_of_a_batch_have_like_lengths(vocabulary):
    batches = made(vocabulary, TrainingConfig(batch_tokens=150))
    real = sum((batch.target_out != PAD_ID).sum() for batch in batches)
    assert real > 0.85 * sum(batch.target_out.size for batch in batches)


def test_the_order_depends_on_seed_and_epoch_alone(vocabulary):
    training = TrainingConfig(batch_tokens=150, seed=4)
    first = seen(vocabulary, made(vocabulary, training))
    assert first == seen(vocabulary, made(vocabulary, training))
    assert first != seen(vocabulary, made(vocabulary, training, epoch=2))
    other = TrainingConfig(batch_tokens=150, seed=5)
    assert first != seen(vocabulary, made(vocabulary, other))


def test_another_process_makes_the_same_batches(vocabulary, tmp_path):
    (tmp_path / "v.model").write_bytes(vocabulary.model)
    program = (
        "from nmt.text.batches import training_batches\n"
        "from nmt.config import TrainingConfig\n"
        "from nmt.corpora.parallel import ParallelText\n"
        "from nmt.text.vocabulary import Vocabulary\n"
        f"v = Vocabulary.load({str(tmp_path / 'v.model')!r})\n"
        f"text = ParallelText({TEXT.source!r}, {TEXT.target!r})\n"
        "t = TrainingConfig(batch_tokens=150, sampling_alpha=0.2)\n"
        "for make in training_batches(text, v, t, 3):\n"
        "    print([part.tolist() for part in make()])"
    )
    found = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    training = TrainingConfig(batch_tokens=150, sampling_alpha=0.2)
    here = made(vocabulary, training, epoch=3)
    lines = [str([part.tolist() for part in batch]) for batch in here]
    assert found.stdout.splitlines() == lines


def test_long_pairs_are_left_out_of_training_but_not_of_validation(vocabulary):
    training = TrainingConfig(batch_tokens=150, max_pieces=10)
    assert 0 < len(seen(vocabulary, made(vocabulary, training))) < len(SOURCE)
    batches = validation_batches(TEXT, vocabulary, 150)
    assert sorted(seen(vocabulary, batches)) == sorted(zip(*TEXT, strict=True))


def test_of_nothing_but_long_pairs_there_are_no_batches(vocabulary):
    assert training_batches(TEXT, vocabulary, TrainingConfig(max_pieces=1), 1) == []
