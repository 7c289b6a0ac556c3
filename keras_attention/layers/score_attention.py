"""The base of attentions that are told by a score function."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from keras_attention.annotations import Tensor
from keras_attention.chunked import (
    AttentionStatistics,
    attend_by_queries,
    chunked_additive_attention,
    chunked_additive_statistics,
    chunked_dot_attention,
    chunked_dot_statistics,
    describe_by_queries,
)
from keras_attention.core import (
    check_chunk_size,
    check_mask,
    combine_masks,
    masked_softmax,
)
from keras_attention.layers.base import AttentionLayer, Memory


@keras.saving.register_keras_serializable(package="keras_attention")
class ScoreAttention(AttentionLayer):
    """Attends by a score function: the base of the single-head layers.

    weights = softmax(score(query, key)); context = weights · value

    A subclass writes `score(query, key)`, and gets masks, empty rows, dropout,
    weights, saving, and its place in `AttentionRNN`. If it has weights it makes them in
    `build`, and it may override `project_query` and `project_key` for what depends on
    one side alone: keys are then projected once for a whole sequence of steps.

    With `chunk_size` a call that does not ask for the weights never holds them, and
    gives the same numbers. For the layers of this package memory then grows with
    T + S. A score of one's own is computed for `chunk_size` queries and all keys at a
    time, and once more for the gradient, so that what it makes inside, often far larger
    than the weights, exists for one chunk alone. Where weights are asked for, and in
    `attend`, which always gives them, they are held, and all else is computed so too.

    Shapes: `B` batch, `T` queries, `S` keys, `Dq`/`Dk`/`Dv` feature sizes.

    Args:
        dropout: Float in [0, 1). Share of weights set to 0 in training; 0 with
            `chunk_size`.
        seed: Int or `None`. Seed of the dropout.
        chunk_size: Positive int or `None`. How many queries, and keys where no weights
            are asked for, are computed at a time. `None`: all.
        **kwargs: Arguments of `keras.layers.Layer`, such as `name` and `dtype`.

    Call arguments:
        query: Shape `(B, T, Dq)`, or `(B, Dq)` for one step.
        value: Shape `(B, S, Dv)`.
        key: Shape `(B, S, Dk)`; `value` if left out.
        query_mask: Boolean, shape `(B, T)`, or `(B,)` for one step. Queries at `False`
            get weights 0 and context 0.
        value_mask: Boolean, shape `(B, S)`. Keys at `False` are never looked at,
            whatever they hold, NaN included.
        key_mask: As `value_mask`; where both are given both must allow.
        attention_mask: Boolean, shape `(T, S)` or `(B, T, S)`; for a query of one
            step `(B, S)`. `False` hides key s from query t.
        use_causal_mask: Bool. Whether query t sees keys 0 to t alone.
        return_attention_scores: Bool. Whether to return the weights too (the name is
            Keras'; they are weights after the softmax, before dropout).
        training: Bool. Whether dropout acts.

    Returns:
        context: Shape `(B, T, Dv)`, or `(B, Dv)` for one step. A query that may see
            nothing gets 0.
        weights: Shape `(B, T, S)`, or `(B, S)` for one step, only if
            `return_attention_scores`. Rows sum to 1, or to 0 if they may see nothing.

    Raises:
        ValueError: If `dropout` is not in [0, 1) or is combined with `chunk_size`, if
            `chunk_size` is not a positive int, if a shape has the wrong rank, or if key
            and value differ in length.

    Example:
        ```python
        @keras.saving.register_keras_serializable()
        class Distance(ScoreAttention):
            def score(self, query, key):
                gap = query[:, :, None] - key[:, None]
                return -keras.ops.sum(gap**2, axis=-1)
        ```

    Reference:
        [Bahdanau et al., 2015](https://arxiv.org/abs/1409.0473), section 3.1,
        equations 5 and 6; [Luong et al., 2015](https://arxiv.org/abs/1508.04025),
        section 3.1.
    """

    def __init__(
        self,
        dropout: float = 0.0,
        seed: int | None = None,
        chunk_size: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(dropout=dropout, seed=seed, **kwargs)
        self.chunk_size = check_chunk_size(chunk_size, dropout)

    def prepare(
        self,
        value: Tensor,
        key: Tensor | None = None,
        value_mask: Tensor | None = None,
        key_mask: Tensor | None = None,
        draw_dropout: bool = False,
    ) -> Memory:
        """Make a sequence ready to be attended to: clean it, project its keys.

        Args:
            value: Shape `(B, S, Dv)`.
            key: Shape `(B, S, Dk)`; `value` if left out.
            value_mask: Boolean, shape `(B, S)`, or `None`.
            key_mask: Boolean, shape `(B, S)`, or `None`.
            draw_dropout: Bool. Whether to draw one dropout mask for all steps to
                come, as a loop over steps must.

        Returns:
            A `Memory` for `attend`.
        """
        value, key, mask = self._clean(value, key, value_mask, key_mask)
        dropout = self._draw_dropout_of_keys(value) if draw_dropout else None
        return Memory(self.project_key(key), value, mask, dropout)

    def attend(
        self,
        query: Tensor,
        memory: Memory,
        state: Sequence[Tensor] = (),
        query_mask: Tensor | None = None,
        attention_mask: Tensor | None = None,
        training: bool = False,
    ) -> tuple[Tensor, Tensor, list[Tensor]]:
        """Attend to a prepared memory.

        Args:
            query: Shape `(B, T, Dq)`.
            memory: A `Memory` from `prepare`.
            state: What `initial_state` or the last call gave.
            query_mask: Boolean, shape `(B, T)`, or `None`.
            attention_mask: Boolean, shape `(B, T, S)`, or `None`.
            training: Bool. Whether to draw dropout for each query, where `prepare`
                did not draw it.

        Returns:
            `(context, weights, state)`: shapes `(B, T, Dv)`, `(B, T, S)`, a list.
        """
        length = query.shape[1]
        query = self.project_query(ops.cast(query, self.compute_dtype))
        one_chunk = isinstance(length, int) and length <= (self.chunk_size or length)
        if self.chunk_size is not None and not one_chunk:
            context, weights = attend_by_queries(
                self.score,
                query,
                memory.key,
                memory.value,
                variables=self.variables,
                return_weights=True,
                **self._chunk_options(memory, False, query_mask, attention_mask),
            )
            return context, weights, list(state)
        scores = self.score(query, memory.key)
        mask = combine_masks(query_mask, memory.mask, attention_mask)
        weights = ops.cast(masked_softmax(scores, mask), self.compute_dtype)
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
    ) -> AttentionStatistics:
        """Describe the weights without holding them, for a layer that is built.

        Works in chunks of `chunk_size`, or of 128 without one.

        Args:
            query: Shape `(B, T, Dq)`.
            value: Shape `(B, S, Dv)`.
            key: Shape `(B, S, Dk)`; `value` if left out.
            query_mask: Boolean, shape `(B, T)`, or `None`.
            value_mask: Boolean, shape `(B, S)`, or `None`.
            key_mask: Boolean, shape `(B, S)`, or `None`.
            attention_mask: Boolean, shape `(T, S)`, `(B, T, S)`, or `None`.
            use_causal_mask: Bool. Whether query t sees keys 0 to t alone.

        Returns:
            `AttentionStatistics`, which has no gradient: `entropy` and `argmax` of
            shape `(B, T)`, `coverage` of shape `(B, S)`.

        Raises:
            ValueError: If a mask does not fit.
        """
        query, query_mask, attention_mask = self._read_queries(
            query, query_mask, attention_mask
        )
        memory = self.prepare(value, key, value_mask=value_mask, key_mask=key_mask)
        sizes = {"B": query.shape[0], "T": query.shape[1], "S": memory.value.shape[1]}
        check_mask("attention_mask", attention_mask, "(T, S)", "(B, T, S)", **sizes)
        query = self.project_query(query)
        options = self._chunk_options(
            memory, use_causal_mask, query_mask, attention_mask
        )
        form = self._known_form(query, memory.key)
        if form is None:
            return describe_by_queries(self.score, query, memory.key, **options)
        if len(form) == 3:
            return chunked_additive_statistics(*form, **options)
        query, key = (each[:, None] for each in form)  # one head
        found = chunked_dot_statistics(query, key, **options)
        return type(found)(*(each[:, 0] for each in found))

    def project_query(self, query: Tensor) -> Tensor:
        """Project queries, shape `(B, T, Dq)`; as they are unless overridden."""
        return query

    def project_key(self, key: Tensor) -> Tensor:
        """Project keys, shape `(B, S, Dk)`; as they are unless overridden."""
        return key

    def score(self, query: Tensor, key: Tensor) -> Tensor:
        """Score projected queries `(B, T, …)` against projected keys `(B, S, …)`.

        Args:
            query: What `project_query` gave.
            key: What `project_key` gave.

        Returns:
            Scores, shape `(B, T, S)`.
        """
        raise TypeError(
            "`score(query, key)` must be written by a subclass of ScoreAttention. "
            f"Received: a {type(self).__name__} without it."
        )

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "chunk_size": self.chunk_size}

    def _closed_form(self, query, key):
        """Give the score as something that is known to the chunked path.

        Args:
            query: What `project_query` gave.
            key: What `project_key` gave.

        Returns:
            `(query, key)` if their inner products are the scores;
            `(query, key, vector)` if the scores are `vector · tanh(query + key)`;
            otherwise `None`.
        """
        return None

    def _known_form(self, query, key):
        """Give `_closed_form`, unless a subclass of its class has another score."""
        owner: Any = next(
            each for each in type(self).__mro__ if "_closed_form" in vars(each)
        )
        same = type(self).score is owner.score
        return self._closed_form(query, key) if same else None

    def _saves_memory(self):
        return self.chunk_size is not None

    def _attend_in_chunks(self, query, memory, causal, query_mask, attention_mask):
        """Attend without holding the weights: the context, shape `(B, T, Dv)`."""
        query, key, value = self.project_query(query), memory.key, memory.value
        options = self._chunk_options(memory, causal, query_mask, attention_mask)
        form = self._known_form(query, key)
        if form is None:
            return attend_by_queries(
                self.score, query, key, value, variables=self.variables, **options
            )
        if len(form) == 3:
            query, key, vector = form
            return chunked_additive_attention(query, key, value, vector, **options)
        query, key, value = (each[:, None] for each in (*form, value))  # one head
        return chunked_dot_attention(query, key, value, **options)[:, 0]

    def _chunk_options(self, memory, causal, query_mask, attention_mask):
        """Give the keywords that the chunked functions take."""
        return {
            "chunk_size": self.chunk_size or 128,
            "query_mask": query_mask,
            "key_mask": memory.mask,
            "attention_mask": attention_mask,
            "causal": causal,
        }
