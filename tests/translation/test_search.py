"""Searches over a toy model that is small enough to be searched exhaustively."""

import functools
import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import ops

from nmt.translation import search

PAD, START, END = 0, 1, 2
IDS = {"start_id": START, "end_id": END, "pad_id": PAD}
VOCABULARY, UNITS = 5, 7
NEVER = {PAD, START}

greedy_search = functools.partial(search.beam, beam_size=1)


class Toy:
    """A small recurrent model, in `keras.ops` and again in NumPy.

    Its numbers depend on the sentence, the step and every token so far, so that a state
    or a row of weights that goes with the wrong hypothesis shows.
    """

    def __init__(self, seed=0, source_lengths=(3, 5), vocabulary=VOCABULARY):
        random = np.random.default_rng(seed)
        sentences, longest = len(source_lengths), max(source_lengths)
        self.sentences = sentences
        self.mask = np.arange(longest) < np.array(source_lengths)[:, None]
        self.calls = 0

        def normal(*shape):
            return random.normal(size=shape).astype("float32")

        self.embedding = normal(vocabulary, UNITS)
        self.inner = normal(UNITS, UNITS)
        self.outer = 2 * normal(UNITS, vocabulary)
        self.bias = normal(sentences, vocabulary)
        self.look = 2 * normal(UNITS, longest)

    def inputs(self, which=None):
        """The arguments of a search for all sentences, or for those in `which`."""
        which = np.arange(self.sentences) if which is None else np.array(which)
        state = {
            "sentence": ops.convert_to_tensor(which.astype("int32")),
            "memory": [ops.zeros((len(which), UNITS))],
        }
        mask = self.mask[which]
        return self.step, state, (), ops.convert_to_tensor(mask)

    def step(self, state, token, memory=()):
        self.calls += 1
        memory = ops.tanh(
            ops.matmul(state["memory"][0], self.inner)
            + ops.take(ops.convert_to_tensor(self.embedding), token, axis=0)
        )
        logits = ops.matmul(memory, self.outer)
        logits += ops.take(ops.convert_to_tensor(self.bias), state["sentence"], axis=0)
        looks = ops.matmul(memory, self.look)
        mask = ops.take(ops.convert_to_tensor(self.mask), state["sentence"], axis=0)
        looks = ops.where(mask, looks, -1e9)
        state = {"sentence": state["sentence"], "memory": [memory]}
        return state, ops.log_softmax(logits), ops.softmax(looks)

    def follow(self, sentence, tokens):
        """Log-probabilities `(T, V)` and weights `(T, S)` along an output, by NumPy."""
        memory = np.zeros(UNITS)
        log_probabilities, weights = [], []
        for token in [START, *tokens[:-1]]:
            memory = np.tanh(memory @ self.inner + self.embedding[token])
            logits = memory @ self.outer + self.bias[sentence]
            log_probabilities.append(logits - np.log(np.sum(np.exp(logits))))
            looks = np.where(self.mask[sentence], np.exp(memory @ self.look), 0)
            weights.append(looks / looks.sum())
        return np.array(log_probabilities), np.array(weights)

    def score(self, sentence, tokens):
        log_probabilities, _ = self.follow(sentence, tokens)
        return log_probabilities[np.arange(len(tokens)), list(tokens)].sum()

    def rank(self, sentence, tokens, alpha, beta=0.0):
        """Equation 14 of Wu et al., 2016."""
        rank = self.score(sentence, tokens) / ((5 + len(tokens)) / 6) ** alpha
        if beta:
            _, weights = self.follow(sentence, tokens)
            covered = weights.sum(axis=0)[self.mask[sentence]]
            rank += beta * np.log(np.clip(covered, 1e-6, 1)).sum()
        return rank

    def outputs(self, max_length, min_length=1, content=range(3, VOCABULARY)):
        """Every output that is allowed."""
        for length in range(min_length, max_length + 1):
            for tokens in itertools.product(content, repeat=length - 1):
                yield (*tokens, END)

    def reference_beam(self, sentence, size, max_length, alpha, beta=0.0):
        """Beam search on lists, which goes on until all its hypotheses have ended."""
        beams = [()]
        while not all(tokens[-1:] == (END,) for tokens in beams):
            grown = []
            for tokens in beams:
                if tokens[-1:] == (END,):
                    grown.append(tokens)
                elif len(tokens) + 1 == max_length:
                    grown.append((*tokens, END))
                else:
                    allowed = set(range(VOCABULARY)) - NEVER
                    grown.extend((*tokens, token) for token in allowed)
            beams = sorted(grown, key=lambda t: -self.rank(sentence, t, alpha))[:size]
        return sorted(beams, key=lambda t: -self.rank(sentence, t, alpha, beta))


