"""Tests of `nmt.training.schedule`."""

from nmt.config import Config
from nmt.training import schedule


def test_chance_in_the_first_scores_neither_stops_a_training_nor_is_kept():
    def epoch(bleu, loss):
        return {"validation_bleu": bleu, "validation_loss": loss}

    learning = [epoch(1.4, 5.5), epoch(0.0, 5.4), epoch(0.0, 5.2), epoch(1.1, 5.0)]
    assert schedule.epochs_without_gain(learning) == 0
    done = [*learning, epoch(9.0, 4.0), epoch(8.9, 4.1), epoch(9.0, 4.0)]
    assert schedule.epochs_without_gain(done) == 2
    assert schedule.merit(learning[2]) > schedule.merit(learning[1])


def test_the_rate_rises_and_falls():
    settings = Config().training
    rates = [
        schedule.learning_rate(settings, step, step / 1000) for step in range(1000)
    ]
    top = rates.index(max(rates))
    assert 250 < top <= 300
    assert rates[0] < 0.01 * settings.learning_rate
    assert sorted(rates[:top]) == rates[:top]
    assert sorted(rates[top:], reverse=True) == rates[top:]
    assert rates[-1] < 0.03 * settings.learning_rate
