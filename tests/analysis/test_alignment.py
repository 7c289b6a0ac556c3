import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_attention.analysis.alignment import (
    alignment_error_rate,
    gold_links,
    hard_links,
    parse_links,
)


def test_hard_links_take_the_largest_weight_of_each_target():
    weights = [[0.1, 0.9], [0.6, 0.4], [0.5, 0.5], [0, 0]]
    assert hard_links(weights) == {(1, 0), (0, 1), (0, 2)}
    assert hard_links(weights, threshold=0.6) == {(1, 0), (0, 1)}


def test_hard_links_want_one_matrix():
    with pytest.raises(ValueError, match=r"one sentence pair.*\(3, 5, 7\)"):
        hard_links(np.ones((3, 5, 7)))


def test_alignment_error_rate_by_hand():
    links = {(0, 0), (1, 1), (2, 2), (3, 2)}
    sure, possible = {(0, 0), (1, 1), (3, 3)}, {(2, 2)}
    # 2 of ours are sure, 3 are at least possible; 4 links and 3 sure ones.
    assert alignment_error_rate(links, sure, possible) == pytest.approx(1 - 5 / 7)
    assert alignment_error_rate(links, sure) == pytest.approx(1 - 4 / 7)


def test_alignment_error_rate_of_perfect_and_of_wrong_links():
    weights = np.eye(3)
    gold = {(0, 0), (1, 1), (2, 2)}
    assert alignment_error_rate(hard_links(weights), gold) == 0
    assert alignment_error_rate(hard_links(weights), gold, gold | {(0, 1)}) == 0
    assert alignment_error_rate(hard_links(weights[::-1]), {(0, 0)}) == 1


def test_alignment_error_rate_where_something_is_empty():
    assert alignment_error_rate(set(), set()) == 0
    assert alignment_error_rate([], []) == 0
    assert alignment_error_rate(set(), {(0, 0)}) == 1
    assert alignment_error_rate({(0, 0)}, set()) == 1
    assert alignment_error_rate({(0, 0)}, set(), {(0, 0)}) == 0


def test_a_corpus_adds_up_counts_before_dividing():
    links = [{(0, 0)}, {(0, 0), (1, 1), (2, 2)}]
    sure = [{(1, 0)}, {(0, 0), (1, 1), (2, 2)}]
    assert alignment_error_rate(links, sure) == pytest.approx(1 - 6 / 8)
    possible = [{(0, 0)}, set()]
    assert alignment_error_rate(links, sure, possible) == pytest.approx(1 - 7 / 8)


link_sets = st.sets(st.tuples(st.integers(0, 3), st.integers(0, 3)))


@given(link_sets, link_sets, link_sets)
def test_alignment_error_rate_lies_between_0_and_1(links, sure, possible):
    rate = alignment_error_rate(links, sure, possible)
    assert 0 <= rate <= 1
    assert alignment_error_rate([links], [sure], [possible]) == rate
    assert alignment_error_rate([links] * 3, [sure] * 3, [possible] * 3) == (
        pytest.approx(rate)
    )


@pytest.mark.parametrize(
    ("links", "sure", "text"),
    [
        ([(0, 0)], [(0, 0)], "`links` must be a set of"),
        ({(0, 0)}, [{(0, 0)}], "`sure` must be a set of"),
        ({(0, 0)}, [{(0, 0), (1, 1)}], "`sure` must be a set of"),
        ([{(0, 0)}], {(0, 0)}, "`sure` must be a set of"),
        ([{(0, 0)}], [{(0, 0)}, set()], "Received: 1, 2 and 2 sets"),
        ({0, 1}, {(0, 0)}, "`links` must be a set of"),
    ],
)
def test_links_of_another_kind_are_refused(links, sure, text):
    with pytest.raises(ValueError, match=text):
        alignment_error_rate(links, sure)


# Gold links


def test_sure_and_possible_links_are_read():
    assert parse_links(" 0-0 1p2\n10-3 ") == ({(0, 0), (10, 3)}, {(1, 2)})
    assert parse_links("") == (set(), set())


@pytest.mark.parametrize("bad", ["0", "0-", "0-0-0", "-1-0", "0x1", "0P1", "٠-٠"])
def test_links_of_another_form_are_refused(bad):
    with pytest.raises(ValueError, match="must be written i-j if sure, ipj if poss"):
        parse_links(f"0-0 {bad}")


@pytest.mark.parametrize(
    ("gold", "sure", "possible"),
    [
        ("0-0 1p2", {(0, 0)}, {(1, 2)}),
        ("0-0 0p0", {(0, 0)}, set()),
        ([(0, 0), (1, 2)], {(0, 0), (1, 2)}, set()),
        ({(0, 0), (1, 2)}, {(0, 0), (1, 2)}, set()),
        (({(0, 0)}, frozenset({(1, 2)})), {(0, 0)}, {(1, 2)}),
        ((), set(), set()),
        (np.array([[0, 0], [1, 2]]), {(0, 0), (1, 2)}, set()),
    ],
)
def test_gold_links_come_in_several_forms(gold, sure, possible):
    assert gold_links(gold, 2, 3) == (sure, possible)


@pytest.mark.parametrize("gold", ["0:1", 3, [1, 2], [(0, 0, 0)], [("a", "b")]])
def test_gold_of_another_kind_is_refused(gold):
    with pytest.raises(ValueError, match="`gold` must be str such as"):
        gold_links(gold, 2, 3)


@pytest.mark.parametrize("link", ["2-0", "0-3", "2p0"])
def test_gold_links_to_no_word_are_refused(link):
    with pytest.raises(ValueError, match="`gold` must link 2 source and 3 target"):
        gold_links(f"0-0 {link}", 2, 3)
    with pytest.raises(ValueError, match="the link -1-0"):
        gold_links([(-1, 0)], 2, 3)
