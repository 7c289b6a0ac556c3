"""TensorFlow without its chatter."""

import contextlib
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
        UserError: If another backend was chosen for Keras, or its settings are broken.
    """
    backend = os.environ.get("KERAS_BACKEND") or "tensorflow"
    if backend != "tensorflow":
        raise UserError(
            f"KERAS_BACKEND is {backend!r}, but nmt runs on TensorFlow. Unset it, or "
            "set it to 'tensorflow'."
        )
    if "tensorflow" in sys.modules:
        return
    with _without_chatter():
        _import_keras()


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


def _import_keras():
    """Import Keras, and TensorFlow with it, for models of float32.

    What its settings say of that, keras.json, is for the user's own programs.
    """
    os.environ["KERAS_BACKEND"] = "tensorflow"  # goes before keras.json
    try:
        import keras
    # What is in keras.json, and in variables such as KERAS_MAX_EPOCHS, is not as it
    # should be.
    except (AttributeError, OSError, TypeError, ValueError) as error:
        home = os.environ.get("KERAS_HOME") or "~/.keras"
        raise UserError(
            f"Keras cannot be loaded: {error}. Mend or delete its settings, keras.json "
            f"in {home}, and look at the environment variables that begin with KERAS."
        ) from None
    keras.config.set_floatx("float32")
