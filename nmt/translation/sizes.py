"""How large the tensors of a batch are, which bounds the batches."""

from nmt.model import models_of


class Sizes:
    """How many numbers the tensors of a batch have for each sentence.

    Args:
        model: `TranslationModel` or `Ensemble`.
        vocabulary_size: Int.
    """

    def __init__(self, model, vocabulary_size):
        models = models_of(model)
        configs = [each.config for each in models]
        # For each piece of a source: the memory, its keys and what its values become
        # where they are multiplied once; and what a score makes of it.
        self._memory = sum(
            3 * each.units + each.embedding_size + each.attention_units
            for each in configs
        )
        self._scored = sum(each.attention_units for each in configs)
        self._remembers = any(each.remembers for each in models)
        self._vocabulary = vocabulary_size

    def of_search(self, beams):
        """Return the function of the lengths of source and target, for `batches`."""
        memories = beams if self._remembers else 1

        def numbers(source, target):
            each = source * (target + self._scored) + self._vocabulary
            return memories * source * self._memory + beams * each

        return numbers

    def of_forcing(self):
        """Return the function of the lengths of target and source, for `batches`."""
        width = self._memory + self._scored + 2 * self._vocabulary

        def numbers(target, source):
            return target * (source + width)

        return numbers
