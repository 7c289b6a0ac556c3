"""The translation model: encoder, decoder, and the attentions it can have."""

from nmt.model.attentions import register_attention
from nmt.model.ensemble import Ensemble
from nmt.model.translation_model import TranslationModel

__all__ = ["Ensemble", "TranslationModel", "register_attention"]
