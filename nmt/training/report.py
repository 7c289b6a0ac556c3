"""What a training says while it runs: a bar of its steps, a line for each epoch."""

import math
import sys

import keras
from tqdm import tqdm

from nmt.training.schedule import epochs_without_gain, merit

STEPS_SHOWN = 20
"""Steps after which the bar shows the loss anew."""


class Report(keras.callbacks.Callback):
    """Shows a bar while an epoch runs, and tells a line when it ends.

    Args:
        progress: `Progress`.
        settings: `TrainingConfig`.
        losses: `Losses`.
        out: Path of the folder.
        report: Function that is given each line.
    """

    def __init__(self, progress, settings, losses, out, report):
        super().__init__()
        self.progress, self.settings, self.losses = progress, settings, losses
        self.out, self.report = out, report
        self._bar = tqdm(disable=True)

    def on_epoch_begin(self, epoch, logs=None):
        """Show the bar of the epoch."""
        self._bar = tqdm(
            desc=f"epoch {epoch + 1}/{self.settings.epochs}",
            initial=self.progress.batch,
            total=self.params["steps"],
            unit="batch",
            leave=False,
            disable=not sys.stderr.isatty(),
        )

    def on_train_batch_end(self, batch, logs=None):
        """Move the bar on."""
        if batch % STEPS_SHOWN == 0 and self.losses.last is not None:
            self._bar.set_postfix(loss=f"{self.losses.last:.2f}", refresh=False)
        self._bar.update()

    def on_epoch_end(self, epoch, logs=None):
        """Tell what the epoch gave."""
        self.close()
        row = self.progress.history[-1]
        self.report(
            f"epoch {row['epoch']:3d}  {row['seconds'] / 60:5.1f} min  "
            f"loss {row['train_loss']:.3f}  "
            f"validation: perplexity {math.exp(min(50, row['validation_loss'])):.2f}  "
            f"BLEU {row['validation_bleu']:.1f}  "
            f"{_speed(logs)}{self._time_left()}"
        )
        patience = self.settings.patience
        if epochs_without_gain(self.progress.history) >= patience:
            self.report(
                f"Stopped: {patience} epochs without a better BLEU or a "
                "lower perplexity."
            )

    def on_train_end(self, logs=None):
        """Tell how the training ended, and what is kept."""
        progress = self.progress
        if not progress.finished:
            self.report(
                f"Stopped by a callback {progress.place()}. The same training in "
                f"{self.out} goes on from there."
            )
            return
        best = max(progress.history, key=merit)
        count, minutes = len(progress.history), progress.seconds / 60
        if 0 < self.settings.max_minutes <= minutes and count < self.settings.epochs:
            self.report(
                f"Time is up (max_minutes {self.settings.max_minutes:g}) after "
                f"{progress.steps} steps, in epoch {count} of {self.settings.epochs}; "
                "with more minutes it goes on."
            )
        self.report(
            f"Finished after {count} epoch{'s' * (count != 1)} and {minutes:.1f} "
            "minutes of training. Kept: epoch "
            f"{best['epoch']}, validation BLEU {best['validation_bleu']:.1f}. "
            f"Model: {self.out}"
        )

    def _time_left(self):
        progress, settings = self.progress, self.settings
        if progress.finished:
            return ""
        done = len(progress.history)
        minutes = progress.seconds / 60
        left = minutes / done * (settings.epochs - done)
        if settings.max_minutes:
            left = min(left, settings.max_minutes - minutes)
        return f"  {left:.1f} min left"

    def close(self):
        """Clear the bar away, if there is one."""
        self._bar.close()


def _speed(logs):
    each = [f"{speed:,.0f}" for speed in logs.get("worker_pieces_per_second", [])]
    shown = f" ({' + '.join(each)})" if each else ""
    return f"{logs['pieces_per_second']:,.0f} pieces/s{shown}"
