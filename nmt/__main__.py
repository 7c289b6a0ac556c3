"""Lets `python -m nmt` do what the command `nmt` does."""

import sys

from nmt.app import main

if __name__ == "__main__":
    sys.exit(main())
