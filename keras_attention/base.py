"""What the attention layers share."""

from typing import Any, NamedTuple

import keras
from keras import ops

from keras_attention.arguments import (
    check_attention_shapes,
    check_mask,
    check_positive_int,
)
from keras_attention.chunked import (
    chunked_additive_attention,
    chunked_additive_statistics,
    chunked_dot_attention,
    chunked_dot_statistics,
)
from keras_attention.chunked_queries import attend_by_queries, describe_by_queries
from keras_attention.masks import causal_mask, combine_masks, hide_padding
from keras_attention.weights import masked_softmax


class Memory(NamedTuple):
    """A sequence made ready to be attended to, by `prepare`.

    Attributes:
        key: Projected keys, shape `(B, S, …)`, or `(B, H, S, D)` for H heads.
        value: Values, shape `(B, S, Dv)`, or `(B, H, S, Dv)` for H heads.
        mask: Boolean, shape `(B, S)`, `True` = may look; `None` if all may be seen.
        dropout: Factors on the weights, drawn once for all steps of a sequence and
            broadcastable to the weights of one step; `None` without dropout.

    Example:
        ```python
        attention = ScaledDotProductAttention()
        attention(query, value)  # builds it
        memory = attention.prepare(value, value_mask=mask)
        context, weights, _ = attention.attend(query, memory)
        ```
    """

    key: Any
    value: Any
    mask: Any = None
    dropout: Any = None


