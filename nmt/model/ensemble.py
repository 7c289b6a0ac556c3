"""Several models that predict together."""

from keras import ops


class Ensemble:
    """Predicts by the mean of what several models with one vocabulary predict.

    The mean is of log-probabilities, which is the geometric one of probabilities, and
    of attention weights. It is searched as a `TranslationModel` is.

    Args:
        models: List of `TranslationModel`.
    """

    def __init__(self, models):
        self.models = models

    def start(self, source, beams=1, output=None):
        """See `TranslationModel.start`; memory and states are lists, one a model."""
        output = [None] * len(self.models) if output is None else output
        starts = [
            model.start(source, beams, own)
            for model, own in zip(self.models, output, strict=True)
        ]
        memories, masks, states = zip(*starts, strict=True)
        return list(memories), masks[0], list(states)

    def output(self, lasting=False):
        """See `TranslationModel.output`; a list, one a model."""
        return [model.output(lasting) for model in self.models]

    def restrict(self, output, pieces):
        """See `TranslationModel.restrict`; lists, one a model."""
        parts = zip(self.models, output, strict=True)
        return [model.restrict(each, pieces) for model, each in parts]

    def step(self, token, memory, states, output=None):
        """See `TranslationModel.step`; the logits are log-probabilities."""
        output = [None] * len(self.models) if output is None else output
        parts = zip(self.models, memory, states, output, strict=True)
        steps = [model.step(token, *part) for model, *part in parts]
        states, logits, weights = zip(*steps, strict=True)
        logits = [ops.log_softmax(each) for each in logits]
        return list(states), _mean(logits), _mean(weights)

    def predict_targets(self, source, target):
        """See `TranslationModel.predict_targets`."""
        found = [model.predict_targets(source, target) for model in self.models]
        log_probabilities, weights = map(_mean, zip(*found, strict=True))
        return ops.log_softmax(log_probabilities), weights


def models_of(model):
    """List the models of an `Ensemble`, or the one that a single model is."""
    return model.models if isinstance(model, Ensemble) else [model]


def _mean(tensors):
    return sum(tensors) / len(tensors)
