"""The learning rate, the merit of an epoch, and how long nothing was gained."""

import math


def learning_rate(settings, step, done):
    """Rise to the highest rate, then fall along a half cosine wave to a fiftieth.

    Args:
        settings: `TrainingConfig`.
        step: Int. Number of steps so far.
        done: Float from 0 to 1. Share of the training that is done.
    """
    warm = min(1.0, (step + 1) / max(1, settings.warmup_steps))
    wave = 0.5 * (1 + math.cos(math.pi * min(1.0, done)))
    return settings.learning_rate * warm * (0.02 + 0.98 * wave)


def merit(row):
    """Say how good an epoch was: by BLEU, and where that is equal by perplexity.

    Args:
        row: Its row of the history.
    """
    return row["validation_bleu"], -row["validation_loss"]


def epochs_without_gain(history):
    """Count the last epochs that gained neither in BLEU nor in perplexity.

    At first BLEU is near 0, and falls and rises by chance.

    Args:
        history: List of one row for each epoch.
    """
    best_bleu, best_loss, count = -math.inf, math.inf, 0
    for row in history:
        bleu, loss = row["validation_bleu"], round(row["validation_loss"], 3)
        count = 0 if bleu > best_bleu or loss < best_loss else count + 1
        best_bleu, best_loss = max(best_bleu, bleu), min(best_loss, loss)
    return count


def is_over(settings, progress):
    """Say whether a training has nothing left to do.

    Its time cannot be up inside an epoch: what that learnt was not validated yet.

    Args:
        settings: `TrainingConfig`.
        progress: `Progress`.
    """
    return (
        len(progress.history) >= settings.epochs
        or epochs_without_gain(progress.history) >= settings.patience
        or (not progress.batch and 0 < settings.max_minutes <= progress.seconds / 60)
    )
