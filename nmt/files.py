"""Files written whole or not at all, locked folders, and names of pictures."""

import contextlib
import errno
import itertools
import os
import shutil
from pathlib import Path

from nmt.errors import UserError

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

LONGEST_NAME = 255
"""Most bytes of a name on all file systems in use. A path is not checked that far if
its first folder is missing."""
PICTURES = (".png", ".svg", ".pdf", ".html")
PARTIAL = ".partial-"
"""How the name of a file begins that is being written; the process follows."""
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""What the system says when there is no room for a file."""


def picture_ending(path) -> str:
    """Return the ending of a picture's file name, in small letters.

    Raises:
        UserError: If no picture ends so.
    """
    ending = Path(path).suffix.lower()
    if ending not in PICTURES:
        raise UserError(
            f"A picture must end in {', '.join(PICTURES)}. Got: {os.fspath(path)}."
        )
    return ending


def why_no_folder(path) -> str | None:
    """Say why no folder can be at a path; `None` if one is there, or can be made."""
    path = Path(path)
    for place in (path, *path.parents):
        try:
            if len(os.fsencode(place.name)) > LONGEST_NAME:
                raise OSError(errno.ENAMETOOLONG, os.strerror(errno.ENAMETOOLONG))
            place.stat()
        except (FileNotFoundError, NotADirectoryError):
            if place.is_symlink():
                return f"{place} is a link to nothing"
        except OSError as error:  # a loop of links, a name that is too long
            return f"{place} cannot be: {error.strerror}"
        else:
            return None if place.is_dir() else f"{place} is a file"
    return None


def write_whole(path, write):
    """Write a file whole or not at all; it is on the disk when this returns.

    Args:
        path: Path of the file.
        write: Function that writes it to the path it is given, of a temporary name in
            the same folder.

    Raises:
        OSError: If it cannot be written, with its path. What was there before is kept.
    """
    path = Path(path)
    # The end of a long name alone: no name may have more than 255 bytes.
    partial = path.with_name(f"{PARTIAL}{os.getpid()}-{path.name[-40:]}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write(partial)
        # Renamed before its content is on the disk it could be empty after a crash.
        _sync(partial)
        os.replace(partial, path)
        with contextlib.suppress(OSError):  # some file systems sync no folders
            _sync(path.parent)
    except OSError as error:
        raise _told(error, path) from error
    finally:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)


def _told(error, path):
    reason = error.strerror or str(error)
    if error.errno in FULL:
        reason += (
            "; what was there before is kept. Make room on the disk, then give the "
            "same command again"
        )
    return OSError(error.errno, reason, os.fspath(path))


def write_numbered_folder(folder, write):
    """Write a folder whole or not at all, named by the number after all others.

    Args:
        folder: Folder of the numbered ones; made if it is missing, and removed if
            nothing could be written.
        write: Function that writes the new folder to the path it is given, of a
            temporary name beside it.

    Returns:
        Path of the new folder.

    Raises:
        OSError: If it cannot be written, with its path.
    """
    folder = Path(folder)
    partial = folder / f"{PARTIAL}{os.getpid()}-next"
    try:
        with _folder_made(folder):
            try:
                write(partial)
                # As in `write_whole`: after a crash its files could be empty.
                for place in (*partial.rglob("*"), partial):
                    _sync(place)
                return _named_by_the_next_number(partial)
            finally:
                shutil.rmtree(partial, ignore_errors=True)
    except OSError as error:
        raise _told(error, folder) from error


def _named_by_the_next_number(partial):
    there = [int(e.name) for e in partial.parent.glob("*") if e.name.isdecimal()]
    for number in itertools.count(1 + max(there, default=0)):
        path = partial.with_name(str(number))
        try:
            return partial.rename(path)
        except OSError as error:  # another process has just taken the number
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise


@contextlib.contextmanager
def _folder_made(folder):
    """Make a folder, with those around it; remove those that then stay empty."""
    made = [place for place in (folder, *folder.parents) if not place.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        yield
    finally:
        for place in made:  # from the innermost on
            with contextlib.suppress(OSError):  # it is not empty
                place.rmdir()


def remove_partial_files(folder):
    """Remove what killed processes left of files and folders that they were writing.

    Args:
        folder: The folder; it need not exist.
    """
    for path in Path(folder).glob(f"{PARTIAL}*-*"):
        process = path.name.removeprefix(PARTIAL).partition("-")[0]
        if process.isdecimal() and not _is_running(int(process)):
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)


def _sync(path):
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _is_running(process):
    if process == os.getpid():  # a number that was given again
        return False
    if os.name == "nt":  # where asking by a signal would stop it
        return True
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:  # of another user
        return True
    return True


@contextlib.contextmanager
def alone_with(path):
    """Wait until no other process is here with the same file, which need not exist.

    Where there are no locks, see `lock_folder`, it does not wait.

    Args:
        path: Path of a file that none replaces but who is alone with it.
    """
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(OSError):
            if fcntl is not None:
                stack.enter_context(_locked(path))
        yield


@contextlib.contextmanager
def _locked(path):
    while True:
        with open(path, "rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            # Who was waited for may have replaced it.
            if os.path.samestat(os.fstat(file.fileno()), os.stat(path)):
                yield
                return


@contextlib.contextmanager
def lock_folder(folder):
    """Lock a folder, so that no second process that locks it writes to it.

    The system unlocks it when the process ends, however it ends. On a file system that
    has no locks, and on Windows, nothing is locked.

    Args:
        folder: The folder; made if it is missing, with those around it, and they are
            removed if they then stay empty.

    Raises:
        UserError: If another process has locked it.
    """
    folder = Path(folder)
    with _folder_made(folder):
        handle = None if fcntl is None else os.open(folder, os.O_RDONLY)
        try:
            try:
                if handle is not None:
                    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise UserError(
                    f"Another process is training in {folder}. Wait until it ends, or "
                    "choose another --out."
                ) from None
            except OSError:  # some network file systems
                pass
            yield
        finally:
            if handle is not None:
                os.close(handle)
