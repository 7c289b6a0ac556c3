"""Attention while a model is trained: a picture for each epoch, and a page."""

import io
import json
import re
import warnings
from collections.abc import Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import ArrayLike

from keras_attention.annotations import Tensor
from keras_attention.files import write_whole
from keras_attention.page import AttentionView, attention_view
from keras_attention.plots import DPI, plot_attention, plot_attention_heads, save_figure
from keras_attention.recording.record import record_attention
from keras_attention.recording.tensorboard import EventFile

INDEX = "index.html"
TAG = "attention"


class EpochPictures:
    """A folder of pictures of one example, one for each epoch, and a page of them all.

    For each epoch the folder gets `epoch-001.svg`, the picture, and `epoch-001.npz`,
    its numbers; `index.html` is a page with a slider over the epochs. A training that
    goes on later adds to what is there. One that begins anew writes over it: the page
    shows the epochs up to the one written last.

    Args:
        folder: Path of the folder, made when the first picture is written.
        log_dir: Path of a TensorBoard log folder, which gets the pictures too.
            Default: none.

    Example:
        ```python
        pictures = EpochPictures("pictures")
        pictures.add(1, [[0.5, 0.5]], ["a", "dog"], ["Hund"])
        pictures.add(2, [[0.1, 0.9]], ["a", "dog"], ["Hund"])
        ```
    """

    def __init__(
        self,
        folder: str | PathLike[str],
        log_dir: str | PathLike[str] | None = None,
    ) -> None:
        self.folder = Path(folder)
        self._events = None if log_dir is None else EventFile(log_dir)

    def add(
        self,
        epoch: int,
        weights: ArrayLike | Mapping[str, ArrayLike],
        source: Sequence[str],
        target: Sequence[str] | None = None,
    ) -> None:
        """Write the picture of an epoch, and the page anew.

        Args:
            epoch: Positive int.
            weights: Shape `(T, S)` or `(H, T, S)`, or a dict of such by the name of
                the layer. The page shows all layers, the picture the last one.
            source: `S` strings, the words attended to.
            target: `T` strings, the words that attend. Default: `source`.

        Raises:
            ValueError: If `epoch` is no positive int, or as `attention_view`.
        """
        if isinstance(epoch, bool) or not isinstance(epoch, int) or epoch < 1:
            raise ValueError(
                f"`epoch` must be a positive int. Received: epoch={epoch!r}."
            )
        target = source if target is None else target
        if not isinstance(weights, Mapping):
            weights = {TAG: weights}
        attention_view(weights, source, target)  # raises before a file is written
        stem = self.folder / f"epoch-{epoch:03d}"
        _save_numbers(stem.with_suffix(".npz"), weights, source, target)
        from keras_attention.plots import figures_for_files, render

        with figures_for_files():
            figure = _draw(weights, source, target)
        save_figure(figure, stem.with_suffix(".svg"))
        if self._events is not None:
            self._events.add_image(TAG, render(figure, "png", DPI), epoch)
        self._write_page(epoch)

    def _write_page(self, last):
        numbers = {}
        for path in self.folder.glob("epoch-*.npz"):
            match = re.fullmatch(r"epoch-(\d+)", path.stem)
            if match and int(match[1]) <= last:
                numbers[int(match[1])] = path
        views = {
            epoch: attention_view(*_load_numbers(path))
            for epoch, path in sorted(numbers.items())
        }
        title = (
            f"Attention after {last} epochs" if last > 1 else "Attention after 1 epoch"
        )
        page = AttentionView.join(views, title=title, frame_name="epoch")
        page.save(self.folder / INDEX)


