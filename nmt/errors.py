"""The one exception that means: the user can mend this; characters to keep out."""

import unicodedata


class UserError(Exception):
    """Bad use or bad input, told in one line: what was got, what was expected.

    The command line prints the message without a traceback and ends with status 2.
    """


def has_controls(text) -> bool:
    """Say whether a text has characters that lead a terminal, or are no text at all.

    The latter are surrogates, which JSON can spell and no file can hold.
    """
    return any(unicodedata.category(character) in ("Cc", "Cs") for character in text)
