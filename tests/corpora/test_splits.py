"""Tests of `nmt.corpora.splits`."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nmt.corpora import splits
from nmt.corpora.splits import connected_groups, hold_out
from nmt.errors import UserError

PARTS = ("validation", "test")


def numbered(count):
    return [(f"source {i}", f"target {i}") for i in range(count)]


def test_pairs_that_share_a_sentence_over_others_form_one_group():
    pairs = [("a", "x"), ("b", "y"), ("c", "z"), ("b", "x"), ("d", "z")]
    assert connected_groups(pairs) == [[0, 1, 3], [2, 4]]


def test_the_same_words_on_different_sides_do_not_join_pairs():
    assert connected_groups([("no", "nein"), ("nein", "no")]) == [[0], [1]]


# Few distinct sentences, so that groups of all sizes arise.
@given(
    st.lists(st.tuples(st.integers(0, 60), st.integers(100, 160)), max_size=80),
    st.sampled_from([("validation",), PARTS]),
)
def test_no_sentence_of_a_held_out_part_stands_in_another_part(numbers, parts):
    pairs = [(str(source), str(target)) for source, target in numbers]
    try:
        split = hold_out(pairs, parts)
    except UserError:
        # Refused only when there is too little: every part needs a small group.
        small = [group for group in connected_groups(pairs) if len(group) == 1]
        assert len(small) < len(parts) or len(connected_groups(pairs)) <= len(parts)
        return
    everything = sorted(i for positions in split.values() for i in positions)
    assert everything == list(range(len(pairs)))
    assert set(split) == {"train", *parts} and all(split.values())
    for side in (0, 1):
        sentences = [{pairs[i][side] for i in part} for part in split.values()]
        assert sum(map(len, sentences)) == len(set.union(*sentences))


@given(st.integers(min_value=3, max_value=300))
def test_a_split_is_the_same_in_both_directions(count):
    pairs = numbered(count)
    assert hold_out(pairs, PARTS) == hold_out([pair[::-1] for pair in pairs], PARTS)


def test_a_split_does_not_depend_on_the_order_of_the_pairs():
    pairs = numbered(1000)
    backwards = pairs[::-1]
    there, back = hold_out(pairs, PARTS), hold_out(backwards, PARTS)
    for part in PARTS:
        assert {pairs[i] for i in there[part]} == {backwards[i] for i in back[part]}


def test_more_text_leaves_the_held_out_pairs_where_they_were():
    before, after = hold_out(numbered(5000), PARTS), hold_out(numbered(9000), PARTS)
    for part in PARTS:
        assert set(before[part]) <= set(after[part])


def test_about_the_wanted_share_is_held_out():
    split = hold_out(numbered(20_000), PARTS)
    for part in PARTS:
        share = len(split[part]) / 20_000
        assert 0.5 * splits.HELD_OUT_SHARE < share < 1.5 * splits.HELD_OUT_SHARE


def test_a_held_out_part_has_a_largest_size(monkeypatch):
    monkeypatch.setattr(splits, "HELD_OUT_MOST", 7)
    split = hold_out(numbered(2000), PARTS)
    assert [len(split[part]) for part in PARTS] == [7, 7]


@pytest.mark.parametrize("name", [f"hub {i}" for i in range(40)])
def test_a_giant_group_stays_in_training(name):
    giant = [(name, f"spoke {i}") for i in range(100)]
    split = hold_out(giant + numbered(60), PARTS)
    assert set(range(100)) <= set(split["train"])


def test_three_unrelated_pairs_are_enough_for_three_parts():
    split = hold_out(numbered(3), PARTS)
    assert sorted(len(positions) for positions in split.values()) == [1, 1, 1]


@pytest.mark.parametrize("pairs", [[], numbered(2), [("a", "x"), ("a", "y")] * 9])
def test_too_little_text_to_split_is_refused(pairs):
    with pytest.raises(UserError, match=rf"from {len(pairs)} pairs in .* groups"):
        hold_out(pairs, PARTS)