class AttentionCallback(keras.callbacks.Callback):
    """Draws the weights of one example after every epoch of training.

    Works with any model whose attention `record_attention` can read, on every backend.
    The model runs once more on the example, not in training mode: its weights, losses
    and random numbers are those that it would have without.

    Args:
        inputs: The example, as the model is called on it: an array, or a list or dict
            of arrays, each with a batch axis of 1.
        source: `S` strings, the words attended to.
        target: `T` strings, the words that attend. Default: `source`.
        folder: Path of the folder for the pictures and the page, see `EpochPictures`.
        layer: Str, the name of one attention as `record_attention` gives it. Default:
            all whose weights have `T` rows and `S` columns; the page shows them all,
            the pictures the last one.
        log_dir: Path of a TensorBoard log folder, which gets the pictures too; neither
            TensorFlow nor TensorBoard is needed to write there. Default: none.

    Raises:
        ValueError: If `inputs` are not one example; when training begins, if `layer`
            is none of the model's, or no weights fit the words.

    Example:
        ```python
        tokens = keras.Input((3,), dtype="int32")
        x = keras.layers.Embedding(9, 4)(tokens)
        x = keras.layers.MultiHeadAttention(2, 4)(x, x)
        model = keras.Model(tokens, keras.layers.Dense(1)(x))
        example = keras.ops.array([[4, 2, 7]])
        pictures = AttentionCallback(example, ["a", "small", "dog"], folder="pictures")
        # model.compile(...); model.fit(..., callbacks=[pictures])
        ```
    """

    def __init__(
        self,
        inputs: Tensor | Sequence[Tensor] | dict[str, Tensor],
        source: Sequence[str],
        target: Sequence[str] | None = None,
        *,
        folder: str | PathLike[str],
        layer: str | None = None,
        log_dir: str | PathLike[str] | None = None,
    ) -> None:
        super().__init__()
        shapes = [np.shape(each) for each in keras.tree.flatten(inputs)]
        if not shapes or any(shape[:1] != (1,) for shape in shapes):
            raise ValueError(
                "`inputs` must be one example, with a batch axis of 1. Received: "
                f"arrays of shapes {shapes}. Pick one, such as x[:1]."
            )
        self.inputs = inputs
        self.source = list(source)
        self.target = self.source if target is None else list(target)
        self.layer = layer
        self.pictures = EpochPictures(folder, log_dir)

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Find out before the first epoch whether there is something to draw."""
        self._weights()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Draw; weights that are no numbers are told of, and end no training."""
        weights = self._weights()
        if not all(np.isfinite(each).all() for each in weights.values()):
            warnings.warn(
                f"The attention of epoch {epoch + 1} is not drawn: weights are NaN.",
                stacklevel=2,
            )
            return
        self.pictures.add(epoch + 1, weights, self.source, self.target)

    def _weights(self):
        """The weights to be drawn, `(H, T, S)` by the name of the layer."""
        with record_attention(self.model) as record:
            self.model(self.inputs, training=False)
        if self.layer is not None and self.layer not in record:
            raise ValueError(
                f"`layer` must be one of {', '.join(map(repr, record))}. "
                f"Received: layer={self.layer!r}."
            )
        names = list(record) if self.layer is None else [self.layer]
        weights = {name: record[name][0] for name in names}
        words = (len(self.target), len(self.source))
        fitting = {n: each for n, each in weights.items() if each.shape[1:] == words}
        if not fitting:
            shapes = {name: each.shape[1:] for name, each in weights.items()}
            raise ValueError(
                "`target` and `source` must have as many words as the weights have "
                f"rows and columns. Received: {words[0]} target and {words[1]} source "
                f"words, for weights of shapes {shapes}."
            )
        return fitting


def _draw(weights, source, target):
    heads = np.asarray(list(weights.values())[-1])
    if heads.ndim == 2 or len(heads) == 1:
        return plot_attention(heads.reshape(heads.shape[-2:]), source, target).figure
    return plot_attention_heads(heads, source, target).flat[0].figure


def _save_numbers(path, weights, source, target):
    words = {"source": list(map(str, source)), "target": list(map(str, target))}
    arrays: dict[str, Any] = {
        f"layer {name}": np.asarray(each, "float32") for name, each in weights.items()
    }
    file = io.BytesIO()
    np.savez_compressed(file, words=np.array(json.dumps(words)), **arrays)
    write_whole(path, file.getvalue())


def _load_numbers(path):
    with np.load(path, allow_pickle=False) as arrays:
        words = json.loads(str(arrays["words"]))
        layers = {
            name.removeprefix("layer "): arrays[name]
            for name in arrays
            if name != "words"
        }
    return layers, words["source"], words["target"]
