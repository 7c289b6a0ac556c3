"""TensorFlow without its chatter."""

import os
import sys
import tempfile

from nmt.errors import UserError


def import_tensorflow():
    """Import TensorFlow, and keep from the terminal what it writes meanwhile.

    `TF_CPP_MIN_LOG_LEVEL` does not silence these lines since TensorFlow 2.17
    (tensorflow#100442): they go straight to the process' standard error. If the import
    fails they are shown, as they may say why.

    Raises:
        UserError: If another backend was chosen for Keras by `KERAS_BACKEND`, or
            what its `keras.json` says is no setting of Keras.
    """
    backend = os.environ.get("KERAS_BACKEND") or "tensorflow"
    if backend != "tensorflow":
        raise UserError(
            f"KERAS_BACKEND is {backend!r}, but nmt runs on TensorFlow. Unset it, or "
            "set it to 'tensorflow'."
        )
    # They come before what keras.json says, which is for the user's own programs.
    os.environ["KERAS_BACKEND"] = backend
    if "tensorflow" not in sys.modules:
        _import_quietly()
    try:
        import keras
    except (ValueError, TypeError, AttributeError) as error:
        folder = os.environ.get("KERAS_HOME", "~/.keras")
        raise UserError(
            f"Keras does not start: {error} Look at keras.json in {folder}."
        ) from None
    keras.config.set_floatx("float32")


def _import_quietly():
    sys.stderr.flush()
    terminal = os.dup(2)
    with tempfile.TemporaryFile() as chatter:
        os.dup2(chatter.fileno(), 2)
        try:
            import tensorflow  # noqa: F401
        except Exception:
            chatter.seek(0)
            os.write(terminal, chatter.read())
            raise
        finally:
            os.dup2(terminal, 2)
            os.close(terminal)
