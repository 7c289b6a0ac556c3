"""The program: the command line, the demo, the local page."""

from nmt.app.cli import main

__all__ = ["main"]
