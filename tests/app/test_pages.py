"""Tests of `nmt.app.pages`: the pages that are written into a folder."""

import re

import numpy as np
import pytest

from nmt.app.cli import main
from nmt.app.pages import check_replaceable, export
from nmt.config import LONGEST, Config
from nmt.errors import UserError
from nmt.translation.translation import Translation
from tests.app.test_server import Shouter


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_exported_pages_fetch_nothing_and_link_to_each_other_alone(tmp_path):
    texts = [f"sentence </script> {number}" for number in range(10)]
    index = export(Shouter()(texts), tmp_path / "made" / "pages")
    pages = [f"{number:02}.html" for number in range(1, 11)]
    assert names(index.parent) == [*pages, index.name]
    text = index.read_text("utf-8")
    assert re.findall('(?:href|src)="(.*?)"', text) == pages
    assert "default-src 'none'" in text and "</script>" not in text
    for name in pages:
        page = (index.parent / name).read_text("utf-8")
        assert "connect-src 'none'" in page
        assert not re.search("https?://(?!www.w3.org/)", page)


@pytest.mark.parametrize(
    ("words", "places"), [(["▁one", "▁two"], (0, 1)), (["▁אחד", "▁שני"], (1, 0))]
)
def test_the_index_draws_each_sentence_small_with_a_square_for_a_weight(
    tmp_path, words, places
):
    weights = np.array([[1, 0], [0.35, 0.65], [0.95, 0.05]])
    result = Translation(
        source=" ".join(words).replace("▁", ""),
        text="x y z",
        score=-1.0,
        source_tokens=words,
        target_tokens=["▁x", "▁y", "▁z"],
        weights=weights,
    )
    index = export([result], tmp_path).read_text("utf-8")
    first, second = places
    assert '<svg viewBox="0 0 2 3" aria-hidden="true">' in index
    assert re.findall('<path fill-opacity="(.*?)" d="(.*?)"/>', index) == [
        ("0.4", f"M{first} 1h1v1h-1z"),
        ("0.6", f"M{second} 1h1v1h-1z"),
        ("1.0", f"M{first} 0h1v1h-1z" + f"M{first} 2h1v1h-1z"),
    ]


def test_an_export_into_a_used_folder_leaves_no_old_pages_and_no_file_lost(tmp_path):
    export(Shouter()([f"old {number}" for number in range(12)]), tmp_path)
    (tmp_path / "notes.html").write_text("mine")
    (tmp_path / "99.html").write_text("mine, by chance of such a name")
    (tmp_path / "07.html").write_text("mine, in the place of a page")
    (tmp_path / "05.html").unlink()
    with (tmp_path / "index.html").open("ab") as index:
        index.write(b"<!-- \xff -->")
    export(Shouter()(["new", "newer"]), tmp_path)
    mine = ["07.html", "99.html", "notes.html"]
    assert names(tmp_path) == sorted(["1.html", "2.html", "index.html", *mine])
    assert all((tmp_path / name).read_text().startswith("mine") for name in mine)
    export(Shouter()(["newest"]), tmp_path)
    assert names(tmp_path) == sorted(["1.html", "index.html", *mine])
    assert "NEWEST" in (tmp_path / "1.html").read_text("utf-8")


@pytest.mark.parametrize("name", ["index.html", "2.html"])
def test_a_file_of_another_origin_is_not_overwritten(tmp_path, name):
    (tmp_path / name).write_text('<a href="1.html">my own</a>')
    with pytest.raises(UserError, match="was not made by nmt and would be overwritten"):
        export(Shouter()(["a", "b"]), tmp_path)
    assert names(tmp_path) == [name]
    (tmp_path / name).unlink()
    (tmp_path / name).mkdir()
    with pytest.raises(UserError, match="was not made by nmt"):
        check_replaceable(tmp_path, 2)


def test_pages_that_no_index_lists_stay(tmp_path):
    export(Shouter()(["a", "b"]), tmp_path)
    (tmp_path / "index.html").unlink()
    export(Shouter()(["c"]), tmp_path)
    assert names(tmp_path) == ["1.html", "2.html", "index.html"]


def test_a_sentence_that_is_too_long_is_told_by_its_number(
    shouter, stdin, refused, tmp_path
):
    stdin(b"a\n\n" + b"x" * LONGEST + b"\nb\n")
    line = refused("serve", "--model", "m", "--export", tmp_path)
    assert line.startswith("standard input, line 3: 1024 pieces, at most 1023 are")
    assert "--on-error" not in line
    assert names(tmp_path) == []


def test_the_command_refuses_before_the_model_is_loaded(tmp_path, capsys):
    Config().save(tmp_path / "config.json")
    (tmp_path / "index.html").write_text("mine")
    folder = str(tmp_path)
    assert main(["serve", "--model", folder, "--export", folder, "a"]) == 2
    assert capsys.readouterr() == (
        "",
        f"nmt: error: {tmp_path / 'index.html'} was not made by nmt and would be "
        "overwritten. Move it, or choose another folder.\n",
    )
    assert names(tmp_path) == ["config.json", "index.html"]
