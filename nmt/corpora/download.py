"""Original files of public corpora: read from one folder, or downloaded into it.

A file that is in the folder is used as it is, without the network. A missing one is
downloaded under a temporary name, checked, and only then given its own name, so that
the folder never holds half a file.
"""

import contextlib
import hashlib
import io
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from nmt.corpora.parallel import (
    MOST_BYTES,
    DamagedFile,
    LargeFile,
    read_at_most,
    unpack,
)
from nmt.errors import UserError
from nmt.files import why_no_folder

_NO_VERIFY = ", or pass --no-verify if you know that it is right."

TIMEOUT = 30
"""Seconds without a byte after which a download is given up."""
BLOCK = 1 << 16
RETRIES = 2
"""How often a download that broke off, or does not match, is tried again."""


@dataclass(frozen=True)
class RemoteFile:
    """A file that a publisher serves.

    Args:
        name: Its place inside the data folder, with `/` between the parts.
        url: Where it is downloaded from.
        size: Its size in bytes.
        sha256: Checksum of the file, or of `member` where that is set.
        text_size: Size in bytes of the text inside, unpacked.
        member: The one text inside a zip archive that is wanted. It is read in
            memory; nothing of an archive is ever unpacked onto the disk.
    """

    name: str
    url: str
    size: int
    sha256: str
    text_size: int
    member: str | None = None


def data_folder(data: str | os.PathLike | None = None) -> Path:
    """Say which folder holds the originals of the corpora.

    Args:
        data: The folder. Without it, the environment variable `NMT_DATA`; without
            that, the user's cache folder.

    Returns:
        The folder's path. It need not exist yet.

    Raises:
        UserError: If the path is that of something else than a folder.
    """
    import pooch  # 0.1 s, which `nmt --help` shall not wait for

    folder = data or os.environ.get("NMT_DATA") or pooch.os_cache("nmt")
    path = Path(os.path.expanduser(folder))
    if reason := why_no_folder(path):
        raise UserError(
            f"the data folder must be a folder, but {reason}. "
            "Set --data or NMT_DATA to another path."
        )
    return path


def fetch(file: RemoteFile, folder: Path, verify: bool = True) -> bytes:
    """Return the text of a published file, downloading the file if it is missing.

    Args:
        file: Which file.
        folder: The data folder, see `data_folder`.
        verify: Whether the checksum must match.

    Returns:
        The unpacked bytes.

    Raises:
        UserError: If the file cannot be downloaded, written or read, or if its
            content does not match. A file that was there is left as it was.
    """
    path = folder / file.name
    if not os.path.exists(path):
        _download(file, folder, verify)
    try:
        return _content(path, file, verify)
    except DamagedFile as error:
        raise UserError(
            f"{path}: {error}. Delete the file to have it downloaded again"
            f"{_NO_VERIFY if verify else '.'}"
        ) from error
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}.") from error


def _content(path: Path, file: RemoteFile, verify: bool) -> bytes:
    """Unpack and check the bytes of `file`, which is at `path`."""
    with open(path, "rb") as stream:
        data = io.BytesIO(read_at_most(stream, _most_served(file, verify)))
    most = file.text_size if verify else MOST_BYTES
    text = unpack(data, file.name, most, file.member)
    if verify:
        # An archive may be packed again with another compressor, so what counts
        # is the text inside; other files count as they are served.
        counted = data.getvalue() if file.member is None else text
        found = hashlib.sha256(counted).hexdigest()
        if found != file.sha256:
            subject = "the file" if file.member is None else file.member
            raise DamagedFile(
                f"the SHA-256 of {subject} is {found}, expected {file.sha256}"
            )
    return text


