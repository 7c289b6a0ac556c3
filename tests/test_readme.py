import re
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_the_first_example_runs():
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.S)
    names = {}
    exec(compile(blocks[0], "README.md", "exec"), names)
    assert names["weights"].shape == (1, 3, 4)
    assert float(names["weights"][0, :, 3].numpy().sum()) == 0


def test_every_picture_and_page_it_names_is_there():
    text = (ROOT / "README.md").read_text()
    for name in re.findall(r"\]\(([^)#:]+)\)", text):
        assert (ROOT / name).exists(), name
