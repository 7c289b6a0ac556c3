"""What is printed, without the characters that a terminal would obey."""

import contextlib
import sys

LONGEST = 2000
"""Most characters of a message; the middle of a longer one is left out."""

_TURNS = (*range(0x202A, 0x202F), *range(0x2066, 0x206A))
"""Embeddings, overrides and isolates: they turn round whatever text follows."""
_SPELLED_OUT = {
    code: chr(code).encode("unicode_escape").decode()
    for code in (*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029, *_TURNS)
}


def printable(text: str, kept: str = "") -> str:
    """Spell out control characters, all but those that are kept."""
    if text.isprintable():
        return text
    spelled_out = {k: v for k, v in _SPELLED_OUT.items() if chr(k) not in kept}
    return text.translate(spelled_out)


def one_line(message) -> str:
    """Return a message, of whatever was typed or read, as one line to print."""
    line = printable(" ".join(str(message).split()))
    if len(line) > LONGEST:
        line = f"{line[: LONGEST // 2]} ... {line[-LONGEST // 2 :]}"
    return line


@contextlib.contextmanager
def guarded_terminals():
    """Let no text, a translation or the name of a file, give orders to a terminal.

    What goes elsewhere is left as it is.
    """
    with contextlib.ExitStack() as stack:
        if sys.stdout.isatty():
            out = _Guarded(sys.stdout, kept="\n\t")
            stack.enter_context(contextlib.redirect_stdout(out))
        if sys.stderr.isatty():  # progress bars go back to the start of their line
            err = _Guarded(sys.stderr, kept="\n\t\r")
            stack.enter_context(contextlib.redirect_stderr(err))
        yield


class _Guarded:
    """A stream to a terminal, whose text is made printable."""

    def __init__(self, stream, kept):
        self._stream = stream
        self._kept = kept

    def write(self, text):
        self._stream.write(printable(text, self._kept))
        return len(text)

    def __getattr__(self, name):
        return getattr(self._stream, name)
