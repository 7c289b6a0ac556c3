"""The annotations of the public names: none is missing, and each can be resolved."""

import inspect
import typing
from importlib.resources import files

import pytest

import keras_attention as ka
from keras_attention.plots.options import SCALES, Scale

OBJECTS = [getattr(ka, name) for name in ka.__all__]
CLASSES = [each for each in OBJECTS if inspect.isclass(each)]


def methods(owner):
    """The constructor and the public methods that a class has from this package."""
    for base in owner.__mro__:
        if base.__module__.partition(".")[0] != "keras_attention":
            continue
        for name, member in vars(base).items():
            if isinstance(member, property):
                member = member.fget
            member = getattr(member, "__func__", member)  # of a class method
            if inspect.isfunction(member) and (name == "__init__" or name[0] != "_"):
                yield f"{base.__name__}.{name}", member


CALLABLES = {each.__name__: each for each in OBJECTS if inspect.isfunction(each)}
for each in CLASSES:
    CALLABLES |= dict(methods(each))


@pytest.mark.parametrize("name", sorted(CALLABLES))
def test_every_argument_and_result_has_a_type(name):
    wanted = {*inspect.signature(CALLABLES[name]).parameters, "return"}
    missing = wanted - {"self", "cls"} - set(typing.get_type_hints(CALLABLES[name]))
    assert not missing


@pytest.mark.parametrize("owner", [ka.AttentionStatistics, ka.Cache, ka.Memory])
def test_every_field_has_a_type(owner):
    assert set(owner._fields) == set(typing.get_type_hints(owner))


def test_what_classes_inherit_is_looked_at_too():
    assert {
        "AttentionLayer.call",
        "AttentionRNN.prepare",
        "AttentionView.join",
        "FeedbackAttention.attend",
        "PositionBias.__init__",
        "ScoreAttention.statistics",
    } <= set(CALLABLES)


def names_of(function, argument):
    """The strings that an annotation lists."""
    hint = typing.get_type_hints(function)[argument]
    parts = [each for each in (hint, *typing.get_args(hint)) if each is not None]
    listed = [typing.get_args(each) for each in parts]
    return {each for names in listed for each in names if isinstance(each, str)}


def test_a_layer_takes_every_name_that_its_annotation_lists():
    scores = names_of(ka.LuongAttention.__init__, "score")
    windows = names_of(ka.LuongAttention.__init__, "window")
    positions = names_of(ka.MultiHeadAttention.__init__, "position")
    assert (len(scores), len(windows), len(positions)) == (3, 2, 3)
    for score in scores:
        ka.LuongAttention(score, units=4 if score == "concat" else None)
    for window in windows:
        ka.LuongAttention(window=window)
    for position in positions:
        ka.MultiHeadAttention(2, 4, position=position)


def test_a_picture_has_the_scales_that_the_annotation_lists():
    assert set(SCALES) == set(typing.get_args(Scale))


def test_type_checkers_are_told_to_read_the_package():
    assert files("keras_attention").joinpath("py.typed").is_file()
