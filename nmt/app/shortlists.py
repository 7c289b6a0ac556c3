"""The shortlist of a model: read from its folder, or learnt from its training text."""

import sys
from types import SimpleNamespace

from nmt.app import inputs
from nmt.app.options import LARGEST, whole


def add_shortlist(group):
    """Add `--shortlist`."""
    group.add_argument(
        "--shortlist",
        type=whole(100, LARGEST),
        metavar="N",
        help="search among N pieces alone, chosen for each batch from its sources: "
        "faster, at some risk to rare words, and scores are those among these pieces; "
        "learnt from the training text the first time (default: all pieces)",
    )


def use_shortlist(translator, folder, data=None, verify=True):
    """Give a translator the shortlist of its folder; learn it if there is none.

    Args:
        translator: `Translator`.
        folder: Folder of its (first) model.
        data: Folder of the corpora.
        verify: Whether a corpus has to have its checksum.

    Raises:
        UserError: If it is broken, or the training text is not at hand.
    """
    from nmt.translation import Shortlist

    found = Shortlist.load(folder, translator.vocabulary)
    if found is None:
        found = _learn(translator.vocabulary, folder, data, verify)
        try:
            found.save(folder, translator.vocabulary)
        except OSError as error:
            print(f"{folder}: shortlist not kept: {error.strerror}", file=sys.stderr)
    translator.shortlist = found


def _learn(vocabulary, folder, data, verify):
    from nmt.translation import Shortlist

    args = SimpleNamespace(data=data, verify=verify)
    corpus = inputs.open_corpus_of(folder, args, "Leave --shortlist out")
    text = corpus.splits["train"]
    print(f"learning a shortlist from {len(text.source):,} pairs", file=sys.stderr)
    return Shortlist.learn(*map(vocabulary.ids, text), len(vocabulary))
