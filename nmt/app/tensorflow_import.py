"""TensorFlow without its chatter."""

import contextlib
import importlib.util
import os
import sys
import tempfile

from nmt.errors import UserError

NEEDED = {"tensorflow": "tensorflow", "tensorflow_text": "tensorflow-text"}
"""What has no build for some systems, which then do without: module and package."""


def import_tensorflow(device=None, *, whole_operations=False):
    """Import TensorFlow, and keep from the terminal what it writes meanwhile.

    Of a GPU it takes the memory that it needs, and not all.

    `TF_CPP_MIN_LOG_LEVEL` does not silence these lines since TensorFlow 2.17
    (tensorflow#100442): they go straight to the process' standard error. If the import
    fails they are shown, as they may say why.

    Args:
        device: `cpu`, `gpu` or `gpu:N`: what it may use. Default: all that there is.
        whole_operations: Whether each operation is done by one core. A `Translator`
            gives each core a batch of its own, and is faster so; so is the training of
            a small model.

    Raises:
        UserError: If TensorFlow or tensorflow-text is missing, another backend was
            chosen for Keras, Keras cannot be loaded, or there is no such device.
    """
    missing = [NEEDED[name] for name in NEEDED if not _is_there(name)]
    if missing:
        raise UserError(
            f"nmt needs {' and '.join(missing)}, not installed here. There are builds "
            "for Linux and for Macs with Apple silicon, for Python 3.11 to 3.13; on "
            "Windows use WSL. The layers of keras_attention work without."
        )
    backend = os.environ.get("KERAS_BACKEND") or "tensorflow"
    if backend != "tensorflow":
        raise UserError(
            f"KERAS_BACKEND is {backend!r}, but nmt runs on TensorFlow. Unset it, or "
            "set it to 'tensorflow'."
        )
    if "tensorflow" not in sys.modules:
        with _without_chatter(), _without_keras_json():
            _import_keras()
    _choose_device(device)
    if whole_operations:
        import tensorflow as tf

        # Too late where something was computed, as in a notebook.
        with contextlib.suppress(RuntimeError):
            tf.config.threading.set_intra_op_parallelism_threads(1)


def _choose_device(name):
    import tensorflow as tf

    gpus = tf.config.list_physical_devices("GPU")
    chosen = [] if name == "cpu" else gpus
    if name is not None and ":" in name:
        chosen = gpus[int(name.partition(":")[2]) :][:1]
    if name not in (None, "cpu") and not chosen:
        raise UserError(
            f"there is no device {name}: TensorFlow sees {len(gpus)} GPUs here. Leave "
            "--device out, or install TensorFlow with what it needs for your GPU."
        )
    if chosen != gpus:
        tf.config.set_visible_devices(chosen, "GPU")
    for gpu in chosen:
        tf.config.experimental.set_memory_growth(gpu, True)


@contextlib.contextmanager
def _without_chatter():
    """Keep what is written to standard error, and show it if something fails."""
    sys.stderr.flush()
    terminal = os.dup(2)
    with tempfile.TemporaryFile() as chatter:
        os.dup2(chatter.fileno(), 2)
        try:
            yield
        except Exception:
            chatter.seek(0)
            os.write(terminal, chatter.read())
            raise
        finally:
            os.dup2(terminal, 2)
            os.close(terminal)


@contextlib.contextmanager
def _without_keras_json():
    """Hide the user's `keras.json`, which is for other programs.

    It may name another backend or type of numbers, or hold what Keras cannot read.
    """
    before = os.environ.get("KERAS_HOME")
    with tempfile.TemporaryDirectory() as empty:
        os.environ["KERAS_HOME"] = empty
        try:
            yield
        finally:
            del os.environ["KERAS_HOME"]
            if before is not None:
                os.environ["KERAS_HOME"] = before


def _is_there(name):
    if name in sys.modules:
        return sys.modules[name] is not None
    return importlib.util.find_spec(name) is not None


def _import_keras():
    try:
        import keras  # noqa: F401
    # A variable such as KERAS_MAX_EPOCHS is not as it should be.
    except (AttributeError, OSError, TypeError, ValueError) as error:
        raise UserError(
            f"Keras cannot be loaded: {error}. Look at the environment variables that "
            "begin with KERAS."
        ) from None
