"""TensorFlow without its chatter, and Keras without the settings of other programs."""

import contextlib
import os
import sys
import tempfile

from nmt.errors import UserError


def import_tensorflow():
    """Import TensorFlow and Keras, without what they write to the terminal meanwhile.

    `TF_CPP_MIN_LOG_LEVEL` does not silence these lines since TensorFlow 2.17
    (tensorflow#100442): they go straight to the process' standard error. If the import
    fails they are shown, as they may say why.

    Raises:
        UserError: If another backend was chosen for Keras by `KERAS_BACKEND`.
    """
    backend = os.environ.get("KERAS_BACKEND") or "tensorflow"
    if backend != "tensorflow":
        raise UserError(
            f"KERAS_BACKEND is {backend!r}, but nmt runs on TensorFlow. Unset it, or "
            "set it to 'tensorflow'."
        )
    if "tensorflow" in sys.modules:
        return
    sys.stderr.flush()
    terminal = os.dup(2)
    with tempfile.TemporaryFile() as chatter, _without_keras_json():
        os.dup2(chatter.fileno(), 2)
        try:
            import keras  # noqa: F401
            import tensorflow  # noqa: F401
        except Exception:
            chatter.seek(0)
            os.write(terminal, chatter.read())
            raise
        finally:
            os.dup2(terminal, 2)
            os.close(terminal)


@contextlib.contextmanager
def _without_keras_json():
    """Hide the user's `keras.json`, which may name another backend or type of numbers.

    Both read it when they are imported, and fail where it holds something else.
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