def arrays(result):
    return type(result)(*(ops.convert_to_numpy(part) for part in result))


def listed(result, sentence):
    """The outputs of one sentence as tuples, without padding."""
    lengths = result.lengths[sentence]
    return [
        tuple(tokens[:length].tolist())
        for tokens, length in zip(result.tokens[sentence], lengths, strict=True)
    ]


def assert_same(one, other):
    np.testing.assert_array_equal(one.tokens, other.tokens)
    np.testing.assert_array_equal(one.lengths, other.lengths)
    np.testing.assert_allclose(one.scores, other.scores, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(one.weights, other.weights, atol=1e-5)


def assert_true_to_the_model(toy, found):
    """Scores and weights are those of the tokens; nothing follows the end."""
    sentences, count, _ = found.tokens.shape
    for b, n in itertools.product(range(sentences), range(count)):
        tokens = listed(found, b)[n]
        length = len(tokens)
        assert tokens.index(END) == length - 1
        assert np.all(found.tokens[b, n, length:] == PAD)
        np.testing.assert_allclose(
            found.scores[b, n], toy.score(b, tokens), rtol=1e-4, atol=1e-4
        )
        _, weights = toy.follow(b, tokens)
        np.testing.assert_allclose(found.weights[b, n, :length], weights, atol=1e-5)
        assert np.all(found.weights[b, n, length:] == 0)


SEARCHES = {
    "greedy": (greedy_search, {}),
    "sample": (search.sample, {"seed": 3, "temperature": 1.5}),
    "beam": (search.beam, {"beam_size": 3, "n_best": 3}),
    "beam with coverage": (
        search.beam,
        {"beam_size": 3, "n_best": 2, "coverage_penalty": 0.4},
    ),
}
on_tensorflow = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow",
    reason="compiles, or counts the steps, by TensorFlow",
)
each_search = pytest.mark.parametrize(
    ("function", "options"), SEARCHES.values(), ids=SEARCHES.keys()
)
each_exact_search = pytest.mark.parametrize(
    ("function", "options"),
    [value for key, value in SEARCHES.items() if key != "sample"],
    ids=[key for key in SEARCHES if key != "sample"],
)


# What every search has to keep to


@each_search
@pytest.mark.parametrize("seed", range(3))
def test_scores_and_weights_belong_to_the_tokens(function, options, seed):
    toy = Toy(seed)
    found = arrays(function(*toy.inputs(), max_length=7, **options, **IDS))
    assert_true_to_the_model(toy, found)


@each_search
def test_every_output_ends_between_its_minimum_and_its_own_maximum(function, options):
    toy = Toy(seed=1, source_lengths=(3, 5, 2, 4))
    limits = np.array([3, 8, 5, 4])
    found = arrays(
        function(*toy.inputs(), max_length=limits, min_length=3, **options, **IDS)
    )
    assert found.tokens.shape[2] == 8
    assert np.all(found.lengths >= 3)
    assert np.all(found.lengths <= limits[:, None])
    assert np.all(found.lengths[0] == 3)
    assert_true_to_the_model(toy, found)


