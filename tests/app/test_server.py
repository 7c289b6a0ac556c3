"""Tests of `nmt.app.server`: what the local page answers, and what it refuses."""

import http.client
import json
import os
import re
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import numpy as np
import pytest

from nmt.app.cli import main
from nmt.app.handler import MAX_BODY
from nmt.app.local_page import PHRASES, local_page, payload
from nmt.app.server import Server
from nmt.app.service import MAX_TEXT, MAX_WAITING, Service
from nmt.config import Config, CorpusConfig
from nmt.errors import UserError
from nmt.phrasebook import generate, words
from nmt.translation.translation import Translation

ROOT = Path(__file__).parents[2]


class Shouter:
    """A translator into capitals: words attend to their own. Its score: the beams."""

    def __call__(self, texts, beam_size=5, prefix=""):
        if not isinstance(texts, str):
            return [self(text, beam_size, prefix) for text in texts]
        if "#" in prefix:
            raise UserError("The translation cannot begin with '#'.")
        if texts == "fail":
            raise RuntimeError("no\nluck")
        source, forced = [*texts.split(), "</s>"], prefix.split()
        target = [*forced, *texts.upper().split()[len(forced) :], "</s>"]
        weights = np.full((len(target), len(source)), 0.1 / len(source))
        for row, weight in enumerate(weights):
            weight[min(row, len(source) - 1)] += 0.9
        pieces = [[f"▁{word}" for word in words[:-1]] for words in (source, target)]
        return Translation(
            source=texts,
            text=" ".join(target[:-1]),
            score=-float(beam_size),
            source_tokens=[*pieces[0], "</s>"],
            target_tokens=[*pieces[1], "</s>"],
            weights=weights,
        )


@contextmanager
def serving(translator):
    """A server in a thread of its own."""
    with Server(0) as server:
        page, policy = local_page(CorpusConfig(), "folder", beam_size=5)
        service = Service(translator, payload, beam_size=5)
        thread = threading.Thread(target=server.run, args=(page, policy, service))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture(scope="module")
def server():
    with serving(Shouter()) as server:
        yield server


def ask(server, method="GET", path="/", body=None, **headers):
    """Send a request; give status, headers and body of the answer."""
    with closing(http.client.HTTPConnection(*server.server_address)) as connection:
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, body, names)
        response = connection.getresponse()
        return response.status, response.headers, response.read()


def translate(server, body, kind="application/json", **headers):
    """Post to the page; give the status and the object of the answer."""
    body = body if isinstance(body, bytes) else json.dumps(body)
    status, _, answer = ask(
        server, "POST", "/translate", body, Content_Type=kind, **headers
    )
    return status, json.loads(answer)


def test_the_page_is_one_file_that_may_run_its_own_script_alone(server):
    status, headers, page = ask(server)
    assert status == 200
    assert headers["Content-Type"] == "text/html; charset=utf-8"
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "connect-src 'self'" in policy
    assert re.search("script-src 'sha256-[^;]+'", policy)
    assert "unsafe" not in policy and "http" not in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "no-store"
    assert "Access-Control-Allow-Origin" not in headers
    text = page.decode()
    assert "demonstration" in text
    bare = text.replace("http://www.w3.org/", "")
    assert not re.search(r"https?:|@import|url\((?!['\"]?data:)", bare)
    assert not re.findall(r"\s(?:src|href)=(?!\"data:)", bare)
    status, headers, nothing = ask(server, "HEAD")
    assert (status, nothing) == (200, b"")
    assert headers["Content-Length"] == str(len(page))


def test_a_text_gives_its_translation_with_weights(server):
    status, answer = translate(server, {"text": "the cat sleeps"})
    assert status == 200
    assert (answer["text"], answer["score"]) == ("THE CAT SLEEPS", -5)
    status, answer = translate(
        server,
        {"text": "the cat sleeps", "beam_size": 2, "prefix": "LA"},
        kind="application/json; charset=utf-8",
    )
    assert status == 200
    assert (answer["text"], answer["score"]) == ("LA CAT SLEEPS", -2)


