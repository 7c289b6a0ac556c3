"""Tests of `nmt translate`: lines in and out, and those that cannot be translated."""

import gzip

import pytest
from small_training import write

from nmt.app import lines
from nmt.app.cli import main
from nmt.config import LONGEST

TOO_LONG = b"x" * LONGEST
FAULTY = b"one\ntw\xff\n\n" + TOO_LONG + b"\nfive\n"


def test_one_line_goes_out_for_each_line_that_comes_in(shouter, stdin, capsys):
    stdin(b"one\n\ntwo\r\n   \nthree")
    assert main(["translate", "--model", "m"]) == 0
    assert capsys.readouterr().out == "ONE\n\nTWO\n\nTHREE\n"


def test_no_lines_give_no_lines(shouter, stdin, capsys):
    stdin(b"")
    assert main(["translate", "--model", "m"]) == 0
    assert capsys.readouterr().out == ""


def test_a_file_is_translated_like_standard_input(shouter, tmp_path, capsys):
    path = write(tmp_path / "text", "one", "", "two")
    assert main(["translate", "--model", "m", "--input", str(path)]) == 0
    assert capsys.readouterr().out == "ONE\n\nTWO\n"


def test_the_best_translations_are_numbered_by_their_lines(shouter, stdin, capsys):
    stdin(b"one\n\ntwo\n")
    assert main(["translate", "--model", "m", "--n-best", "2", "--beam", "3"]) == 0
    one, two = ["1\t-1.0000\tONE"] * 2, ["3\t-1.0000\tTWO"] * 2
    assert capsys.readouterr().out.splitlines() == [*one, "", *two]


def test_options_of_the_search_reach_it(shouter):
    command = ["translate", "--model", "m", "a"]
    assert main([*command, "--beam", "7", "--length-penalty", "0.5"]) == 0
    assert main([*command, "--coverage-penalty", "0", "--prefix", "El"]) == 0
    sampling = ["--sample", "--temperature", "0.7", "--top-k", "9", "--seed", "3"]
    assert main([*command, *sampling]) == 0
    assert shouter.searches[:2] == [
        {"beam_size": 7, "length_penalty": 0.5},
        {"coverage_penalty": 0.0, "prefix": "El"},
    ]
    assert shouter.searches[2].items() >= {
        ("sample", True),
        ("temperature", 0.7),
        ("top_k", 9),
    }


def test_several_pictures_are_numbered_by_their_lines(shouter, stdin, tmp_path, capsys):
    stdin(b"one\n\ntwo\n")
    picture = tmp_path / "look.svg"
    assert main(["translate", "--model", "m", "--plot", str(picture)]) == 0
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {
        "look-1.svg": "one",
        "look-3.svg": "two",
    }
    told = capsys.readouterr()
    assert told.out == "ONE\n\nTWO\n"
    assert "look-3.svg" in told.err


def test_one_picture_keeps_its_name(shouter, tmp_path):
    picture = tmp_path / "look.PNG"
    assert main(["translate", "--model", "m", "one", "--plot", str(picture)]) == 0
    assert picture.read_text() == "one"


def test_a_dash_draws_in_the_terminal_after_each_translation(shouter, stdin, capsys):
    stdin(b"one\n\ntwo\n")
    assert main(["translate", "--model", "m", "--plot", "-"]) == 0
    assert capsys.readouterr() == ("ONE\n[one]\n\nTWO\n[two]\n", "")
    assert main(["translate", "--model", "m", "--plot=-", "--n-best=2", "one"]) == 0
    out, _ = capsys.readouterr()
    assert out.splitlines() == ["1\t-1.0000\tONE", "1\t-1.0000\tONE", "[one]"]


@pytest.fixture(params=["pipe", "file", "gzip file"])
def translate(request, shouter, stdin, tmp_path, capsys):
    """Translate bytes from everywhere; give the status, the lines and the notes."""

    def run(content, *options):
        if request.param == "pipe":
            stdin(content)
        else:
            path = tmp_path / ("text.gz" if "gzip" in request.param else "text")
            pack = gzip.compress if "gzip" in request.param else bytes
            path.write_bytes(pack(content))
            options = ("--input", str(path), *options)
        status = main(["translate", "--model", "m", *options])
        out, err = capsys.readouterr()
        return status, out.splitlines(), err.splitlines()

    return run


