"""`TF_CONFIG`, read and refused."""

import json

import pytest

from nmt.errors import UserError
from nmt.training.cluster import Cluster, read_cluster

TWO = {"worker": ["a:1", "b:2"]}


def set_config(monkeypatch, cluster, role="worker", index=0):
    task = {"type": role, "index": index}
    content = json.dumps({"cluster": cluster, "task": task})
    monkeypatch.setenv("TF_CONFIG", content)


def test_there_may_be_no_cluster(monkeypatch):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    assert read_cluster() is None
    monkeypatch.setenv("TF_CONFIG", '{"environment": "cloud"}')
    assert read_cluster() is None


def test_workers_are_counted_after_the_chief(monkeypatch):
    set_config(monkeypatch, TWO, index=1)
    assert read_cluster() == Cluster(("a:1", "b:2"), 1)
    set_config(monkeypatch, {"chief": ["c:0"], **TWO}, index=1)
    found = read_cluster()
    assert found == Cluster(("c:0", "a:1", "b:2"), 2)
    assert found.address == "b:2"
    set_config(monkeypatch, {"chief": ["c:0"], **TWO}, role="chief")
    assert read_cluster().number == 0


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[" * 100_000,
        "3",
        '{"cluster": {"worker": ["a:1"]}}',
        '{"cluster": ["a:1"], "task": {"type": "worker", "index": 0}}',
        '{"cluster": {"worker": "a:1"}, "task": {"type": "worker", "index": 0}}',
        '{"cluster": {"worker": ["a"]}, "task": {"type": "worker", "index": 0}}',
        '{"cluster": {"worker": {"0": "a:1"}}, "task": {"type": "worker", "index": 0}}',
        '{"cluster": {"worker": ["a:1"]}, "task": {"type": "worker", "index": 1}}',
        '{"cluster": {"worker": ["a:1"]}, "task": {"type": "worker", "index": -1}}',
        '{"cluster": {"worker": ["a:1"]}, "task": {"type": "worker", "index": "0"}}',
        '{"cluster": {"worker": ["a:1"]}, "task": {"type": "ps", "index": 0}}',
        '{"cluster": {"worker": ["a:1"], "ps": ["b:1"]}, '
        '"task": {"type": "worker", "index": 0}}',
        '{"cluster": {"chief": ["a:1", "b:1"]}, "task": {"type": "chief", "index": 0}}',
    ],
)
def test_what_names_no_cluster_is_refused_in_one_line(monkeypatch, text):
    monkeypatch.setenv("TF_CONFIG", text)
    with pytest.raises(UserError, match="^TF_CONFIG is not as expected: .*Like") as got:
        read_cluster()
    assert "\n" not in str(got.value)