@each_search
def test_a_length_of_one_leaves_the_end_token_alone(function, options):
    toy = Toy()
    found = arrays(function(*toy.inputs(), max_length=1, **options, **IDS))
    assert np.all(found.tokens[:, 0] == END)
    np.testing.assert_allclose(
        found.scores[:, 0], [toy.score(b, (END,)) for b in range(2)], rtol=1e-4
    )
    # There is no second output: the others are empty and behind.
    assert not found.lengths[:, 1:].any()
    assert np.all(found.tokens[:, 1:] == PAD)
    assert not found.weights[:, 1:].any()
    assert np.all(found.scores[:, 1:] <= -1e8)


@each_search
def test_special_and_forbidden_tokens_are_never_produced(function, options):
    toy = Toy(seed=2)
    toy.bias[:, [PAD, START, 3]] += 20
    found = arrays(
        function(*toy.inputs(), max_length=7, forbidden=(3,), **options, **IDS)
    )
    for b in range(2):
        for tokens in listed(found, b):
            assert set(tokens) <= {4, END}
    assert_true_to_the_model(toy, found)


@each_search
def test_an_output_begins_with_its_prefix(function, options):
    toy = Toy(seed=5, source_lengths=(3, 5, 2))
    prefix = np.array([[4, 3, 3], [3, PAD, PAD], [PAD, PAD, PAD]])
    found = arrays(
        function(
            *toy.inputs(),
            max_length=6,
            min_length=4,
            forbidden=(3,),
            prefix=prefix,
            **options,
            **IDS,
        )
    )
    for b, begun in enumerate([(4, 3, 3), (3,), ()]):
        for tokens in listed(found, b):
            assert tokens[: len(begun)] == begun
            assert 3 not in tokens[len(begun) :]
    assert_true_to_the_model(toy, found)


@each_exact_search
@pytest.mark.parametrize("seed", range(3))
def test_a_batch_gives_each_sentence_what_it_gets_alone(function, options, seed):
    toy = Toy(seed, source_lengths=(3, 5, 2, 4))
    limits = np.array([3, 11, 2, 6])
    together = arrays(function(*toy.inputs(), max_length=limits, **options, **IDS))
    for b, limit in enumerate(limits):
        step, state, _, mask = toy.inputs([b])
        source_length = toy.mask[b].sum()
        mask = mask[:, :source_length]

        def shorter(state, token, memory=(), step=step, source_length=source_length):
            state, log_probabilities, weights = step(state, token)
            return state, log_probabilities, weights[:, :source_length]

        alone = arrays(
            function(shorter, state, (), mask, max_length=int(limit), **options, **IDS)
        )
        mine = search.Hypotheses(
            together.tokens[b : b + 1, :, :limit],
            together.lengths[b : b + 1],
            together.scores[b : b + 1],
            together.weights[b : b + 1, :, :limit, :source_length],
        )
        assert_same(mine, alone)
        assert not together.weights[b, :, :, source_length:].any()


@on_tensorflow
@each_search
def test_the_search_stops_when_all_outputs_have_ended(function, options):
    toy = Toy()
    toy.bias[:, END] += 8
    toy.calls = 0
    found = arrays(function(*toy.inputs(), max_length=50, **options, **IDS))
    assert found.tokens.shape[2] == 50
    assert toy.calls == found.lengths.max() < 50


def hiding(toy, hidden):
    """A step of the toy's that gives one token the probability 0."""

    def step(state, token, memory=()):
        state, log_probabilities, weights = toy.step(state, token)
        ids = np.arange(VOCABULARY)
        return state, ops.where(ids == hidden, -np.inf, log_probabilities), weights

    return step


