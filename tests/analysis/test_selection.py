import numpy as np
import pytest

from keras_attention.analysis.selection import drop_special, select

SOURCE = ["[CLS]", "two", "dogs", "</s>"]
TARGET = ["Zwei", "Hunde", "</s>"]
WEIGHTS = np.array([[0.1, 0.6, 0.1, 0.2], [0, 0.1, 0.8, 0.1], [0.5, 0, 0, 0.5]])


def test_dropping_gives_back_the_weight_that_was_on_special_tokens():
    weights, source, target, dropped = drop_special(WEIGHTS, SOURCE, TARGET)
    assert (source, target) == (["two", "dogs"], ["Zwei", "Hunde"])
    np.testing.assert_allclose(weights, [[0.6, 0.1], [0.1, 0.8]])
    np.testing.assert_allclose(dropped, [0.3, 0.1])
    np.testing.assert_allclose(weights.sum(axis=-1) + dropped, 1)


def test_dropping_takes_heads_and_tokens_of_ones_own():
    heads = np.stack([WEIGHTS, WEIGHTS[:, ::-1]])
    weights, source, target, dropped = drop_special(
        heads, SOURCE, TARGET, tokens=["two", "Zwei"]
    )
    assert weights.shape == (2, 2, 3)
    assert (source[0], target[0]) == ("[CLS]", "Hunde")
    np.testing.assert_allclose(dropped, [[0.1, 0], [0.8, 0]])
    _, source, target, dropped = drop_special(np.eye(2), ["a", "</s>"])
    assert (source, target, dropped.tolist()) == (["a"], ["a"], [0])


def test_dropping_leaves_a_word_or_raises():
    for source, target in ((["</s>"], ["a"]), (["a"], ["</s>"])):
        with pytest.raises(ValueError, match="must hold a word that is no special"):
            drop_special([[1.0]], source, target)


def test_nothing_is_hidden_unless_asked_for():
    part = select(WEIGHTS, SOURCE, TARGET)
    np.testing.assert_array_equal(part.weights, WEIGHTS)
    assert (part.source, part.target, part.notes) == (SOURCE, TARGET, [])
    assert select(np.eye(1), ["a"], ["b"], "drop", slice(None), 1).notes == []


def test_what_is_hidden_is_said_with_its_weight():
    part = select(WEIGHTS, SOURCE, TARGET, "drop")
    assert part.notes == [
        "Special tokens left out, with 0.20 of a row's weight on average, at most 0.30."
    ]
    assert part.sums.tolist() == [1, 1]
    part = select(WEIGHTS, SOURCE, TARGET, rows=slice(1, None), max_tokens=2)
    assert (part.source, part.target) == (["[CLS]", "two"], ["Hunde", "</s>"])
    assert (part.columns.tolist(), part.rows.tolist()) == ([0, 1], [1, 2])
    assert part.notes == [
        "2 of 4 source words not shown, "
        "with 0.70 of a row's weight on average, at most 0.90.",
        "2 of 3 target words shown.",
    ]
    part = select(WEIGHTS, SOURCE, TARGET, "drop", max_tokens=1)
    assert (part.source, part.target) == (["two"], ["Zwei"])
    assert [note.split(",")[0] for note in part.notes] == [
        "Special tokens left out",
        "1 of 4 source words not shown",
        "1 of 3 target words shown.",
    ]


def test_heads_are_selected_alike_and_one_by_one():
    heads = np.stack([WEIGHTS, WEIGHTS[:, ::-1]])
    part = select(heads, SOURCE, TARGET, "drop").of_head((1,))
    np.testing.assert_allclose(part.weights, [[0.1, 0.6], [0.8, 0.1]])
    assert part.sums.shape == (2,)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"special": "hide"}, "`special` must be one of 'keep', 'dim', 'drop'"),
        ({"rows": 3}, "`rows` must be a slice or None. Received: rows=3"),
        ({"rows": slice(5, 9)}, "`rows` must leave some of the 3 target words"),
        ({"rows": slice(2, 3), "special": "drop"}, "`rows` must leave some"),
        ({"max_tokens": 0}, "`max_tokens` must be a positive int or None"),
        ({"max_tokens": 1.5}, "`max_tokens` must be a positive int or None"),
    ],
)
def test_options_that_make_no_sense_are_refused(options, text):
    with pytest.raises(ValueError, match=text):
        select(WEIGHTS, SOURCE, TARGET, **options)
