"""Translation by an RNN decoder that attends: train, translate, score, draw.

The parts are loaded when they are used, so that `import nmt` does not wait for
TensorFlow.
"""

__all__ = ["Translation", "Translator", "UserError", "register_attention", "train"]


def __getattr__(name):
    if name in ("Translation", "Translator"):
        from nmt import translation

        return getattr(translation, name)
    if name == "UserError":
        from nmt.errors import UserError

        return UserError
    if name == "register_attention":
        from nmt.model import register_attention

        return register_attention
    if name == "train":
        from nmt.training import train

        return train
    raise AttributeError(f"module 'nmt' has no attribute {name!r}")


def __dir__():
    return sorted([*globals(), *__all__])