@each_search
def test_a_token_of_probability_zero_is_not_produced(function, options):
    toy = Toy(seed=6)
    _, state, _, mask = toy.inputs()
    found = arrays(
        function(hiding(toy, 3), state, (), mask, max_length=6, **options, **IDS)
    )
    assert np.all(np.isfinite(found.scores))
    assert np.all(found.lengths[:, 0] > 0)
    assert 3 not in found.tokens[:, 0]


@each_search
def test_an_end_of_probability_zero_is_forced_all_the_same(function, options):
    toy = Toy(seed=6)
    step = hiding(toy, END)
    _, state, _, mask = toy.inputs()
    found = arrays(function(step, state, (), mask, max_length=4, **options, **IDS))
    assert np.all(found.tokens[:, 0, -1] == END)
    np.testing.assert_allclose(found.scores[:, 0], -1e9)


@on_tensorflow
@each_search
def test_one_compiled_function_serves_every_size(function, options):
    toy = Toy(seed=7, source_lengths=(3, 5, 2, 4))

    @tf.function(
        input_signature=[
            tf.TensorSpec([None], "int32"),
            tf.TensorSpec([None, UNITS], "float32"),
            tf.TensorSpec([None, None], "bool"),
            tf.TensorSpec([None], "int32"),
        ]
    )
    def compiled(sentence, memory, mask, max_length):
        source_length = ops.shape(mask)[1]

        def step(state, token, memory=()):
            state, log_probabilities, weights = toy.step(state, token)
            return state, log_probabilities, weights[:, :source_length]

        state = {"sentence": sentence, "memory": [memory]}
        return function(step, state, (), mask, max_length=max_length, **options, **IDS)

    for which, source_length, limits in [
        ([0, 1, 2, 3], 5, [3, 9, 2, 6]),
        ([2, 0], 3, [7, 2]),
        ([1], 5, [4]),
    ]:
        step, state, _, mask = toy.inputs(which)

        def shorter(state, token, memory=(), step=step, source_length=source_length):
            state, log_probabilities, weights = step(state, token)
            return state, log_probabilities, weights[:, :source_length]

        mask = mask[:, :source_length]
        limits = ops.convert_to_tensor(np.array(limits, "int32"))
        eager = function(shorter, state, (), mask, max_length=limits, **options, **IDS)
        graph = compiled(state["sentence"], state["memory"][0], mask, limits)
        assert_same(arrays(graph), arrays(eager))
    assert compiled.experimental_get_tracing_count() == 1


@on_tensorflow
@each_search
def test_a_compiled_function_may_know_sizes_that_its_step_does_not(function, options):
    toy = Toy(seed=8)

    def forgetful(state, token, memory=()):
        state, *rows = toy.step(state, token)
        memory, *rows = (
            tf.compat.v1.placeholder_with_default(part, (None, part.shape[1]))
            for part in (state["memory"][0], *rows)
        )
        return {**state, "memory": [memory]}, *rows

    def run(step):
        _, state, _, mask = toy.inputs()
        return function(step, state, (), mask, max_length=6, **options, **IDS)

    eager = arrays(run(toy.step))
    assert_same(arrays(tf.function(run)(toy.step)), eager)
    assert_same(arrays(tf.function(run)(forgetful)), eager)


@on_tensorflow
def test_a_compiled_sample_takes_its_seed_when_it_runs():
    toy = Toy(source_lengths=(3,) * 20)

    def draw(seed):
        return search.sample(*toy.inputs(), seed=seed, max_length=9, **IDS)

    compiled = tf.function(draw)
    first, again, other = (arrays(compiled(tf.constant(n))) for n in (5, 5, 6))
    assert_same(first, again)
    assert_same(first, arrays(draw(5)))
    assert not np.array_equal(first.tokens, other.tokens)


@each_search
def test_a_step_may_return_a_tuple_for_a_list(function, options):
    toy = Toy()

    def step(state, token, memory=()):
        state, log_probabilities, weights = toy.step(state, token)
        state = {**state, "memory": tuple(state["memory"])}
        return state, log_probabilities, weights

    def run(step):
        _, state, _, mask = toy.inputs()
        return function(step, state, (), mask, max_length=4, **options, **IDS)

    assert_same(arrays(run(step)), arrays(run(toy.step)))


