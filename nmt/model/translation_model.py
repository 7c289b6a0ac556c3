"""The translation model: an encoder, and an RNN decoder that attends to it."""

from typing import Any, NamedTuple

import keras
import tensorflow as tf
from keras import layers, ops

import keras_attention as ka
from nmt.model.attentions import make_attention
from nmt.model.cells import make_cell
from nmt.model.encoders import ENCODERS
from nmt.model.folding import Folded, fold, fold_memory, folded_step
from nmt.text import PAD_ID


class Output(NamedTuple):
    """The output layer, made once for all steps of a search; see `TranslationModel`."""

    embedding: Any  # (N, E)
    kernel: Any  # (E, N)
    bias: Any  # (N,)
    folded: Folded | None


class TranslationModel(keras.Model):
    """Turns source ids and earlier target ids into vectors that predict the next.

    The encoder is a stack of bidirectional RNN layers, or of self-attention layers with
    positions. The decoder is an RNN whose first state is made from the mean
    of the encoder outputs and which attends to them at every step, and to the source
    embeddings if `config.attend_embeddings`. The target embedding is the output matrix
    too. Masks are made here and passed on explicitly.

    Shapes: `B` batch, `S` source pieces, `T` target pieces, `E` embedding size, `V`
    vocabulary.

    Args:
        config: `ModelConfig`.
        vocabulary_size: Int, `V`.

    First weights and dropout follow `keras.utils.set_random_seed`.

    Reference:
        Order "previous": [Bahdanau et al., 2015](https://arxiv.org/abs/1409.0473);
        "current": [Luong et al., 2015](https://arxiv.org/abs/1508.04025);
        "conditional": [Sennrich et al., 2017](https://arxiv.org/abs/1703.04357),
        section 2. Self-attention encoder under an RNN decoder:
        [Chen et al., 2018](https://arxiv.org/abs/1804.09849), section 5. Tied output:
        [Press & Wolf, 2017](https://arxiv.org/abs/1608.05859). Dropout of whole words:
        cf. [Gal & Ghahramani, 2016](https://arxiv.org/abs/1512.05287), section 4.2, who
        drop a word wherever it occurs, and not each piece by itself. Source words in
        the context: cf. [Nguyen & Chiang,
        2018](https://arxiv.org/abs/1710.01329).
    """

    def __init__(self, config, vocabulary_size, **kwargs):
        super().__init__(**kwargs)
        self.config = config
        self.vocabulary_size = vocabulary_size
        self.source_embedding = _embedding(vocabulary_size, config)
        self.target_embedding = _embedding(vocabulary_size, config)
        self.encoder = ENCODERS[config.encoder](config, name="encoder")
        self.bridges = [
            layers.Dense(config.units, activation="tanh", name=f"bridge_{index}")
            for index in range(1 if config.cell == "gru" else 2)
        ]
        current = config.order == "current"
        # In this order: each takes of the random numbers that a seed gives.
        cell, attention = make_cell(config, "cell"), make_attention(config)
        self.decoder = ka.AttentionRNN(
            cell,
            attention,
            order=config.order,
            context_cell=make_cell(config, "context_cell")
            if config.order == "conditional"
            else None,
            attentional_units=config.embedding_size if current else None,
            input_feeding=current and config.input_feeding,
            name="decoder",
        )
        # Luong's attentional vector is the readout; the other two papers have a deep
        # output of the state, the context and the piece before.
        self.readout = None
        if not current:
            self.readout = layers.Dense(
                config.embedding_size, activation="tanh", name="readout"
            )
        self.dropouts = {
            name: layers.Dropout(config.dropout, name=f"{name}_dropout")
            for name in ("source", "memory", "target", "output")
        }
        # Only where it acts: it takes of the random numbers that a seed gives.
        self.word_dropout = None
        if config.word_dropout:
            self.word_dropout = layers.Dropout(
                config.word_dropout, noise_shape=(None, None, 1), name="word_dropout"
            )
        self.output_bias = self.add_weight(
            name="output_bias", shape=(vocabulary_size,), initializer="zeros"
        )
        # By shapes: calls cost a start of the program time.
        size = config.embedding_size
        self.source_embedding.build()
        self.encoder.build((None, None, size))
        memory_shape = self.encoder.compute_output_shape((None, None, size))
        for bridge in self.bridges:
            bridge.build((None, memory_shape[-1]))
        if config.attend_embeddings:
            memory_shape = (None, None, memory_shape[-1] + size)
        self.target_embedding.build()
        self.decoder.build((None, None, size), memory_shape)
        if self.readout is not None:
            self.readout.build((None, None, self.decoder.output_size + size))
        self.built = True
        memory = attention.prepare(ops.ones((1, 2, memory_shape[-1])))
        self.remembers = bool(attention.initial_state(memory))

    def call(self, source, target, training=False):
        """Run the whole of both sides at once.

        Args:
            source: Int32 ids, shape `(B, S)`.
            target: Int32 ids, shape `(B, T)`, beginning with the start id.
            training: Bool. Whether dropout acts.

        Returns:
            hidden: Shape `(B, T, E)`; `log_probabilities` turns it into predictions.
            weights: Shape `(B, T, S)`; heads are averaged. 0 at padding.
        """
        memory, mask, states = self.encode(source, training=training)
        embedded = self._embed("target", self.target_embedding, target, training)
        outputs, weights = self.decoder(
            embedded,
            memory=memory,
            initial_state=states,
            sequence_mask=ka.padding_mask(target, PAD_ID),
            memory_mask=mask,
            return_attention_scores=True,
            training=training,
        )
        return self._read_out(outputs, embedded, training), _one_head(weights)

    def encode(self, source, training=False):
        """Read a source sentence.

        Args:
            source: Int32 ids, shape `(B, S)`.
            training: Bool. Whether dropout acts.

        Returns:
            memory: What the decoder attends to, shape `(B, S, D)`: encoder outputs, and
                the embeddings if the configuration says so.
            mask: Boolean, shape `(B, S)`.
            states: First states of the decoder's cell, each `(B, units)`.
        """
        mask = ka.padding_mask(source, PAD_ID)
        embedded = self._embed("source", self.source_embedding, source, training)
        memory = self.encoder(embedded, mask=mask, training=training)
        real = ops.cast(mask, memory.dtype)[:, :, None]
        total = ops.maximum(ops.sum(real, axis=1), 1)
        mean = ops.sum(memory * real, axis=1) / total
        memory = self.dropouts["memory"](memory, training=training)
        if self.config.attend_embeddings:
            memory = ops.concatenate([memory, embedded], axis=-1)
        return memory, mask, [bridge(mean) for bridge in self.bridges]

    def start(self, source, beams=1, output=None):
        """Read source sentences, for `step`.

        Args:
            source: Int32 ids, shape `(B, S)`.
            beams: Int, `K`. Hypotheses that there will be of each sentence.
            output: `Output` that `step` will be given, if any.

        Returns:
            memory: Nest of tensors, one row of axis 0 for each sentence.
            mask: Boolean, shape `(B, S)`.
            states: List of tensors, shape `(B, …)`.
        """
        memory, mask, states = self.encode(source)
        memory = self.decoder.prepare(memory, mask)
        states = self.decoder.initial_states(memory, states)
        if output is not None and output.folded is not None:
            memory = fold_memory(output.folded, memory)
        if self.remembers:  # each hypothesis has attended elsewhere
            memory = _of_tensors(memory, lambda each: _repeat(each, beams))
        return memory, mask, states

    def output(self, lasting=False):
        """Prepare the output layer once, for all steps.

        Args:
            lasting: Bool. Whether it is for many searches, between which no weight
                changes: it takes longer to make, and the steps are faster.

        Returns:
            `Output` of all `V` pieces.
        """
        embedding, bias = self.target_embedding.embeddings.value, self.output_bias.value
        folded = fold(self, embedding) if lasting else None
        return self._output(embedding, bias, folded)

    def restrict(self, output, pieces):
        """Give an output layer that knows some pieces alone.

        The tokens and logits of a step are then their places among them.

        Args:
            output: `Output`.
            pieces: Int32 ids, shape `(N,)`.
        """
        folded = output.folded
        if folded is not None:
            folded = folded._replace(products=tf.gather(folded.products, pieces))
        embedding = tf.gather(output.embedding, pieces)
        return self._output(embedding, tf.gather(output.bias, pieces), folded)

    def step(self, token, memory, states, output=None):
        """Predict the piece after `token`.

        Args:
            token: Int32 ids, shape `(B * K,)`: `K` rows for each of the `B` sentences.
            memory: What `start` gave.
            states: What `start`, repeated for the `K`, or the last step gave.
            output: `Output`, which `start` was given too; made anew if left out.

        Returns:
            states: List of tensors, shape `(B * K, …)`.
            logits: Float32, shape `(B * K, V)`.
            weights: Shape `(B * K, S)`.
        """
        embedding, kernel, bias, folded = output or self.output()
        if folded is not None:
            hidden, weights, state = folded_step(self, folded, token, memory, *states)
            states = [state]
        else:
            if self.remembers:
                memory = _of_tensors(memory, _one_row_each)
            # Not by the layer, which makes way for negative ids.
            embedded = ops.cast(tf.gather(embedding, token), self.compute_dtype)
            outputs, weights, states = self.decoder.step(embedded, memory, states)
            hidden = self._read_out(outputs, embedded, False)
        if len(weights.shape) == 3:
            weights = ops.mean(weights, axis=1)
        logits = ops.cast(ops.matmul(hidden, kernel), "float32") + bias
        return states, logits, weights

    def predict_targets(self, source, target):
        """Predict each piece of given targets.

        Args:
            source: Int32 ids, shape `(B, S)`.
            target: Int32 ids, shape `(B, T)`, beginning with the start id.

        Returns:
            log_probabilities: Float32, shape `(B, T, V)`.
            weights: Shape `(B, T, S)`.
        """
        hidden, weights = self(source, target)
        return self.log_probabilities(hidden), weights

    def logits(self, hidden):
        """Turn hidden vectors `(…, E)` into logits `(…, V)` in float32."""
        embedding = ops.cast(self.target_embedding.embeddings, hidden.dtype)
        logits = tf.matmul(hidden, embedding, transpose_b=True)
        return ops.cast(logits, "float32") + self.output_bias.value

    def log_probabilities(self, hidden):
        """Turn hidden vectors `(…, E)` into log-probabilities `(…, V)` in float32."""
        return ops.log_softmax(self.logits(hidden), axis=-1)

    def _output(self, embedding, bias, folded):
        # Transposed here: products with a transpose rearrange it each time.
        kernel = ops.cast(ops.transpose(embedding), self.compute_dtype)
        return Output(embedding, kernel, bias, folded)

    def _embed(self, side, embedding, pieces, training):
        embedded = embedding(pieces)
        if self.word_dropout is not None:
            embedded = self.word_dropout(embedded, training=training)
        return self.dropouts[side](embedded, training=training)

    def _read_out(self, outputs, embedded, training):
        if self.readout is not None:
            outputs = self.readout(ops.concatenate([outputs, embedded], axis=-1))
        return self.dropouts["output"](outputs, training=training)


def _embedding(vocabulary_size, config):
    # The spread that gives logits of a tied output a variance near that of its input.
    initializer = keras.initializers.RandomNormal(stddev=config.embedding_size**-0.5)
    return layers.Embedding(
        vocabulary_size, config.embedding_size, embeddings_initializer=initializer
    )


def _of_tensors(memory, function):
    return keras.tree.map_structure(
        lambda each: None if each is None else function(each), memory
    )


def _repeat(rows, beams):
    """Turn `(B, …)` into `(B, K, …)`."""
    return ops.repeat(rows[:, None], beams, axis=1)


def _one_row_each(rows):
    """Turn `(B, K, …)` into `(B * K, …)`."""
    return ops.reshape(rows, (-1, *ops.shape(rows)[2:]))


def _one_head(weights):
    return ops.mean(weights, axis=1) if len(weights.shape) == 4 else weights