def _download(file: RemoteFile, folder: Path, verify: bool) -> None:
    """Put `file` into `folder`, whole and checked, or raise and leave nothing."""
    import pooch
    import requests

    def transfer_and_check(url, output_file, manager):
        try:
            _transfer(file, output_file, _most_served(file, verify))
        except requests.HTTPError as error:
            # A second try would not help where the server says so.
            if error.response is not None and error.response.status_code < 500:
                raise UserError(_refusal(file, error)) from error
            raise
        _content(Path(output_file), file, verify)
        # The temporary file is its owner's alone; a shared folder is for everybody.
        os.chmod(output_file, 0o644)

    manager = pooch.create(
        path=folder,
        base_url="",
        registry={file.name: None},
        urls={file.name: file.url},
        retry_if_failed=RETRIES,
    )
    made = [each for each in (folder / file.name).parents if not each.exists()]
    by_hand = f"Check the network, or put the file at {folder / file.name} yourself."
    try:
        # As pooch would, but not at odds with another process that begins now too.
        (folder / file.name).parent.mkdir(parents=True, exist_ok=True)
        manager.fetch(file.name, downloader=transfer_and_check)
    except requests.HTTPError as error:
        raise UserError(_refusal(file, error)) from error
    except requests.exceptions.SSLError as error:
        raise UserError(
            f"the certificate of {file.url} is not trusted here: {_reason(error)}. "
            f"{by_hand}"
        ) from error
    except requests.ConnectionError as error:
        raise UserError(
            f"no connection to {file.url}, or it was lost: {_reason(error)}. {by_hand}"
        ) from error
    except requests.RequestException as error:
        raise UserError(
            f"the download of {file.url} broke off ({type(error).__name__}). {by_hand}"
        ) from error
    except DamagedFile as error:
        raise UserError(
            f"the download of {file.url} was thrown away: {error}. Try again later"
            f"{_NO_VERIFY if verify else '.'}"
        ) from error
    except OSError as error:
        raise UserError(
            f"cannot write {file.name} into the data folder {folder}: "
            f"{error.strerror or error}. Set --data or NMT_DATA to a folder that "
            "can be written, or that holds the file."
        ) from error
    finally:
        for each in made:  # from the innermost on
            with contextlib.suppress(OSError):  # not empty: the file has come
                each.rmdir()


def _reason(error) -> str:
    """Return the innermost cause that an error of a connection has, in one line."""
    while isinstance(error, Exception) and error.args:
        inner = getattr(error.args[0], "reason", None) or error.args[-1]
        if not isinstance(inner, Exception):
            break
        error = inner
    told = (str(error).splitlines() or [type(error).__name__])[0]
    return told.rpartition(": ")[2].rstrip(".")[:200]


def _most_served(file: RemoteFile, verify: bool) -> int:
    """Say how many bytes of a file are read, before anything of it is known."""
    if not verify:
        return MOST_BYTES
    # An archive may be packed again, to a size near the published one.
    return file.size if file.member is None else 2 * file.size


def _transfer(file: RemoteFile, path: str, most: int) -> None:
    """Write what the server sends to `path`, as long as it is not too much."""
    import requests
    from tqdm import tqdm

    options = {"unit": "B", "unit_scale": True, "disable": not sys.stderr.isatty()}
    # As it is: what requests would unpack is counted when it is too late.
    plain = {"Accept-Encoding": "identity"}
    with requests.get(
        file.url, stream=True, timeout=TIMEOUT, headers=plain
    ) as response:
        response.raise_for_status()
        if file.url.startswith("https:") and not response.url.startswith("https:"):
            raise DamagedFile(f"the server sent us to {response.url}, without TLS")
        if response.headers.get("Content-Encoding", "identity") != "identity":
            raise DamagedFile("the server sent it in another encoding than asked for")
        with open(path, "wb") as copy, tqdm(total=file.size, **options) as bar:
            for block in response.iter_content(BLOCK):
                copy.write(block)
                bar.update(len(block))
                if copy.tell() > most:
                    raise LargeFile(f"it is larger than the {most:,} bytes expected")


def _refusal(file: RemoteFile, error) -> str:
    response = error.response
    return (
        f"the server answered {response.status_code} {response.reason} for "
        f"{file.url}. Download the file elsewhere and set --data or NMT_DATA to a "
        f"folder that holds it as {file.name}."
    )