# Greedy


@pytest.mark.parametrize("seed", range(3))
def test_greedy_takes_the_likeliest_allowed_token_at_each_step(seed):
    toy = Toy(seed)
    found = arrays(greedy_search(*toy.inputs(), max_length=7, **IDS))
    for b in range(2):
        (tokens,) = listed(found, b)
        log_probabilities, _ = toy.follow(b, tokens)
        log_probabilities[:, sorted(NEVER)] = -np.inf
        free = len(tokens) - (len(tokens) == 7)
        assert tokens[:free] == tuple(log_probabilities.argmax(axis=1)[:free])


@settings(max_examples=20, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    alpha=st.floats(0, 2),
    beta=st.floats(0, 2),
    max_length=st.integers(1, 8),
)
def test_a_beam_of_one_is_greedy(seed, alpha, beta, max_length):
    toy = Toy(seed)
    rules = {"max_length": max_length, **IDS}
    greedy = greedy_search(*toy.inputs(), **rules)
    beam = search.beam(
        *toy.inputs(),
        beam_size=1,
        length_penalty=alpha,
        coverage_penalty=beta,
        **rules,
    )
    for one, other in zip(arrays(greedy), arrays(beam), strict=True):
        np.testing.assert_array_equal(one, other)


# Beam


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize(("alpha", "beta"), [(0.0, 0.0), (1.0, 0.0), (0.6, 0.5)])
def test_a_wide_beam_finds_every_output_in_order(seed, alpha, beta):
    toy = Toy(seed)
    every = list(toy.outputs(max_length=4))
    found = arrays(
        search.beam(
            *toy.inputs(),
            beam_size=len(every) + 2,
            n_best=len(every) + 2,
            length_penalty=alpha,
            coverage_penalty=beta,
            max_length=4,
            **IDS,
        )
    )
    for b in range(2):
        best = sorted(every, key=lambda tokens: -toy.rank(b, tokens, alpha, beta))
        assert listed(found, b) == [*best, (), ()]


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    size=st.integers(1, 5),
    data=st.data(),
    alpha=st.sampled_from([0.0, 0.6, 1.0, 1.7]),
    beta=st.sampled_from([0.0, 0.0, 0.3]),
    max_length=st.integers(1, 7),
)
def test_leaving_early_changes_nothing(seed, size, data, alpha, beta, max_length):
    n_best = data.draw(st.integers(1, size))
    toy = Toy(seed)
    found = arrays(
        search.beam(
            *toy.inputs(),
            beam_size=size,
            n_best=n_best,
            length_penalty=alpha,
            coverage_penalty=beta,
            max_length=max_length,
            **IDS,
        )
    )
    for b in range(2):
        best = toy.reference_beam(b, size, max_length, alpha, beta)[:n_best]
        assert [tokens for tokens in listed(found, b) if tokens] == best


@on_tensorflow
def test_the_search_leaves_beams_that_cannot_win_any_more():
    toy = Toy()
    toy.bias[:, END] += 30
    options = {"beam_size": 4, "length_penalty": 0.0, "max_length": 30, **IDS}
    counts = []
    for n_best in (1, 4):
        toy.calls = 0
        search.beam(*toy.inputs(), n_best=n_best, **options)
        counts.append(toy.calls)
    assert counts[0] == 1 < counts[1]


