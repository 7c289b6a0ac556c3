"""`nmt align`: which words of given pairs translate each other."""

import json

from nmt.app import inputs
from nmt.app.forced import add_forced, print_forced


def add_parser(commands):
    """Add the command and its flags."""
    add_forced(
        commands,
        "align",
        run,
        "link the words of sentences to those of given translations",
        "Prints links such as 0-0 1-2 (Pharaoh's form): 1-2 is word 1 of the sentence "
        "and word 2 of its translation, counted from 0. Words are what blanks "
        "separate in the text as it was given; each word of the translation is linked "
        "to the one that it attends to most.",
        "source, target, source_words, target_words, links",
    )


def run(args):
    """Do what the command does."""
    pairs = inputs.open_pairs(args)
    inputs.check_attention(args.models, "it links no words.")
    return print_forced(args, pairs, _as_json if args.json else _as_text)


def _as_text(result, translator):
    if result is None:
        return ""
    return " ".join(f"{source}-{target}" for source, target in translator.links(result))


def _as_json(result, translator):
    from nmt.text import split_words

    names = ("source_words", "target_words", "links")
    values = {"source": "", "target": "", **{name: [] for name in names}}
    if result is not None:
        values = {
            "source": result.source,
            "target": result.text,
            "source_words": split_words(result.source),
            "target_words": split_words(result.text),
            "links": translator.links(result),
        }
    return json.dumps(values, ensure_ascii=False)
