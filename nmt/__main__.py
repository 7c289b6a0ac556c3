"""Lets `python -m nmt` do what the command `nmt` does."""

import sys

from nmt.app.cli import main

if __name__ == "__main__":
    sys.exit(main())
