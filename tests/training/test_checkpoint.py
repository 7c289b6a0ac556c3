"""A state in which a byte is damaged: taken, or told in one line."""

import pytest
import tensorflow as tf
from tiny_training import corpus, restore

from nmt.errors import UserError
from nmt.training.checkpoint import Progress, fingerprint, save_state


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """A state whose first array is longer than what zipfile reads at once."""
    out = tmp_path_factory.mktemp("small")
    variables = [tf.Variable(tf.ones((64, 128))), tf.Variable(tf.ones(3))]
    save_state(out, variables, fingerprint(corpus()), Progress())
    return variables, (out / "training_state.npz").read_bytes()


def outcome(out, variables, state):
    """Return what is said of a state; `None` if it is taken."""
    try:
        restore(out, variables, state)
    except UserError as error:
        (line,) = str(error).splitlines()
        assert "training_state.npz is broken" in line
        return line
    return None


def changed(state, place, content):
    return state[:place] + content + state[place + len(content) :]


def test_a_state_with_any_damaged_byte_is_taken_or_told(small, tmp_path):
    variables, state = small
    places = [*range(200), *range(state.index(b"PK\x01\x02"), len(state))]
    told = [
        outcome(tmp_path, variables, changed(state, place, bytes([state[place] ^ 255])))
        for place in places
    ]
    assert None in told and len(list(filter(None, told))) > 100


def test_a_state_that_python_or_zipfile_cannot_parse_is_told(small, tmp_path):
    variables, state = small
    head = state.index(b"\x93NUMPY") + 10  # {'descr': '<f4', ...
    entry = state.index(b"PK\x01\x02")
    for reason, place, content in (
        ("EOF in multi-line statement", head + 10, b"("),
        ("invalid syntax", head + 11, b","),
        ("unsupported options", entry + 10, b"\x0e"),  # as if LZMA compressed it
    ):
        damaged = changed(state, place, content)
        assert reason in outcome(tmp_path, variables, damaged)
