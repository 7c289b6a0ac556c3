"""A model that learns: its steps, its loss, and the running average of its weights."""

import keras
import numpy as np
import tensorflow as tf

from nmt.model import TranslationModel
from nmt.text import PAD_ID
from nmt.training.loss import label_smoothed_loss


class Learner:
    """A new model, its optimizer, and the running average of its weights.

    Args:
        config: `Config`.
        vocabulary_size: Int.

    `pieces` counts the target pieces learnt from since it was made, and `gradient_norm`
    is that of the last step, before it is clipped.
    """

    def __init__(self, config, vocabulary_size):
        self.settings = config.training
        self.model = TranslationModel(config.model, vocabulary_size)
        self.optimizer = keras.optimizers.Adam(
            self.settings.learning_rate,
            global_clipnorm=self.settings.clip_norm or None,
        )
        self.optimizer.build(self.model.trainable_variables)
        self.averages = [
            tf.Variable(v, trainable=False) for v in self.model.trainable_variables
        ]
        self.gradient_norm = tf.Variable(0.0, trainable=False)
        self.pieces = tf.Variable(0, dtype=tf.int64, trainable=False)
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
        return self._step(*batch)

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

    def with_averages(self, function):
        """Call a function while the model holds the averages of its weights."""
        if not self.settings.average_decay:
            return function()
        variables = self.model.trainable_variables
        kept = [np.asarray(variable) for variable in variables]
        try:
            for variable, average in zip(variables, self.averages, strict=True):
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

    def _train_step(self, source, target_in, target_out):
        self.pieces.assign_add(tf.math.count_nonzero(target_out))  # padding is 0
        if self.settings.consistency:
            # Two draws of dropout: every pair twice in one batch.
            source, target_in, target_out = (
                tf.concat([ids, ids], axis=0) for ids in (source, target_in, target_out)
            )
        with tf.GradientTape() as tape:
            hidden, _ = self.model(source, target_in, training=True)
            loss, _ = self._losses(
                hidden,
                target_out,
                self.settings.label_smoothing,
                self.settings.consistency,
            )
        values = [variable.value for variable in self.model.trainable_variables]
        gradients = [
            tf.convert_to_tensor(gradient) for gradient in tape.gradient(loss, values)
        ]
        self.gradient_norm.assign(tf.linalg.global_norm(gradients))
        self.optimizer.apply(gradients, self.model.trainable_variables)
        # The average is young at first: it then follows at a rate of 1 in 10, 2 in 11 …
        step = tf.cast(self.optimizer.iterations.value, tf.float32)
        decay = tf.minimum(self.settings.average_decay, (1.0 + step) / (10.0 + step))
        for average, variable in zip(
            self.averages, self.model.trainable_variables, strict=True
        ):
            average.assign_sub((1 - decay) * (average - variable.value))
        return loss

    def _validation_nll(self, source, target_in, target_out):
        hidden, _ = self.model(source, target_in)
        _, nll = self._losses(hidden, target_out)
        return nll

    def _losses(self, hidden, target_out, smoothing=0.0, consistency=0.0):
        """Give the smoothed loss and the likelihood, both per real piece."""
        # Padding is dropped first: the product with the output matrix is the largest.
        real = tf.not_equal(target_out, PAD_ID)
        targets = tf.boolean_mask(target_out, real)
        loss, nll = label_smoothed_loss(
            tf.boolean_mask(hidden, real),
            self.model.target_embedding.embeddings.value,
            self.model.output_bias.value,
            targets,
            smoothing,
            consistency,
        )
        count = tf.cast(tf.size(targets), loss.dtype)
        return loss / count, nll / count
