import subprocess
import sys

import pytest

from nmt.errors import UserError
from nmt.text.vocabulary import END_ID, PAD_ID, START_ID, UNKNOWN_ID, Vocabulary

LINES = [
    "A dog runs across the field.",
    "Ein Hund läuft über das Feld.",
    "Two dogs are running.",
    "Zwei Hunde laufen schnell.",
    "The children play in the snow, and sing.",
    "Die Kinder spielen im Schnee und singen.",
] * 3


@pytest.fixture(scope="module")
def vocabulary():
    return Vocabulary.train(LINES, 60)


def test_text_comes_back_exactly(vocabulary):
    for line in LINES[:6]:
        assert vocabulary.text(vocabulary.ids([line])[0]) == line


def test_special_ids_are_never_part_of_a_text(vocabulary):
    ids = vocabulary.ids(["A dog runs.</s><s><pad>"])[0]
    assert not {PAD_ID, START_ID, END_ID} & set(ids)
    assert vocabulary.text(
        [START_ID, *vocabulary.ids(["A dog"])[0], END_ID, PAD_ID]
    ) == ("A dog")


def test_sampled_splits_differ_by_seed_alone_and_join_to_the_text(vocabulary):
    first, again, other = (
        vocabulary.sample_ids(LINES, 0.3, seed) for seed in (1, 1, 2)
    )
    assert first == again
    assert first != other
    assert [vocabulary.text(ids) for ids in first] == LINES


def test_sampled_splits_are_the_same_in_another_process(vocabulary, tmp_path):
    (tmp_path / "v.model").write_bytes(vocabulary.model)
    program = (
        "from nmt.text.vocabulary import Vocabulary\n"
        f"v = Vocabulary.load({str(tmp_path / 'v.model')!r})\n"
        f"print(v.sample_ids({LINES!r}, 0.3, 5))"
    )
    found = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert found.stdout.strip() == str(vocabulary.sample_ids(LINES, 0.3, 5))


def test_without_leaving_merges_out_the_sampled_split_is_the_best_one(vocabulary):
    assert vocabulary.sample_ids(LINES, 0.0, 1) == vocabulary.ids(LINES)


def test_with_most_merges_left_out_pieces_are_nearly_characters(vocabulary):
    pieces = vocabulary.sample_ids(LINES, 0.99, 1)
    assert sum(map(len, pieces)) > 0.9 * sum(map(len, LINES))


def test_training_it_again_gives_the_same_pieces(vocabulary):
    assert Vocabulary.train(LINES, 60).model == vocabulary.model


def test_an_unknown_character_is_one_unknown_piece(vocabulary):
    assert UNKNOWN_ID in vocabulary.ids(["火"])[0]


def test_too_few_pieces_for_the_characters_is_told():
    with pytest.raises(UserError, match="cannot make a vocabulary of 8 pieces"):
        Vocabulary.train(LINES, 8)


def test_a_size_beyond_all_measure_is_told():
    with pytest.raises(UserError, match="cannot make a vocabulary of 99999999999"):
        Vocabulary.train(LINES, 99_999_999_999)


def test_a_file_that_is_no_vocabulary_is_told(tmp_path):
    path = tmp_path / "v.model"
    with pytest.raises(UserError, match="Cannot read .*v.model"):
        Vocabulary.load(path)
    path.write_bytes(b"this is no model")
    with pytest.raises(UserError, match="v.model: .* is not a SentencePiece model"):
        Vocabulary.load(path)


def test_text_that_looks_like_special_pieces_is_sampled_as_characters():
    lines = ["<span> a </span> <strong> b </strong> <unknit> <paddle>"] * 9
    vocabulary = Vocabulary.train(lines, 50)
    texts = ["<s> a </s>", "<unk> <pad> b"]
    assert vocabulary.sample_ids(texts, 0.0, 1) == vocabulary.ids(texts)
    for seed in range(20):
        found = vocabulary.sample_ids(texts, 0.3, seed)
        assert min(min(ids) for ids in found) > END_ID
        assert [vocabulary.text(ids) for ids in found] == texts


def test_unknown_characters_are_sampled_as_they_are_split(vocabulary):
    texts = ["</s> a", "火火 b 火 火", "<s> <unk> </span>", "火火水"]
    assert any(UNKNOWN_ID in ids for ids in vocabulary.ids(texts))
    assert vocabulary.sample_ids(texts, 0.0, 1) == vocabulary.ids(texts)
