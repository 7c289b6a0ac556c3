"""Prints the masking grid for our layers and for Keras' own.

Usage: python benchmarks/masking.py [--every]

Each row is a layer. Each column is a situation, and says in how many of its cells all
holds: nothing passes a mask, exactly 0 for a query that may attend to nothing, finite
gradients, and the same numbers on every path, in every precision, compiled or not, with
weights asked for or not. Without `--every` only the cells that run eagerly, in float32
and float16, are gone through.
"""

import argparse
import os
import sys
from collections import Counter
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from common import describe_run

# The grid is that of the tests.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

import masking


def holds(subject, cell):
    """Tell whether a cell has no fault; one that cannot be run has."""
    try:
        return not masking.faults(subject, cell)
    except Exception:  # whatever a layer of another package raises is its fault
        return False


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--every", action="store_true", help="compiled and bfloat16 as well"
    )
    every = parser.parse_args().every
    print(describe_run())
    print(f"| layer | {' | '.join(masking.SITUATIONS)} | all |")
    print("|---" * (len(masking.SITUATIONS) + 2) + "|")
    groups = {"ours": masking.our_subjects(), "Keras": masking.keras_subjects()}
    for group, subjects in groups.items():
        total = Counter()
        for subject in subjects:
            passed, count = Counter(), Counter()
            for cell in masking.cells(subject):
                if not every and (cell.precision == "bfloat16" or cell.mode != "eager"):
                    continue
                good = holds(subject, cell)
                for column in (cell.situation, "all"):
                    passed[column] += good
                    count[column] += 1
            total.update(passed=passed["all"], cells=count["all"])
            columns = (
                f"{passed[column]}/{count[column]}" if count[column] else "-"
                for column in (*masking.SITUATIONS, "all")
            )
            print(f"| {group}: {subject.name} | {' | '.join(columns)} |", flush=True)
        print(f"{group}: {total['passed']} of {total['cells']} cells hold", flush=True)


if __name__ == "__main__":
    main()
