"""Files of pictures: their description, their bytes, their fonts."""

import base64
import io
import os
import re
import warnings
import xml.etree.ElementTree as ElementTree
from functools import partial
from types import SimpleNamespace

import matplotlib
import numpy as np
import pytest
from matplotlib.figure import Figure
from pictures import SOURCE, TARGET, labels, random_weights
from PIL import Image

from keras_attention.plots.heads import plot_attention_heads
from keras_attention.plots.plot import plot_attention
from keras_attention.plots.save import save_figure

NASTY = ["$a$", "<b>&", "]]>", "--", '"', "a\nb", "\x00", "\u2028", "\ud800", "_x", ""]
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def weights():
    return random_weights(len(TARGET), len(SOURCE))


def test_an_svg_carries_its_description_and_any_token(tmp_path):
    ax = plot_attention(np.eye(len(NASTY)), NASTY)
    save_figure(ax, tmp_path / "a.svg")
    root = ElementTree.parse(tmp_path / "a.svg").getroot()
    assert root.tag == f"{SVG}svg"
    assert root.get("role") == "img"
    assert root.get("aria-label") == ax.alt_text
    assert root.findtext(f"{SVG}desc") == ax.alt_text
    assert root[0].tag == f"{SVG}desc"
    assert '$a$ <b>& ]]> -- " a\\nb \\x00 \\u2028 \\ud800' in ax.alt_text


def test_png_and_pdf_carry_it_as_metadata(tmp_path, weights):
    ax = plot_attention(weights, SOURCE, TARGET)
    save_figure(ax, tmp_path / "a.png")
    with Image.open(tmp_path / "a.png") as image:
        assert image.text["Description"] == ax.alt_text
    save_figure(ax, tmp_path / "a.pdf")
    content = (tmp_path / "a.pdf").read_bytes()
    assert content.startswith(b"%PDF")
    assert b"/Subject" in content


@pytest.mark.parametrize("ending", ["svg", "pdf", "png"])
@pytest.mark.parametrize("heads", [(), (2,)])
def test_the_same_picture_gives_the_same_bytes(tmp_path, ending, heads):
    options = {} if heads else {"gold": "0-0 1p2", "diagnostics": True}
    draw = partial(plot_attention_heads if heads else plot_attention, **options)
    files = []
    for _ in range(2):
        axes = draw(random_weights(*heads, 3, 2), ["a", "b"], ["c", "d", "."])
        figure = axes[0].figure if heads else axes.figure
        for _ in range(2):
            files.append(tmp_path / f"{len(files)}.{ending}")
            save_figure(figure, files[-1])
    assert len({path.read_bytes() for path in files}) == 1


def test_a_figure_of_heads_has_one_description(tmp_path):
    axes = plot_attention_heads(random_weights(2, 7, 6), SOURCE, TARGET)
    save_figure(axes[1], tmp_path / "a.svg")
    label = ElementTree.parse(tmp_path / "a.svg").getroot().get("aria-label")
    assert "not an explanation: mean of the 2 panels" in label
    assert len(label) <= 400


def test_a_figure_with_other_axes_is_saved_too(tmp_path, weights):
    figure = Figure(layout="constrained")
    left, right = figure.subfigures(1, 2)
    plot_attention(weights, SOURCE, TARGET, left.add_subplot())
    right.add_subplot().plot([1, 2])
    save_figure(right.axes[0], tmp_path / "a.svg")
    label = ElementTree.parse(tmp_path / "a.svg").getroot().get("aria-label")
    assert label == left.axes[0].alt_text
    plain = Figure()
    save_figure(plain, tmp_path / "b.svg")
    assert ElementTree.parse(tmp_path / "b.svg").getroot().get("role") is None


def test_folders_are_made_and_nothing_else_is_left(tmp_path, weights):
    ax = plot_attention(weights, SOURCE, TARGET)
    save_figure(ax, str(tmp_path / "new" / "folder" / "A.SVG"))
    assert [path.name for path in tmp_path.rglob("*.*")] == ["A.SVG"]


