"""Tests of `nmt.links.hmm` against all ways to link two tiny sentences."""

from itertools import product

import numpy as np
import pytest

from nmt.links.hmm import (
    LONGEST_JUMP,
    forward_backward,
    jump_probabilities,
    without_order,
)

NONE = -1
SHARE = 0.3


def every_way(emission, unlinked, jumps, share):
    """Sum over all ways to link one pair: links, jumps, likelihood."""
    num_target, num_source = emission.shape

    def weight(here, there):
        return jumps[there - here + LONGEST_JUMP]

    links, counts, total = np.zeros_like(emission), np.zeros_like(jumps), 0.0
    for way in product(range(NONE, num_source), repeat=num_target):
        probability, place, made = 1.0, -1, []
        for j, i in enumerate(way):
            if i == NONE:
                probability *= share * unlinked[j]
                continue
            among = sum(weight(place, there) for there in range(num_source))
            probability *= (1 - share) * emission[j, i] * weight(place, i) / among
            made.append(i - place)
            place = i
        among = sum(weight(place, there) for there in range(num_source + 1))
        probability *= weight(place, num_source) / among
        made.append(num_source - place)
        total += probability
        for j, i in enumerate(way):
            if i != NONE:
                links[j, i] += probability
        for jump in made:
            counts[jump + LONGEST_JUMP] += probability
    return links / total, counts / total, np.log(total)


@pytest.fixture
def numbers():
    draw = np.random.default_rng(3)
    emission, unlinked = draw.random((2, 3, 4)), draw.random((2, 3))
    return emission, unlinked, draw.random(2 * LONGEST_JUMP + 1)


def test_it_equals_the_sum_over_all_ways_to_link(numbers):
    emission, unlinked, jumps = numbers
    found = forward_backward(emission, unlinked, jumps, SHARE)
    assert found.links.dtype == np.float64
    each = [every_way(*pair, jumps, SHARE) for pair in zip(*numbers[:2], strict=True)]
    for row, (links, _, _) in enumerate(each):
        np.testing.assert_allclose(found.links[row], links, atol=1e-12)
        np.testing.assert_allclose(found.unlinked[row], 1 - links.sum(1), atol=1e-12)
    np.testing.assert_allclose(found.jumps, sum(one[1] for one in each), atol=1e-12)
    assert found.log_likelihood == pytest.approx(sum(one[2] for one in each))


def test_without_order_each_word_is_linked_alone(numbers):
    emission, unlinked, jumps = numbers
    found = without_order(emission, unlinked, jumps, SHARE)
    linked, skipped = (1 - SHARE) * emission / 4, SHARE * unlinked
    total = linked.sum(axis=2) + skipped
    np.testing.assert_allclose(found.links, linked / total[..., None])
    np.testing.assert_allclose(found.unlinked, skipped / total)
    assert found.log_likelihood == pytest.approx(np.log(total).sum())
    assert not found.jumps.any()


def test_jumps_beyond_the_longest_count_as_the_longest():
    jumps = np.arange(1.0, 2 * LONGEST_JUMP + 2)
    moves, ends, places = jump_probabilities(jumps, LONGEST_JUMP + 5)
    np.testing.assert_allclose(moves.sum(axis=1), 1)
    assert places[0, -1] == places[0, LONGEST_JUMP - 1] == 2 * LONGEST_JUMP
    assert places[-1, 0] == 0
    assert (ends > 0).all()


def test_a_long_sentence_stays_finite():
    size = 300
    emission = np.full((1, size, size), 1e-15, np.float32)
    unlinked = np.full((1, size), 1e-7, np.float32)
    found = forward_backward(emission, unlinked, np.ones(2 * LONGEST_JUMP + 1), 0.1)
    np.testing.assert_allclose(found.links.sum(2) + found.unlinked, 1, rtol=1e-3)
