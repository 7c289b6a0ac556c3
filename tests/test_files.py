"""Tests of `nmt.files`: files written whole, and what killed processes leave."""

import errno
import os
import resource
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

from keras_attention.files import write_whole as write_bytes_whole
from nmt import files
from nmt.files import remove_partial_files, write_numbered_folder, write_whole


@contextmanager
def no_file_above(size):
    """Let the system refuse to write more than so many bytes of a file."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_without_room_the_file_before_is_kept_and_no_part_left(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"before")
    with no_file_above(10_000), pytest.raises(OSError) as error:
        write_whole(path, lambda partial: partial.write_bytes(bytes(20_000)))
    assert error.value.errno == errno.EFBIG
    assert error.value.filename == str(path)
    assert "what was there before is kept. Make room" in error.value.strerror
    assert path.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("name", ["n" * 255, "é" * 127])
def test_a_name_may_be_as_long_as_the_file_system_takes(tmp_path, name):
    path = tmp_path / name
    write_whole(path, lambda partial: partial.write_bytes(b"now"))
    write_bytes_whole(path, b"then")
    assert [file.name for file in tmp_path.iterdir()] == [name]


def test_of_a_folder_that_is_a_file_the_path_given_is_told(tmp_path):
    path = tmp_path / "notes.txt" / "a.png"
    path.parent.write_text("notes")
    for write in (
        lambda: write_bytes_whole(path, b""),
        lambda: write_whole(path, lambda partial: partial.write_bytes(b"")),
    ):
        with pytest.raises(OSError) as error:
            write()
        assert error.value.filename == str(path)


def test_a_file_is_on_the_disk_before_it_takes_its_name(tmp_path, monkeypatch):
    done = []
    fsync = os.fsync

    def sync(handle):
        done.append((os.fstat(handle).st_ino, path.exists()))
        fsync(handle)

    monkeypatch.setattr(files.os, "fsync", sync)
    path = tmp_path / "file"
    write_whole(path, lambda partial: partial.write_bytes(b"now"))
    assert done == [
        (path.stat().st_ino, False),  # the file, before it was renamed
        (tmp_path.stat().st_ino, True),
    ]


def test_parts_of_processes_that_ended_are_removed_and_no_others(tmp_path):
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    gone = [f".partial-{ended.pid}-a", f".partial-{os.getpid()}-b"]
    kept = [f".partial-{os.getppid()}-c", ".partial-x-d", "partial-1-e", "f"]
    for name in (*gone, *kept):
        (tmp_path / name).touch()
    remove_partial_files(tmp_path)
    remove_partial_files(tmp_path / "missing")
    assert {path.name for path in tmp_path.iterdir()} == set(kept)


def test_a_folder_is_on_the_disk_before_it_takes_its_name(tmp_path, monkeypatch):
    synced = set()
    fsync = os.fsync

    def sync(handle):
        if not (tmp_path / "1").exists():
            synced.add(os.fstat(handle).st_ino)
        fsync(handle)

    def write(partial):
        (partial / "variables").mkdir(parents=True)
        (partial / "variables" / "data").write_bytes(b"now")

    monkeypatch.setattr(files.os, "fsync", sync)
    made = write_numbered_folder(tmp_path, write)
    parts = (made, *made.rglob("*"))
    assert len(parts) == 3
    assert {path.stat().st_ino for path in parts} == synced


def test_of_two_folders_written_at_once_none_is_lost(tmp_path, monkeypatch):
    def write(path):
        path.mkdir()
        (path / "file").touch()

    rename = Path.rename

    def rename_after_another(partial, path):
        if path.name == "1":
            write(path)
        return rename(partial, path)

    monkeypatch.setattr(Path, "rename", rename_after_another)
    assert write_numbered_folder(tmp_path, write) == tmp_path / "2"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["1", "2"]
    assert (tmp_path / "2" / "file").exists()


def test_a_folder_that_cannot_be_written_leaves_no_folder_behind(tmp_path):
    def write(path):
        path.mkdir()
        (path / "file").write_bytes(bytes(20_000))

    out = tmp_path / "new" / "folder"
    with no_file_above(10_000), pytest.raises(OSError, match="Make room") as error:
        write_numbered_folder(out, write)
    assert error.value.errno == errno.EFBIG and error.value.filename == str(out)
    assert not list(tmp_path.iterdir())


def test_a_picture_for_which_the_disk_has_no_room_names_its_path(tmp_path, monkeypatch):
    def full(handle):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    path = tmp_path / "map.png"
    path.write_bytes(b"before")
    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space left") as caught:
        write_bytes_whole(path, b"after")
    assert caught.value.filename == str(path)
    assert path.read_bytes() == b"before" and list(tmp_path.iterdir()) == [path]
