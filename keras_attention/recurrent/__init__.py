"""`AttentionRNN`: any Keras RNN cell with any attention, step by step."""

from keras_attention.recurrent.rnn import AttentionRNN

__all__ = ["AttentionRNN"]
