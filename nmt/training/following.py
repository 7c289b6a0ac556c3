"""Training as a worker that is not the chief, and what that tells the others."""

import dataclasses

import keras

from nmt.text import Vocabulary
from nmt.training.checkpoint import Progress
from nmt.training.learner import Learner
from nmt.training.losses import Losses
from nmt.training.speed import Speed


class Follow(keras.callbacks.Callback):
    """Gives every worker the progress, and what the chief has measured.

    It comes after the chief's own callbacks, before those of the user.

    Args:
        workers: `Workers`.
        progress: `Progress`.
        report: Function that is given each line of a worker that is not the chief.
    """

    def __init__(self, workers, progress, report):
        super().__init__()
        self.workers, self.progress, self.report = workers, progress, report

    def on_epoch_end(self, epoch, logs=None):
        """Give the progress, and the logs of the epoch."""
        told = dataclasses.asdict(self.progress), logs
        progress, found = self.workers.object_from_chief(told)
        if not self.workers.is_chief:
            vars(self.progress).update(progress)
            logs |= found
            own = logs["worker_pieces_per_second"][self.workers.number]
            self.report(
                f"epoch {epoch + 1:3d}  worker {self.workers.number}: "
                f"{own:,.0f} pieces/s"
            )

    def on_train_end(self, logs=None):
        """Say that the training ended."""
        if not self.workers.is_chief:
            self.report(f"Ended {self.progress.place()}. Worker 0 has the model.")


def follow(job):
    """Train from what the chief gives; write nothing.

    Args:
        job: `Job`.

    Returns:
        The history.
    """
    workers = job.workers
    job.begin()
    config = job.config.replace(**workers.object_from_chief())
    vocabulary = Vocabulary(workers.bytes_from_chief())
    learner = Learner(config, len(vocabulary), workers, config.training.precision)
    progress = Progress(**workers.object_from_chief())
    if progress.finished:
        job.report("The training of worker 0 was finished before.")
        return progress.history
    learner.follow_chief()
    losses = Losses(learner, progress, config.training, None, None)
    own = [losses, Speed(learner), Follow(workers, progress, job.report)]
    return job.run(learner, vocabulary, progress, losses, own)