def test_html_and_unknown_words_are_text_like_any_other(server):
    text = "<script>alert(1)</script> & \u2028 ☃ \U0001f600 \"'"
    status, answer = translate(server, {"text": text})
    assert status == 200
    assert answer["text"] == " ".join(text.upper().split())


def test_twenty_requests_at_once_get_their_own_answers(server):
    texts = [f"sentence number {number}" for number in range(20)]
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda text: translate(server, {"text": text}), texts))
    assert answers == [translate(server, {"text": text}) for text in texts]
    assert [answer["text"] for _, answer in answers] == [t.upper() for t in texts]


def test_translations_are_made_one_after_another():
    busy = threading.Lock()

    def slow(text, beam_size, prefix):
        with_others = not busy.acquire(blocking=False)
        threading.Event().wait(0.01)
        busy.release()
        return Shouter()("overlap" if with_others else "alone")

    with serving(slow) as server, ThreadPoolExecutor(8) as pool:
        answers = pool.map(lambda text: translate(server, {"text": text}), "abcdefgh")
        assert {answer["text"] for _, answer in answers} == {"ALONE"}


@pytest.mark.parametrize(
    ("body", "status", "reason"),
    [
        ({"text": ""}, 400, "the text is empty"),
        ({"text": " \t\n"}, 400, "the text is empty"),
        ({"text": "x" * 10_000}, 413, "text has 10000 characters. At most 500 are"),
        ({"text": "x", "prefix": "y" * 501}, 413, "prefix has 501 characters"),
        ({"text": ["a"]}, 400, "text must be a string"),
        ({"text": None}, 400, "text must be a string"),
        ({"text": "a", "prefix": 3}, 400, "prefix must be a string"),
        ({"text": "a", "prefix": "#"}, 400, "cannot begin with '#'"),
        ({"text": "a", "beam_size": 0}, 400, "beam_size must be a whole number"),
        ({"text": "a", "beam_size": 10**6}, 400, "beam_size must be a whole number"),
        ({"text": "a", "beam_size": True}, 400, "beam_size must be a whole number"),
        ({"text": "a", "beam_size": "2"}, 400, "beam_size must be a whole number"),
        ({"text": "a", "beam_size": 2.0}, 400, "beam_size must be a whole number"),
        ({"text": "a", "model": "x"}, 400, "Known are text, beam_size and prefix"),
        ({}, 400, 'must be an object like {"text"'),
        (["a"], 400, 'must be an object like {"text"'),
        (b"", 400, "must be JSON in UTF-8"),
        (b'{"text": ', 400, "must be JSON in UTF-8"),
        (b'{"text": "\xff"}', 400, "must be JSON in UTF-8"),
        (b'{"text": "\\ud800"}', 400, "text is not Unicode text"),
        (b"[" * 60_000, 400, "must be JSON in UTF-8"),
        (b'{"text": "a", "beam_size": ' + b"9" * 5000 + b"}", 400, "must be JSON"),
        (b" " * (MAX_BODY + 1), 413, "at most"),
        (b" " * (3 * MAX_BODY), 413, "at most"),
    ],
)
def test_what_cannot_be_translated_is_refused_with_the_reason(
    server, capfd, body, status, reason
):
    got, answer = translate(server, body)
    assert (got, list(answer)) == (status, ["error"])
    assert reason in answer["error"]
    assert capfd.readouterr() == ("", "")


def test_the_longest_text_that_is_allowed_is_translated(server):
    text = "x" * MAX_TEXT
    assert translate(server, {"text": text})[1]["text"] == text.upper()


@pytest.mark.parametrize(
    "kind",
    ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""],
)
def test_what_a_form_of_another_site_can_send_is_refused(server, kind):
    status, answer = translate(server, {"text": "a"}, kind=kind)
    assert status == 415 and "application/json" in answer["error"]


