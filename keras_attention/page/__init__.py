"""Weights as an interactive page: one HTML file that works offline."""

from keras_attention.page.html import attention_page
from keras_attention.page.view import AttentionView, attention_view

__all__ = ["AttentionView", "attention_page", "attention_view"]
