import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from keras_attention.alignment import (
    alignment_error_rate,
    attention_concentration,
    attention_coverage,
    attention_entropy,
    hard_links,
    merge_pieces,
    merge_spans,
    word_spans,
)

B, H, T, S = 2, 3, 5, 7


def random_weights(*shape, seed=0):
    return np.random.default_rng(seed).dirichlet(np.ones(shape[-1]), shape[:-1])


matrices = hnp.arrays(
    "float64",
    st.tuples(st.integers(1, 4), st.integers(1, 6)),
    elements=st.floats(0, 1, allow_subnormal=False),
)


# Entropy, concentration, coverage


def test_entropy_of_one_word_is_0_and_of_an_even_row_is_1():
    weights = np.stack([np.eye(S)[3], np.full(S, 1 / S)])
    np.testing.assert_allclose(attention_entropy(weights), [0, 1], atol=1e-12)


def test_entropy_is_that_of_the_textbook_formula():
    weights = np.array([[0.5, 0.25, 0.25, 0.0]])
    expected = 1.5 * math.log(2) / math.log(4)
    np.testing.assert_allclose(attention_entropy(weights), [expected])


def test_entropy_counts_visible_sources_only():
    mask = np.array([True, True, False, False])
    weights = np.array([[0.5, 0.5, 0, 0], [0.25, 0.25, 0.25, 0.25], [0, 1, 0, 0]])
    np.testing.assert_allclose(attention_entropy(weights, mask), [1, 1, 0], atol=1e-12)


def test_entropy_is_0_for_a_single_visible_source_and_for_a_row_of_zeros():
    assert attention_entropy(np.ones((T, 1))).tolist() == [0] * T
    one = attention_entropy(np.full((1, 2), 0.5), np.array([True, False]))
    assert one.tolist() == [0]
    assert attention_entropy(np.zeros((1, S))).tolist() == [0]
    assert attention_entropy(np.ones((1, S)), np.zeros(S, bool)).tolist() == [0]


@given(matrices)
def test_entropy_lies_between_0_and_1_and_knows_no_order(weights):
    entropy = attention_entropy(weights)
    assert ((entropy >= 0) & (entropy <= 1)).all()
    np.testing.assert_allclose(attention_entropy(weights[:, ::-1]), entropy, atol=1e-9)


@given(matrices)
def test_hidden_junk_changes_no_number(weights):
    rows, columns = weights.shape
    padded = np.concatenate([weights, np.full((rows, 2), 0.9)], axis=1)
    mask = np.arange(columns + 2) < columns
    for measure in (attention_entropy, attention_concentration):
        np.testing.assert_allclose(measure(padded, mask), measure(weights), atol=1e-12)
    coverage = attention_coverage(padded, mask)
    np.testing.assert_allclose(coverage[:columns], weights.sum(axis=0))
    assert coverage[columns:].tolist() == [0, 0]


@pytest.mark.parametrize(
    "measure", [attention_entropy, attention_concentration, attention_coverage]
)
def test_a_batch_of_heads_with_masks_equals_its_matrices_one_by_one(measure):
    weights = random_weights(B, H, T, S)
    mask = np.arange(S) < np.array([[4], [6]])
    together = measure(weights, mask)
    assert together.shape == (B, H, S if measure is attention_coverage else T)
    for b in range(B):
        for h in range(H):
            alone = measure(weights[b, h], mask[b])
            np.testing.assert_allclose(together[b, h], alone)


def test_concentration_is_the_largest_weight_and_coverage_the_sum():
    weights = np.array([[0.2, 0.8], [0.7, 0.3]])
    np.testing.assert_allclose(attention_concentration(weights), [0.8, 0.7])
    np.testing.assert_allclose(attention_coverage(weights), [0.9, 1.1])


@pytest.mark.parametrize("bad", [-0.1, np.nan])
def test_negative_weights_and_nan_are_refused(bad):
    with pytest.raises(ValueError, match="`weights` must be 0 or more"):
        attention_entropy(np.array([[bad, 0.5]]))


@pytest.mark.parametrize("shape", [(), (S + 1,), (H, S), (B, H, T, S)])
def test_a_mask_of_another_shape_is_refused_with_both_shapes(shape):
    with pytest.raises(ValueError, match=r"weights.shape=\(2, 3, 5, 7\)") as error:
        attention_entropy(random_weights(B, H, T, S), np.ones(shape, bool))
    assert f"mask.shape={shape}" in str(error.value)


@pytest.mark.parametrize("shape", [(S,), (0, S), (T, 0)])
def test_weights_that_are_no_filled_matrix_are_refused(shape):
    with pytest.raises(ValueError, match=r"`weights` must have shape \(\.\.\., target"):
        attention_coverage(np.ones(shape))


# Pieces to words


