"""The loop of a training: epochs of steps. All else is done by callbacks."""

import keras

from nmt.training.schedule import learning_rate


class Loop:
    """Learns from batches, and calls callbacks as `keras.Model.fit` does.

    Args:
        learner: `Learner`.
        data: `Data`, which makes the batches.
        progress: `Progress`, from where it goes on.
        losses: `Losses`, which is given the loss of each step.
        own: List of callbacks that do not look at the loss of a step.
        others: List of callbacks that may: it is read for them after each step.
    """

    def __init__(self, learner, data, progress, losses, own, others=()):
        self.learner, self.settings = learner, learner.settings
        self.workers = learner.workers
        self.data, self.progress, self.losses = data, progress, losses
        self.model = learner.model
        self.callbacks = keras.callbacks.CallbackList(
            [*own, *others],
            model=learner.model_for_callbacks(),
            epochs=learner.settings.epochs,
            steps=None,
            verbose=0,
        )
        self.tells_losses = bool(others)

    def run(self):
        """Train until a callback stops it."""
        self.callbacks.on_train_begin()
        while not self.model.stop_training:
            self._run_epoch(len(self.progress.history))
        self.callbacks.on_train_end()
        self._agree()  # none leaves while another still works

    def _run_epoch(self, epoch):
        steps, batches = self.data.epoch()
        self.callbacks.set_params({**self.callbacks.params, "steps": steps})
        self.callbacks.on_epoch_begin(epoch)
        for number, batch in enumerate(batches, self.progress.batch):
            done = (epoch + number / steps) / self.settings.epochs
            self._run_step(number, batch, done)
            if self.model.stop_training:
                break
        ended = self.progress.finished or self.progress.batch == steps
        if ended:  # and not stopped inside by a callback, to go on there later
            self.callbacks.on_epoch_end(epoch, {})
            self._agree()

    def _run_step(self, number, batch, done):
        progress, settings = self.progress, self.settings
        if settings.max_minutes:
            done = max(done, progress.seconds / 60 / settings.max_minutes)
        # Before the callbacks, so that one can set another.
        self.learner.set_rate(learning_rate(settings, progress.steps, done))
        self.callbacks.on_train_batch_begin(number)
        loss = self.learner.learn(batch)
        progress.steps += 1
        progress.batch = number + 1
        self.losses.add(loss)
        logs = {"loss": loss} if self.tells_losses else None
        self.callbacks.on_train_batch_end(number, logs)
        self._agree()

    def _agree(self):
        """Let all workers go on, or stop, at the same step."""
        stops, progress = self.model.stop_training, self.progress
        self.model.stop_training, progress.seconds, progress.finished = (
            self.workers.agree(stops, progress.seconds, progress.finished)
        )
