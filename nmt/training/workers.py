"""The processes and devices that train one model together."""

import contextlib
import hashlib
import json
import os

import numpy as np
import tensorflow as tf

from nmt.errors import UserError
from nmt.training.cluster import ROLES, VARIABLE, read_cluster
from nmt.training.joining import join

STRATEGIES = ("auto", "one", "mirrored", "multi-worker")
LOST = (
    *(tf.errors.UnavailableError, tf.errors.AbortedError),
    *(tf.errors.CancelledError, tf.errors.DeadlineExceededError),
)
"""What TensorFlow raises where another worker does not answer."""


def make_strategy(name="auto", report=print):
    """Return what TensorFlow distributes a training by.

    Call it before anything is computed: TensorFlow joins a cluster at its start.

    Args:
        name: `multi-worker`: the processes that `TF_CONFIG` names; `mirrored`: all
            GPUs of this machine; `one`: one device; `auto`: the first of these that
            there is more than one of.
        report: Function that is given each line to be told.

    Raises:
        UserError: If there is no such name, `TF_CONFIG` is not as it should be, the
            cluster cannot be joined, or there is no GPU for `mirrored`.
    """
    if name not in STRATEGIES:
        raise UserError(
            f"strategy must be one of {', '.join(STRATEGIES)}, or a "
            f"tf.distribute.Strategy; got {name!r}."
        )
    cluster = read_cluster(name)
    if cluster is not None:
        return join(cluster, report)
    gpus = len(tf.config.get_visible_devices("GPU"))
    if name == "mirrored" and not gpus:
        raise UserError(
            "--strategy mirrored trains on all GPUs of this machine, and TensorFlow "
            "may use none here. Leave it out to train on the CPU."
        )
    if name == "mirrored" or (name == "auto" and gpus > 1):
        with _without_cluster():
            return tf.distribute.MirroredStrategy()
    return tf.distribute.get_strategy()


@contextlib.contextmanager
def _without_cluster():
    """Hide what names a cluster, which TensorFlow reads where it has no use too."""
    before = os.environ.pop(VARIABLE, None)
    try:
        yield
    finally:
        if before is not None:
            os.environ[VARIABLE] = before


class Workers:
    """What a worker knows of those that it trains with.

    A *replica* is the model on one device. Each learns from its rows of every batch,
    and their gradients are added up, so that all stay equal. A *worker* is a process,
    of one or more replicas. The *chief* is the worker that validates, saves and
    decides.

    Args:
        strategy: `tf.distribute.Strategy`. Default: one device.

    Attributes:
        replicas: Number of all replicas.
        count: Number of workers.
        number: Number of this one, from 0.
        is_chief: Whether this one is the chief.
    """

    def __init__(self, strategy=None):
        self.strategy = strategy or tf.distribute.get_strategy()
        self.replicas = self.strategy.num_replicas_in_sync
        self.count, self.number = 1, 0
        if isinstance(self.strategy, tf.distribute.MultiWorkerMirroredStrategy):
            resolver = self.strategy.cluster_resolver
            jobs = resolver.cluster_spec().as_dict()
            self.count = sum(len(jobs.get(role, ())) for role in ROLES)
            after_chief = resolver.task_type == "worker" and "chief" in jobs
            self.number = (resolver.task_id or 0) + after_chief
        self.is_chief = self.number == 0
        self._sum = tf.function(self._add, reduce_retracing=True)

    def told(self):
        """Return a line that says what trains."""
        each = self.replicas // self.count
        device = self.strategy.extended.worker_devices[0]
        kind = tf.DeviceSpec.from_string(device).device_type
        own = f"{each} {kind}{'s' if each > 1 else ''}"
        if self.count == 1:
            return f"Trains on {own}."
        return f"Trains on {self.count} workers, each on {own}."

    def own_rows(self, batch):
        """Give the rows of an array that the replicas of this worker learn from."""
        each = self.replicas // self.count
        first = self.number * each
        return [
            batch[replica :: self.replicas] for replica in range(first, first + each)
        ]

    def gather(self, value):
        """Return a number of each worker, in a list."""
        if self.count == 1:
            return [value]
        values = np.zeros(self.count)
        values[self.number] = value
        return self._all(values).tolist()

    def from_chief(self, *values):
        """Return the numbers that the chief gives, as floats."""
        if self.count == 1:
            return values
        return self._all(np.array(values, float) * self.is_chief).tolist()

    def agree(self, stops, seconds, finished):
        """Return whether any worker stops, and the other two as the chief has them."""
        if self.count == 1:
            return stops, seconds, finished
        told = np.array([stops, seconds * self.is_chief, finished * self.is_chief])
        stops, seconds, finished = self._all(told.astype(float)).tolist()
        return stops > 0, seconds, finished > 0

    def object_from_chief(self, value=None):
        """Return what the chief gives, of what JSON can hold."""
        if self.count == 1:
            return value
        text = json.dumps(value).encode() if self.is_chief else b""
        return json.loads(self.bytes_from_chief(text))

    def bytes_from_chief(self, content=b""):
        """Return the bytes that the chief gives."""
        if self.count == 1:
            return content
        size = int(self.from_chief(len(content))[0])
        padded = np.zeros(-(-size // 4) * 4, np.uint8)
        if self.is_chief:
            padded[:size] = np.frombuffer(content, np.uint8)
        return self._all(padded.view(np.int32)).tobytes()[:size]

    def assign_from_chief(self, variables):
        """Give variables the values that they have on the chief."""
        if self.count == 1:
            return
        arrays = [np.asarray(variable) for variable in variables]
        content = b"".join(each.tobytes() for each in arrays) if self.is_chief else b""
        content, place = self.bytes_from_chief(content), 0
        for variable, array in zip(variables, arrays, strict=True):
            own = content[place : place + array.nbytes]
            variable.assign(np.frombuffer(own, array.dtype).reshape(array.shape))
            place += array.nbytes

    def check_alike(self, what, value):
        """Refuse a worker that was given something else than the chief.

        Args:
            what: What it is, for the error.
            value: What JSON can hold.

        Raises:
            UserError: If it differs.
        """
        digest = hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
        if self.object_from_chief(digest) != digest:
            raise UserError(
                f"{what} of worker {self.number} differ from those of worker 0. Start "
                "all workers with the same command, on the same text."
            )

    @contextlib.contextmanager
    def losses_told(self):
        """Say in one line that another worker is gone."""
        try:
            yield
        except LOST:
            if self.count == 1:
                raise
            raise UserError(
                f"worker {self.number} has lost another worker, which may say why. "
                "Start all of them again with the same command; the training goes on "
                "from the last state that was saved."
            ) from None

    def _all(self, values):
        """Add up arrays of all workers."""
        return self._sum(tf.constant(values)).numpy()

    def _add(self, values):
        def share(values):
            context = tf.distribute.get_replica_context()
            first = self.number * (self.replicas // self.count)
            if context.replica_id_in_sync_group != first:  # once for each worker
                values = tf.zeros_like(values)
            return context.all_reduce(tf.distribute.ReduceOp.SUM, values)

        shares = self.strategy.run(share, [values])
        return self.strategy.experimental_local_results(shares)[0]
