"""How a layer that is told by a score function saves memory, and describes itself."""

from keras_attention import chunked
from keras_attention.annotations import Tensor
from keras_attention.layers.base import AttentionLayer


class ChunkedScores(AttentionLayer):
    """The part of `ScoreAttention` that never holds all scores: see there.

    The layer has `chunk_size`, `None` for all at once.
    """

    chunk_size: int | None

    def statistics(
        self,
        query: Tensor,
        value: Tensor,
        key: Tensor | None = None,
        query_mask: Tensor | None = None,
        value_mask: Tensor | None = None,
        key_mask: Tensor | None = None,
        attention_mask: Tensor | None = None,
        use_causal_mask: bool = False,
    ) -> chunked.AttentionStatistics:
        memory = self.prepare(value, key, value_mask=value_mask, key_mask=key_mask)
        query, query_mask, attention_mask = self._read_queries(
            query, memory, query_mask, attention_mask
        )
        query, key, size = self.project_query(query), memory.key, self.chunk_size or 128
        visible = chunked.Visibility(
            query_mask, memory.mask, attention_mask, causal=use_causal_mask
        ).with_four_axes()
        terms, score = self.score_terms(query, key), self.checked_score
        if terms is None:
            return chunked.describe_by_queries(score, query, key, visible, size)
        found = chunked.describe(terms, visible, size)
        return chunked.AttentionStatistics(*(each[:, 0] for each in found))  # one head

    def _attend_in_chunks(self, query, memory, visible):
        """Attend without holding the weights: the context, shape `(B, T, Dv)`."""
        query = self.project_query(query)
        terms = self.score_terms(query, memory.key)
        if terms is None:
            return self._attend_by_queries(query, memory, visible)
        value = memory.value[:, None]  # one head
        return chunked.attend(terms, value, visible, self.chunk_size)[:, 0]

    def _attend_by_queries(self, query, memory, visible, return_weights=False):
        return chunked.attend_by_queries(
            self.checked_score,
            query,
            memory.key,
            memory.value,
            visible,
            self.chunk_size,
            self.variables,
            return_weights,
        )