def test_a_failed_save_leaves_what_was_there(tmp_path, weights, monkeypatch):
    path = tmp_path / "a.svg"
    path.write_text("old")

    def fail(handle):
        os.truncate(handle, 10)
        raise OSError("disk full")

    monkeypatch.setattr("os.fsync", fail)
    with pytest.raises(OSError, match="disk full"):
        save_figure(plot_attention(weights, SOURCE, TARGET), path)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_another_ending_is_refused(tmp_path, weights):
    ax = plot_attention(weights, SOURCE, TARGET)
    for name in ("a.jpg", "a"):
        with pytest.raises(ValueError, match="must end in .png, .svg or .pdf"):
            save_figure(ax, tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_missing_glyphs_give_one_warning_that_helps(tmp_path):
    ax = plot_attention(np.eye(3), ["猫犬", "가", "ab"])
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        save_figure(ax, tmp_path / "a.png")
    glyphs = [str(w.message) for w in caught if "Glyph" in str(w.message)]
    assert glyphs == []
    ours = [w for w in caught if "No font here" in str(w.message)]
    if not ours:
        pytest.skip("the fonts of this machine have these characters")
    assert len(ours) == 1
    assert ours[0].filename == __file__
    assert re.search("Noto Sans CJK (SC|KR)", str(ours[0].message))


def warn_when_saved(figure, monkeypatch, *texts):
    plain = figure.savefig

    def savefig(*arguments, **options):
        for text in texts:
            warnings.warn(text, RuntimeWarning, stacklevel=2)
        plain(*arguments, **options)

    monkeypatch.setattr(figure, "savefig", savefig)


def test_the_warning_names_each_script_and_a_font_for_it(
    tmp_path, monkeypatch, weights
):
    figure = plot_attention(weights, SOURCE, TARGET).figure
    missing = [
        f"Glyph {ord(char)} ({char}) missing from font(s) DejaVu Sans."
        for char in "猫犬가न"
    ]
    warn_when_saved(figure, monkeypatch, *missing)
    with pytest.warns(UserWarning) as caught:
        save_figure(figure, tmp_path / "a.png")
    (warning,) = caught
    assert (
        "Chinese characters (such as 猫犬; install Noto Sans CJK SC), "
        "Korean (such as 가; install Noto Sans CJK KR), "
        "Devanagari (such as न; install Noto Sans Devanagari)"
    ) in str(warning.message)


def test_other_warnings_pass_through(tmp_path, monkeypatch, weights):
    figure = plot_attention(weights, SOURCE, TARGET).figure
    warn_when_saved(figure, monkeypatch, "something else")
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        with pytest.warns(RuntimeWarning, match="something else"):
            save_figure(figure, tmp_path / "a.png")


def test_marks_of_pieces_and_letters_with_marks_can_be_drawn(tmp_path):
    words = ["▁do", "Ġgs", "##s", "x@@", "e\u0301", "שלג", "ثلج", "снег", "χιόνι"]
    ax = plot_attention(np.eye(len(words)), words)
    assert labels(ax.xaxis) == words
    save_figure(ax, tmp_path / "a.png")  # a warning would be an error


def test_fonts_of_other_scripts_are_fallen_back_on_where_installed(monkeypatch):
    from matplotlib.font_manager import FontEntry, fontManager

    there = [*fontManager.ttflist, FontEntry(name="Noto Sans CJK JP")]
    monkeypatch.setattr(fontManager, "ttflist", there)
    ax = plot_attention(np.eye(2), ["猫", "dog"], ["x", "y"])
    families = ax.get_xticklabels()[0].get_fontfamily()
    assert families == [*matplotlib.rcParams["font.family"], "Noto Sans CJK JP"]
    plain = plot_attention(np.eye(2), ["cat", "dog"])
    assert plain.get_xticklabels()[0].get_fontfamily() == families[:-1]


def test_a_figure_shows_itself_in_a_notebook_with_its_description(weights):
    pytest.importorskip("IPython")
    from IPython.core.formatters import DisplayFormatter
    from IPython.core.pylabtools import select_figure_formats

    ax = plot_attention(weights, SOURCE, TARGET)
    inline = DisplayFormatter()  # as "%matplotlib inline" makes it
    select_figure_formats(SimpleNamespace(display_formatter=inline), ["png"])
    data, metadata = inline.format(ax.figure)
    assert "image/png" in data
    assert metadata["image/png"]["alt"] == ax.alt_text
    data, metadata = DisplayFormatter().format(ax.figure)
    assert metadata["image/png"]["alt"] == data["text/plain"] == ax.alt_text
    with Image.open(io.BytesIO(base64.b64decode(data["image/png"]))) as image:
        assert image.text["Description"] == ax.alt_text
