"""The translation model: encoder, decoder, attentions; several models together."""

from nmt.model.attentions import register_attention
from nmt.model.ensemble import Ensemble, models_of
from nmt.model.translation_model import TranslationModel

__all__ = ["Ensemble", "TranslationModel", "models_of", "register_attention"]
