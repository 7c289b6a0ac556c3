"""Joining a cluster: waiting for its other workers, then for TensorFlow."""

import signal
import socket
import threading
import time

import tensorflow as tf

from nmt.errors import UserError
from nmt.training.cluster import VARIABLE

PATIENCE = 3600
"""Seconds that a worker waits for the others."""

PAUSE = 0.5
"""Seconds between two tries to reach them, and that each may take."""


def join(cluster, report):
    """Return what TensorFlow distributes a training by, once all workers are there.

    While TensorFlow itself waits no signal ends it, so it is not let wait: each worker
    opens its port, and goes on when it has reached those of all others.

    Args:
        cluster: `Cluster`.
        report: Function that is given each line to be told.

    Raises:
        UserError: If the cluster cannot be joined.
    """
    wait_for_all(cluster, report)
    handler = signal.getsignal(signal.SIGTERM)
    try:
        return tf.distribute.MultiWorkerMirroredStrategy()
    except (tf.errors.OpError, RuntimeError, ValueError) as error:
        raise UserError(
            f"cannot join the cluster of {VARIABLE} as {cluster.address}: "
            f"{(str(error).splitlines() or [''])[0][:200]}. Each worker needs an "
            "address of its own that the others reach, and all must be started."
        ) from None
    finally:
        # TensorFlow has set its own, which only notes that the signal came.
        if handler and threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, handler)


def wait_for_all(cluster, report):
    """Return when all workers of a cluster have been started.

    Args:
        cluster: `Cluster`.
        report: See `join`.

    Raises:
        UserError: If another process has the port of this one, or they do not come.
    """
    port = _split(cluster.address)[1]
    try:
        # Where TensorFlow will listen after it; by addresses of either version of IP.
        both = socket.has_dualstack_ipv6()
        family = socket.AF_INET6 if both else socket.AF_INET
        own = socket.create_server(("", port), family=family, dualstack_ipv6=both)
    except OSError as error:
        raise UserError(
            f"cannot open port {port} of {cluster.address}, this worker's address in "
            f"{VARIABLE}: {error.strerror}. Choose another port, the same in the "
            f"{VARIABLE} of all workers."
        ) from None
    with own:
        end = time.monotonic() + PATIENCE
        missing = _unreached(a for a in cluster.addresses if a != cluster.address)
        if missing:
            report(
                f"This is worker {cluster.number} of {len(cluster.addresses)} (the "
                f"first is 0). Waits for {', '.join(missing)}."
            )
        while missing:
            if time.monotonic() > end:
                raise UserError(
                    f"{', '.join(missing)} did not answer within {PATIENCE / 60:.0f} "
                    "minutes. Start all workers; each needs an address that the others "
                    "reach."
                )
            time.sleep(PAUSE)
            missing = _unreached(missing)


def _unreached(addresses):
    return [address for address in addresses if not _answers(address)]


def _answers(address):
    try:
        socket.create_connection(_split(address), PAUSE).close()
    except (OSError, UnicodeError):  # nobody is there yet, or its name is unknown
        return False
    return True


def _split(address):
    host, _, port = address.rpartition(":")
    return host.strip("[]"), int(port)
