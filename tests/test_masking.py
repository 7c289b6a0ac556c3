import keras
import masking
import pytest

import keras_attention as ka

MODES = masking.MODES
if keras.backend.backend() == "jax":
    MODES = ("eager", "graph")  # jit is XLA there
elif keras.backend.backend() != "tensorflow":
    MODES = ("eager",)

SUBJECTS = masking.our_subjects()
CHOSEN = masking.pairwise(SUBJECTS, MODES)
EVERY = [
    (subject, cell) for subject in SUBJECTS for cell in masking.cells(subject, MODES)
]


def name(each):
    subject, cell = each
    return "-".join((subject.name, *map(str, cell))).replace(" ", "_")


@pytest.mark.parametrize("each", CHOSEN, ids=name)
def test_masks_hold_in_every_pair_of_circumstances(each):
    assert masking.faults(*each) == []


@pytest.mark.slow
@pytest.mark.parametrize("each", EVERY, ids=name)
def test_masks_hold_in_every_cell_of_the_grid(each):
    assert masking.faults(*each) == []


def test_every_layer_that_attends_is_in_the_grid():
    bases = {"AttentionLayer", "FeedbackAttention"}
    layers = {
        name
        for name in ka.__all__
        if "Attention" in name
        and isinstance(getattr(ka, name), type)
        and issubclass(getattr(ka, name), keras.layers.Layer)
    }
    assert "ScoreAttention" in layers
    assert {subject.name.split(",")[0].split()[0] for subject in SUBJECTS} == (
        layers - bases
    )


def test_a_layer_that_breaks_the_rule_is_found():
    class Careless(ka.ScaledDotProductAttention):
        def prepare(self, value, key=None, value_mask=None, key_mask=None, **options):
            return super().prepare(value, key, **options)

    subject = masking.Subject("careless", Careless)
    empty = masking.Cell("empty row", "full", "float32", "eager", True)
    assert masking.faults(subject, empty) == [
        "a query that attends to nothing gets something",
        "weights where all is hidden",
    ]
    nan = empty._replace(situation="NaN in padding")
    assert "outputs are not finite" in masking.faults(subject, nan)


@pytest.mark.parametrize("subject", masking.keras_subjects(), ids=lambda s: s.name)
def test_the_layers_of_keras_run_in_the_grid(subject):
    # What raises would count as a fault of theirs.
    cell = masking.Cell("left padding, causal", "full", "float32", "eager", False)
    assert isinstance(masking.faults(subject, cell), list)


def test_every_value_of_every_column_is_chosen():
    for column in range(5):
        chosen = {cell[column] for _, cell in CHOSEN}
        assert chosen == {cell[column] for _, cell in EVERY}
    assert {subject.name for subject, _ in CHOSEN} == {s.name for s in SUBJECTS}
