"""Tests of `nmt.translation.threads`."""

import os
import threading
import time

import pytest
import tensorflow as tf

from nmt.translation import threads
from nmt.translation.threads import in_threads, sentences_of_a_batch, thread_count


def test_items_are_worked_on_side_by_side_and_come_in_their_order():
    together = threading.Barrier(3, timeout=60)

    def work(item):
        together.wait()  # passes only when three are there
        return item * item

    assert list(in_threads(work, range(6), 3)) == [0, 1, 4, 9, 16, 25]


def test_one_item_or_one_thread_needs_no_other_thread():
    def work(item):
        return item, threading.current_thread()

    here = threading.current_thread()
    assert list(in_threads(work, [7], 5)) == [(7, here)]
    assert list(in_threads(work, [7, 8], 1)) == [(7, here), (8, here)]
    assert list(in_threads(work, [], 5)) == []


def test_after_an_error_nothing_new_is_begun():
    begun = []

    def work(item):
        begun.append(item)
        if item == 0:
            raise KeyError("the first")
        time.sleep(0.01)

    with pytest.raises(KeyError, match="the first"):
        list(in_threads(work, range(1000), 2))
    assert len(begun) < 1000


@pytest.mark.parametrize(
    ("sentences", "most", "threads", "expected"),
    [(1000, 64, 2, 64), (100, 64, 2, 50), (101, 64, 2, 51), (20, 64, 4, 8)]
    + [(1000, 64, 1, 64), (0, 64, 2, 8), (20, 3, 2, 3)],
)
def test_all_threads_have_a_batch_if_there_are_sentences(
    sentences, most, threads, expected
):
    assert sentences_of_a_batch(sentences, most, threads) == expected


def test_there_is_a_thread_for_each_core_that_may_be_used(monkeypatch, tmp_path):
    monkeypatch.setattr("nmt.cores.CONTROL_GROUP", tmp_path)  # no quota
    monkeypatch.setattr(tf.config, "get_visible_devices", lambda kind: [])
    monkeypatch.setattr(
        os, "sched_getaffinity", lambda process: range(6), raising=False
    )
    assert thread_count() == 6
    monkeypatch.setattr(threads, "MOST_THREADS", 4)
    assert thread_count() == 4
    monkeypatch.setattr(tf.config, "get_visible_devices", lambda kind: [kind])
    assert thread_count() == 1
