"""A page on this machine: type a sentence, see its translation and its attention.

A demonstration for one person at a time, not a service: translations are made one after
another, and only for programs on this machine.

What a browser may do here is kept small, because any web site that is open beside the
page can send requests to it: the name in `Host` must be this machine's (else a site
could point its own name here and read the answers), a body must say that it is JSON
(which a form of another site cannot), and no answer allows another origin.
"""

import errno
import json
import re
import socket
import socketserver
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from nmt.errors import UserError

ADDRESS = "127.0.0.1"
MAX_BODY = 64 * 1024  # bytes
MAX_TEXT = 500  # characters, of the sentence and of the forced beginning
MAX_BEAMS = 20
SOCKET_TIMEOUT = 30  # seconds without a byte

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


class Refused(Exception):
    """A request that is not answered: its status, and why in one sentence."""

    def __init__(self, status: int, reason: str):
        super().__init__(reason)
        self.status = status


class Service:
    """Translates what the page sends, one request after another.

    Args:
        translator: Function of a text and `beam_size` and `prefix` that returns a
            `Translation`.
        payload: Function that turns a `Translation` into the object of the answer.
        beam_size: Int. Beams where a request names none.
    """

    def __init__(self, translator, payload, beam_size):
        self._translator = translator
        self._payload = payload
        self._beam_size = beam_size
        self._one_at_a_time = threading.Lock()
        self._stopped = False

    def answer(self, body: bytes) -> dict:
        """Translate.

        Args:
            body: JSON object: `text`, and optionally `beam_size` and `prefix`.

        Returns:
            What `payload` makes of the `Translation`.

        Raises:
            Refused: If the body is no such object, or after `stop`.
        """
        text, beam_size, prefix = self._read(body)
        try:
            with self._one_at_a_time:
                if self._stopped:
                    raise Refused(503, "The program is about to end.")
                result = self._translator(text, beam_size=beam_size, prefix=prefix)
        except UserError as error:
            raise Refused(400, str(error)) from None
        return self._payload(result)

    def stop(self):
        """Begin no other translation; one under way goes on."""
        self._stopped = True

    def _read(self, body):
        try:
            request = json.loads(body.decode())
        except (ValueError, RecursionError):
            raise Refused(400, "The body must be JSON in UTF-8.") from None
        if not isinstance(request, dict) or "text" not in request:
            raise Refused(400, 'The body must be an object like {"text": "..."}.')
        values = {"beam_size": self._beam_size, "prefix": "", **request}
        unknown = set(values) - {"text", "beam_size", "prefix"}
        if unknown:
            raise Refused(400, "Known are text, beam_size and prefix, nothing else.")
        beam_size = values["beam_size"]
        if type(beam_size) is not int or not 1 <= beam_size <= MAX_BEAMS:
            raise Refused(400, f"beam_size must be a whole number, 1 to {MAX_BEAMS}.")
        for name in ("text", "prefix"):
            _check_text(name, values[name])
        if not values["text"].strip():
            raise Refused(400, "There is nothing to translate: the text is empty.")
        return values["text"], beam_size, values["prefix"]


def _check_text(name, text):
    if not isinstance(text, str):
        raise Refused(400, f"{name} must be a string.")
    if len(text) > MAX_TEXT:
        raise Refused(
            413, f"{name} has {len(text)} characters. At most {MAX_TEXT} are allowed."
        )
    try:
        text.encode()
    except UnicodeEncodeError:  # half of a pair of surrogates, spelled out in JSON
        raise Refused(400, f"{name} is not Unicode text.") from None


