"""Figures and pyplot: who has imported it shows them by it, nobody else leaks any."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from pictures import SOURCE, TARGET, random_weights

import keras_attention
from keras_attention.plots.figure import figures_for_files
from keras_attention.plots.heads import plot_attention_heads
from keras_attention.plots.plot import plot_attention, plot_attention_difference
from keras_attention.plots.save import save_figure

WEIGHTS = random_weights(len(TARGET), len(SOURCE))


def open_figures():
    """The numbers of pyplot's figures, asked of a module of which we have no name."""
    return sys.modules["matplotlib.pyplot"].get_fignums()


@pytest.fixture
def closed():
    yield
    sys.modules["matplotlib.pyplot"].close("all")


@pytest.fixture(autouse=True, scope="module")
def _imported():
    import matplotlib.pyplot

    assert matplotlib.pyplot


def draw_all():
    return [
        plot_attention(WEIGHTS, SOURCE, TARGET),
        plot_attention_difference(WEIGHTS, WEIGHTS, SOURCE, TARGET),
        plot_attention_heads(WEIGHTS[None], SOURCE, TARGET)[0],
    ]


def test_of_a_program_without_pyplot_no_figure_stays_open():
    for _ in range(7):  # from 21 figures on pyplot would warn
        draw_all()
    assert open_figures() == []


def test_pyplot_has_the_figures_of_a_program_that_imported_it(closed, tmp_path):
    from matplotlib import pyplot

    drawn = draw_all()
    assert pyplot.get_fignums() == [1, 2, 3]
    assert [pyplot.figure(i).axes[0] for i in (1, 2, 3)] == drawn
    save_figure(drawn[0], tmp_path / "a.svg")
    pyplot.close(drawn[0].figure)
    assert pyplot.get_fignums() == [2, 3]


def test_on_axes_that_are_given_no_figure_is_made(closed):
    from matplotlib import pyplot

    figure, ax = pyplot.subplots()
    plot_attention(WEIGHTS, SOURCE, TARGET, ax)
    assert pyplot.get_fignums() == [figure.number]


def test_figures_for_files_are_kept_from_pyplot(closed):
    from matplotlib import pyplot

    with figures_for_files():
        draw_all()
    assert pyplot.get_fignums() == []
    draw_all()
    assert pyplot.get_fignums() == [1, 2, 3]


NOTEBOOK = """
import sys, types
package = types.ModuleType("keras_attention")
package.__path__ = [{package!r}]
sys.modules["keras_attention"] = package
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
shell = InteractiveShell.instance()
results = []  # what the last lines of cells show
shell.displayhook.write_format_data = lambda *shown: results.append(shown[1])
shell.run_cell('''
import matplotlib.pyplot as plt
from keras_attention.plots.plot import plot_attention
def draw():
    return plot_attention([[0.9, 0.1]], ["a", "b"], ["x"])
''')
for cell in ("draw();", "draw(); plt.show()", "draw().figure", "draw(); draw();"):
    with capture_output() as shown:
        shell.run_cell(cell)
    results += [each.metadata for each in shown.outputs]
    texts = [each["image/png"]["alt"][:17] for each in results if each]
    results.clear()
    print(cell, texts, shell.ev("plt.get_fignums()"))
"""


def test_a_notebook_shows_each_figure_once():
    pytest.importorskip("IPython")
    package = str(Path(keras_attention.__file__).parent)
    done = subprocess.run(
        [sys.executable, "-c", NOTEBOOK.format(package=package)],
        capture_output=True,
        text=True,
        check=False,
        env={"MPLBACKEND": "inline", "HOME": "/nonexistent"},
    )
    assert done.returncode == 0, done.stderr[-2000:]
    one = "'Attention weights'"
    assert done.stdout.splitlines() == [
        f"draw(); [{one}] []",
        f"draw(); plt.show() [{one}] []",
        f"draw().figure [{one}] []",
        f"draw(); draw(); [{one}, {one}] []",
    ]


def test_an_array_of_axes_is_saved_as_its_one_figure(tmp_path):
    axes = plot_attention_heads(random_weights(2, 1, 2, 2), ["a", "b"])
    for name, drawn in {"array": axes, "ax": axes[1, 0], "list": [*axes.flat]}.items():
        save_figure(drawn, tmp_path / f"{name}.svg")
    assert len(list(tmp_path.iterdir())) == 3
    assert len({path.read_bytes() for path in tmp_path.iterdir()}) == 1


def test_what_is_no_figure_is_refused(tmp_path):
    one, other = (plot_attention(WEIGHTS, SOURCE, TARGET) for _ in range(2))
    for wrong in ([one, other], [], np.eye(2), tmp_path / "a.png", None):
        with pytest.raises(ValueError, match="`figure` must be a matplotlib Figure, A"):
            save_figure(wrong, tmp_path / "a.png")
    with pytest.raises(ValueError, match="`figure` must be .*Received: figure='a.png'"):
        save_figure("a.png", one)
    assert list(tmp_path.iterdir()) == []
