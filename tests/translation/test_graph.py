"""Splitting and joining inside a graph, as the vocabulary does it outside."""

import numpy as np
import pytest
import tensorflow as tf

from nmt.text import END_ID, PAD_ID, START_ID, Vocabulary
from nmt.translation.graph import GraphVocabulary

LINES = [
    "A dog runs across the field.",
    "Ein Hund läuft über das Feld.",
    "Zwei Hunde laufen schnell.",
    "The children play in the snow, and sing.",
]


@pytest.fixture(scope="module")
def vocabulary():
    return Vocabulary.train(LINES * 4, 60)


def test_the_graph_splits_as_the_plain_way_does_and_joins_again(vocabulary):
    graph = GraphVocabulary(vocabulary)
    ids = np.asarray(tf.function(graph.source)(tf.constant(LINES)))
    for row, plain in zip(ids, vocabulary.ids(LINES), strict=True):
        assert row[row != PAD_ID].tolist() == [*plain, END_ID]
    texts = [text.decode() for text in np.asarray(tf.function(graph.text)(ids))]
    assert texts == LINES


def test_pieces_have_their_names_and_padding_has_none(vocabulary):
    ids = [*vocabulary.ids(LINES)[0], END_ID, PAD_ID, START_ID]
    (names,) = GraphVocabulary(vocabulary).pieces(tf.constant([ids])).numpy()
    wanted = vocabulary.pieces(ids)
    wanted[-2] = ""
    assert [name.decode() for name in names] == wanted