class Server(ThreadingHTTPServer):
    """Listens on this machine alone.

    Args:
        port: Int. 0 for any that is free.

    Raises:
        UserError: If the port cannot be had.
    """

    request_queue_size = 128  # a burst of requests waits, it is not turned away
    # Python must not go away under a computation in another thread: the end waits.
    daemon_threads = False

    def __init__(self, port: int):
        self.page = self.policy = self.service = None
        self._connections = set()
        try:
            super().__init__((ADDRESS, port), _Handler)
        except OSError as error:
            known = {
                errno.EADDRINUSE: "is taken",
                errno.EACCES: "needs the rights of an administrator",
            }
            reason = known.get(error.errno, f"cannot be had ({error.strerror})")
            raise UserError(
                f"port {port} {reason}. Choose another by --port."
            ) from None

    @property
    def url(self) -> str:
        """Where a browser finds the page."""
        return f"http://{ADDRESS}:{self.server_port}/"

    @property
    def hosts(self) -> set[str]:
        """What `Host` may say."""
        names = {ADDRESS, "localhost"}
        if self.server_port == 80:
            return names | {f"{name}:80" for name in names}
        return {f"{name}:{self.server_port}" for name in names}

    def server_bind(self):
        # Not the parent's: it looks up this machine's name in the network.
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = self.server_address[:2]

    def process_request(self, request, client_address):
        """Answer one request, in a thread of its own."""
        self._connections.add(request)
        super().process_request(request, client_address)

    def process_request_thread(self, request, client_address):
        """Answer one request, and forget it."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._connections.discard(request)

    def server_close(self):
        """Close, once the requests that are here are answered."""
        for connection in list(self._connections):
            try:
                # Who sends nothing is not waited for; an answer can still be written.
                connection.shutdown(socket.SHUT_RD)
            except OSError:
                pass  # it is gone already
        super().server_close()

    def handle_error(self, request, client_address):
        # In place of a traceback. A browser that goes away is no error.
        error = sys.exception()
        if not isinstance(error, OSError):
            print(f"nmt: error: {_told(error)}", file=sys.stderr)

    def run(self, page: str, policy: str, service: Service):
        """Answer requests until `shutdown`, or Ctrl-C, which is raised.

        Args:
            page: The page, HTML.
            policy: Its Content-Security-Policy.
            service: `Service`.
        """
        self.page, self.policy, self.service = page.encode(), policy, service
        # Not in this thread: Ctrl-C, which reaches the main one, must not come between
        # a request and the thread that is made for it.
        loop = threading.Thread(target=self.serve_forever)
        try:
            loop.start()
            loop.join()
        finally:
            self.shutdown()
            loop.join()


class _Handler(BaseHTTPRequestHandler):
    timeout = SOCKET_TIMEOUT

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
            self.send_error(refusal.status, str(refusal))
        except OSError:
            raise  # the connection is gone
        except Exception as error:
            print(f"nmt: error: {_told(error)}", file=sys.stderr)
            self.send_error(500, "The translation failed; the terminal says why.")
        else:
            self._send(200, content, kind, policy)

    def _check_host(self):
        hosts = self.headers.get_all("Host", [])
        if len(hosts) != 1 or hosts[0].lower() not in self.server.hosts:
            raise Refused(421, f"This page is at {self.server.url} and nowhere else.")

    def _check_path(self, methods, path):
        requested = self._requested_path()
        if requested not in METHODS:
            raise Refused(404, f"There is nothing here. The page is {self.server.url}")
        if requested != path or self.command not in methods:
            raise Refused(405, f"{requested} answers {METHODS[requested]} only.")

    def _requested_path(self):
        return self.path.partition("?")[0]

    def _page(self):
        policy = f"{self.server.policy}; {NO_FRAMES}"
        return self.server.page, "text/html; charset=utf-8", policy

    def _translation(self):
        answer = self.server.service.answer(self._body())
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
            self._pass_over(length)
            raise Refused(413, f"The body may have {MAX_BODY} bytes at most.")
        body = self.rfile.read(length)
        if len(body) < length:
            raise Refused(400, "The body is shorter than its length.")
        return body

    def _pass_over(self, length):
        """Read a body that is too large, within reason, so that its sender listens.

        A connection that is closed before is a broken one to most programs.
        """
        for _ in range(min(length, 64 * MAX_BODY) // MAX_BODY):
            if not self.rfile.read(MAX_BODY):
                return

    def send_error(self, code, message=None, explain=None):
        """Answer with the reason as JSON, in place of the parent's page."""
        reason = message or self.responses[code][0]
        self._send(code, json.dumps({"error": reason}).encode())

    def _send(self, code, content, kind="application/json", policy=NOTHING_ALLOWED):
        self.send_response(code)
        for name, value in HEADERS.items():
            self.send_header(name, value)
        self.send_header("Content-Security-Policy", policy)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        if code == 405:
            self.send_header("Allow", METHODS[self._requested_path()])
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def version_string(self):
        """Name the server without the versions of Python and its library."""
        return "nmt"

    def log_message(self, format, *args):
        """Keep silent: requests are none of the terminal's business."""


def _told(error):
    return " ".join(f"{type(error).__name__}: {error}".split())
