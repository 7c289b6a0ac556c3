"""The program: the command line, the demo, the local page. No other room uses it."""
