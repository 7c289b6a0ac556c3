"""The one exception that means: the user can mend this."""


class UserError(Exception):
    """Bad use or bad input, told in one line: what was got, what was expected.

    The command line prints the message without a traceback and ends with status 2.
    """
