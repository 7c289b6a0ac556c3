"""The blocks of code in a text of Markdown, and a process of their own to run them."""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def python_blocks(text):
    """Give the code of each block marked as Python, in order."""
    return re.findall(r"```python\n(.*?)```", text, re.S)


def run_apart(program, folder):
    """Run a program in a process and a folder of its own; give what ended."""
    return subprocess.run(
        [sys.executable, "-c", program],
        timeout=300,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
