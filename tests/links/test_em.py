"""Tests of `nmt.links.em`, `counts` and `pairs` on a text of a few words."""

import numpy as np
import pytest

from nmt.links.counts import PRIOR, before_links, estimate, no_counts
from nmt.links.em import BY_ORDER, WITHOUT_ORDER, count_links, posteriors
from nmt.links.pairs import SHIFT, look_up, number_pairs

TEXT = [
    (["a", "dog"], ["un", "perro"]),
    (["a", "cat"], ["un", "gato"]),
    (["dog"], ["perro"]),
    ([], ["gato"]),
]


@pytest.fixture
def text():
    source, target = {}, {}
    pairs = number_pairs(TEXT, source, target)
    return pairs, source, target


def before(text, known=None):
    pairs, source, target = text
    return before_links(known or no_counts(), pairs, (len(source), len(target)))


def test_each_pair_of_words_of_a_text_has_one_number(text):
    pairs, source, target = text
    assert source == {"a": 0, "dog": 1, "cat": 2}
    named = {
        (s, t)
        for s in source
        for t in target
        if source[s] * SHIFT + target[t] in pairs.keys
    }
    assert named == {(s, t) for ss, ts in TEXT for s in ss for t in ts}
    assert sorted(row for group in pairs.groups for row in group.rows) == [0, 1, 2]
    for group in pairs.groups:
        cells = pairs.keys[group.cells]
        expected = group.source[:, None, :] * SHIFT + group.target[:, :, None]
        np.testing.assert_array_equal(cells, expected)


def test_a_round_counts_what_both_directions_agree_on(text):
    pairs = text[0]
    start = before(text)
    after, _ = count_links(pairs, start, [BY_ORDER], 0.2)
    parameters = estimate(start, pairs)
    links = dict.fromkeys(pairs.keys.tolist(), 0.0)
    unlinked = np.zeros(3)
    for group, forwards, backwards in posteriors(pairs, parameters, 0.2):
        for row in range(len(group.rows)):
            for (j, i), key in np.ndenumerate(pairs.keys[group.cells[row]]):
                both = forwards.links[row, j, i] * backwards.links[row, i, j]
                links[int(key)] += both
        np.add.at(unlinked, group.source, backwards.unlinked)
    np.testing.assert_allclose(after.links, list(links.values()), rtol=1e-5)
    np.testing.assert_allclose(after.source_unlinked, unlinked, rtol=1e-5)
    by_word = np.bincount(pairs.key_words[0], after.links)
    np.testing.assert_allclose(after.source_linked, by_word)
    np.testing.assert_array_equal(after.source_seen, [2, 2, 1])


def test_rounds_without_order_tell_words_apart_by_where_else_they_are(text):
    pairs, source, target = text
    counts, parameters = count_links(pairs, before(text), [WITHOUT_ORDER] * 8, 0.02)
    given = dict(zip(pairs.keys.tolist(), parameters.target_given_source, strict=True))
    assert given[source["dog"] * SHIFT + target["perro"]] > 0.9
    assert given[source["a"] * SHIFT + target["un"]] > 0.9


def test_probabilities_of_a_word_sum_to_1_where_all_its_partners_are_known(text):
    pairs, source, target = text
    counts, parameters = count_links(pairs, before(text), [WITHOUT_ORDER] * 2, 0.02)
    # What is not in the text keeps its part of what is spread beforehand.
    share = counts.target_seen / counts.target_seen.sum()
    for word in source.values():
        mine = pairs.key_words[0] == word
        missing = np.delete(share, pairs.key_words[1][mine]).sum()
        spread = PRIOR * missing / (counts.source_linked[word] + PRIOR)
        total = parameters.target_given_source[mine].sum() + spread
        assert total == pytest.approx(1, abs=1e-5)
    assert parameters.target_given_none.sum() == pytest.approx(1)


def test_what_is_known_is_added_to_what_is_counted(text):
    pairs = text[0]
    known, _ = count_links(pairs, before(text), [WITHOUT_ORDER] * 3, 0.02)
    known = known.keep(0.1)
    again = before(text, known)
    np.testing.assert_array_equal(again.source_seen, 2 * known.source_seen)
    kept = np.isin(pairs.keys, known.keys)
    np.testing.assert_array_equal(again.links[kept], known.links)
    assert not again.links[~kept].any()
    after, _ = count_links(pairs, again, [WITHOUT_ORDER], 0.02)
    assert (after.links >= again.links).all()
    assert after.links.sum() > again.links.sum() + 1


def test_a_key_that_is_not_there_has_the_value_0():
    found = look_up(np.array([2, 5]), np.array([0.5, 1.5]), np.array([1, 2, 5, 9]))
    np.testing.assert_array_equal(found, [0, 0.5, 1.5, 0])
    np.testing.assert_array_equal(look_up(np.zeros(0), np.zeros(0), np.ones(1)), [0])
