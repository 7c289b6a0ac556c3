"""`nmt serve`: show a model in the browser, or write pages of translations."""

from nmt.app import inputs
from nmt.app.lines import check_lengths
from nmt.app.options import (
    BEAM_SIZE,
    add_beam,
    add_command,
    add_model,
    add_texts,
    number,
)
from nmt.app.service import MAX_BEAMS
from nmt.errors import UserError

PORT = 8000


def add_parser(commands):
    """Add the command and its flags."""
    command = add_command(
        commands,
        "serve",
        run,
        "show a model in the browser: type, translate, see its attention",
        "A demonstration for this machine alone, until Ctrl-C stops it (exit status "
        "0). With --export it writes pages in place of that, of the sentences in TEXT, "
        "--input or standard input.",
    )
    add_model(command)
    command.add_argument(
        "--port",
        type=number(int, lambda n: 0 <= n < 65536, "a whole number from 0 to 65535"),
        metavar="N",
        help=f"port to listen on; 0: any free one (default: {PORT})",
    )
    add_beam(command, f", and at most {MAX_BEAMS} without --export")
    command.add_argument(
        "--export",
        metavar="DIR",
        help="folder for a page of each sentence, and an index.html; pages of an "
        "earlier export are replaced",
    )
    add_texts(command)


def run(args):
    """Do what the command does."""
    if args.export is not None:
        _export(args)
        return
    if args.texts or args.input is not None:
        raise UserError(
            "TEXT and --input are for --export. Leave them out and type on the "
            "page, or add --export DIR."
        )
    _serve(args)


def _export(args):
    if args.port is not None:
        raise UserError(
            "--port has no use with --export, which writes files. Change one of them."
        )
    from nmt.app.pages import check_replaceable, export

    out = inputs.output_folder(args.export, "--export")
    inputs.check_attention([args.model], "there is nothing to show.")
    lines = [line for line in inputs.open_lines(args) if not line.is_blank]
    if not lines:
        raise UserError("there is no sentence to write a page of.")
    check_replaceable(out, len(lines))
    translator = inputs.load_translator([args.model], args.device)
    check_lengths(translator, lines)
    texts = [line.texts[0] for line in lines]
    index = export(translator(texts, beam_size=args.beam or BEAM_SIZE), out)
    print(f"wrote {index}")


def _serve(args):
    from nmt.app.server import Server
    from nmt.app.service import Service

    beam_size = args.beam or BEAM_SIZE
    if beam_size > MAX_BEAMS:
        raise UserError(f"--beam must be at most {MAX_BEAMS} here. Got: {beam_size}.")
    inputs.check_attention([args.model], "there is nothing to show.")
    # First the port, which fails at once, then the model, which takes its time.
    with Server(PORT if args.port is None else args.port) as server:
        translator = inputs.load_translator([args.model], args.device)
        from nmt.app.local_page import local_page, payload

        corpus = inputs.load_config(args.model).corpus
        page, policy = local_page(corpus, args.model, beam_size)
        service = Service(translator, payload, beam_size)
        try:
            print(
                f"{server.url} shows {args.model}: a demonstration, for this machine "
                "alone. Ctrl-C stops it.",
                flush=True,
            )
            server.run(page, policy, service)
        except KeyboardInterrupt:
            service.stop()
    print("\nstopped")
