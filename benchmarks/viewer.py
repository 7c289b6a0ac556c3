"""Measures pictures and pages of attention: seconds, and sizes of files.

Usage: python benchmarks/viewer.py [--rounds 5] [--words 60]

Prints the median seconds of a figure of 8 heads, of a map of 200 words with all its
numbers, and of the picture and page that a training writes for an epoch; the size of
each file; and for two large pages how long a browser takes from opening one until its
lines are drawn, and from pointing at another word until lines are drawn again. The
browser is Debian's Chromium, driven by Playwright; without it those lines are left out.
"""

import argparse
import os
import shutil
import statistics
import tempfile
import time
from pathlib import Path

# Nothing here is trained: the backend that starts fastest.
os.environ.setdefault("KERAS_BACKEND", "numpy")

import numpy as np
from common import describe_run

import keras_attention as ka

PACKAGES = ("keras", "matplotlib", "numpy")
PAGES = {"6 x 8 x 30 x 30": (6, 8, 30, 30), "1 x 8 x 512 x 512": (1, 8, 512, 512)}


def random_weights(*shape):
    return np.random.default_rng(1).dirichlet(np.ones(shape[-1]), shape[:-1])


def words(count):
    return [f"word{i}" for i in range(count)]


def median_seconds(act, rounds):
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        act()
        times.append(time.perf_counter() - began)
    return statistics.median(times)


def told(name, seconds, path):
    print(f"{name:<48} {seconds:7.2f} s  {path.stat().st_size / 1e3:8.0f} kB")


def measure_pictures(folder, rounds, count):
    heads, one = random_weights(8, count, count), random_weights(200, 200)

    def draw_heads():
        ka.save_figure(ka.plot_attention_heads(heads, words(count))[0], path)

    def draw_one():
        ka.save_figure(ka.plot_attention(one, words(200), diagnostics=True), path)

    path = folder / "heads.png"
    told(f"8 heads of {count} words, png", median_seconds(draw_heads, rounds), path)
    path = folder / "one.svg"
    told("200 words with diagnostics, svg", median_seconds(draw_one, rounds), path)


def measure_epochs(folder, rounds):
    pictures = ka.EpochPictures(folder / "epochs")
    weights, sentence = random_weights(12, 12), words(12)
    epochs = iter(range(1, rounds + 1))
    seconds = median_seconds(
        lambda: pictures.add(next(epochs), weights, sentence), rounds
    )
    page = folder / "epochs" / "index.html"
    told("an epoch of 12 words: picture, numbers, page", seconds, page)


def measure_pages(folder, rounds):
    paths = {}
    for name, shape in PAGES.items():
        weights, sentence = random_weights(*shape), words(shape[-1])
        path = paths[name] = folder / f"{shape[-1]}.html"

        def write(weights=weights, sentence=sentence, path=path):
            ka.attention_view(weights, sentence).save(path)

        told(f"page {name}, written", median_seconds(write, rounds), path)
    return paths


def measure_browser(paths, rounds):
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        chromium = None
    if chromium is None:
        print("no Playwright with Chromium here: pages were not opened")
        return
    with sync_playwright() as running:
        browser = running.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_page()
        for name, path in paths.items():

            def open_page(path=path):
                page.goto(path.as_uri())
                page.locator("#links").wait_for()

            opened = median_seconds(open_page, rounds)
            # The work of the script alone, without the way there and back.
            looked = page.evaluate(
                """rounds => {
                  const times = [];
                  for (let i = 0; i < rounds; i++) {
                    const began = performance.now();
                    choose({ axis: "target", index: i % 2 });
                    document.getElementById("stage").getBoundingClientRect();
                    times.push(performance.now() - began);
                  }
                  return times.sort((a, b) => a - b)[Math.floor(rounds / 2)];
                }""",
                rounds,
            )
            print(f"{f'page {name}, opened':<48} {opened:7.2f} s")
            print(f"{f'page {name}, another word':<48} {looked / 1e3:7.3f} s")
        browser.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="times of each")
    parser.add_argument("--words", type=int, default=60, help="in the figure of heads")
    options = parser.parse_args()
    print(describe_run(PACKAGES))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        measure_pictures(folder, options.rounds, options.words)
        measure_epochs(folder, options.rounds)
        measure_browser(measure_pages(folder, options.rounds), options.rounds)


if __name__ == "__main__":
    main()