@pytest.mark.parametrize(
    "host", ["example.org", "127.0.0.1", "localhost:1", "", "[::1]"]
)
def test_a_foreign_host_is_refused(server, host):
    status, _, answer = ask(server, Host=host)
    assert status == 421 and server.url in json.loads(answer)["error"]
    assert translate(server, {"text": "a"}, Host=host)[0] == 421


def test_both_names_of_this_machine_are_taken(server):
    port = server.server_port
    for host in (f"localhost:{port}", f"127.0.0.1:{port}", f"LocalHost:{port}"):
        assert ask(server, Host=host)[0] == 200


@pytest.mark.parametrize(
    ("method", "path", "status", "allowed"),
    [
        ("GET", "/nothing", 404, None),
        ("POST", "/../../etc/passwd", 404, None),
        ("GET", "//example.org/", 404, None),
        ("GET", "/translate", 405, "POST"),
        ("POST", "/", 405, "GET, HEAD"),
        ("PUT", "/translate", 405, "POST"),
        ("DELETE", "/", 405, "GET, HEAD"),
        ("OPTIONS", "/translate?x", 405, "POST"),
        ("POST", "/?x", 405, "GET, HEAD"),
        ("FLY", "/", 501, None),
    ],
)
def test_other_paths_and_methods_are_refused(server, method, path, status, allowed):
    got, headers, answer = ask(server, method, path)
    assert got == status
    assert headers["Allow"] == allowed
    assert "Access-Control-Allow-Origin" not in headers
    assert headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert list(json.loads(answer)) == ["error"]


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"nonsense\r\n\r\n", None),  # no HTTP, so no headers in the answer
        (b"GET / HTTP/9.9\r\n\r\n", None),
        (b"GET /" + b"x" * 70_000 + b" HTTP/1.1\r\n\r\n", 414),
        (b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 200 + b"\r\n", 431),
        (b"GET / HTTP/1.1\r\n\r\n", 421),
        (b"POST /translate HTTP/1.1\r\nHost: @\r\nContent-Type: application/json", 411),
        (
            b"POST /translate HTTP/1.1\r\nHost: @\r\nContent-Type: application/json"
            b"\r\nTransfer-Encoding: chunked\r\n\r\n0",
            411,
        ),
        (
            b"POST /translate HTTP/1.1\r\nHost: @\r\nContent-Type: application/json"
            b"\r\nContent-Length: -5",
            411,
        ),
        (
            b"POST /translate HTTP/1.1\r\nHost: @\r\nContent-Type: application/json"
            b"\r\nContent-Length: 9\r\n\r\nshort",
            400,
        ),
    ],
)
def test_broken_requests_are_refused_in_silence(server, capfd, request_bytes, status):
    host = f"127.0.0.1:{server.server_port}".encode()
    with socket.create_connection(server.server_address) as connection:
        connection.sendall(request_bytes.replace(b"@", host) + b"\r\n\r\n")
        connection.shutdown(socket.SHUT_WR)
        answer = b"".join(iter(lambda: connection.recv(4096), b""))
    assert answer.startswith(b"HTTP/1.0 %d " % status if status else b'{"error"')
    assert b'{"error": "' in answer
    assert b"Python" not in answer and b"Traceback" not in answer
    assert capfd.readouterr() == ("", "")


def test_a_browser_that_goes_away_is_no_error(server, capfd):
    for _ in range(3):
        connection = socket.create_connection(server.server_address)
        # Closed by a reset, in the middle of a body.
        linger = b"\1\0\0\0\0\0\0\0"
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        head = (
            f"POST /translate HTTP/1.1\r\nHost: localhost:{server.server_port}\r\n"
            "Content-Type: application/json\r\nContent-Length: 9\r\n\r\n{"
        )
        connection.sendall(head.encode())
        connection.close()
    assert ask(server)[0] == 200
    end = time.monotonic() + 60
    while server._connections and time.monotonic() < end:
        time.sleep(0.01)
    assert not server._connections
    assert capfd.readouterr() == ("", "")


