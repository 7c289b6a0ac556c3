"""`nmt align`: which words of given pairs translate each other."""

import json
from collections.abc import Callable
from functools import partial
from itertools import chain
from typing import NamedTuple

from nmt.app import inputs
from nmt.app.forced import add_forced, force, print_pairs
from nmt.app.options import add_data, add_links, add_no_verify
from nmt.app.pictures import are_several, draw, picture_path
from nmt.errors import UserError
from nmt.translation import CHUNK, chunks


class Aligned(NamedTuple):
    """A pair, its links, and what draws them: a function of a path."""

    source: str
    target: str
    links: list[tuple[int, int]]
    plot: Callable


def add_parser(commands):
    """Add the command and its flags."""
    command = add_forced(
        commands,
        "align",
        run,
        "link the words of sentences to those of given translations",
        "Prints links such as 0-0 1-2 (Pharaoh's form): 1-2 is word 1 of the sentence "
        "and word 2 of its translation, counted from 0. Words are what blanks "
        "separate in the text as it was given. --links best learns from the pairs too "
        "before it links them: from those of files all at once, or in parts where they "
        f"are very many; from those of standard input {CHUNK} at a time.",
        "source, target, source_words, target_words, links",
    )
    add_links(command)
    command.add_argument(
        "--plot",
        metavar="FILE",
        help="draw the attention, or how sure the best links are: .png, .svg, .pdf or "
        ".html (the interactive page), FILE-1, FILE-2 ... of several",
    )
    add_data(command)
    add_no_verify(command)


def run(args):
    """Do what the command does."""
    if args.links == "best" and args.batch_size:
        raise UserError("--batch-size has no use with --links best. Leave it out.")
    if args.links == "best" and len(args.models) > 1:
        raise UserError(
            "--links best learns from the text of one model. Give one --model."
        )
    if args.links != "best" and (args.data is not None or not args.verify):
        raise UserError(
            "--data and --no-verify are for the text that --links best learns from. "
            "Leave them out, or give --links best too."
        )
    picture = None if args.plot is None else picture_path(args.plot)
    pairs = inputs.open_pairs(args)
    if args.links == "attention":
        inputs.check_attention(args.models, "it links no words. Add --links best.")
        work = _by_attention
    else:
        lines = chain.from_iterable(pairs)
        # Links rest on all pairs of a part, which must not depend on when lines arrive.
        pairs = chunks(lines) if args.source_file is None else [list(lines)]
        work = partial(_by_learnt_links, inputs.open_aligner(args))
    several = False
    if picture:
        pairs = list(pairs)
        several = are_several(pairs)
    as_line = _as_json if args.json else _as_text

    def show(line, result):
        if picture and result is not None:
            draw(result, picture, line.number if several else None)
        return as_line(result)

    return print_pairs(args, pairs, show, work)


def _by_attention(translator, *texts_and_size):
    return [
        Aligned(each.source, each.text, translator.links(each), each.plot)
        for each in force(translator, *texts_and_size)
    ]


def _by_learnt_links(aligner, _, sources, targets, batch_size):
    from nmt.text import split_words
    from nmt.translation import draw_weights

    pairs = list(zip(sources, targets, strict=True))
    linked = aligner.link([tuple(map(split_words, pair)) for pair in pairs])
    return [
        Aligned(
            *pair,
            each.links,
            partial(
                draw_weights,
                each.probabilities,
                each.source_words,
                each.target_words,
                pair[0],
                label="probability of a link, 0 to 1",
            ),
        )
        for pair, each in zip(pairs, linked, strict=True)
    ]


def _as_text(result):
    if result is None:
        return ""
    return " ".join(f"{source}-{target}" for source, target in result.links)


def _as_json(result):
    from nmt.text import split_words

    names = ("source_words", "target_words", "links")
    values = {"source": "", "target": "", **{name: [] for name in names}}
    if result is not None:
        values = {
            "source": result.source,
            "target": result.target,
            "source_words": split_words(result.source),
            "target_words": split_words(result.target),
            "links": result.links,
        }
    return json.dumps(values, ensure_ascii=False)
