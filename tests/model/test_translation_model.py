import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_attention import BahdanauAttention
from nmt.config import Config, ModelConfig
from nmt.model import attentions, folding
from nmt.model.translation_model import TranslationModel
from nmt.text.batches import make_batch
from nmt.text.vocabulary import END_ID, PAD_ID, START_ID, Vocabulary
from nmt.training.loss import label_smoothed_loss
from nmt.translation.translator import Translator

FIRST_WEIGHTS = 4222.37
"""Sum of the first weights' sizes; other numbers are other results for each seed."""
SIZES = {
    "embedding_size": 32,
    "units": 32,
    "attention_units": 32,
    "num_heads": 2,
    "dropout": 0.0,
}
CHOICES = {
    "encoder": ("rnn", "self-attention"),
    "cell": ("gru", "lstm"),
    "attention": ("bahdanau", "luong", "multi-head"),
    "order": ("previous", "current", "conditional"),
}
EVERY = [
    dict(zip(CHOICES, values, strict=True))
    for values in itertools.product(*CHOICES.values())
]
# Every pair of an attention and an order once, with each encoder and each cell between.
COVERING = [
    {
        "encoder": CHOICES["encoder"][number % 2],
        "cell": CHOICES["cell"][number // 2 % 2],
        "attention": attention,
        "order": order,
    }
    for number, (attention, order) in enumerate(
        itertools.product(CHOICES["attention"], CHOICES["order"])
    )
]
ATTENDING = [
    {**each, "attend_embeddings": True, "encoder_layers": layers}
    for each, layers in zip(COVERING[2:5], (1, 2, 2), strict=True)
]
COLOURS = ("red", "blue", "green", "black")
THINGS = ("dog", "cat", "bird", "fish", "house", "tree", "car", "boat")
ROJO = dict(zip(COLOURS, ("rojo", "azul", "verde", "negro"), strict=True))
PERRO = dict(
    zip(
        THINGS,
        ("perro", "gato", "pato", "pez", "hogar", "pino", "coche", "barco"),
        strict=True,
    )
)
PAIRS = [
    (f"the {colour} {thing} sleeps", f"el {PERRO[thing]} {ROJO[colour]} duerme")
    for colour in COLOURS
    for thing in THINGS
]


def name(choice):
    return "-".join(map(str, choice.values()))


@pytest.fixture(scope="module")
def vocabulary():
    return Vocabulary.train([side for pair in PAIRS for side in pair], 120)


@pytest.fixture(scope="module")
def batch(vocabulary):
    sources, targets = zip(*PAIRS, strict=True)
    return make_batch(vocabulary.ids(sources), vocabulary.ids(targets))


def memorise(model, batch, steps):
    """Train until the pairs are known by heart, for `steps` steps at most."""
    optimizer = keras.optimizers.Adam(0.01, global_clipnorm=1.0)
    optimizer.build(model.trainable_variables)
    source, target_in, target_out = map(tf.constant, batch)

    @tf.function(autograph=False)
    def step():
        with tf.GradientTape() as tape:
            hidden, _ = model(source, target_in, training=True)
            real = target_out != PAD_ID
            targets = tf.boolean_mask(target_out, real)
            loss, _ = label_smoothed_loss(
                tf.boolean_mask(hidden, real),
                model.target_embedding.embeddings.value,
                model.output_bias.value,
                targets,
            )
            loss /= tf.cast(tf.size(targets), loss.dtype)
        values = [variable.value for variable in model.trainable_variables]
        gradients = [tf.convert_to_tensor(part) for part in tape.gradient(loss, values)]
        optimizer.apply(gradients, model.trainable_variables)
        return loss

    for _ in range(steps):
        if float(step()) < 0.05:
            return


def check_that_it_memorises(choice, vocabulary, batch):
    keras.utils.set_random_seed(3)
    config = Config(model=ModelConfig(**SIZES, **choice))
    model = TranslationModel(config.model, len(vocabulary))
    memorise(model, batch, 900)
    sources, targets = zip(*PAIRS, strict=True)
    found = Translator(model, vocabulary, config)(sources, beam_size=2)
    assert [translation.text for translation in found] == list(targets)


@pytest.mark.parametrize("choice", COVERING + ATTENDING, ids=name)
def test_it_memorises_32_pairs_and_translates_them(choice, vocabulary, batch):
    check_that_it_memorises(choice, vocabulary, batch)


@pytest.mark.slow
@pytest.mark.parametrize(
    "choice", [choice for choice in EVERY if choice not in COVERING], ids=name
)
def test_every_other_kind_memorises_too(choice, vocabulary, batch):
    check_that_it_memorises(choice, vocabulary, batch)


@pytest.fixture(scope="module", params=COVERING + ATTENDING, ids=name)
def model(request, vocabulary):
    keras.utils.set_random_seed(5)
    return TranslationModel(ModelConfig(**SIZES, **request.param), len(vocabulary))


def small_batch():
    random = np.random.default_rng(4)
    ids = [random.integers(4, 60, size).tolist() for size in (3, 7, 5)]
    targets = [random.integers(4, 60, size).tolist() for size in (6, 2, 4)]
    return make_batch(ids, targets)


@pytest.mark.parametrize("lasting", [False, True])
def test_step_by_step_gives_what_the_whole_gives(model, lasting):
    batch = small_batch()
    hidden, weights = model(batch.source, batch.target_in)
    whole = np.asarray(model.log_probabilities(hidden))
    output = model.output(lasting)
    memory, _, states = model.start(batch.source, 1, output)
    for t in range(batch.target_in.shape[1]):
        states, logits, looked = model.step(
            batch.target_in[:, t], memory, states, output
        )
        row = np.asarray(keras.ops.log_softmax(logits))
        real = batch.target_in[:, t] != PAD_ID
        np.testing.assert_allclose(row[real], whole[real, t], rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(
            looked[real], np.asarray(weights)[real, t], rtol=1e-4, atol=1e-6
        )


def test_default_model_multiplies_once_what_all_searches_multiply(monkeypatch):
    model = TranslationModel(ModelConfig(**SIZES), 60)
    folded = model.output(lasting=True).folded
    assert folded.products.shape[0] == 60
    assert model.output().folded is None
    monkeypatch.setattr(folding, "MOST", folded.products.shape[1] * 60 - 1)
    assert model.output(lasting=True).folded is None


def test_restricted_output_predicts_some_pieces_as_the_whole_predicts_them(model):
    batch, pieces = small_batch(), np.array([0, 1, 2, 3, 9, 30])
    output = model.output(lasting=True)
    memory, _, states = model.start(batch.source, 1, output)
    _, whole, _ = model.step(np.array([9, 30, 2]), memory, states, output)
    short = model.restrict(output, pieces)
    _, logits, _ = model.step(np.array([4, 5, 2]), memory, states, short)
    np.testing.assert_allclose(
        logits, np.asarray(whole)[:, pieces], rtol=1e-5, atol=1e-5
    )


def test_rows_of_weights_sum_to_one_over_real_pieces_and_padding_gets_nothing(model):
    batch = small_batch()
    _, weights = model(batch.source, batch.target_in)
    weights = np.asarray(weights)
    real_target = batch.target_in != PAD_ID
    np.testing.assert_allclose(weights.sum(-1)[real_target], 1, rtol=1e-5)
    assert np.all(weights[~real_target] == 0)
    hidden_source = np.broadcast_to((batch.source == PAD_ID)[:, None], weights.shape)
    assert np.all(weights[hidden_source] == 0)


def test_more_padding_changes_nothing(model):
    batch = small_batch()
    hidden, weights = model(batch.source, batch.target_in)
    source, target = (
        np.pad(part, ((0, 0), (0, 3)), constant_values=PAD_ID)
        for part in (batch.source, batch.target_in)
    )
    more_hidden, more_weights = model(source, target)
    length = batch.target_in.shape[1]
    real = batch.target_in != PAD_ID
    np.testing.assert_allclose(
        np.asarray(more_hidden)[:, :length][real],
        np.asarray(hidden)[real],
        rtol=1e-4,
        atol=1e-5,
    )
    np.testing.assert_allclose(
        np.asarray(more_weights)[:, :length, : batch.source.shape[1]],
        weights,
        rtol=1e-4,
        atol=1e-6,
    )


def test_later_target_pieces_do_not_matter(model):
    batch = small_batch()
    hidden, _ = model(batch.source, batch.target_in)
    changed = batch.target_in.copy()
    changed[:, 3:][changed[:, 3:] != PAD_ID] = 17
    other, _ = model(batch.source, changed)
    np.testing.assert_allclose(
        np.asarray(hidden)[:, :3], np.asarray(other)[:, :3], rtol=1e-5, atol=1e-6
    )


def test_decoder_attends_to_encoder_outputs_and_the_embeddings_beside_them():
    source, encoded, contexts = small_batch().source, [], []
    for attending in (False, True):
        keras.utils.set_random_seed(6)
        model = TranslationModel(ModelConfig(**SIZES, attend_embeddings=attending), 60)
        memory, mask, states = model.encode(source)
        encoded.append((memory, states))
        memory = model.decoder.prepare(memory, mask)
        query = keras.random.normal((len(source), 1, SIZES["units"]), seed=1)
        contexts.append(model.decoder.attention.attend(query, memory)[0])
    (alone, alone_states), (memory, states) = encoded
    size = SIZES["embedding_size"]
    words = keras.ops.take(model.source_embedding.embeddings, source, axis=0)
    np.testing.assert_array_equal(memory[..., :-size], alone)
    np.testing.assert_array_equal(memory[..., -size:], words)
    np.testing.assert_array_equal(states, alone_states)
    assert contexts[1].shape[-1] == contexts[0].shape[-1] + size


def test_without_attention_every_real_piece_counts_alike(vocabulary):
    model = TranslationModel(ModelConfig(**SIZES, attention="none"), len(vocabulary))
    source = np.array([[5, 6, END_ID, PAD_ID]])
    _, weights = model(source, np.array([[START_ID, 7]]))
    third = 1 / 3
    np.testing.assert_allclose(
        np.asarray(weights)[0], [[third, third, third, 0]] * 2, rtol=1e-6
    )


def test_the_same_seed_gives_the_same_first_weights_and_another_does_not(vocabulary):
    def first(seed):
        keras.utils.set_random_seed(seed)
        model = TranslationModel(ModelConfig(**SIZES), len(vocabulary))
        return model.get_weights()

    for one, same in zip(first(1), first(1), strict=True):
        np.testing.assert_array_equal(one, same)
    changed = [
        np.any(one != other) for one, other in zip(first(1), first(2), strict=True)
    ]
    assert np.mean(changed) > 0.4


def test_a_seed_gives_the_first_weights_that_it_always_gave():
    keras.utils.set_random_seed(5)
    model = TranslationModel(ModelConfig(**SIZES), 60)
    total = sum(float(np.abs(weight).sum()) for weight in model.get_weights())
    assert total == pytest.approx(FIRST_WEIGHTS, rel=1e-5)


def test_whole_words_are_dropped_on_both_sides_in_training_alone(monkeypatch):
    model = TranslationModel(ModelConfig(**SIZES, word_dropout=0.3), 60)
    seen = []
    for name in ("encoder", "decoder"):
        layer = getattr(model, name)

        def spy(embedded, *args, layer=layer, **options):
            seen.append(np.asarray(embedded))
            return layer(embedded, *args, **options)

        monkeypatch.setattr(model, name, spy)
    source, target = np.random.default_rng(1).integers(4, 60, (2, 30, 20))
    model(source, target, training=True)
    for embedded in seen:
        kept = (embedded != 0).any(axis=-1)
        assert 0.2 < 1 - kept.mean() < 0.4
    words = np.asarray(model.source_embedding.embeddings)[source]
    kept = (seen[0] != 0).any(axis=-1)
    np.testing.assert_allclose(seen[0][kept], words[kept] / 0.7, rtol=1e-5)
    seen.clear()
    model(source, target)
    np.testing.assert_array_equal(seen[0], words)


@keras.saving.register_keras_serializable(package="tests")
class Squashed(BahdanauAttention):
    """An attention whose context is no sum of values."""

    def attend(self, *inputs, **options):
        context, weights, state = super().attend(*inputs, **options)
        return keras.ops.tanh(context), weights, state


@pytest.mark.parametrize("attending", [False, True])
@pytest.mark.parametrize(
    ("attention", "is_folded"),
    [
        *((name, True) for name in ("bahdanau", "bahdanau-normalized", "luong")),
        *((name, True) for name in ("luong-concat", "luong-local-p", "none")),
        *((name, False) for name in ("luong-local-m", "location", "coverage")),
        *((name, False) for name in ("monotonic", "multi-head", "squashed")),
    ],
)
def test_steps_whose_products_are_done_once_give_the_same(
    monkeypatch, attention, is_folded, attending
):
    if attention == "squashed":
        attention = "bahdanau"
        monkeypatch.setitem(attentions._MAKERS, attention, lambda _: Squashed(11))
    sizes = {"embedding_size": 13, "units": 14, "attention_units": 11, "num_heads": 2}
    keras.utils.set_random_seed(6)
    config = ModelConfig(attention=attention, attend_embeddings=attending, **sizes)
    model = TranslationModel(config, 60)
    for weight in model.trainable_variables:  # biases too
        weight.assign(weight + 0.3 * keras.random.normal(weight.shape, seed=3))
    source, beams = small_batch().source, 2
    found = []
    for output in (model.output(), model.output(lasting=True)):
        memory, _, states = model.start(source, beams, output)
        states = [keras.ops.repeat(each, beams, axis=0) for each in states]
        token, rows = np.array([9, 30, 2, 7, 8, 59]), []
        for _ in range(3):
            states, logits, weights = model.step(token, memory, states, output)
            rows.append((logits, weights, *states))
            token = np.asarray(logits).argmax(axis=-1).astype(np.int32)
        found.append(rows)
    assert (output.folded is not None) == is_folded
    for one, other in zip(*map(keras.tree.flatten, found), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)
