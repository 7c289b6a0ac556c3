"""Tests of `nmt.translation.batching`."""

from hypothesis import given
from hypothesis import strategies as st

from nmt.translation import batching
from nmt.translation.batching import batches, most_at_once, usual_batch


def area(source, target):
    return source * target


def test_a_batch_has_fewer_sentences_where_each_has_more_hypotheses():
    assert [usual_batch(beams) for beams in (1, 5, 6, 320, 999)] == [320, 64, 53, 1, 1]


def test_short_sentences_fill_batches_and_long_ones_have_room(monkeypatch):
    monkeypatch.setattr(batching, "ROOM", 100)
    lengths = [(2, 5), (5, 5), (20, 20), (5, 5), (1, 1), (2, 5), (5, 5), (5, 5), (5, 5)]
    assert batches(lengths, 3, area) == [[2], [1, 3, 6], [7, 8, 0], [5, 4]]
    assert batches(lengths, 9, area) == [[2], [1, 3, 6, 7], [8, 0, 5, 4]]


@given(st.lists(st.tuples(st.integers(1, 30), st.integers(1, 30))), st.integers(1, 9))
def test_no_batch_of_several_needs_more_than_there_is(lengths, batch_size):
    room, batching.ROOM = batching.ROOM, 500
    try:
        groups = batches(lengths, batch_size, area)
    finally:
        batching.ROOM = room
    assert sorted(i for group in groups for i in group) == list(range(len(lengths)))
    for group in groups:
        longest = [max(lengths[i][axis] for i in group) for axis in range(2)]
        assert len(group) <= batch_size
        assert len(group) == 1 or len(group) * area(*longest) <= 500


def test_batches_share_the_memory_and_a_long_sentence_has_it_alone(monkeypatch):
    monkeypatch.setattr(batching, "ROOM", 100)
    lengths = [(2, 5), (5, 5), (5, 5), (5, 5), (5, 5)]
    groups = batches(lengths, 9, area, at_once=2)
    assert groups == [[1, 2], [3, 4], [0]]
    assert most_at_once(groups, lengths, area) == 2
    assert most_at_once([[0]], lengths, area) == 10
    assert most_at_once([[0], [1]], [(2, 5), (20, 20)], area) == 1
    assert most_at_once([], [], area) == 100
