"""`nmt translate`: one line out per line in, and pictures of the attention."""

import sys

from nmt.app import inputs
from nmt.app.doubts import Doubts
from nmt.app.lines import Worker
from nmt.app.options import (
    BEAM_SIZE,
    add_batch_size,
    add_beam,
    add_command,
    add_data,
    add_models,
    add_no_verify,
    add_on_error,
    add_penalties,
    add_texts,
    number,
    positive,
    whole,
)
from nmt.app.pictures import are_several, draw, picture_path
from nmt.app.shortlists import add_shortlist, use_shortlist
from nmt.config import LONGEST
from nmt.errors import UserError
from nmt.translation import (
    CHUNK,
    HYPOTHESES,
    check_utf8,
    chunks,
    format_result,
    most_pieces,
)

MOST = 2 * LONGEST
"""Most pieces that a translation can be made to have."""

TERMINAL = "-"
"""What `--plot` says for a picture in the terminal."""


def add_parser(commands):
    """Add the command and its flags."""
    command = add_command(
        commands,
        "translate",
        run,
        "translate text: one line out per line in",
        "Without TEXT and --input, standard input is translated as it comes. At the "
        "end lines that may be far from what the model knows are named: those with "
        "unknown characters, or with a score below -1 a word.",
    )
    add_models(command)
    add_texts(command)
    add_on_error(command)
    _add_search(command.add_argument_group("search"))
    _add_sampling(command.add_argument_group("sampling"))
    _add_sizes(command.add_argument_group("sizes"))
    _add_output(command.add_argument_group("output"))


def _add_search(group):
    add_beam(group)
    group.add_argument(
        "--prefix",
        metavar="TEXT",
        help="how the translations have to begin",
    )
    add_penalties(group)
    add_shortlist(group)
    add_data(group)
    add_no_verify(group)


def _add_sizes(group):
    for name, what in (("min", "least"), ("max", "most")):
        group.add_argument(
            f"--{name}-length",
            type=whole(1, MOST),
            metavar="N",
            help=f"{what} pieces of a translation, the end included, 1 to {MOST} "
            + ("(default: 1)" if name == "min" else "(default: 10 + 2 x the source's)"),
        )
    add_batch_size(group, f"{HYPOTHESES} / beams; 64 with --sample")


def _add_sampling(group):
    group.add_argument(
        "--sample", action="store_true", help="draw the words in place of a search"
    )
    group.add_argument(
        "--temperature",
        type=number(float, lambda x: 0 < x <= 1000, "a number above 0, to 1000"),
        metavar="X",
        help="below 1 likelier words, above 1 stranger ones (default: 1)",
    )
    group.add_argument(
        "--top-k",
        type=positive,
        metavar="N",
        help="draw from the likeliest N pieces alone",
    )
    group.add_argument(
        "--seed",
        type=int,
        metavar="N",
        help="with --sample: the same seed draws the same words",
    )


def _add_output(group):
    group.add_argument(
        "--n-best",
        type=positive,
        default=1,
        metavar="N",
        help="translations of each sentence, at most as many as beams: lines of "
        "sentence number TAB score TAB translation; some may be one text in other "
        "pieces",
    )
    group.add_argument(
        "--json",
        action="store_true",
        help="print an object a line: source, text, score, tokens, attention weights, "
        "and doubts (why the source may be far from what the model knows)",
    )
    group.add_argument(
        "--plot",
        metavar="FILE",
        help="draw the attention: .png, .svg, .pdf or .html (the interactive page), "
        "FILE-1, FILE-2 ... of several; -: in the terminal",
    )


def run(args):
    """Do what the command does."""
    from tqdm import tqdm

    search = _search(args)
    picture = None if args.plot in (None, TERMINAL) else picture_path(args.plot)
    if args.plot == TERMINAL and args.json:
        raise UserError(
            "--plot - and --json both write where the translations go. "
            "Leave one of them out."
        )
    if not args.shortlist and (args.data is not None or not args.verify):
        raise UserError(
            "--data and --no-verify are for the text that --shortlist learns from. "
            "Leave them out, or give --shortlist N too."
        )
    batches = inputs.open_stream(args)
    several = False
    if args.seed is not None:
        # The same seed gives the same samples only if batches do not depend on when
        # lines arrive.
        batches = chunks(line for batch in batches for line in batch)
    if picture:
        batches = list(batches)
        # Pictures are numbered if there are several.
        several = are_several(batches)
    if args.plot is not None:
        inputs.check_attention(
            args.models, "there is nothing to draw. Leave --plot out."
        )
    translator = inputs.load_translator(args.models, args.device)
    if args.shortlist:
        use_shortlist(translator, args.models[0], args.data, args.verify)
    # Where translations appear on the terminal, they show the progress themselves.
    hidden = True if sys.stdout.isatty() or args.texts else None
    doubts = Doubts()

    def translate(texts):
        results = translator(texts, **search)
        if "seed" in search:
            search["seed"] += CHUNK  # other samples for the next lines
        return results

    worker = Worker(translator, translate, args.on_error, _weights(args, translator))
    try:
        with tqdm(unit=" sentences", disable=hidden, leave=False) as bar:
            for batch in batches:
                for line, result in worker.results(batch):
                    print(format_result(result, line.number, args.n_best, args.json))
                    if result is None:
                        continue
                    best = result if args.n_best == 1 else result[0]
                    doubts.add(line.number, best)
                    if args.plot == TERMINAL:
                        print(best.blocks())
                    elif picture:
                        draw(best, picture, line.number if several else None)
                sys.stdout.flush()
                bar.update(len(batch))
    finally:  # also of the lines before the one that ends it
        doubts.tell()
        worker.tell()
    return worker.status()


def _weights(args, translator):
    """Return how many attention weights the results of a line have at most."""
    (beginning,) = translator.count_pieces([args.prefix or ""], "target")
    sizes = (args.min_length or 0, args.max_length, beginning)
    return lambda pieces: args.n_best * pieces * most_pieces(pieces, *sizes)


def _search(args):
    """Return the options of the search that were given, once they make sense."""
    values = {
        "beam_size": args.beam,
        "length_penalty": args.length_penalty,
        "coverage_penalty": args.coverage_penalty,
        "n_best": args.n_best if args.n_best > 1 else None,
    }
    unused = {
        "temperature": args.temperature,
        "top_k": args.top_k,
        "seed": args.seed,
    }
    reason = "needs --sample"
    if args.sample:
        values, unused = {"sample": True, **unused}, values
        reason = "has no use with --sample, which draws in place of a search"
    for name, value in unused.items():
        if value is not None:
            flag = {"beam_size": "beam"}.get(name, name).replace("_", "-")
            raise UserError(f"--{flag} {reason}. Change one of them.")
    beams = args.beam or BEAM_SIZE
    if args.n_best > beams:
        raise UserError(
            f"--n-best must be at most --beam. Got --n-best {args.n_best} and "
            f"--beam {beams}."
        )
    if args.prefix is not None:
        check_utf8(args.prefix, "--prefix")
    least, most = args.min_length or 1, args.max_length or MOST
    if least > most:
        raise UserError(
            f"--min-length must be at most --max-length. Got --min-length {least} and "
            f"--max-length {most}."
        )
    values |= {
        "prefix": args.prefix,
        "min_length": args.min_length,
        "max_length": args.max_length,
        "batch_size": args.batch_size,
        "shortlist": args.shortlist,
    }
    return {name: value for name, value in values.items() if value is not None}
