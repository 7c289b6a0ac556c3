"""`nmt export`: a model for programs that know nothing of this one."""

import sys

from nmt.app import inputs
from nmt.app.options import BEAM_SIZE, add_beam, add_command, add_models
from nmt.translation import check_utf8


def add_parser(commands):
    """Add the command and its flags."""
    command = add_command(
        commands,
        "export",
        run,
        "save a model as a program of its own, for TensorFlow Serving and others",
        "The SavedModel takes strings and gives strings; tensorflow and "
        "tensorflow_text are all that it needs. Each export is a new version: a folder "
        "named by the next number.",
    )
    add_models(command)
    command.add_argument(
        "--out",
        required=True,
        metavar="DIR",
        help="folder of the versions of this model",
    )
    add_beam(command)


def run(args):
    """Do what the command does."""
    folder = inputs.output_folder(args.out, "--out")
    check_utf8(args.out, "--out")  # as TensorFlow wants it
    config = inputs.load_config(args.models[0])
    translator = inputs.load_translator(args.models, args.device)
    from nmt.translation import export_model

    path = export_model(translator, folder, args.beam or BEAM_SIZE)
    print(path)
    form = "as plain text"
    if config.corpus.text == "tok":
        form = "in the form of --text tok: small letters, punctuation set apart"
    print(
        f"Takes {config.corpus.source} and gives {config.corpus.target}, {form}. Load "
        "it by tensorflow, after tensorflow_text; it has the signatures "
        "serving_default and translate.",
        file=sys.stderr,
    )
