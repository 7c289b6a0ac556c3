"""The first place of `nmt.register_attention`, for scripts that import it here."""

from nmt.model import register_attention

__all__ = ["register_attention"]