@pytest.mark.parametrize(
    ("pieces", "spans"),
    [
        ("▁do gs ▁run", [0, 0, 1]),
        ("▁do gs ▁run </s>", [0, 0, 1, 2]),
        ("<s> ▁the ▁the . </s> <pad> <pad>", [0, 1, 2, 2, 3, 4, 5]),
        ("▁ dog ▁ s", [0, 0, 1, 1]),
        ("▁ ▁dog", [0, 0]),
        ("▁dog ▁ ▁cat", [0, 1, 1]),
        ("▁dog ▁ </s>", [0, 0, 1]),
        ("▁dog ▁ ▁", [0, 0, 0]),
        ("▁ </s>", [0, 1]),
        ("</s> ▁ ▁", [0, 1, 1]),
        ("</s> dog", [0, 1]),
        ("gs ▁run", [0, 1]),
        ("▁na <unk> ve", [0, 0, 0]),
        ("", []),
    ],
)
def test_pieces_belong_to_words(pieces, spans):
    assert word_spans(pieces.split()) == spans


def test_special_pieces_can_be_chosen():
    assert word_spans(["▁a", "[END]", "b"], special=["[END]"]) == [0, 1, 2]


def test_merging_sums_over_source_pieces_and_averages_over_target_pieces():
    weights = [[0.1, 0.2, 0.3, 0.4], [0.5, 0.1, 0.2, 0.2], [0, 0, 1, 0]]
    merged, source, target = merge_pieces(
        weights, ["▁do", "gs", "▁run", "</s>"], ["▁Hun", "de", "</s>"]
    )
    assert source == ["dogs", "run", "</s>"]
    assert target == ["Hunde", "</s>"]
    np.testing.assert_allclose(merged, [[0.45, 0.25, 0.3], [0, 1, 0]])


pieces = st.lists(st.sampled_from(["▁a", "▁", "b", "▁a", "", "</s>"]), min_size=1)


@given(pieces, pieces, st.booleans(), st.integers(0, 99))
def test_merged_rows_sum_to_what_their_pieces_summed_to(source, target, end, seed):
    source, target = source + ["</s>"] * end, target + ["</s>"] * end
    weights = random_weights(2, len(target), len(source), seed=seed)
    weights *= np.random.default_rng(seed).random((2, len(target), 1))
    merged, source_words, target_words = merge_pieces(weights, source, target)
    assert merged.shape == (2, len(target_words), len(source_words))
    spans = word_spans(target)
    for word in range(len(target_words)):
        mine = weights[:, np.array(spans) == word].sum(axis=-1).mean(axis=-1)
        np.testing.assert_allclose(merged[:, word].sum(axis=-1), mine, atol=1e-6)


@given(st.text("ab. ", min_size=1).map(str.split).filter(bool), st.data())
def test_words_are_those_of_the_text_however_it_is_cut(words, data):
    text = "▁" + "▁".join(words)
    cuts = data.draw(st.sets(st.integers(1, max(1, len(text) - 1))))
    edges = [0, *sorted(cuts - {len(text)}), len(text)]
    pieces = [text[i:j] for i, j in zip(edges, edges[1:], strict=False)]
    # A mark in the middle of a piece begins no word, as one piece is in one word.
    pieces = [cut for piece in pieces for cut in piece.replace("▁", " ▁").split(" ")]
    pieces = [piece for piece in pieces if piece] + ["</s>"]
    weights = np.ones((1, len(pieces)))
    _, source, _ = merge_pieces(weights, pieces, ["▁x"])
    assert source == [*words, "</s>"]


def test_bytes_become_characters_again():
    pieces = ["▁caf", "<0xC3>", "<0xA9>", "▁<0xFF>"]
    _, words, _ = merge_pieces(np.ones((1, 4)), pieces, ["▁x"])
    assert words == ["café", "\ufffd"]


def test_spans_of_ones_own_merge_too():
    merged = merge_spans(np.eye(3), [0, 1, 0], [0, 0, 1])
    np.testing.assert_allclose(merged, [[0.5, 0.5], [1, 0]])


@pytest.mark.parametrize(
    ("source", "target", "text"),
    [
        ([0, 1], [0, 1, 2], r"`source_spans` must hold one int for each of the 3"),
        ([0, 1, 2], [0], r"`target_spans` must hold one int for each of the 3"),
        ([0, 2, 2], [0, 0, 0], "count words from 0 without a gap"),
        ([-1, 0, 1], [0, 0, 0], "count words from 0 without a gap"),
    ],
)
def test_spans_that_do_not_fit_are_refused(source, target, text):
    with pytest.raises(ValueError, match=text):
        merge_spans(np.eye(3), source, target)


def test_text_in_place_of_pieces_is_refused():
    with pytest.raises(ValueError, match="`pieces` must be a sequence of str"):
        merge_pieces(np.eye(3), "abc", ["a", "b", "c"])


# Links


def test_hard_links_take_the_largest_weight_of_each_target():
    weights = [[0.1, 0.9], [0.6, 0.4], [0.5, 0.5], [0, 0]]
    assert hard_links(weights) == {(1, 0), (0, 1), (0, 2)}
    assert hard_links(weights, threshold=0.6) == {(1, 0), (0, 1)}


def test_hard_links_want_one_matrix():
    with pytest.raises(ValueError, match=r"one sentence pair.*\(3, 5, 7\)"):
        hard_links(random_weights(H, T, S))


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
