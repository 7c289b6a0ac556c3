"""Tests of `nmt.corpora.download`, against a server on this machine."""

import gzip
import hashlib
import io
import os
import re
import socket
import ssl
import threading
import tracemalloc
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace

import pooch
import pytest
import urllib3

from nmt.corpora import download, parallel
from nmt.corpora.download import RemoteFile, data_folder, fetch
from nmt.errors import UserError

TEXT = b"uno\ndos\n" * 1000


def zipped(**members):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name.replace("__", "/"), content)
    return buffer.getvalue()


@pytest.fixture
def server(monkeypatch):
    """Serve `server.answers[path]`: (status, body, promised length or None)s."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            served.requests.append(self.path)
            answers = served.answers[self.path]
            status, body, length = answers.pop(0) if len(answers) > 1 else answers[0]
            self.send_response(status)
            if length is not None:
                self.send_header("Content-Length", str(length))
            for name, value in served.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments):
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    address = f"http://127.0.0.1:{http.server_port}"
    served = SimpleNamespace(answers={}, requests=[], headers={}, address=address)
    thread = threading.Thread(target=http.serve_forever, args=(0.01,))
    thread.start()
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.setattr("pooch.core.time", SimpleNamespace(sleep=lambda seconds: None))
    yield served
    http.shutdown()
    http.server_close()
    thread.join()


def offer(server, content, name="text.gz", member=None, sha256=None, answers=None):
    """Put `content` on the server and return its description."""
    server.answers[f"/{name}"] = answers or [(200, content, len(content))]
    digest = hashlib.sha256(TEXT if member else content).hexdigest()
    return RemoteFile(
        name=f"folder/{name}",
        url=f"{server.address}/{name}",
        size=len(content),
        sha256=sha256 or digest,
        text_size=len(TEXT),
        member=member,
    )


def files_in(folder):
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def refusal(file, folder, verify=True):
    """Return the message with which `fetch` refuses, after looking at the folder."""
    before = files_in(folder)
    with pytest.raises(UserError) as caught:
        fetch(file, folder, verify)
    assert files_in(folder) == before
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_file_is_downloaded_once_and_kept_as_it_was_served(server, tmp_path):
    content = gzip.compress(TEXT)
    file = offer(server, content)
    assert fetch(file, tmp_path) == TEXT
    assert fetch(file, tmp_path) == TEXT
    assert server.requests == ["/text.gz"]
    assert files_in(tmp_path) == ["text.gz"]
    assert (tmp_path / "folder" / "text.gz").read_bytes() == content


@pytest.mark.skipif(os.name != "posix", reason="modes are a matter of POSIX")
def test_a_downloaded_file_can_be_read_by_others(server, tmp_path):
    fetch(offer(server, TEXT, "text"), tmp_path)
    assert (tmp_path / "folder" / "text").stat().st_mode & 0o777 == 0o644


def test_what_the_server_packed_on_its_own_is_not_unpacked(server, tmp_path):
    file = offer(server, gzip.compress(bytes(10**6)))
    server.headers["Content-Encoding"] = "gzip"
    assert "in another encoding than asked for" in refusal(file, tmp_path)


def test_an_address_with_tls_is_not_left_for_one_without(tmp_path, monkeypatch):
    class Moved:
        url, headers = "http://elsewhere/text", {}

        def __enter__(self):
            return self

        def __exit__(self, *error):
            pass

        def raise_for_status(self):
            pass

    monkeypatch.setattr("requests.get", lambda *args, **options: Moved())
    file = RemoteFile("text", "https://here/text", len(TEXT), "0" * 64, len(TEXT))
    assert "sent us to http://elsewhere/text, without TLS" in refusal(file, tmp_path)


def test_a_zip_is_read_without_unpacking_it_onto_the_disk(server, tmp_path):
    content = zipped(a__text=TEXT, __escaped=b"out", about=b"more")
    file = offer(server, content, "text.zip", member="a/text")
    assert fetch(file, tmp_path / "data") == TEXT
    assert files_in(tmp_path) == ["text.zip"]


def test_a_zip_packed_otherwise_passes_by_the_sum_of_its_text(server, tmp_path):
    first = offer(server, zipped(text=TEXT), "text.zip", member="text")
    second = offer(server, zipped(text=TEXT, b=b""), "text.zip", member="text")
    assert first.sha256 == second.sha256
    assert fetch(second, tmp_path) == TEXT


@pytest.mark.parametrize("verify", [True, False])
@pytest.mark.parametrize("promise", [True, False])
@pytest.mark.parametrize("kind", ["text.gz", "text.zip"])
def test_a_truncated_download_leaves_nothing(server, tmp_path, kind, promise, verify):
    zip_file = kind == "text.zip"
    content = zipped(text=TEXT) if zip_file else gzip.compress(TEXT)
    answers = [(200, content[:-20], len(content) if promise else None)]
    member = "text" if zip_file else None
    file = offer(server, content, kind, member, answers=answers)
    message = refusal(file, tmp_path, verify)
    assert file.url in message
    assert ("broke off" if promise else "thrown away: not a ") in message
    assert len(server.requests) == 1 + download.RETRIES


def test_an_archive_without_the_wanted_member_is_refused(server, tmp_path):
    file = offer(server, zipped(other=TEXT), "text.zip", member="text")
    assert "the zip archive holds no text" in refusal(file, tmp_path, verify=False)


@pytest.mark.parametrize("member", [None, "text"])
def test_a_wrong_checksum_names_both_sums(server, tmp_path, member):
    content = zipped(text=TEXT) if member else TEXT
    file = offer(server, content, "text", member=member, sha256="ab" * 32)
    message = refusal(file, tmp_path)
    found = hashlib.sha256(TEXT).hexdigest()
    assert f"is {found}, expected {'ab' * 32}" in message and "--no-verify" in message
    assert fetch(file, tmp_path, verify=False) == TEXT


def test_a_page_that_is_not_there_is_asked_for_once(server, tmp_path):
    file = offer(server, TEXT, answers=[(404, b"no such page", None)])
    message = refusal(file, tmp_path)
    assert "answered 404" in message and "as folder/text.gz" in message
    assert len(server.requests) == 1


def test_a_server_in_trouble_is_asked_again(server, tmp_path):
    answers = [(503, b"later", None), (200, TEXT, len(TEXT))]
    assert fetch(offer(server, TEXT, "text", answers=answers), tmp_path) == TEXT


def test_a_server_that_stays_in_trouble_is_given_up(server, tmp_path):
    file = offer(server, TEXT, answers=[(503, b"later", None)])
    assert "answered 503" in refusal(file, tmp_path)
    assert len(server.requests) == 1 + download.RETRIES


def test_a_refused_connection_says_where_the_file_may_be_put(server, tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))  # bound but not listening: refuses connections
        url = f"http://127.0.0.1:{free.getsockname()[1]}/text"
        message = refusal(RemoteFile("text", url, 1, "00", 1), tmp_path)
    assert f"no connection to {url}, or it was lost: [Errno " in message
    assert "refused. Check the network" in message
    assert str(tmp_path / "text") in message


def test_a_connection_that_is_not_trusted_or_lost_is_told_as_such(
    server, tmp_path, monkeypatch
):
    import requests

    inner = ssl.SSLError(1, "[SSL] certificate verify failed: self-signed certificate")
    for error, told in (
        (
            requests.exceptions.SSLError(
                urllib3.exceptions.MaxRetryError(
                    None, "/", urllib3.exceptions.SSLError(inner)
                )
            ),
            "is not trusted here: self-signed certificate. Check",
        ),
        (
            requests.ConnectionError(
                urllib3.exceptions.ReadTimeoutError(None, "/", "Read timed out.")
            ),
            "or it was lost: Read timed out. Check",
        ),
    ):

        def fail(*_, error=error):
            raise error

        monkeypatch.setattr(download, "_transfer", fail)
        assert told in refusal(offer(server, TEXT), tmp_path)


def test_a_folder_that_another_process_makes_meanwhile_is_no_matter(
    server, tmp_path, monkeypatch
):
    make, seen = Path.mkdir, []

    def slow(self, *args, **options):
        make(self, parents=True, exist_ok=True)  # by the other process
        seen.append(self)
        return make(self, *args, **options)

    monkeypatch.setattr(Path, "mkdir", slow)
    assert fetch(offer(server, TEXT, "folder/text"), tmp_path) == TEXT
    assert tmp_path / "folder" in seen


def test_an_interrupted_download_leaves_nothing(server, tmp_path, monkeypatch):
    def half(self, size):
        yield TEXT[:100]
        raise KeyboardInterrupt

    monkeypatch.setattr("requests.Response.iter_content", half)
    with pytest.raises(KeyboardInterrupt):
        fetch(offer(server, TEXT), tmp_path)
    assert files_in(tmp_path) == []


def test_a_server_that_sends_more_than_was_published_is_cut_off(server, tmp_path):
    endless = TEXT * 100
    file = offer(server, TEXT, "text", answers=[(200, endless, None)])
    message = refusal(file, tmp_path)
    assert f"larger than the {len(TEXT):,} bytes expected" in message
    assert "thrown away" in message and "--no-verify" in message


@pytest.mark.parametrize("kind", ["text.gz", "text.zip"])
def test_what_unpacks_to_more_than_was_published_is_refused_before_it_is_unpacked(
    server, tmp_path, monkeypatch, kind
):
    bomb = TEXT * 1000
    content = gzip.compress(bomb) if kind == "text.gz" else zipped(text=bomb)
    file = offer(server, content, kind, "text" if kind == "text.zip" else None)
    monkeypatch.setattr(parallel, "_BLOCK", 1000)
    tracemalloc.start()
    message = refusal(file, tmp_path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert f"holds more than the {len(TEXT):,} bytes expected" in message
    assert peak < len(bomb) / 2


def test_what_is_taken_unverified_is_limited_too(server, tmp_path, monkeypatch):
    monkeypatch.setattr(download, "MOST_BYTES", len(TEXT) - 1)
    file = offer(server, TEXT, "text")
    assert "larger than the 7,999 bytes" in refusal(file, tmp_path, verify=False)


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA])
def test_an_archive_that_is_damaged_anywhere_is_one_line(tmp_path, method):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        archive.writestr("text", bytes(range(256)))
    content = buffer.getvalue()
    path = tmp_path / "text.zip"
    for place in range(len(content)):
        path.write_bytes(
            content[:place] + bytes([content[place] ^ 0xFF]) + content[place + 1 :]
        )
        file = RemoteFile(path.name, "", 2 * len(content), "00", 256, "text")
        with pytest.raises(UserError, match=r"text\.zip: "):
            fetch(file, tmp_path)


@pytest.mark.parametrize("verify", [True, False])
def test_a_damaged_file_on_disk_is_refused_and_kept(server, tmp_path, verify):
    file = offer(server, gzip.compress(TEXT))
    path = tmp_path / file.name
    path.parent.mkdir()
    path.write_bytes(b"mine")
    message = refusal(file, tmp_path, verify)
    assert str(path) in message and "Delete the file" in message
    assert path.read_bytes() == b"mine" and not server.requests


def test_a_file_on_disk_with_another_checksum_is_refused_unless_told(server, tmp_path):
    file = offer(server, gzip.compress(TEXT))
    path = tmp_path / file.name
    path.parent.mkdir()
    path.write_bytes(gzip.compress(b"my own\n"))
    assert file.sha256 in refusal(file, tmp_path)
    assert fetch(file, tmp_path, verify=False) == b"my own\n"
    assert not server.requests


def test_a_folder_in_the_place_of_a_file_is_refused(server, tmp_path):
    file = offer(server, TEXT)
    (tmp_path / file.name).mkdir(parents=True)
    assert re.search(r"cannot read .*text\.gz: Is a directory", refusal(file, tmp_path))


def test_a_folder_that_cannot_be_made_is_refused_before_any_request(server, tmp_path):
    (tmp_path / "folder").touch()  # where the file's own folder should be
    message = refusal(offer(server, TEXT), tmp_path)
    assert "cannot write folder/text.gz into the data folder" in message
    assert "NMT_DATA" in message and not server.requests


def test_a_read_only_folder_is_refused_only_if_the_file_is_missing(server, tmp_path):
    there, missing = offer(server, TEXT, "there"), offer(server, TEXT, "missing")
    (tmp_path / "folder").mkdir()
    (tmp_path / there.name).write_bytes(TEXT)
    for folder in (tmp_path / "folder", tmp_path):
        folder.chmod(0o555)
    if os.access(tmp_path, os.W_OK):
        pytest.skip("nothing is read-only to this user")
    assert fetch(there, tmp_path) == TEXT
    assert "cannot write" in refusal(missing, tmp_path)
    assert not server.requests
    for folder in (tmp_path, tmp_path / "folder"):
        folder.chmod(0o755)


def test_a_terminal_sees_a_progress_bar(server, tmp_path, monkeypatch, capsys):
    file = offer(server, TEXT, "text")
    fetch(file, tmp_path / "plain")
    assert "100%" not in capsys.readouterr().err
    monkeypatch.setattr(download.sys.stderr, "isatty", lambda: True)
    fetch(file, tmp_path / "terminal")
    assert "100%" in capsys.readouterr().err


def test_the_data_folder_is_the_one_named_else_the_environments(tmp_path, monkeypatch):
    monkeypatch.setenv("NMT_DATA", str(tmp_path / "environment"))
    assert data_folder(tmp_path / "named") == tmp_path / "named"
    assert data_folder() == tmp_path / "environment"
    assert data_folder("~") == Path.home()
    assert data_folder("~nobody at all") == Path("~nobody at all")


def test_the_data_folder_is_the_users_cache_if_none_is_named(monkeypatch):
    for unset in (None, ""):
        monkeypatch.delenv("NMT_DATA", raising=False)
        if unset is not None:
            monkeypatch.setenv("NMT_DATA", unset)
        assert data_folder() == pooch.os_cache("nmt")


def test_what_is_no_folder_is_refused_as_the_data_folder(tmp_path):
    (tmp_path / "file").touch()
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "nothing").symlink_to("nowhere")
    reasons = {
        "file": "file is a file",
        "loop": "loop cannot be: Too many levels of symbolic links",
        "nothing": "nothing is a link to nothing",
        "n" * 999: "cannot be: File name too long",
    }
    for name, reason in reasons.items():
        with pytest.raises(UserError, match=f"data folder must be .*{reason}"):
            data_folder(tmp_path / name)