@pytest.mark.parametrize("options", [(), ("--on-error", "stop")])
def test_a_faulty_line_ends_the_work_once_the_lines_before_it_are_printed(
    translate, options
):
    status, out, (error,) = translate(FAULTY, *options)
    assert (status, out) == (2, ["ONE"])
    assert error.startswith("nmt: error: ") and "line 2: byte 0xff is not UTF" in error
    assert error.endswith("Or add --on-error skip or truncate.")
    status, out, (error,) = translate(b"one\n\n" + TOO_LONG + b"\nfour", *options)
    assert (status, out) == (2, ["ONE", ""])
    assert "line 3: 1024 pieces, at most 1023 are allowed" in error


def test_a_faulty_line_costs_itself_alone_when_it_is_skipped(translate):
    status, out, notes = translate(FAULTY, "--on-error", "skip")
    assert (status, out) == (1, ["ONE", "", "", "", "FIVE"])
    bad, long = notes
    assert bad.startswith("nmt: note: ")
    assert bad.endswith("line 2: byte 0xff is not UTF-8; skipped.")
    assert long.endswith("line 4: 1024 pieces, at most 1023 are allowed; skipped.")


def test_a_faulty_line_is_translated_as_far_as_it_can_be_when_it_is_cut(translate):
    status, out, notes = translate(FAULTY, "--on-error", "truncate")
    assert status == 1
    assert out == ["ONE", "TW\ufffd", "", "X" * (LONGEST - 1), "FIVE"]
    bad, long = notes
    assert bad.endswith("line 2: byte 0xff is not UTF-8; replaced by U+FFFD.")
    assert long.endswith("line 4: 1024 pieces, at most 1023 are allowed; cut.")


def test_a_line_that_never_ends_is_refused(shouter, stdin, capsys):
    stdin(b"one\n" + b"\0" * 2**21)
    assert main(["translate", "--model", "m"]) == 2
    out, err = capsys.readouterr()
    assert out == "ONE\n"
    assert "standard input, line 2: more than 1048576 bytes without a line end" in err


def test_without_a_faulty_line_nothing_is_told(translate):
    for choice in ("stop", "skip", "truncate"):
        status, out, notes = translate(b"one\n\ntwo\n", "--on-error", choice)
        assert (status, out, notes) == (0, ["ONE", "", "TWO"], [])


def test_many_faulty_lines_are_counted(shouter, stdin, capsys):
    stdin(b"\xff\n" * 100 + b"good\n")
    assert main(["translate", "--model", "m", "--on-error", "skip"]) == 1
    out, err = capsys.readouterr()
    assert out == "\n" * 100 + "GOOD\n"
    *notes, last = err.splitlines()
    assert len(notes) == lines.MOST_NOTES
    assert last == "nmt: note: 100 such lines in all."


def test_an_argument_that_is_too_long_is_told_by_its_number(shouter, refused, capsys):
    command = ["translate", "--model", "m", "a", TOO_LONG.decode()]
    assert main(command) == 2
    out, err = capsys.readouterr()
    assert out == "A\n" and "argument 2 to translate: 1024 pieces, at most" in err


@pytest.mark.parametrize("choice", ["stop", "skip", "truncate"])
def test_a_line_that_is_faulty_already_is_not_split_into_pieces(
    translate, shouter, choice
):
    huge = b"x" * (2**20 + 1)
    status, _, _ = translate(b"one\n" + huge + b"\nt\xff\n", "--on-error", choice)
    assert status == (2 if choice == "stop" else 1)
    assert "one" in shouter.counted
    assert max(map(len, shouter.counted)) < LONGEST
    assert choice == "truncate" or "t\ufffd" not in shouter.counted


@pytest.mark.parametrize(
    ("options", "groups"),
    [
        ("", 3),  # 11 pieces, whose translation has at most 10 more than twice as many
        ("--n-best 2", 5),
        ("--max-length 16", 2),
        ("--max-length 16 --n-best 2", 3),
        ("--max-length 96", 5),
        ("--min-length 96", 5),
        ("--prefix 0123456789012345678901234567890123456789", 5),
    ],
)
def test_lines_whose_results_may_be_large_are_translated_a_few_at_a_time(
    shouter, stdin, monkeypatch, options, groups
):
    monkeypatch.setattr(lines, "ROOM", 2 * 11 * 33)
    stdin(b"0123456789\n" * 5)
    assert main(["translate", "--model", "m", *options.split()]) == 0
    assert len(shouter.searches) == groups


