"""`nmt demo`: train on the phrase book, and show what was learnt."""

from nmt.app.inputs import output_folder
from nmt.app.options import add_command
from nmt.app.tensorflow_import import import_tensorflow


def add_parser(commands):
    """Add the command and its flags."""
    command = add_command(
        commands,
        "demo",
        run,
        "train on the built-in phrase book and show what it learns, in a few minutes",
        resumes=True,
    )
    command.add_argument(
        "--out", default="demo", metavar="DIR", help="folder made (default: demo)"
    )


def run(args):
    """Do what the command does."""
    out = output_folder(args.out, "--out")
    # Its models are small: cores that share an operation wait more than they work.
    import_tensorflow(whole_operations=True)
    from nmt.app import demo

    demo.run(out)