def test_a_failure_inside_is_a_line_on_the_terminal_and_none_of_it_in_the_page(
    server, capfd
):
    status, answer = translate(server, {"text": "fail"})
    assert status == 500
    assert answer == {"error": "The translation failed; the terminal says why."}
    assert capfd.readouterr().err == "nmt: error: RuntimeError: no luck\n"
    assert translate(server, {"text": "go on"})[0] == 200


def test_it_listens_on_this_machine_alone(server):
    assert server.socket.getsockname()[0] == "127.0.0.1"


def test_a_port_that_is_taken_is_one_line_and_status_2(server, monkeypatch, capsys):
    monkeypatch.setattr("nmt.app.inputs.load_config", lambda folder: Config())
    port = str(server.server_port)
    assert main(["serve", "--model", "m", "--port", port]) == 2
    assert capsys.readouterr() == (
        "",
        f"nmt: error: port {port} is taken. Choose another by --port.\n",
    )


def test_at_the_end_who_sends_nothing_is_not_waited_for(monkeypatch):
    monkeypatch.setattr("nmt.app.handler.REQUEST_SECONDS", 3600)
    begun, may_end = threading.Event(), threading.Event()

    def serve():
        with serving(Shouter()) as server:
            addresses.append(server.server_address)
            begun.set()
            may_end.wait()

    addresses = []
    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    assert begun.wait(60)
    with socket.create_connection(addresses[0]) as silent:
        with closing(http.client.HTTPConnection(*addresses[0])) as other:
            other.request("GET", "/")  # once answered, the silent one has its thread
            assert other.getresponse().status == 200
        may_end.set()
        thread.join(timeout=60)
        assert not thread.is_alive()
        assert silent.recv(100) == b""


