"""The softmax where no row is empty, or where empty rows are set to 0 afterwards."""

import keras
from keras import ops

from keras_attention.annotations import Tensor
from keras_attention.core.softmax import LOWEST, softmax


def visible_softmax(scores: Tensor, mask: Tensor | None = None) -> Tensor:
    """Turn scores into weights as `masked_softmax`, in one pass.

    Scores are finite at hidden keys too. A row whose query may attend to nothing gets
    weights that are finite and mean nothing: there must be none, or what is made of
    them is set to 0.
    """
    dtype = keras.backend.result_type(scores.dtype, "float32")
    scores = ops.cast(scores, dtype)
    if mask is not None:
        # Added, in float32: beside it a score is nothing, and the gradient needs no
        # pass of its own, as that of a choice does.
        zero, lowest = (ops.cast(number, dtype) for number in (0.0, LOWEST))
        scores = scores + ops.where(mask, zero, lowest)
    return softmax(scores)
