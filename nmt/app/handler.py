"""How the local page's server reads a request, and answers or refuses it.

What a browser may do here is kept small, because any web site that is open beside the
page can send requests to it: the name in `Host` must be this machine's (else a site
could point its own name here and read the answers), a body must say that it is JSON
(which a form of another site cannot), and no answer allows another origin.
"""

import io
import json
import re
import select
import socket
import sys
import time
from http.server import BaseHTTPRequestHandler

from nmt.app.service import Gone, Refused
from nmt.app.site import Site
from nmt.app.terminal import one_line

MAX_BODY = 64 * 1024  # bytes
REQUEST_SECONDS = 30  # in which a request has to arrive
ANSWER_SECONDS = 30  # in which an answer has to be taken
REST_SECONDS = 5  # in which what a refused client still sends is read

HEADERS = {
    "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
# A page comes with a policy of its own, which cannot say this from within.
NO_FRAMES = "frame-ancestors 'none'"
# Of answers that are no pages.
NOTHING_ALLOWED = f"default-src 'none'; {NO_FRAMES}"
METHODS = {"/": "GET, HEAD", "/translate": "POST"}


class _Input(io.RawIOBase):
    """What a connection sends, for so many seconds and no longer."""

    def __init__(self, connection, seconds):
        super().__init__()
        self._connection = connection
        self._end = time.monotonic() + seconds

    def readable(self):
        return True

    def readinto(self, buffer):
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._connection.settimeout(left)
        return self._connection.recv_into(buffer)


class Handler(BaseHTTPRequestHandler):
    """One connection, and the one request in it."""

    server: Site

    def setup(self):
        super().setup()
        # The parent's would wait anew for every byte.
        self.rfile.close()
        self.rfile = io.BufferedReader(_Input(self.connection, REQUEST_SECONDS))

    def do_GET(self):
        self._answer_to(("GET", "HEAD"), "/", self._page)

    do_HEAD = do_GET

    def do_POST(self):
        self._answer_to(("POST",), "/translate", self._translation)

    def do_PUT(self):
        self._answer_to((), None, None)

    do_DELETE = do_PATCH = do_OPTIONS = do_CONNECT = do_TRACE = do_PUT

    def _answer_to(self, methods, path, make):
        try:
            self._check_host()
            self._check_path(methods, path)
            content, kind, policy = make()
        except Refused as refusal:
            self._refuse(refusal.status, str(refusal), refusal.headers)
        except Gone:
            pass
        except OSError:
            raise  # the connection is gone
        except Exception as error:
            tell_failure(error)
            self.send_error(500, "The translation failed; the terminal says why.")
        else:
            self._send(200, content, kind, policy)

    def _check_host(self):
        hosts = self.headers.get_all("Host", [])
        if len(hosts) != 1 or hosts[0].lower() not in self.server.hosts:
            raise Refused(421, f"This page is at {self.server.url} and nowhere else.")

    def _check_path(self, methods, path):
        requested = self.path.partition("?")[0]
        if requested not in METHODS:
            raise Refused(404, f"There is nothing here. The page is {self.server.url}")
        if requested != path or self.command not in methods:
            allowed = METHODS[requested]
            raise Refused(
                405, f"{requested} answers {allowed} only.", {"Allow": allowed}
            )

    def _page(self):
        policy = f"{self.server.policy}; {NO_FRAMES}"
        return self.server.page, "text/html; charset=utf-8", policy

    def _translation(self):
        answer = self.server.service.answer(self._body(), client=self)
        content = json.dumps(answer, ensure_ascii=False).encode()
        return content, "application/json", NOTHING_ALLOWED

    def _body(self):
        kind = self.headers.get_content_type()
        if kind != "application/json":
            raise Refused(415, "The body must be of type application/json.")
        length = self.headers.get("Content-Length", "")
        if not re.fullmatch("[0-9]{1,15}", length):
            raise Refused(411, "The length of the body must be given.")
        length = int(length)
        if length > MAX_BODY:
            raise Refused(413, f"The body may have {MAX_BODY} bytes at most.")
        try:
            body = self.rfile.read(length)
        except TimeoutError:
            raise Refused(
                408, f"A request has to arrive within {REQUEST_SECONDS} seconds."
            ) from None
        if len(body) < length:
            raise Refused(400, "The body is shorter than its length.")
        return body

    def is_here(self):
        """Whether the client still waits: its side of the connection is open."""
        poll = select.poll()
        poll.register(self.connection, select.POLLIN)
        try:
            return not poll.poll(0) or self.connection.recv(1, socket.MSG_PEEK) != b""
        except OSError:
            return False

    def send_error(self, code, message=None, explain=None):
        """Answer with the reason as JSON, in place of the parent's page."""
        self._refuse(code, message or self.responses[code][0])

    def _refuse(self, status, reason, headers=None):
        content = json.dumps({"error": reason}).encode()
        self._send(status, content, headers=headers)
        self._hear_out()

    def _hear_out(self):
        """Read what the client still sends, so that it comes to read the answer.

        A connection that is closed before is a broken one to most programs.
        """
        rest, buffer = _Input(self.connection, REST_SECONDS), bytearray(MAX_BODY)
        try:
            self.connection.shutdown(socket.SHUT_WR)
            while rest.readinto(buffer):
                pass
        except OSError:
            pass  # it is gone, or does not come to an end

    def _send(
        self,
        status,
        content,
        kind="application/json",
        policy=NOTHING_ALLOWED,
        headers=None,
    ):
        self.connection.settimeout(ANSWER_SECONDS)
        self.send_response(status)
        for name, value in (HEADERS | (headers or {})).items():
            self.send_header(name, value)
        self.send_header("Content-Security-Policy", policy)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def version_string(self):
        """Name the server without the versions of Python and its library."""
        return "nmt"

    def log_message(self, format, *args):
        """Keep silent: requests are none of the terminal's business."""


def tell_failure(error):
    """Say on standard error what went wrong, in one line."""
    told = one_line(f"{type(error).__name__}: {error}")
    print(f"nmt: error: {told}", file=sys.stderr)