def test_a_beginning_that_is_behind_may_still_win():
    """Its score is worse than the ended one's; its length makes good for that."""
    chances = np.full((VOCABULARY, VOCABULARY), 1e-6)
    chances[START, [END, 3]] = 0.51, 0.49
    chances[3, [END, 3]] = 0.97, 0.03
    table = np.log(chances).astype("float32")

    def step(state, token, memory=()):
        row = ops.take(ops.convert_to_tensor(table), token, axis=0)
        return state, row, ops.ones_like(row[:, :1])

    mask = np.ones((1, 1), "bool")
    found = arrays(search.beam(step, (), (), mask, beam_size=2, max_length=5, **IDS))
    assert listed(found, 0) == [(3, END)]
    found = arrays(search.beam(step, (), (), mask, beam_size=1, max_length=5, **IDS))
    assert listed(found, 0) == [(END,)]


def test_the_length_penalty_turns_to_longer_outputs():
    toy = Toy(seed=1)
    lengths = [
        arrays(
            search.beam(
                *toy.inputs(),
                beam_size=40,
                length_penalty=alpha,
                max_length=5,
                **IDS,
            )
        ).lengths
        for alpha in (0.0, 4.0)
    ]
    assert np.all(lengths[1] >= lengths[0])
    assert np.any(lengths[1] > lengths[0])


def test_the_coverage_penalty_turns_to_outputs_that_look_everywhere():
    toy = Toy(seed=0)
    uncovered = []
    for beta in (0.0, 5.0):
        found = arrays(
            search.beam(
                *toy.inputs(),
                beam_size=40,
                coverage_penalty=beta,
                max_length=5,
                **IDS,
            )
        )
        missed = 1 - np.minimum(found.weights.sum(axis=2)[:, 0], 1)
        uncovered.append(np.where(toy.mask, missed, 0).sum(axis=1))
    assert np.all(uncovered[1] <= uncovered[0])
    assert np.any(uncovered[1] < uncovered[0])


def test_the_coverage_of_padding_does_not_count():
    toy = Toy(seed=4)

    def junk(state, token, memory=()):
        state, log_probabilities, weights = toy.step(state, token)
        mask = ops.take(ops.convert_to_tensor(toy.mask), state["sentence"], axis=0)
        wrong = ops.cast(token, "float32")[:, None] / 90
        return state, log_probabilities, ops.where(mask, weights, wrong)

    _, state, _, mask = toy.inputs()
    options = {
        "beam_size": 10,
        "n_best": 10,
        "coverage_penalty": 2.0,
        "max_length": 4,
        **IDS,
    }
    one, other = (
        arrays(search.beam(step, state, (), mask, **options))
        for step in (toy.step, junk)
    )
    np.testing.assert_array_equal(one.tokens, other.tokens)


# Sampling


def chi_square(counts, probabilities):
    expected = counts.sum() * probabilities
    return np.sum((counts - expected) ** 2 / expected)


@pytest.mark.parametrize("temperature", [1.0, 0.5, 2.0])
@pytest.mark.parametrize("top_k", [None, 2])
def test_samples_follow_the_distribution(temperature, top_k):
    number = 4000
    toy = Toy(seed=1, source_lengths=(3,))
    step, state, _, mask = toy.inputs([0] * number)
    found = arrays(
        search.sample(
            step,
            state,
            (),
            mask,
            temperature=temperature,
            top_k=top_k,
            seed=11,
            max_length=3,
            **IDS,
        )
    )
    outputs = [listed(found, b)[0] for b in range(number)]

    def distribution(begun):
        log_probabilities, _ = toy.follow(0, (*begun, END))
        masses = np.exp(log_probabilities[-1] / temperature)
        masses[sorted(NEVER)] = 0
        if top_k:
            masses[np.argsort(masses)[:-top_k]] = 0
        return masses / masses.sum()

    # The second step is asked about too: its random numbers are not those of the first.
    asked = []
    for begun in [(), (3,), (4,)]:
        following = [t[len(begun)] for t in outputs if t[: len(begun)] == begun]
        if len(following) < 100:
            continue
        asked.append(begun)
        counts = np.bincount(following, minlength=VOCABULARY)
        expected = distribution(begun)
        possible = expected > 0
        assert not counts[~possible].any()
        # 99.9 % of all seeds would stay below 13.8 with two degrees of freedom.
        assert chi_square(counts[possible], expected[possible]) < 13.8
    assert len(asked) > 1


