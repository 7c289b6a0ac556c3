"""Errors of the system, out of those that TensorFlow makes of them."""

import contextlib
import errno
import os

import tensorflow as tf


@contextlib.contextmanager
def errors_of_the_system(path=None):
    """Raise as `OSError` what TensorFlow cannot write: it has errors of its own.

    Their message ends as the one of the system; a full disk and a full memory differ in
    nothing else.

    Args:
        path: What is written, for the error.
    """
    try:
        yield
    except tf.errors.OpError as error:
        for number in errno.errorcode:
            if f"; {os.strerror(number)}" in error.message:
                where = [] if path is None else [os.fspath(path)]
                raise OSError(number, os.strerror(number), *where) from error
        raise