def test_samples_of_one_seed_do_not_depend_on_how_lines_arrive(
    shouter, monkeypatch, capsys
):
    class Pipe:
        def __init__(self, *arriving):
            self.arriving = list(arriving)

        def read1(self, size):
            return self.arriving.pop(0) if self.arriving else b""

        @property
        def buffer(self):
            return self

        def isatty(self):
            return False

    asked = []
    for pipe in (Pipe(b"a\nb\n", b"c\n"), Pipe(b"a\n", b"b\nc\n")):
        monkeypatch.setattr("sys.stdin", pipe)
        shouter.searches.clear()
        assert main(["translate", "--model=m", "--sample", "--seed", "3"]) == 0
        asked.append(list(shouter.searches))
    assert asked[0] == asked[1] == [{"sample": True, "seed": 3}]


def test_a_file_that_is_damaged_or_empty_is_told(refused, shouter, tmp_path, capsys):
    path = tmp_path / "text.gz"
    path.write_bytes(b"no gzip")
    line = refused("translate", "--model", "m", "--input", path)
    assert "text.gz is not a whole compressed file" in line
    path.write_bytes(gzip.compress(b"one\n" * 9)[:-8])
    assert main(["translate", "--model", "m", "--input", str(path)]) == 2
    out, err = capsys.readouterr()
    assert out == "ONE\n" * 9 and "is not a whole compressed file" in err
    path = tmp_path / "text"
    path.touch()
    line = refused("translate", "--model", "m", "--input", path)
    assert line.endswith("text is empty. Expected one sentence a line.")


def test_sizes_reach_the_search(shouter):
    sizes = ["--min-length", "3", "--max-length", "9", "--batch-size", "2"]
    assert main(["translate", "--model", "m", "a", *sizes]) == 0
    wanted = {"min_length": 3, "max_length": 9, "batch_size": 2}
    assert shouter.searches == [wanted]


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ("--batch-size 0", "--batch-size: must be a whole number from 1 to 640"),
        ("--batch-size 641", "--batch-size: must be a whole number from 1 to 640"),
        ("--max-length 2049", "--max-length: must be a whole number from 1 to 2048"),
        ("--min-length x", "--min-length: must be a whole number from 1 to 2048"),
        ("--min-length 3 --max-length 2", "--min-length must be at most --max-length."),
        ("--on-error go", "--on-error: invalid choice: 'go'"),
    ],
)
def test_sizes_and_choices_out_of_range_are_refused(options, complaint, refused):
    assert complaint in refused("translate", "--model", "m", "a", *options.split())


def test_doubtful_lines_are_named_once_at_the_end(shouter, stdin, capsys):
    shouter.doubts = {"odd": ("unknown characters",), "bad": ("low score",)}
    stdin(b"good\nodd\n\n" + b"bad\n" * 12)
    assert main(["translate", "--model", "m"]) == 0
    out, err = capsys.readouterr()
    assert len(out.splitlines()) == 15
    assert err == (
        "nmt: note: 13 of 14 lines may be far from what the model knows; unknown "
        "characters: line 2; low score: lines 4, 5, 6, 7, 8, 9, 10, 11, 12, 13 and 2 "
        "more.\n"
    )


@pytest.mark.parametrize(
    ("failure", "status"),
    [(None, 2), (KeyboardInterrupt(), 130), (BrokenPipeError(), 1)],
)
def test_what_is_told_at_the_end_is_told_when_the_end_comes_early(
    shouter, stdin, capsys, monkeypatch, failure, status
):
    monkeypatch.setattr(lines, "ROOM", 0)
    shouter.doubts = {"odd": ("unknown characters",)}
    if failure:
        shouter.failures = {"last": failure}
    stdin(b"good\nodd\n" + (b"last\n" if failure else b"\xff\n"))
    assert main(["translate", "--model", "m"]) == status
    out, err = capsys.readouterr()
    assert out == "GOOD\nODD\n"
    assert err.startswith("nmt: note: 1 of 2 lines may be far from what the model")


def test_faulty_lines_are_counted_when_the_end_comes_early(shouter, stdin, capsys):
    shouter.failures = {"last": KeyboardInterrupt()}
    stdin(b"\xff\n" * 100 + b"last\n")
    assert main(["translate", "--model", "m", "--on-error", "skip"]) == 130
    assert "nmt: note: 100 such lines in all.\n" in capsys.readouterr().err
