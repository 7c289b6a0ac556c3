"""Terms of a score, one block of queries and keys at a time, with their gradients.

The score of a block is a sum of terms. A term has, for each tensor that it is made of,
the axis that follows the queries and the one for the keys, and two functions of the
`parts` of these tensors that belong to a block, in float32 or wider:

- `scores(parts, distances)` gives scores, broadcastable to `(B, H, C, K)`, and what the
  gradient needs again. Distances are the row of each pair in a table, `(C, K)`.
- `gradients(parts, kept, gradient)` gives, from what `scores` kept and the gradient of
  the scores, `(B, H, C, K)`, that of each part, or something that sums up to its shape.

Shapes: `B` batch, `H` heads, `G` heads of the keys, `T` queries and `S` keys in all,
`C` queries and `K` keys in a block, `D` features, `U` units.
"""

from keras import ops

from keras_attention.core import multiply_heads, sum_heads


class DotTerm:
    """The inner product `q · k` of queries `(B, H, T, D)` and keys `(B, G, S, D)`."""

    # For each tensor the axis that follows the queries, and the one for the keys.
    axes = ((2, None), (None, 2))

    def scores(self, parts, distances):
        query, key = parts
        return multiply_heads(query, ops.transpose(key, (0, 1, 3, 2))), None

    def gradients(self, parts, kept, gradient):
        query, key = parts
        return multiply_heads(gradient, key), sum_heads(gradient, query, key.shape[1])


class AdditiveTerm:
    """The score `v · tanh(q + k)` of `(B, 1, T, U)`, `(B, 1, S, U)` and `(U,)`."""

    axes = ((2, None), (None, 2), (None, None))

    def scores(self, parts, distances):
        query, key, vector = parts
        hidden = ops.tanh(query[:, :, :, None] + key[:, :, None])  # B 1 C K U
        return ops.squeeze(ops.matmul(hidden, vector[:, None]), axis=-1), hidden

    def gradients(self, parts, hidden, gradient):
        units = hidden.shape[-1]
        of_vector = ops.matmul(
            ops.reshape(gradient, (1, -1)), ops.reshape(hidden, (-1, units))
        )
        of_hidden = gradient[..., None] * (1 - hidden * hidden)
        vector = parts[2]
        return (
            ops.sum(of_hidden, axis=3) * vector,
            ops.sum(of_hidden, axis=2) * vector,
            ops.squeeze(of_vector, axis=0),
        )


class BiasTerm:
    """A bias for each pair, of rank 4 and broadcastable to `(B, H, T, S)`."""

    axes = ((2, 3),)

    def scores(self, parts, distances):
        return parts[0], None

    def gradients(self, parts, kept, gradient):
        return (gradient,)


class PositionTerm:
    """A bias for each distance of key and query, in a table `(T + S - 1, H)`."""

    axes = ((None, None),)

    def scores(self, parts, distances):
        bias = ops.take(parts[0], distances, axis=0)  # C K H
        return ops.transpose(bias, (2, 0, 1)), distances

    def gradients(self, parts, distances, gradient):
        count, heads = ops.shape(parts[0])
        by_pair = ops.transpose(ops.sum(gradient, axis=0), (1, 2, 0))  # C K H
        by_pair = ops.reshape(by_pair, (-1, heads))
        distances = ops.reshape(distances, (-1,))
        return (ops.segment_sum(by_pair, distances, num_segments=count),)
