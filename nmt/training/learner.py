"""A model that learns: its steps, its loss, and the running average of its weights."""

import keras
import numpy as np
import tensorflow as tf

from nmt.model import TranslationModel
from nmt.text import PAD_ID
from nmt.training.loss import label_smoothed_loss
from nmt.training.precision import check_precision, computing_in
from nmt.training.workers import Workers


class Learner:
    """A new model, its optimizer, and the running average of its weights.

    Args:
        config: `Config`.
        vocabulary_size: Int.
        workers: `Workers` that learn together. Default: one device.
        precision: `float32`, `bfloat16` or `float16`: what is computed with; weights
            are float32 always.

    Attributes:
        pieces: Number of target pieces that this worker has learnt from.
        gradient_norm: Norm of the last step's gradient, before it was clipped.

    Raises:
        UserError: See `check_precision`.
    """

    def __init__(self, config, vocabulary_size, workers=None, precision="float32"):
        self.settings = config.training
        self.workers = workers or Workers()
        check_precision(precision, self.workers.replicas)
        self.pieces, self.gradient_norm = 0, 0.0
        with self.workers.strategy.scope():
            with computing_in(precision):
                self.model = TranslationModel(config.model, vocabulary_size)
            self.optimizer = keras.optimizers.Adam(
                self.settings.learning_rate,
                global_clipnorm=self.settings.clip_norm or None,
            )
            if precision == "float16":
                self.optimizer = keras.optimizers.LossScaleOptimizer(self.optimizer)
            self.optimizer.build(self.model.trainable_variables)
            self.averages = [
                tf.Variable(v, trainable=False) for v in self.model.trainable_variables
            ]
        graph = {
            "input_signature": [tf.TensorSpec((None, None), tf.int32)] * 3,
            "autograph": False,
        }
        self._step = tf.function(self._train_step, **graph)
        self._loss = tf.function(self._validation_nll, **graph)

    def set_rate(self, learning_rate):
        """Set the learning rate of the steps to come."""
        self.optimizer.learning_rate.assign(learning_rate)

    def learn(self, batch):
        """Take a step. Returns the smoothed loss per piece, a scalar tensor."""
        for rows in self.workers.own_rows(batch[2]):
            self.pieces += int(np.count_nonzero(rows))  # padding is 0
        loss, self.gradient_norm = self._step(*batch)
        return loss

    def model_for_callbacks(self):
        """Return the model with what callbacks expect of one that `fit` trains."""
        self.model.optimizer = self.optimizer
        self.model.train_function = self._step
        self.model.stop_training = False
        return self.model

    def validation_loss(self, batches):
        """Return the negative log-likelihood per piece, in nats."""
        pieces = [int((batch.target_out != PAD_ID).sum()) for batch in batches]
        nll = sum(
            float(self._loss(*map(tf.constant, batch))) * count
            for batch, count in zip(batches, pieces, strict=True)
        )
        return nll / sum(pieces)

    def follow_chief(self):
        """Take all weights and states of the chief, but draw dropout of one's own."""
        self.workers.assign_from_chief(self.variables())
        for variable in self.model.non_trainable_variables:
            if variable.path.endswith("seed_generator_state"):
                apart = np.array([self.workers.number * 1_000_003, 0])
                value = np.asarray(variable)
                variable.assign(value + apart.astype(value.dtype))

    def with_averages(self, function):
        """Call a function while the model holds the averages of its weights.

        Afterwards the model is as before, its random numbers included: an RNN of Keras
        draws dropout of its states in a search too, though it does not use it.
        """
        variables = self.model.variables
        kept = [np.asarray(variable) for variable in variables]
        try:
            if self.settings.average_decay:
                own = self.model.trainable_variables
                for variable, average in zip(own, self.averages, strict=True):
                    variable.assign(average)
            return function()
        finally:
            for variable, value in zip(variables, kept, strict=True):
                variable.assign(value)

    def variables(self):
        """All that a training changes, the states of its random numbers included."""
        return [*self.model.variables, *self.optimizer.variables, *self.averages]

    def is_finite(self):
        """Say whether all that a training changes are finite numbers."""
        values = map(np.asarray, self.variables())  # whole numbers are finite
        return all(np.isfinite(value).all() for value in values)

    def _train_step(self, *batch):
        strategy = self.workers.strategy
        results = strategy.run(self._gradients, batch)
        # They were added up: all replicas have the same.
        loss, *gradients = (
            strategy.experimental_local_results(result)[0] for result in results
        )
        scale = self.optimizer.scale_loss(1.0)  # 1, but in float16
        self.optimizer.apply(gradients, self.model.trainable_variables)
        # The average is young at first: it then keeps 2 in 11, 3 in 12 … of itself.
        step = tf.cast(self.optimizer.iterations.value, tf.float32)
        decay = tf.minimum(self.settings.average_decay, (1.0 + step) / (10.0 + step))
        for average, variable in zip(
            self.averages, self.model.trainable_variables, strict=True
        ):
            average.assign_sub((1 - decay) * (average - variable.value))
        return loss, tf.linalg.global_norm(gradients) / scale

    def _gradients(self, *batch):
        """Give the loss per piece of the batch, and its gradients, of all replicas."""
        pieces = tf.math.count_nonzero(batch[2], dtype=tf.float32)
        replicas, context = self.workers.replicas, tf.distribute.get_replica_context()
        if replicas > 1:
            batch = _rows(batch, context.replica_id_in_sync_group, replicas)
        if self.settings.consistency:
            # Two draws of dropout: every pair twice in one batch.
            batch = [tf.concat([ids, ids], axis=0) for ids in batch]
            pieces *= 2
        source, target_in, target_out = batch
        with tf.GradientTape() as tape:
            hidden, _ = self.model(source, target_in, training=True)
            loss, _ = self._losses(
                hidden,
                target_out,
                self.settings.label_smoothing,
                self.settings.consistency,
            )
            loss /= pieces
            scaled = self.optimizer.scale_loss(loss)
        values = [variable.value for variable in self.model.trainable_variables]
        gradients = map(tf.convert_to_tensor, tape.gradient(scaled, values))
        results = [loss, *gradients]
        if replicas > 1:
            results = context.all_reduce(tf.distribute.ReduceOp.SUM, results)
        return results

    def _validation_nll(self, source, target_in, target_out):
        hidden, _ = self.model(source, target_in)
        _, nll = self._losses(hidden, target_out)
        return nll / tf.math.count_nonzero(target_out, dtype=nll.dtype)

    def _losses(self, hidden, target_out, smoothing=0.0, consistency=0.0):
        """Give the smoothed loss and the likelihood, both summed over real pieces."""
        # Padding is dropped first: the product with the output matrix is the largest.
        real = tf.not_equal(target_out, PAD_ID)
        targets = tf.boolean_mask(target_out, real)
        return label_smoothed_loss(
            tf.boolean_mask(hidden, real),
            self.model.target_embedding.embeddings.value,
            self.model.output_bias.value,
            targets,
            smoothing,
            consistency,
        )


def _rows(batch, replica, replicas):
    """Give the rows of one replica; where there are too few, one without targets."""
    source, target_in, target_out = batch
    fewer = tf.maximum(replicas - tf.shape(source)[0], 0)
    target_out = tf.pad(target_out, [[0, fewer], [0, 0]], constant_values=PAD_ID)
    source, target_in = (
        tf.concat([ids, tf.repeat(ids[:1], fewer, axis=0)], axis=0)
        for ids in (source, target_in)
    )
    return [ids[replica::replicas] for ids in (source, target_in, target_out)]
