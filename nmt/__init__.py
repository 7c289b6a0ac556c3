"""Translation by an RNN decoder that attends: train, translate, score, look.

The parts are loaded when they are used, so that `import nmt` does not wait for
TensorFlow.
"""

__all__ = ["Translation", "Translator", "UserError"]


def __getattr__(name):
    if name in ("Translation", "Translator"):
        from nmt import translation

        return getattr(translation, name)
    if name == "UserError":
        from nmt.errors import UserError

        return UserError
    raise AttributeError(f"module 'nmt' has no attribute {name!r}")


def __dir__():
    return sorted([*globals(), *__all__])