class AttentionLayer(keras.layers.Layer):
    """Holds what every attention layer shares; `AttentionRNN` relies on no more.

    A subclass writes `prepare`, which makes a sequence ready once, and `attend`, which
    asks it. `call` is the two in a row, for all queries.

    Args:
        dropout: Float in [0, 1). Share of weights set to 0 in training.
        seed: Int or `None`. Seed of the dropout.
        **kwargs: Arguments of `keras.layers.Layer`, such as `name` and `dtype`.

    Raises:
        ValueError: If `dropout` is not in [0, 1).
    """

    def __init__(self, dropout=0.0, seed=None, **kwargs):
        super().__init__(**kwargs)
        if not isinstance(dropout, (int, float)) or not 0 <= dropout < 1:
            raise ValueError(
                "`dropout` must be a number of at least 0 and less than 1. "
                f"Received: dropout={dropout!r}."
            )
        self.dropout = dropout
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed) if dropout else None
        self.supports_masking = True

    def build(self, query_shape, value_shape, key_shape=None):
        check_attention_shapes(query_shape, value_shape, key_shape)
        self.built = True

    def call(
        self,
        query,
        value,
        key=None,
        query_mask=None,
        value_mask=None,
        key_mask=None,
        attention_mask=None,
        use_causal_mask=False,
        return_attention_scores=False,
        training=False,
    ):
        memory = self.prepare(value, key, value_mask=value_mask, key_mask=key_mask)
        return self._call_prepared(
            query,
            memory,
            query_mask=query_mask,
            attention_mask=attention_mask,
            use_causal_mask=use_causal_mask,
            return_attention_scores=return_attention_scores,
            training=training,
        )

    def _call_prepared(
        self,
        query,
        memory,
        state=(),
        *,
        query_mask,
        attention_mask,
        use_causal_mask,
        return_attention_scores,
        training,
    ):
        """Do what `call` does, with a prepared memory and perhaps a first state."""
        query = as_dense(query, self.compute_dtype)
        one_step = len(query.shape) == 2
        if one_step:
            query = query[:, None, :]
            if query_mask is not None:
                query_mask = ops.expand_dims(query_mask, -1)
            if attention_mask is not None:
                attention_mask = ops.expand_dims(attention_mask, -2)
        sizes = {"B": query.shape[0], "T": query.shape[1]}
        check_mask("query_mask", query_mask, "(B, T)", **sizes)
        sizes["S"] = memory.value.shape[1]
        check_mask("attention_mask", attention_mask, "(T, S)", "(B, T, S)", **sizes)
        query = hide_padding(query, query_mask)
        masks = {"query_mask": query_mask, "attention_mask": attention_mask}
        if self._saves_memory() and not return_attention_scores:
            context = self._attend_in_chunks(query, memory, use_causal_mask, **masks)
            return context[:, 0] if one_step else context
        if use_causal_mask:
            causal = causal_mask(ops.shape(query)[1], ops.shape(memory.value)[1])
            masks["attention_mask"] = _both(causal, attention_mask)
        context, weights, _ = self.attend(
            query, memory, state, **masks, training=training
        )
        if one_step:
            context, weights = context[:, 0], ops.squeeze(weights, axis=-2)
        return (context, weights) if return_attention_scores else context

    def initial_state(self, memory):
        """Give what the attention remembers before the first step.

        Args:
            memory: A `Memory`.

        Returns:
            A list of tensors of shape `(B, …)`; empty for an attention that forgets.
        """
        return []

    def context_size(self, query_shape, value_shape):
        """Tell the size of the context vectors for inputs of these shapes."""
        return value_shape[-1]

    def compute_mask(self, query, mask=None):
        return mask

    def get_config(self):
        return {**super().get_config(), "dropout": self.dropout, "seed": self.seed}

    def _clean(self, value, key, value_mask, key_mask):
        """Cast to the compute dtype, join the masks, and set padding to 0.

        Returns:
            `(value, key, mask)`.
        """
        value = as_dense(value, self.compute_dtype)
        sizes = {"B": value.shape[0], "S": value.shape[1]}
        check_mask("value_mask", value_mask, "(B, S)", **sizes)
        check_mask("key_mask", key_mask, "(B, S)", **sizes)
        mask = _both(value_mask, key_mask)
        value = hide_padding(value, mask)
        if key is None:
            return value, value, mask
        return value, hide_padding(as_dense(key, self.compute_dtype), mask), mask

    def _saves_memory(self):
        """Tell whether a call that wants no weights goes by `_attend_in_chunks`."""
        return False

    def _kernel(self, name, shape):
        """Add a weight that starts by `kernel_initializer`, of layers that have it."""
        # A copy each: one initializer used twice gives the same numbers twice.
        initializer = self.kernel_initializer.clone()
        return self.add_weight(name=name, shape=shape, initializer=initializer)

    def _draw_dropout(self, ones):
        """Draw factors for the weights of all steps to come; `None` if no dropout."""
        if not self.dropout:
            return None
        return keras.random.dropout(ones, self.dropout, seed=self.seed_generator)

    def _drop(self, weights, memory, training):
        """Apply the factors that were drawn, or draw some for each query."""
        if memory.dropout is not None:
            return weights * memory.dropout
        if training and self.dropout:
            return keras.random.dropout(weights, self.dropout, seed=self.seed_generator)
        return weights


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

    def __init__(self, dropout=0.0, seed=None, chunk_size=None, **kwargs):
        super().__init__(dropout=dropout, seed=seed, **kwargs)
        if chunk_size is not None:
            check_positive_int("chunk_size", chunk_size)
            if dropout:
                raise ValueError(
                    "`dropout` must be 0 with `chunk_size`: weights that are not held "
                    f"cannot be dropped. Received: dropout={dropout!r}, "
                    f"chunk_size={chunk_size!r}."
                )
        self.chunk_size = chunk_size

    def prepare(
        self, value, key=None, value_mask=None, key_mask=None, draw_dropout=False
    ):
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
        dropout = None
        if draw_dropout:
            dropout = self._draw_dropout(ops.ones_like(value[:, None, :, 0]))  # B 1 S
        return Memory(self.project_key(key), value, mask, dropout)

    def attend(
        self,
        query,
        memory,
        state=(),
        query_mask=None,
        attention_mask=None,
        training=False,
    ):
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
                chunk_size=self.chunk_size,
                query_mask=query_mask,
                key_mask=memory.mask,
                attention_mask=attention_mask,
                return_weights=True,
            )
            return context, weights, list(state)
        scores = self.score(query, memory.key)
        mask = combine_masks(query_mask, memory.mask, attention_mask)
        weights = ops.cast(masked_softmax(scores, mask), self.compute_dtype)
        used = self._drop(weights, memory, training)
        return ops.matmul(used, memory.value), weights, list(state)

    def statistics(
        self,
        query,
        value,
        key=None,
        query_mask=None,
        value_mask=None,
        key_mask=None,
        attention_mask=None,
        use_causal_mask=False,
    ):
        """Describe the weights without holding them, for a layer that is built.

        Works in chunks of `chunk_size`, or of 128 without one. Arguments as those of a
        call, the query of shape `(B, T, Dq)`.

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
        """
        query = hide_padding(as_dense(query, self.compute_dtype), query_mask)
        memory = self.prepare(value, key, value_mask=value_mask, key_mask=key_mask)
        query = self.project_query(query)
        options = {
            "chunk_size": self.chunk_size or 128,
            "query_mask": query_mask,
            "key_mask": memory.mask,
            "attention_mask": attention_mask,
            "causal": use_causal_mask,
        }
        form = self._known_form(query, memory.key)
        if form is None:
            return describe_by_queries(self.score, query, memory.key, **options)
        if len(form) == 3:
            return chunked_additive_statistics(*form, **options)
        query, key = (each[:, None] for each in form)  # one head
        found = chunked_dot_statistics(query, key, **options)
        return type(found)(*(each[:, 0] for each in found))

    def project_query(self, query):
        """Project queries, shape `(B, T, Dq)`; as they are unless overridden."""
        return query

    def project_key(self, key):
        """Project keys, shape `(B, S, Dk)`; as they are unless overridden."""
        return key

    def score(self, query, key):
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

    def get_config(self):
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
        owner = next(
            each for each in type(self).__mro__ if "_closed_form" in vars(each)
        )
        same = type(self).score is owner.score
        return self._closed_form(query, key) if same else None

    def _saves_memory(self):
        return self.chunk_size is not None

    def _attend_in_chunks(self, query, memory, causal, query_mask, attention_mask):
        """Attend without holding the weights: the context, shape `(B, T, Dv)`."""
        query, key, value = self.project_query(query), memory.key, memory.value
        options = {
            "chunk_size": self.chunk_size,
            "query_mask": query_mask,
            "key_mask": memory.mask,
            "attention_mask": attention_mask,
            "causal": causal,
        }
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


def as_dense(tensor, dtype):
    """Cast a tensor that Keras may take for a sparse one.

    Keras announces the product of a symbolic tensor and a number, such as embeddings
    times the root of their size, as sparse, and traces the next layer with that.

    Args:
        tensor: Any tensor.
        dtype: What to cast it to.

    Returns:
        The tensor, dense, of type `dtype`.
    """
    return ops.cast(ops.convert_to_tensor(tensor, sparse=False), dtype)


def _both(first, second):
    masks = [ops.cast(mask, "bool") for mask in (first, second) if mask is not None]
    if len(masks) == 2:
        return ops.logical_and(*masks)
    return masks[0] if masks else None