def test_the_likeliest_one_of_a_sample_is_greedy():
    toy = Toy(seed=2)
    greedy = arrays(greedy_search(*toy.inputs(), max_length=7, **IDS))
    for options in ({"top_k": 1}, {"temperature": 1e-4}, {"temperature": 1e-45}):
        found = search.sample(
            *toy.inputs(),
            seed=5,
            max_length=7,
            **{"temperature": 3.0, **options},
            **IDS,
        )
        assert_same(arrays(found), greedy)


def test_a_seed_gives_the_same_samples_and_another_gives_others():
    toy = Toy(source_lengths=(3,) * 20)

    def draw(seed):
        return arrays(search.sample(*toy.inputs(), seed=seed, max_length=9, **IDS))

    assert_same(draw(5), draw(5))
    assert not np.array_equal(draw(5).tokens, draw(6).tokens)
    generator = keras.random.SeedGenerator(5)
    assert not np.array_equal(draw(generator).tokens, draw(generator).tokens)
    # Sentences that are alike get samples of their own.
    assert len({tuple(tokens) for tokens in draw(5).tokens[:, 0]}) > 1


def test_more_likely_tokens_than_there_are_is_all_of_them():
    toy = Toy()
    few, all_of_them = (
        arrays(
            search.sample(
                *toy.inputs(), top_k=top_k, temperature=1e-4, max_length=5, **IDS
            )
        )
        for top_k in (99, 0)
    )
    assert_same(few, all_of_them)


# Bad arguments


@pytest.mark.parametrize(
    ("function", "options", "message"),
    [
        (search.beam, {"beam_size": 0}, "`beam_size` must be an int of at least 1"),
        (search.beam, {"beam_size": 2.0}, "`beam_size` must be an int"),
        (search.beam, {"beam_size": 2, "n_best": 0}, "`n_best` must be an int"),
        (search.beam, {"beam_size": 2, "n_best": 3}, "n_best=3, beam_size=2"),
        (
            search.beam,
            {"beam_size": 2, "length_penalty": -0.1},
            "`length_penalty` must be .* Received: length_penalty=-0.1",
        ),
        (
            search.beam,
            {"beam_size": 2, "length_penalty": 11},
            "`length_penalty` must be at most 10. Received: length_penalty=11",
        ),
        (
            search.beam,
            {"beam_size": 2, "coverage_penalty": float("nan")},
            "`coverage_penalty` must be",
        ),
        (search.sample, {"temperature": 0}, "`temperature` must be a positive"),
        (search.sample, {"temperature": -1.0}, "Received: temperature=-1.0"),
        (search.sample, {"top_k": -1}, "`top_k` must be an int of at least 0"),
        (greedy_search, {"max_length": 0}, "`max_length` must be .* at least 1"),
        (greedy_search, {"min_length": 6}, "min_length=6, max_length=5"),
        (greedy_search, {"min_length": -1}, "`min_length` must be an int"),
        (greedy_search, {"forbidden": (3, END)}, "must not contain `end_id`"),
        (greedy_search, {"pad_id": END}, "`end_id` and `pad_id` must differ"),
        (greedy_search, {"start_id": None}, "`start_id` must be an int"),
    ],
)
def test_a_bad_argument_is_told(function, options, message):
    with pytest.raises(ValueError, match=message):
        function(*Toy().inputs(), **{**IDS, "max_length": 5, **options})


def test_an_end_token_that_also_starts_can_be_produced():
    toy = Toy(seed=1)
    rules = {"start_id": END, "end_id": END, "pad_id": PAD, "max_length": 20}
    toy.bias[:, END] += 8
    found = arrays(greedy_search(*toy.inputs(), min_length=2, **rules))
    assert np.all(found.lengths == 2)
