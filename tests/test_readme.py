import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_the_first_example_runs(tmp_path):
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.S)
    check = """
assert weights.shape == (1, 3, 4)
assert float(weights.numpy()[0, :, 3].sum()) == 0
"""
    subprocess.run(
        [sys.executable, "-c", blocks[0] + check],
        check=True,
        timeout=300,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert (tmp_path / "weights.svg").stat().st_size > 1000


def test_the_other_examples_run(tmp_path):
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.S)
    # What needs a trained model is run by the demo's test.
    rest = [block for block in blocks[1:] if "nmt" not in block]
    assert len(rest) == 2
    subprocess.run(
        [sys.executable, "-c", "\n".join(rest)],
        check=True,
        timeout=300,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert (tmp_path / "attention.html").stat().st_size > 10_000


def test_every_picture_and_page_it_names_is_there():
    text = (ROOT / "README.md").read_text()
    for name in re.findall(r"\]\(([^)#:]+)\)", text):
        assert (ROOT / name).exists(), name
