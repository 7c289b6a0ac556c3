"""Tests of `--links best`, in `nmt align`, `nmt evaluate` and `Translator.align`."""

import io
import json
import shutil
from pathlib import Path

import pytest

from nmt import phrasebook
from nmt.app import inputs
from nmt.app.cli import main
from nmt.config import CONFIG_FILE
from nmt.errors import UserError
from nmt.evaluation import learnt_links
from nmt.translation import folder as folders
from nmt.translation.translator import Translator

MODEL = Path(__file__).parents[1] / "data/before_rooms/nmt_model"
PAIR = ("The big dog does not sleep.", "El perro grande no duerme.")
LINKS = "0-0 1-2 2-1 4-3 5-4"


@pytest.fixture(scope="module")
def loaded():
    return Translator.load(MODEL)


@pytest.fixture(scope="module")
def learnt():
    """Links learnt from some of the phrase book."""
    book = phrasebook.generate(0, 1500, 0, 200)
    pairs = [(phrase.english.split(), phrase.spanish.split()) for phrase in book.train]
    return learnt_links.Aligner.learn(pairs)


@pytest.fixture
def model(tmp_path, monkeypatch, loaded):
    """A copy of a model, whose text is in the working folder."""
    monkeypatch.setattr("nmt.app.inputs.load_translator", lambda *given: loaded)
    out = tmp_path / "model"
    shutil.copytree(MODEL, out)
    book = phrasebook.generate(0, 1500, 0, 200)
    lines = [f"{phrase.english}\t{phrase.spanish}\n" for phrase in book.train[:300]]
    (tmp_path / "pairs.tsv").write_text("".join(lines), "utf-8")
    monkeypatch.chdir(tmp_path)
    with folders.changing_checksums(out) as sums:
        sums["text_files"] = folders.text_file_sums(["pairs.tsv"])
    return out


@pytest.fixture
def with_links(model, learnt):
    folders.write_model_file(model, folders.LINKS_FILE, learnt.to_bytes())
    return model


def align(model, *flags):
    return main(["align", "--model", str(model), "--links", "best", *flags])


def test_links_are_learnt_the_first_time_and_kept(model, stdin, capsys):
    stdin("\t".join(PAIR).encode())
    assert align(model) == 0
    out, err = capsys.readouterr()
    assert "learning word links from" in err and "pairs of pairs" in err
    assert "1-2" in out.split() and "2-1" in out.split()
    folders.check_model_file(model, folders.LINKS_FILE)
    assert folders.LINKS_FILE in folders.read_checksums(model)["model_files"]
    # The text is not needed again.
    Path("pairs.tsv").unlink()
    stdin("\t".join(PAIR).encode())
    assert align(model) == 0
    again, err = capsys.readouterr()
    assert again == out and "learning" not in err


def test_links_that_cannot_be_kept_are_used_all_the_same(
    model, stdin, capsys, monkeypatch
):
    def full(*_):
        raise OSError(28, "No space left on device", "model/links.npz")

    monkeypatch.setattr("nmt.translation.aligners.write_model_file", full)
    stdin("\t".join(PAIR).encode())
    assert align(model) == 0
    out, err = capsys.readouterr()
    assert "nmt: note: the links are not kept: " in err
    assert "1-2" in out.split()


def test_each_pair_has_its_links_and_a_blank_one_none(with_links, stdin, capsys):
    stdin(("\t".join(PAIR) + "\n\n" + "\t".join(PAIR)).encode())
    assert align(with_links) == 0
    first, blank, last = capsys.readouterr().out.splitlines()
    assert first == last == LINKS and blank == ""
    stdin("\t".join(PAIR).encode())
    assert align(with_links, "--json") == 0
    values = json.loads(capsys.readouterr().out)
    assert (values["source"], values["target"]) == PAIR
    assert values["target_words"] == PAIR[1].split()
    assert " ".join(f"{i}-{j}" for i, j in values["links"]) == LINKS


def test_all_pairs_of_files_are_learnt_from(with_links, tmp_path, capsys):
    # Each line alone says nothing of which word is which.
    pairs = [("zarp melk", "drin quon"), ("melk", "drin"), ("zarp", "quon")]
    for name, texts in zip(("en", "es"), zip(*pairs, strict=True), strict=True):
        (tmp_path / name).write_text("".join(f"{text}\n" for text in texts), "utf-8")
    files = ["--source-file", str(tmp_path / "en"), "--target-file"]
    assert align(with_links, *files, str(tmp_path / "es")) == 0
    assert capsys.readouterr().out.splitlines() == ["0-1 1-0", "0-0", "0-0"]


def test_links_do_not_depend_on_how_a_pipe_is_cut(with_links, capsys, monkeypatch):
    pairs = [("zarp melk", "drin quon"), ("melk", "drin"), ("zarp", "quon")]
    data = "".join("\t".join(pair) + "\n" for pair in pairs).encode()

    class Slow(io.BytesIO):
        def read1(self, size=-1):
            return super().read1(5)

    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(Slow(data), encoding="utf-8"))
    assert align(with_links) == 0
    assert capsys.readouterr().out.splitlines() == ["0-1 1-0", "0-0", "0-0"]


