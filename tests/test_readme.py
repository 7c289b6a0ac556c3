import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """The folder in which the examples ran: the first by itself, then the others."""
    folder = tmp_path_factory.mktemp("readme")
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.S)
    check = """
assert weights.shape == (1, 3, 4)
assert float(weights.numpy()[0, :, 3].sum()) == 0
"""
    # What needs a trained model is run by the demo's test.
    rest = [block for block in blocks[1:] if "nmt" not in block]
    assert len(rest) == 2
    # Each in names of its own; a process would import TensorFlow once more.
    program = "".join(
        f"exec({code!r}, {{}})\n" for code in (blocks[0] + check, "\n".join(rest))
    )
    subprocess.run(
        [sys.executable, "-c", program],
        check=True,
        timeout=300,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    return folder


def test_the_first_example_runs(ran):
    assert (ran / "weights.svg").stat().st_size > 1000


def test_the_other_examples_run(ran):
    assert (ran / "attention.html").stat().st_size > 10_000


def test_every_picture_and_page_it_names_is_there():
    text = (ROOT / "README.md").read_text()
    for name in re.findall(r"\]\(([^)#:]+)\)", text):
        assert (ROOT / name).exists(), name
