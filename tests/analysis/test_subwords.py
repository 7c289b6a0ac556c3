import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_attention.analysis.subwords import (
    SCHEMES,
    merge_links,
    merge_pieces,
    merge_spans,
    word_spans,
)


def random_weights(*shape, seed=0):
    return np.random.default_rng(seed).dirichlet(np.ones(shape[-1]), shape[:-1])


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
    with pytest.raises(ValueError, match="`source_pieces` must be a sequence"):
        merge_pieces(np.eye(3), "abc", ["a", "b", "c"])


# Other schemes


@pytest.mark.parametrize(
    ("scheme", "pieces", "spans", "words"),
    [
        (
            "wordpiece",
            "[CLS] do ##gs run [SEP]",
            [0, 1, 1, 2, 3],
            "[CLS] dogs run [SEP]",
        ),
        ("wordpiece", "do ##gs", [0, 0], "dogs"),
        ("wordpiece", "##gs run", [0, 1], "gs run"),
        ("wordpiece", "[CLS] ##gs", [0, 1], "[CLS] gs"),
        ("wordpiece", "a ## b", [0, 1, 2], "a ## b"),
        ("bpe@@", "do@@ gs run </s>", [0, 0, 1, 2], "dogs run </s>"),
        ("bpe@@", "two do@@ gs", [0, 1, 1], "two dogs"),
        ("bpe@@", "do@@ </s> a", [0, 1, 2], "do </s> a"),
        ("gpt2", "do gs Ġrun <|endoftext|>", [0, 0, 1, 2], "dogs run <|endoftext|>"),
        ("gpt2", "Ġ Ġdogs Ġ", [0, 0, 0], "dogs"),
        ("gpt2", "ĠcafÃ © ĠâĢľ", [0, 0, 1], "café “"),
        ("gpt2", "Ġcaf猫", [0], "Ġcaf猫"),
    ],
)
def test_each_scheme_has_its_words(scheme, pieces, spans, words):
    pieces = pieces.split()
    assert word_spans(pieces, scheme=scheme) == spans
    _, merged, _ = merge_pieces(np.ones((1, len(pieces))), pieces, ["x"], scheme=scheme)
    assert merged == words.split(" ")


@pytest.mark.parametrize("scheme", SCHEMES)
def test_empty_pieces_begin_no_word(scheme):
    mark = {"sentencepiece": "▁", "gpt2": "Ġ"}.get(scheme, "")
    pieces = ["", mark + "do", "", mark + "run", "", "</s>", ""]
    assert word_spans(pieces, scheme=scheme) == [0, 0, 0, 1, 1, 2, 3]
    going_on = {"wordpiece": ["do", "", "##gs"], "bpe@@": ["do@@", "", "gs"]}
    pieces = going_on.get(scheme, [mark + "do", "", "gs"])
    assert word_spans(pieces, scheme=scheme) == [0, 0, 0]


def cut(word, places, first, scheme):
    """Cut a word in the way of a scheme; `first`: it begins the sentence."""
    edges = [0, *sorted(place for place in places if place < len(word)), len(word)]
    parts = [word[i:j] for i, j in zip(edges, edges[1:], strict=False)]
    if scheme == "sentencepiece":
        return ["▁" + parts[0], *parts[1:]]
    if scheme == "wordpiece":
        return [parts[0], *("##" + part for part in parts[1:])]
    if scheme == "bpe@@":
        return [*(part + "@@" for part in parts[:-1]), parts[-1]]
    return [parts[0] if first else "Ġ" + parts[0], *parts[1:]]


sentences = st.lists(
    st.tuples(st.sampled_from(["dogs", "dogs", "a", "runs."]), st.sets(st.just(2))),
    min_size=1,
    max_size=5,
)


@pytest.mark.parametrize("scheme", SCHEMES)
@given(sentences, sentences, st.booleans(), st.booleans(), st.integers(0, 99))
def test_every_scheme_keeps_the_text_and_the_sums(
    scheme, source, target, end, blank, seed
):
    pieces, texts = [], []
    for sentence in (source, target):
        cuts = [
            piece
            for i, (word, places) in enumerate(sentence)
            for piece in cut(word, places, i == 0, scheme) + [""] * blank
        ]
        pieces.append(cuts + ["</s>"] * end)
        texts.append(" ".join([word for word, _ in sentence] + ["</s>"] * end))
    weights = random_weights(len(pieces[1]), len(pieces[0]), seed=seed)
    weights *= np.random.default_rng(seed).random((len(pieces[1]), 1))
    merged, *words = merge_pieces(weights, *pieces, scheme=scheme)
    assert [" ".join(sentence) for sentence in words] == texts
    spans = np.array(word_spans(pieces[1], scheme=scheme))
    for word, row in enumerate(merged):
        expected = weights[spans == word].sum(axis=-1).mean()
        assert row.sum() == pytest.approx(expected, abs=1e-6)


def test_a_scheme_may_be_a_function_or_spans():
    weights = [[0.1, 0.2, 0.7], [0.3, 0.3, 0.4]]

    def pairs(pieces):
        return [i // 2 for i in range(len(pieces))]

    by_function = merge_pieces(weights, ["a", "b", "c"], ["x", "y"], scheme=pairs)
    spans = (np.array([0, 0, 1]), [0, 0])
    by_spans = merge_pieces(weights, ["a", "b", "c"], ["x", "y"], scheme=spans)
    for merged, source, target in (by_function, by_spans):
        np.testing.assert_allclose(merged, [[0.45, 0.55]])
        assert (source, target) == (["ab", "c"], ["xy"])


def test_an_unknown_scheme_is_refused():
    with pytest.raises(ValueError, match="`scheme` must be one of 'sentencepiece'"):
        word_spans(["a"], scheme="bert")
    with pytest.raises(ValueError, match="or a pair of spans"):
        merge_pieces(np.eye(1), ["a"], ["b"], scheme=3)


def test_links_between_pieces_become_links_between_words():
    source, target = word_spans(["▁do", "gs", "▁run"]), [0, 1, 1]
    assert merge_links([(0, 0), (1, 0), (2, 2)], source, target) == {(0, 0), (1, 1)}
    with pytest.raises(ValueError, match=r"within 3 source and 3 target.*\(3, 0\)"):
        merge_links({(3, 0)}, source, target)
