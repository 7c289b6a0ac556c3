"""`TF_CONFIG`, read and refused."""

import json

import pytest

from nmt.app.cli import main
from nmt.errors import UserError
from nmt.training.cluster import Cluster, read_cluster

TWO = {"worker": ["a:1", "b:2"]}


def set_config(monkeypatch, cluster, role="worker", index=0):
    task = {"type": role, "index": index}
    content = json.dumps({"cluster": cluster, "task": task})
    monkeypatch.setenv("TF_CONFIG", content)


def test_there_may_be_no_cluster(monkeypatch):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    assert read_cluster("auto") is None
    monkeypatch.setenv("TF_CONFIG", '{"environment": "cloud"}')
    assert read_cluster("auto") is None
    set_config(monkeypatch, {"worker": ["a:1"]})
    assert read_cluster("auto") is None
    with pytest.raises(UserError, match="needs a cluster of several workers, which TF"):
        read_cluster("multi-worker")


def test_other_strategies_pay_no_heed_to_it(monkeypatch):
    monkeypatch.setenv("TF_CONFIG", "{")
    assert read_cluster("one") is None
    assert read_cluster("mirrored") is None


def test_the_command_says_so_in_one_line(monkeypatch, capsys, tmp_path):
    out = tmp_path / "out"
    train = ["train", "phrasebook", "--out", str(out)]
    monkeypatch.setenv("TF_CONFIG", "{")
    assert main(train) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("nmt: error: TF_CONFIG is not as expected: it is not valid")
    monkeypatch.delenv("TF_CONFIG")
    assert main([*train, "--strategy", "multi-worker"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "needs a cluster of several workers" in line
    assert not out.exists()


def test_a_worker_without_the_folder_of_from_is_told_that_it_needs_it(
    monkeypatch, capsys, tmp_path
):
    start = ["--from", str(tmp_path / "model"), "--out", str(tmp_path / "out")]
    told = []
    for index in range(2):
        set_config(monkeypatch, TWO, index=index)
        assert main(["train", "phrasebook", *start]) == 2
        told += capsys.readouterr().err.splitlines()
    assert [line.count("There is no folder") for line in told] == [1, 1]
    needs = "With several workers each needs the folder of --from."
    assert [line.endswith(needs) for line in told] == [False, True]


def test_workers_are_counted_after_the_chief(monkeypatch):
    set_config(monkeypatch, TWO, index=1)
    assert read_cluster("auto") == Cluster(("a:1", "b:2"), 1)
    set_config(monkeypatch, {"chief": ["c:65535"], **TWO}, index=1)
    found = read_cluster("auto")
    assert found == Cluster(("c:65535", "a:1", "b:2"), 2)
    assert found.address == "b:2"
    set_config(monkeypatch, {"chief": ["c:65535"], **TWO}, role="chief")
    assert read_cluster("auto").number == 0


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
        read_cluster("auto")
    assert "\n" not in str(got.value)


@pytest.mark.parametrize(
    "address",
    [
        *("a:99999", "a:65536", "a:0", "a:-1", "a:", "2222", ":2222", "a:\u0662\u0663"),
        *("a b:1", "a/b:1", "a:1:2", "::1:2222", "[]:1", "a:" + "1" * 5000, "a:1\n", 3),
    ],
)
def test_what_can_be_no_address_is_refused_by_name(monkeypatch, address):
    set_config(monkeypatch, {"worker": ["b:1", address]})
    with pytest.raises(UserError, match="an address is host:port, its port") as got:
        read_cluster("auto")
    assert f"worker has the address {address!r:.60}" in str(got.value)
    assert "\n" not in str(got.value)


def test_addresses_may_be_numbers_of_either_kind(monkeypatch):
    addresses = ("10.0.0.1:1", "[fe80::1]:2222", "node-1.a_b:65535")
    set_config(monkeypatch, {"worker": list(addresses)})
    assert read_cluster("auto").addresses == addresses


@pytest.mark.parametrize(
    "cluster", [{"worker": ["a:1", "b:1", "a:1"]}, {"chief": ["b:2"], **TWO}]
)
def test_an_address_that_two_workers_have_is_refused(monkeypatch, cluster):
    set_config(monkeypatch, cluster)
    with pytest.raises(UserError, match="two workers have the address [ab]:[12]. Like"):
        read_cluster("auto")


@pytest.mark.parametrize("job", ["evaluator", "ps", "master"])
def test_a_cluster_of_other_jobs_is_refused(monkeypatch, job):
    set_config(monkeypatch, {**TWO, job: ["c:3"]})
    with pytest.raises(UserError, match=f"chief and workers alone; leave '{job}' out"):
        read_cluster("auto")
