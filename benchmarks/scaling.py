"""How the throughput of a training should grow with the number of workers.

    python benchmarks/scaling.py
    python benchmarks/scaling.py --pieces-per-second 60000 --gigabits 10

Worked out, not measured: a worker learns from its rows of a batch, then all add up
their gradients in a ring, in which each sends 2 (N - 1) / N times their bytes. The size
of the gradients is that of the default model. Every worker makes the whole batches, so
that none learns faster than one process makes them.
"""

import argparse

WORKERS = (1, 2, 4, 8, 16, 32, 64)


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--pieces", type=int, default=1100, help="of each worker a step"
    )
    parser.add_argument("--pieces-per-second", type=float, default=4500.0)
    parser.add_argument("--gigabits", type=float, default=1.0, help="of the network")
    parser.add_argument(
        "--pieces-made",
        type=float,
        default=360_000.0,
        help="pieces a second that one process makes batches of; the default was "
        "measured of streamed text on one core",
    )
    args = parser.parse_args()
    size = 4 * gradients()
    computing = args.pieces / args.pieces_per_second
    print(f"gradients {size / 1e6:.1f} MB; computing a step {computing:.3f} s")
    print("workers  sending a step  pieces/s  of N times one worker")
    for workers in WORKERS:
        bits = 8 * size * 2 * (workers - 1) / workers
        sending = bits / (args.gigabits * 1e9)
        speed = workers * args.pieces / (computing + sending)
        bound = "  bound by making batches" if speed > args.pieces_made else ""
        speed = min(speed, args.pieces_made)
        share = speed / (workers * args.pieces_per_second)
        print(f"{workers:7d}  {sending:12.3f} s  {speed:8,.0f}  {share:.2f}{bound}")


def gradients():
    """Return how many numbers the gradient of the default model has."""
    import numpy as np

    from nmt.model import TranslationModel
    from nmt.presets import PRESETS

    config = PRESETS["base"]
    model = TranslationModel(config.model, config.vocabulary.vocabulary_size)
    return sum(int(np.prod(weight.shape)) for weight in model.trainable_variables)


if __name__ == "__main__":
    main()
