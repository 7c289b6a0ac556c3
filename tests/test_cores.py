"""Tests of the number of cores."""

import os

import pytest

from nmt.cores import core_count


def test_cores_are_those_that_the_process_may_use(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {1, 5, 7}, raising=False)
    assert core_count() == 3


@pytest.mark.parametrize(("told", "count"), [(6, 6), (None, 1)])
def test_cores_are_all_where_a_system_tells_no_more(monkeypatch, told, count):
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: told)
    assert core_count() == count
