"""`nmt corpora`: list the corpora."""

from nmt.app.options import add_command, add_data
from nmt.corpora import catalogue

HEADINGS = ("CORPUS", "TEXT", "LANGUAGES", "PAIRS", "SIZE", "ON DISK")


def add_parser(commands):
    """Add the command and its flags."""
    command = add_command(
        commands, "corpora", run, "list the corpora, and what of them is on disk"
    )
    add_data(command)


def run(args):
    """Do what the command does."""
    entries = catalogue(args.data)
    rows = [HEADINGS, *map(_row, entries)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        print("  ".join(cells).rstrip())
    for name, terms, url in dict.fromkeys((e.name, e.terms, e.url) for e in entries):
        print(f"\n{name}: {terms}", *([f"  {url}"] if url else []), sep="\n")


def _row(entry):
    files = f"{len(entry.on_disk)} of {len(entry.files)} files"
    return (
        entry.name,
        entry.text,
        " ".join(entry.languages),
        f"{sum(entry.lines.values()):,}",
        f"{entry.size / 1e6:.1f} MB" if entry.files else "-",
        files if entry.files else "built in",
    )
