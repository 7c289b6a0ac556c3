"""Measures a step of training: target pieces a second, beside Joey NMT and the limit.

Usage: python benchmarks/training.py [--joey PYTHON] [--rounds 3] [--sentences 92]

Models of 256 units and 6,000 pieces, sentences of 16 pieces, dropout, smoothed labels,
Adam, a limit for the norm of the gradient. Our decoder has two cells and attends to the
source embeddings too, and the running average of the weights is kept; Joey NMT has one
cell and no average. Both compute in float32. Each round starts a process for each
program in turn. The limit is what the products of a step would take at the rate of some
of 2048 × 2048, measured beside it on all cores.

For `--joey` see `benchmarks/search.py`.
"""

import os
import statistics

from search import PIECES, SIZE, begin, in_turns, product_rate, timed

LENGTH = 16
STEPS = 12
FLOP = 24.3e6
"""Multiplications and additions of training by one target piece, forward and back."""


def sides(count):
    import numpy as np

    return np.random.default_rng(1).integers(4, PIECES, (2, count, LENGTH))


def ours(count):
    """Return the seconds of a step, and the rate of large products."""
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    import numpy as np

    from nmt.app.tensorflow_import import import_tensorflow
    from nmt.cores import core_count

    import_tensorflow(whole_operations=core_count() <= 2)  # as `nmt train` does
    from nmt.presets import PRESETS
    from nmt.text import START_ID
    from nmt.training.learner import Learner
    from nmt.translation.threads import thread_count

    source, target = sides(count).astype("int32")
    before = np.full((count, 1), START_ID, np.int32)
    batch = source, np.concatenate([before, target[:, :-1]], axis=1), target
    learner = Learner(PRESETS["base"], PIECES)
    learner.set_rate(1e-3)
    times = [timed(lambda: float(learner.learn(batch))) for _ in range(STEPS)]
    rate = product_rate(thread_count())
    return {"seconds": statistics.median(times[2:]), "rate": rate}


def joey(count):
    """Return the seconds of a step of Joey NMT."""
    import torch
    from joey_model import END, PAD, START, make_model
    from joeynmt.batch import Batch

    model = make_model(SIZE, PIECES, dropout=0.4, tied_softmax=True).train()
    model.loss_function = "crossentropy", 0.1
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    source, target = map(torch.tensor, sides(count))
    # It takes one piece off each end of a target.
    edge = torch.ones((count, 1), dtype=torch.long)
    target = torch.cat([START * edge, target[:, :-1], END * edge], dim=1)
    lengths = torch.full((count,), LENGTH)
    order, cpu = torch.arange(count), torch.device("cpu")
    batch = Batch(source, lengths, None, target, None, order, cpu, PAD, END)

    def step():
        loss, *_ = model(return_type="loss", **vars(batch))
        batch.normalize(loss, "tokens").backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        model.zero_grad()

    times = [timed(step) for _ in range(STEPS)]
    return {"seconds": statistics.median(times[2:])}


def measure(rounds, sentences, joey=None):
    """Run each program in turns: our pieces a second, Joey's or `None`, the limit."""
    found = in_turns(__file__, rounds, joey, "--sentences", str(sentences))
    speeds = {
        name: sentences * LENGTH / statistics.median(each["seconds"] for each in steps)
        for name, steps in found.items()
    }
    rate = statistics.median(each["rate"] for each in found["ours"])
    return speeds["ours"], speeds.get("joey"), rate / FLOP


def main():
    args = begin(__doc__, 92, {"ours": ours, "joey": joey})
    own, other, limit = measure(args.rounds, args.sentences, args.joey)
    print(f"\nours: {own:,.0f} pieces a second; limit {limit:,.0f}: {own / limit:.2f}")
    if other:
        print(f"Joey NMT: {other:,.0f}; ours / Joey NMT: {own / other:.2f}")


if __name__ == "__main__":
    main()