def begin(server, text):
    """Send a request; give the connection, on which the answer is to come."""
    connection = socket.create_connection(server.server_address, timeout=30)
    body = json.dumps({"text": text}).encode()
    head = (
        f"POST /translate HTTP/1.1\r\nHost: localhost:{server.server_port}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    connection.sendall(head.encode() + body)
    return connection


def read(connection):
    """Give what comes on a connection until it is closed."""
    with connection:
        return b"".join(iter(lambda: connection.recv(4096), b""))


def test_a_full_queue_says_busy_and_who_has_left_is_not_translated(capfd):
    began, may_end, texts = threading.Event(), threading.Event(), []

    def slow(text, beam_size, prefix):
        texts.append(text)
        began.set()
        may_end.wait(30)
        return Shouter()(text)

    with serving(slow) as server:
        first = begin(server, "first")
        assert began.wait(30)
        others = [begin(server, f"other {n}") for n in range(MAX_WAITING + 1)]
        (refused, *more), _, _ = select.select(others, [], [], 30)
        answer = read(refused)
        assert answer.startswith(b"HTTP/1.0 503 ") and not more
        assert b"\r\nRetry-After: 5\r\n" in answer
        assert b'{"error": "Busy: 8 others are waiting.' in answer
        for other in others:
            other.close()
        last = begin(server, "last")
        may_end.set()
        assert b'"FIRST"' in read(first)
        assert b'"LAST"' in read(last)
    assert texts == ["first", "last"]
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("head", [b"", None], ids=["head", "body"])
def test_who_sends_a_byte_at_a_time_is_heard_so_long_and_no_longer(
    server, monkeypatch, head
):
    monkeypatch.setattr("nmt.app.handler.REQUEST_SECONDS", 0.3)
    monkeypatch.setattr("nmt.app.handler.REST_SECONDS", 0.3)
    if head is None:
        head = (
            b"POST /translate HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nContent-Type: "
            b"application/json\r\nContent-Length: 60000\r\n\r\n" % server.server_port
        )
    with socket.create_connection(server.server_address) as connection:
        connection.sendall(head)
        for _ in range(500):
            if select.select([connection], [], [], 0.02)[0]:
                break
            connection.sendall(b"x")
        else:
            pytest.fail("the connection is still open")
        answer = b""
        with suppress(ConnectionResetError):
            while part := connection.recv(4096):
                answer += part
    if head:
        assert answer.startswith(b"HTTP/1.0 408 ")
        assert b"has to arrive within 0.3 seconds" in answer
    else:
        assert answer == b""


@pytest.mark.parametrize(
    ("path", "kind", "status"),
    [
        ("/translate", "application/json", 413),
        ("/translate", "text/plain", 415),
        ("/nothing", "application/json", 404),
    ],
)
def test_a_refusal_reaches_who_sends_far_too_much(server, path, kind, status):
    body = b" " * (32 * 1024 * 1024)
    got, _, answer = ask(server, "POST", path, body, Content_Type=kind)
    assert got == status and list(json.loads(answer)) == ["error"]


PROGRAM = """
import signal, sys, threading
from nmt.app import handler, inputs
from nmt.app.cli import main
from nmt.config import Config
from tests.app.test_server import Shouter

handler.REQUEST_SECONDS = 3600  # what sends nothing is not waited for
# A shell starts what runs in the background deaf to Ctrl-C.
signal.signal(signal.SIGINT, signal.default_int_handler)

class Slow(Shouter):
    def __call__(self, *arguments, **options):
        print("translating", flush=True)
        threading.Event().wait(0.3)
        return super().__call__(*arguments, **options)

inputs.load_translator = lambda *given: Slow()
inputs.load_config = lambda folder: Config()
sys.exit(main(["serve", "--model", "folder", "--port", "0"]))
"""


@pytest.mark.parametrize("busy", [False, True])
def test_ctrl_c_ends_it_cleanly(busy):
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM],
        cwd=ROOT,
        env={**os.environ, "KERAS_BACKEND": "numpy"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            said = process.stdout.readline()
            port = int(re.search(r"http://127\.0\.0\.1:(\d+)/", said)[1])
            assert "folder" in said and "Ctrl-C" in said
            with socket.create_connection(("127.0.0.1", port)) as connection:
                if busy:
                    connection.sendall(
                        f"POST /translate HTTP/1.1\r\nHost: localhost:{port}\r\n"
                        "Content-Type: application/json\r\nContent-Length: 13\r\n\r\n"
                        '{"text": "a"}'.encode()
                    )
                    assert process.stdout.readline() == "translating\n"
                process.send_signal(signal.SIGINT)
                rest, errors = process.communicate(timeout=120)
        finally:
            process.kill()
    assert (process.returncode, errors) == (0, "")
    assert rest.strip() == "stopped"


def test_names_of_languages_and_of_the_model_are_text_on_the_page():
    corpus = CorpusConfig(source='"><script>', target="<b>")
    page, _ = local_page(corpus, "<i>\udc80", beam_size=3)
    assert "&quot;&gt;&lt;script&gt;" in page and "<b>" not in page
    assert "&lt;i&gt;?</title>" in page and "<i>" not in page
    assert 'value="3"' in page


@pytest.mark.parametrize(
    ("corpus", "title", "example"),
    [
        (CorpusConfig(), "English → Spanish", "The small dog does not see it."),
        (
            CorpusConfig("multi30k", "de", "en"),
            "German → English",
            "Zwei Hunde spielen im Schnee.",
        ),
        (CorpusConfig("pairs", "la", "source"), "la → source", ""),
    ],
)
def test_the_page_names_the_model_and_has_a_sentence_for_it(corpus, title, example):
    page, _ = local_page(corpus, "models/mine", beam_size=5)
    assert f"<title>{title} · models/mine</title>" in page
    assert f" autofocus>{example}</textarea>" in page


def test_models_of_the_phrase_book_know_every_word_of_their_example():
    book = generate(train_size=2000, validation_size=0, test_size=0).train
    for language, side in {"en": "english", "es": "spanish"}.items():
        known = {word for phrase in book for word in words(getattr(phrase, side))}
        assert set(words(PHRASES[language])) <= known
