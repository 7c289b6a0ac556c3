"""Pictures of where a model looks while it learns."""

import keras

import keras_attention as ka
from nmt.config import LONGEST
from nmt.errors import UserError

PICTURES_FOLDER = "pictures"


class Pictures(keras.callbacks.Callback):
    """Draws the attention in one sentence after each epoch, and a page of them all.

    Args:
        learner: `Learner`.
        translator: `Translator` of its model.
        text: `ParallelText`, whose first pair is drawn if no sentence is given.
        sentence: Text that is translated and drawn; `""` for none.
        out: Path of the folder.
        board: Path of a log folder for TensorBoard, which gets the pictures too;
            `None` for none.

    Raises:
        UserError: If the sentence is blank or too long.
    """

    def __init__(self, learner, translator, text, sentence, out, board=None):
        super().__init__()
        self.learner, self.translator = learner, translator
        self.sentence = sentence
        if sentence:
            _check_sentence(translator, sentence)
        else:
            self.pair = _first_pair(translator, text)
        self.pictures = ka.EpochPictures(out / PICTURES_FOLDER, board)

    def on_epoch_end(self, epoch, logs=None):
        """Draw."""
        self.pictures.add(epoch + 1, *self.learner.with_averages(self._words))

    def _words(self):
        if self.sentence:
            translation = self.translator(self.sentence, beam_size=1)
        else:
            (translation,) = self.translator.force(*self.pair)
        return translation.words()


def _first_pair(translator, text):
    """Return both sides, a list each, of the first pair whose source has pieces."""
    counts = translator.count_pieces(text.source)
    first = next((i for i, count in enumerate(counts) if count > 1), 0)
    return [side[first : first + 1] for side in text]


def _check_sentence(translator, sentence):
    (pieces,) = translator.count_pieces([sentence])
    if pieces == 1:
        raise UserError(
            f"The sentence to draw is blank: got {sentence!r}. Give a sentence."
        )
    if pieces > LONGEST:
        raise UserError(
            f"The sentence to draw has {pieces} pieces, its end included; at most "
            f"{LONGEST} are allowed. Give a shorter one."
        )
