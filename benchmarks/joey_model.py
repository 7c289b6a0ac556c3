"""A model of Joey NMT, of the size of ours; for the Python that has Joey NMT."""

import os
from types import SimpleNamespace

import torch
from joeynmt.model import build_model
from joeynmt.vocabulary import Vocabulary

PAD, START, END = 1, 2, 3


def make_model(size, pieces, dropout=0.0, **shared):
    """Return a recurrent model with Bahdanau's attention; it uses the cores of ours.

    Args:
        size: Int. Size of embeddings and states.
        pieces: Int. Size of the vocabulary.
        dropout: Float. Share of embeddings and outputs.
        **shared: Settings of the model, such as `tied_softmax`.
    """
    torch.set_num_threads(int(os.environ["CORES"]))  # set by `search.in_turns`
    special = {"pad_token": "<pad>", "unk_token": "<unk>"}
    special |= {"bos_token": "<s>", "eos_token": "</s>", "sep_token": None}
    ids = {"unk_id": 0, "pad_id": PAD, "bos_id": START, "eos_id": END}
    words = [f"w{i}" for i in range(pieces - 4)]
    vocabulary = Vocabulary(
        words, SimpleNamespace(**special, **ids, lang_tags=[], sep_id=None)
    )
    part = {
        "rnn_type": "gru",
        "embeddings": {"embedding_dim": size},
        "hidden_size": size,
        "num_layers": 1,
        "dropout": dropout,
        "type": "recurrent",
    }
    decoder = {**part, "attention": "bahdanau", "init_hidden": "bridge"}
    settings = {"encoder": {**part, "bidirectional": True}, "decoder": decoder}
    model = build_model({**settings, **shared}, vocabulary, vocabulary)
    model.log_parameters_list = lambda: None
    return model