@pytest.mark.parametrize("flags", [[], ["--links", "best"]])
def test_links_are_drawn_as_a_picture_and_a_page(with_links, stdin, capsys, flags):
    for ending in (".svg", ".html"):
        stdin("\t".join(PAIR).encode())
        path = Path(f"links{ending}")
        command = ["align", "--model", str(with_links), *flags, "--plot", str(path)]
        assert main(command) == 0
        assert capsys.readouterr().err.splitlines()[-1] == f"wrote {path}"
        assert "grande" in path.read_text("utf-8")
    told = "probability of a link" if flags else "attention weight"
    assert told in Path("links.svg").read_text("utf-8")
    for ending in (".svg", ".html"):
        other = "in place of attention" in Path(f"links{ending}").read_text("utf-8")
        assert other == bool(flags)
    stdin(f"{PAIR[0]}\t{PAIR[1]}\n\n{PAIR[0]}\tabc\n".encode())
    assert align(with_links, "--plot", "many.svg") == 0
    assert {path.name for path in Path().glob("many*")} == {"many-1.svg", "many-3.svg"}


def test_files_that_are_damaged_or_no_links_are_refused(with_links, stdin, refused):
    path = with_links / folders.LINKS_FILE
    stdin(b"a\tb")
    path.write_bytes(path.read_bytes()[:-9])
    line = refused("align", "--model", with_links, "--links", "best")
    assert line.startswith(f"{path} is damaged or of another model")
    (with_links / folders.CHECKSUMS_FILE).unlink()
    line = refused("align", "--model", with_links, "--links", "best")
    assert line.startswith(f"{path} holds no word links that nmt wrote. Remove it")


def test_other_text_than_the_model_learnt_is_refused(model, stdin, refused):
    Path("pairs.tsv").write_text("a\tb\n")
    stdin(b"a\tb")
    line = refused("align", "--model", model, "--links", "best")
    assert "does not say what text pairs.tsv held" in line
    assert "text now. Take --links attention, or give the `nmt train`" in line


def test_a_model_of_streamed_text_is_refused(model, stdin, refused, monkeypatch):
    config = inputs.load_config(model)
    streamed = config.replace(streamed=True)
    streamed.save(model / CONFIG_FILE)
    stdin(b"a\tb")
    line = refused("align", "--model", model, "--links", "best")
    assert "text that was streamed and not kept. Take --links attention." in line


def test_other_names_of_links_and_pictures_are_refused(with_links, stdin, refused):
    stdin(b"a\tb")
    line = refused("align", "--model", with_links, "--plot", "links.txt")
    assert line.startswith("A picture must end in")
    line = refused("align", "--model", with_links, "--links", "worst")
    assert "--links: invalid choice: 'worst' (choose from " in line


def test_evaluate_gives_the_error_rate_of_these_links(with_links, tmp_path, capsys):
    gold = tmp_path / "data/gold/golden.en-es.tsv"
    gold.parent.mkdir(parents=True)
    gold.write_text("the big dog\tel perro grande\t0-0 1-2 2-1\n")
    for name, text in zip(("en", "es"), PAIR, strict=True):
        (tmp_path / name).write_text(text, "utf-8")
    command = ["evaluate", "--model", str(with_links), "--beam", "1"]
    command += ["--source-file", "en", "--target-file", "es", "--data", "data"]
    assert main([*command, "--links", "best", "--json"]) == 0
    values = json.loads(capsys.readouterr().out)
    assert (values["links"], values["num_aligned"]) == ("best", 1)
    assert values["alignment_error_rate"] == 0
    # The text that they are learnt from may be one whose checksum is off.
    assert main([*command, "--links", "best", "--no-verify"]) == 0
    capsys.readouterr()
    assert main([*command, "--json"]) == 0
    values = json.loads(capsys.readouterr().out)
    assert values["links"] == "attention" and values["alignment_error_rate"] > 0


def test_links_that_nothing_would_be_held_against_are_not_learnt(model, refused):
    for name, text in zip(("en", "es"), PAIR, strict=True):
        Path(name).write_text(text, "utf-8")
    files = ["--source-file", "en", "--target-file", "es", "--data", "nowhere"]
    line = refused("evaluate", "--model", model, *files, "--links", "best")
    assert "--links best has no use: no gold links are known for en" in line
    assert not (model / folders.LINKS_FILE).exists()


def test_a_translator_aligns_by_them(with_links):
    translator = Translator.load(with_links)
    found = translator.align(*PAIR, links="best")
    assert " ".join(f"{i}-{j}" for i, j in found) == LINKS
    assert translator.align(*PAIR) == translator.align(*PAIR, links="attention")
    with pytest.raises(ValueError, match="`links` must be 'attention' or 'best'"):
        translator.align(*PAIR, links="worst")
    with pytest.raises(UserError, match="^Nothing to translate"):
        translator.align(" ", "a", links="best")


def test_a_translator_says_how_links_are_learnt(loaded):
    with pytest.raises(UserError, match="holds no word links. Let `nmt align"):
        loaded.align(*PAIR, links="best")


def test_much_text_is_thinned_evenly():
    pairs = [(["a"] * 2, ["b"] * 3)] * 10
    assert len(learnt_links.some_of(pairs, most=60)) == 10
    assert len(learnt_links.some_of(pairs, most=59)) == 5
    assert learnt_links.some_of([]) == []
