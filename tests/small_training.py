"""What tests of the commands train on, and with."""

from pathlib import Path

MODEL = Path(__file__).parent / "data" / "before_rooms" / "nmt_model"
TINY = (
    *("--vocabulary-size", "60", "--embedding-size", "8", "--units", "8"),
    *("--attention-units", "8", "--epochs", "2", "--batch-tokens", "300"),
)


def write(path, *lines):
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path
