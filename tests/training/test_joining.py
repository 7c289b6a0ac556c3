"""Waiting for the other workers of a cluster."""

import json
import os
import signal
import socket
import threading

import pytest

from nmt.app.cli import main
from nmt.errors import UserError
from nmt.training import joining
from nmt.training.cluster import Cluster


def has_ipv6():
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return socket.has_dualstack_ipv6()


@pytest.fixture
def addresses(monkeypatch):
    """Two addresses of this machine where nobody listens."""
    monkeypatch.setattr(joining, "PAUSE", 0.05)
    monkeypatch.setattr(joining, "PATIENCE", 60)
    holders = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
    ports = [holder.getsockname()[1] for holder in holders]
    for holder in holders:
        holder.close()
    return tuple(f"127.0.0.1:{port}" for port in ports)


def test_each_worker_waits_until_the_other_has_been_started(addresses):
    lines, ended = [], threading.Event()

    def wait_as_second():
        joining.wait_for_all(Cluster(addresses, 1), print)
        # As TensorFlow then does, in its place.
        with socket.create_server(("", int(addresses[1].rpartition(":")[2]))):
            ended.wait()

    second = threading.Thread(target=wait_as_second, daemon=True)

    def report(line):
        lines.append(line)
        second.start()

    joining.wait_for_all(Cluster(addresses, 0), report)
    ended.set()
    second.join(60)
    assert not second.is_alive()
    assert lines == [
        f"This is worker 0 of 2 (the first is 0). Waits for {addresses[1]}."
    ]


@pytest.mark.skipif(not has_ipv6(), reason="needs IPv6")
def test_a_worker_answers_by_either_version_of_ip(addresses, monkeypatch):
    _, port = addresses[0].rsplit(":", 1)
    answered = []

    def unreached(others):
        answered.extend(
            address
            for address in (f"127.0.0.1:{port}", f"[::1]:{port}")
            if joining._answers(address)
        )
        return []

    monkeypatch.setattr(joining, "_unreached", unreached)
    joining.wait_for_all(Cluster(addresses, 0), print)
    assert answered == [f"127.0.0.1:{port}", f"[::1]:{port}"]


def test_a_worker_does_not_wait_for_ever(addresses, monkeypatch):
    monkeypatch.setattr(joining, "PATIENCE", 0)
    with pytest.raises(UserError, match=f"^{addresses[0]} did not answer within 0 min"):
        joining.wait_for_all(Cluster(addresses, 1), print)


def test_a_host_that_can_be_none_is_waited_for(addresses, monkeypatch):
    monkeypatch.setattr(joining, "PATIENCE", 0)
    with pytest.raises(UserError, match="^a..b:1 did not answer"):
        joining.wait_for_all(Cluster(("a..b:1", addresses[0]), 1), print)


def test_a_port_of_another_process_is_refused_in_one_line(addresses):
    with (
        socket.create_server(("", int(addresses[0].rpartition(":")[2]))),
        pytest.raises(UserError, match="^cannot open port .* Choose another port"),
    ):
        joining.wait_for_all(Cluster(addresses, 0), print)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_worker_that_waits_is_ended_by_a_signal(
    addresses, monkeypatch, tmp_path, capsys, request, number
):
    def report(line):
        print(line)
        os.kill(os.getpid(), number)

    # A shell lets what it starts in the background ignore Ctrl-C.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    request.addfinalizer(lambda: signal.signal(signal.SIGINT, before))
    joined = joining.join
    monkeypatch.setattr(
        "nmt.training.workers.join", lambda cluster, _: joined(cluster, report)
    )
    cluster = {"worker": addresses}
    config = {"cluster": cluster, "task": {"type": "worker", "index": 1}}
    monkeypatch.setenv("TF_CONFIG", json.dumps(config))
    assert main(["train", "phrasebook", "--out", str(tmp_path / "out")]) == 130
    told = capsys.readouterr()
    assert told.out.startswith("This is worker 1 of 2 (the first is 0). Waits for ")
    assert told.err.startswith("\nnmt: interrupted. The same command goes on")
    assert not (tmp_path / "out").exists()
