"""The base of attentions that are told by a score function."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from keras_attention import chunked
from keras_attention.annotations import Tensor
from keras_attention.core import check_chunk_size, combine_masks, fits, masked_softmax
from keras_attention.layers.base import AttentionLayer, is_overridden
from keras_attention.layers.memory import Memory


@keras.saving.register_keras_serializable(package="keras_attention")
class ScoreAttention(AttentionLayer):
    """Attends by a score function: the base of the single-head layers.

    weights = softmax(score(query, key)); context = weights · value

    A subclass writes `score(query, key)`, and gets masks, empty rows, dropout,
    weights, saving, and its place in `AttentionRNN`. If it has weights it makes them in
    `build`, and it may override `project_query` and `project_key` for what depends on
    one side alone: keys are then projected once for a whole sequence of steps.

    With `chunk_size` a call gives the same numbers in little memory. Weights are held
    only where they are returned, as `attend` does; without them memory grows with
    T + S. A score of one's own is computed for `chunk_size` queries and all keys at a
    time, and once more for the gradient, so that what it makes inside, often far larger
    than the weights, exists for one chunk alone. It draws no random numbers then, and
    assigns no variables.

    Args:
        dropout, seed, **kwargs: As for `AttentionLayer`, like the call arguments and
            outputs; `dropout` is 0 with `chunk_size`.
        chunk_size: Positive int or `None`. How many queries, and keys where no weights
            are returned, are computed at a time. `None`: all.

    Raises:
        ValueError: If `chunk_size` is not a positive int or combined with `dropout` or
            a score that draws random numbers, `score` gives another shape than
            `(B, T, S)`, or as for `AttentionLayer`.

    Example:
        ```python
        @keras.saving.register_keras_serializable()
        class Distance(ScoreAttention):
            def score(self, query, key):
                gap = query[:, :, None] - key[:, None]
                return -keras.ops.sum(gap**2, axis=-1)
        ```

    Reference:
        [Bahdanau et al., 2015](https://arxiv.org/abs/1409.0473), section 3.1, equations
        5 and 6; [Luong et al., 2015](https://arxiv.org/abs/1508.04025), section 3.1.
    """

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        if is_overridden(cls, "score", since="score_terms"):
            # Another score: the terms of the one before do not tell it.
            cls.score_terms = ScoreAttention.score_terms  # type: ignore[method-assign]

    def __init__(
        self,
        dropout: float = 0.0,
        seed: int | None = None,
        chunk_size: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(dropout=dropout, seed=seed, **kwargs)
        self.chunk_size = check_chunk_size(chunk_size, dropout)

    def attend(
        self,
        query: Tensor,
        memory: Memory,
        state: Sequence[Tensor] = (),
        query_mask: Tensor | None = None,
        attention_mask: Tensor | None = None,
        training: bool = False,
    ) -> tuple[Tensor, Tensor, list[Tensor]]:
        length = query.shape[1]
        query = self.project_query(ops.cast(query, self.compute_dtype))
        one_chunk = isinstance(length, int) and length <= (self.chunk_size or length)
        if self.chunk_size is not None and not one_chunk:
            visible = chunked.Visibility(query_mask, memory.mask, attention_mask)
            visible = visible.with_four_axes()
            found = self._attend_by_queries(query, memory, visible, return_weights=True)
            return *found, list(state)
        mask = combine_masks(query_mask, memory.mask, attention_mask)
        weights = self._weigh(query, memory.key, mask)
        weights = ops.cast(weights, self.compute_dtype)
        return self._mix(weights, memory, training), weights, list(state)

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

    def project_query(self, query: Tensor) -> Tensor:
        """Project queries, shape `(B, T, Dq)`; as they are unless overridden."""
        return query

    def score(self, query: Tensor, key: Tensor) -> Tensor:
        """Score `(B, T, …)` of `project_query` and `(B, S, …)` of `project_key`.

        Gives `(B, T, S)`; minus infinity hides key s from query t.
        """
        raise TypeError(
            "`score(query, key)` must be written by a subclass of ScoreAttention. "
            f"Received: a {type(self).__name__} without it."
        )

    def score_terms(self, query: Tensor, key: Tensor) -> list[Any] | None:
        """Give the score as a sum of terms that chunks of keys can be computed of.

        A list of pairs of a term and its tensors, with an axis for one head, as
        `keras_attention.chunked` takes them. A class that writes `score` has to write
        it too, or has none: `None`.
        """
        return None

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "chunk_size": self.chunk_size}

    def checked_score(self, query: Tensor, key: Tensor) -> Tensor:
        """Give `score`; `ValueError` if its shape is not `(B, T, S)`."""
        scores = self.score(query, key)
        shape, wanted = tuple(scores.shape), (*query.shape[:2], key.shape[1])
        if len(shape) != 3 or not all(map(fits, shape, wanted)):
            raise ValueError(
                f"`score` of {type(self).__name__} must give scores of shape (B, T, S)="
                f"{wanted}. Received: scores.shape={shape}."
            )
        return scores

    def _weigh(self, query, key, mask):
        """Give weights `(B, T, S)`, in float32 or wider, of what is projected."""
        scores = self.checked_score(query, key)
        if type(self).score_terms is ScoreAttention.score_terms:  # any score
            mask = chunked.hide_infinite(scores, mask)
        return masked_softmax(scores, mask)

    def _saves_memory(self):
        # An `attend` of one's own is what a call has to go through.
        overridden = is_overridden(type(self), "attend", since="_saves_memory")
        return self.chunk_size is not None and not overridden

    def _attend_in_chunks(self, query, memory, visible):
        """Attend without holding the weights: the context, shape `(B, T, Dv)`."""
        query = self.project_query(query)
        terms = self.score_terms(query, memory.key)
        if terms is None:
            return self._attend_by_queries(query, memory, visible)
        value = memory.value[:, None]  # one head
        return chunked.attend(terms, value, visible, self.chunk_size)[:, 0]

    def _attend_by_queries(self, query, memory, visible, return_weights=False):
        if len(self.variables) > len(self.weights):  # more: states of generators
            raise ValueError(
                "`chunk_size` must be None where `score` has parts that draw random "
                "numbers: each chunk would draw the same ones. Received: "
                f"chunk_size={self.chunk_size}, and a {type(self).__name__} with such "
                "parts."
            )
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
