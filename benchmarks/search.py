"""Measures the search: sentences a second, beside Joey NMT and what the products take.

Usage: python benchmarks/search.py [--joey PYTHON] [--rounds 3] [--sentences 512]

Models of 256 units (GRU) and 6,000 pieces with random weights, which never end a
sentence: every one has 15 pieces and 16 steps, so that all do the same work. Batches
are worked on side by side, each on a core, as `nmt translate` does it; Joey NMT has all
cores for one batch. Each round starts a process for each program in turn. The limit is
what the products of a search would take at the rate of some of 2048 × 2048, measured
beside it on all cores. They are counted as the model is written; what ours multiplies
once for several steps (`nmt/model/folding.py`) is more than a quarter of them with 5
beams, and with a shortlist there is less to do, too. Our decoder attends to the source
embeddings as well, the one of Joey NMT does not.

`--joey` names the Python of an environment with Joey NMT 2.3, which wants the package
importlib_metadata too; without it the column is left out.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time

PIECES, SIZE, SOURCE, STEPS = 6000, 256, 15, 16
BATCHES = {5: 64, 1: 256}
"""Sentences of a batch by beams: best for ours, within 6 % of the best for Joey NMT."""
SHORTLIST = 2000
QUESTIONS = {
    "beam 5": (5, None),
    "greedy": (1, None),
    "one alone, beam 5": (5, 1),
    f"beam 5, shortlist of {SHORTLIST:,}": (5, None),
}


def sources(count):
    import numpy as np

    return np.random.default_rng(1).integers(4, PIECES, (count, SOURCE))


def timed(act):
    start = time.perf_counter()
    act()
    return time.perf_counter() - start


def ours(count):
    """Return the seconds for each question, and the rate of a large product."""
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    import numpy as np
    import tensorflow as tf

    from nmt.model import TranslationModel
    from nmt.presets import PRESETS
    from nmt.translation.compiled import compile_search
    from nmt.translation.threads import (
        in_threads,
        sentences_of_a_batch,
        thread_count,
    )

    tf.config.threading.set_intra_op_parallelism_threads(1)  # as `nmt translate` does
    threads = thread_count()
    model = TranslationModel(PRESETS["base"].model, PIECES)
    bias = np.zeros(PIECES, "float32")
    bias[3] = -1e4  # the end
    model.output_bias.assign(bias)
    output = model.output(lasting=True)  # as `Translator.load` makes it
    found = {}
    for name, (beams, only) in QUESTIONS.items():
        size = SHORTLIST if "shortlist" in name else None
        search = compile_search(model, "beam", {"beam_size": beams}, size, output)
        more = [] if size is None else [np.arange(size, dtype=np.int32)]
        rows = sources(only or count).astype("int32")
        batch = sentences_of_a_batch(len(rows), BATCHES[beams], threads)

        def run(rows=rows, search=search, more=more, batch=batch):
            def work(start):
                part = rows[start : start + batch]
                limits = np.full(len(part), STEPS, "int32")
                empty = np.zeros((len(part), 0), "int32")
                return [np.asarray(x) for x in search(part, limits, 0, empty, *more)]

            list(in_threads(work, range(0, len(rows), batch), threads))

        run()
        found[name] = min(timed(run) for _ in range(9 if only else 3))
    found["rate"] = product_rate(threads)
    return found


def product_rate(threads):
    """Return the operations a second of products, one on each of so many threads."""
    import tensorflow as tf

    from nmt.translation.threads import in_threads

    square = tf.random.normal((2048, 2048))
    product = tf.function(lambda _: tf.matmul(square, square))
    zeros = [tf.constant(0)] * threads

    def products():
        list(in_threads(product, zeros, threads))

    products()
    return threads * 2 * 2048**3 / min(timed(products) for _ in range(5))


def joey(count):
    """Return the seconds for each question in Joey NMT."""
    import torch
    from joey_model import END, PAD, make_model
    from joeynmt.batch import Batch
    from joeynmt.search import search

    model = make_model(SIZE, PIECES).eval()
    last = model.decoder.output_layer
    if last.bias is not None:
        with torch.no_grad():
            last.bias[END] = -1e4
    found = {}
    for name, (beams, only) in QUESTIONS.items():
        if "shortlist" in name:  # which it has not
            found[name] = found["beam 5"]
            continue
        rows = torch.tensor(sources(only or count))

        def run(rows=rows, beams=beams):
            for start in range(0, len(rows), BATCHES[beams]):
                source = rows[start : start + BATCHES[beams]]
                lengths = torch.full((len(source),), SOURCE)
                order = torch.arange(len(source))
                cpu = torch.device("cpu")
                batch = Batch(
                    source, lengths, None, None, None, order, cpu, PAD, END, False
                )
                search(model, batch, STEPS, beams, 1.0, min_output_length=STEPS)

        with torch.no_grad():
            run()
            found[name] = min(timed(run) for _ in range(9 if only else 3))
    return found


def operations(beams):
    """Count the multiplications and additions of one step of our model."""
    multiplied = (
        SIZE * 3 * SIZE * 2  # the first cell
        + SIZE * SIZE  # the query
        + 3 * SIZE * 3 * SIZE
        + SIZE * 3 * SIZE  # the second cell
        + 5 * SIZE * SIZE  # the readout
        + SIZE * PIECES
        + SOURCE * (SIZE + 3 * SIZE)  # scores and context
    )
    return 2 * multiplied * beams


def in_turns(script, rounds, joey, *arguments):
    """Run a script for ours, and for Joey NMT with its Python, one after the other.

    Gives what they found, a list for each, from the last lines that they print.
    """
    from nmt.cores import core_count  # Joey NMT's Python has no `nmt`

    pythons = {"ours": sys.executable} | ({"joey": joey} if joey else {})
    found = {name: [] for name in pythons}
    for _ in range(rounds):
        for name, python in pythons.items():
            command = [python, script, "--worker", name, *arguments]
            environment = os.environ | {"CORES": str(core_count())}
            done = subprocess.run(
                command, capture_output=True, text=True, env=environment
            )
            if done.returncode:
                raise SystemExit(f"{python} failed:\n{done.stderr[-2000:]}")
            found[name].append(json.loads(done.stdout.splitlines()[-1]))
    return found


def measure(rounds, sentences, joey=None):
    """Run each program in turns; give the rate of a product, and rates of sentences.

    Yields of each question its name, our sentences a second, those of Joey NMT or
    `None`, and the limit.
    """
    found = in_turns(__file__, rounds, joey, "--sentences", str(sentences))
    rate = statistics.median(each["rate"] for each in found["ours"])
    rows = []
    for name, (beams, only) in QUESTIONS.items():
        rates = {
            who: (only or sentences) / statistics.median(each[name] for each in rounds)
            for who, rounds in found.items()
        }
        limit = rate / (operations(beams) * STEPS)
        rows.append((name, rates["ours"], rates.get("joey"), limit))
    return rate, rows


def begin(description, sentences, workers):
    """Read the command line, and say what is run; a worker works and ends instead.

    Args:
        description: Docstring of the script.
        sentences: Int. Default of `--sentences`.
        workers: Dict from the name of a program to the function that measures it.
    """
    parser = argparse.ArgumentParser(description=description.splitlines()[0])
    parser.add_argument("--joey", metavar="PYTHON")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--sentences", type=int, default=sentences)
    parser.add_argument("--worker", choices=list(workers), help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.worker:
        print(json.dumps(workers[args.worker](args.sentences)))
        sys.exit()
    from common import describe_run

    print(describe_run())
    return args


def main():
    args = begin(__doc__, 512, {"ours": ours, "joey": joey})
    rate, rows = measure(args.rounds, args.sentences, args.joey)
    print(f"\nproducts of 2048 × 2048: {rate / 1e9:.0f} GFLOP/s\n")
    print("| question | ours | Joey NMT | ours / Joey | limit | ours / limit |")
    print("|---|---|---|---|---|---|")
    for name, own, other, limit in rows:
        theirs, ratio = "-", "-"
        if other:
            theirs, ratio = f"{other:.1f}", f"{own / other:.2f}"
        share = own / limit
        print(
            f"| {name} | {own:.1f} | {theirs} | {ratio} | {limit:.0f} | {share:.2f} |"
        )


if __name__ == "__main__":
    main()
