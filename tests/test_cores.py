"""Tests of the number of cores."""

import os

import pytest

from nmt import cores
from nmt.cores import core_count


@pytest.fixture(autouse=True)
def control_group(monkeypatch, tmp_path):
    """A folder in place of what Linux tells of the container of these tests."""
    monkeypatch.setattr(cores, "CONTROL_GROUP", tmp_path)
    return tmp_path


def test_cores_are_those_that_the_process_may_use(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {1, 5, 7}, raising=False)
    assert core_count() == 3


@pytest.mark.parametrize(("told", "count"), [(6, 6), (None, 1)])
def test_cores_are_all_where_a_system_tells_no_more(monkeypatch, told, count):
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: told)
    assert core_count() == count


@pytest.mark.parametrize(
    ("files", "count"),
    [
        ({"cpu.max": "200000 100000\n"}, 2),
        ({"cpu.max": "250000 100000\n"}, 3),
        ({"cpu.max": "50000 100000\n"}, 1),
        ({"cpu.max": "6400000 100000\n"}, 8),
        ({"cpu.max": "max 100000\n"}, 8),
        ({"cpu.max": ""}, 8),
        ({"cpu/cpu.cfs_quota_us": "400000\n", "cpu/cpu.cfs_period_us": "100000\n"}, 4),
        ({"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"}, 8),
        ({"cpu/cpu.cfs_quota_us": "400000\n"}, 8),
    ],
)
def test_a_container_may_have_a_quota(monkeypatch, control_group, files, count):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    for name, text in files.items():
        (control_group / name).parent.mkdir(exist_ok=True)
        (control_group / name).write_text(text)
    assert core_count() == count
