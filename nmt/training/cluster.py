"""The cluster that the environment variable `TF_CONFIG` names."""

import json
import os
import re
from typing import NamedTuple

from nmt.errors import UserError

VARIABLE = "TF_CONFIG"
EXAMPLE = (
    '{"cluster": {"worker": ["a:2222", "b:2222"]}, '
    '"task": {"type": "worker", "index": 0}}'
)
ROLES = ("chief", "worker")
HOST = re.compile(r"[\w.-]+|\[[0-9A-Fa-f:.]+\]", re.ASCII)
"""Name or number of a machine; one of IPv6 is in brackets."""
PORT = re.compile("[0-9]{1,5}")
LAST_PORT = 65535


class Cluster(NamedTuple):
    """A cluster, seen by one of its workers.

    Attributes:
        addresses: `host:port` of each worker; the first is the chief's.
        number: Number of this worker, from 0.
    """

    addresses: tuple[str, ...]
    number: int

    @property
    def address(self) -> str:
        """Address of this worker."""
        return self.addresses[self.number]


def read_cluster(strategy: str) -> Cluster | None:
    """Read the cluster that a training is part of.

    Args:
        strategy: See `make_strategy`.

    Returns:
        The cluster of several workers that `TF_CONFIG` names; `None` if it names none,
        or the strategy pays no heed to it.

    Raises:
        UserError: If `TF_CONFIG` is not as TensorFlow expects it, or the strategy is
            `multi-worker` and there is no cluster.
    """
    if strategy not in ("auto", "multi-worker"):
        return None
    cluster = _named()
    if cluster is not None and len(cluster.addresses) > 1:
        return cluster
    if strategy == "multi-worker":
        raise UserError(
            f"--strategy multi-worker needs a cluster of several workers, which "
            f"{VARIABLE} names; each worker is started with its own. Like this: "
            f"{EXAMPLE}"
        )
    return None


def _named():
    text = os.environ.get(VARIABLE, "").strip()
    if not text:
        return None
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        raise _unlike("it is not valid JSON") from None
    if not isinstance(content, dict):
        raise _unlike("it is no object")
    jobs, task = content.get("cluster"), content.get("task")
    if not jobs:
        return None
    if not isinstance(jobs, dict) or not isinstance(task, dict):
        raise _unlike('it needs objects "cluster" and "task"')
    role, index = task.get("type"), task.get("index")
    if role not in ROLES or not isinstance(index, int) or isinstance(index, bool):
        raise _unlike(
            'its task needs a "type", chief or worker, and an "index", a whole number'
        )
    for job in jobs:
        if job not in ROLES:
            raise _unlike(
                f"a training has a chief and workers alone; leave {job[:50]!r} out"
            )
    addresses = {one: _addresses(jobs.get(one, []), one) for one in ROLES}
    if len(addresses["chief"]) > 1:
        raise _unlike("a cluster has one chief")
    if not 0 <= index < len(addresses[role]):
        raise _unlike(
            f"its task is {role} {index}, but its cluster has "
            f"{len(addresses[role])} of them"
        )
    everyone = (*addresses["chief"], *addresses["worker"])
    twice = next((one for one in everyone if everyone.count(one) > 1), None)
    if twice:
        raise _unlike(f"two workers have the address {twice}")
    before = len(addresses["chief"]) if role == "worker" else 0
    return Cluster(everyone, before + index)


def _addresses(given, role):
    if isinstance(given, dict):  # a sparse cluster names some of its workers
        raise _unlike(f"{role} must be a list of all addresses")
    if not isinstance(given, list):
        raise _unlike(f"{role} must be a list of addresses host:port")
    for address in given:
        if not isinstance(address, str) or not _is_address(address):
            raise _unlike(
                f"{role} has the address {address!r:.60}; an address is host:port, its "
                f"port from 1 to {LAST_PORT}"
            )
    return given


def _is_address(text):
    host, _, port = text.rpartition(":")
    return bool(HOST.fullmatch(host) and PORT.fullmatch(port)) and (
        1 <= int(port) <= LAST_PORT
    )


def _unlike(what):
    return UserError(f"{VARIABLE} is not as expected: {what}. Like this: {EXAMPLE}")
