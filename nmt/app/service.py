"""What the local page sends: checked, and translated one after another."""

import contextlib
import json
import threading

from nmt.errors import UserError

MAX_TEXT = 500  # characters, of the sentence and of the forced beginning
MAX_BEAMS = 20
MAX_WAITING = 8  # requests, beside the one that is translated
RETRY_AFTER = 5  # seconds


class Refused(Exception):
    """A request that is not answered.

    Args:
        status: Int. Status of the answer.
        reason: Why, in a sentence or two.
        headers: Dict of headers of the answer, if any.
    """

    def __init__(self, status: int, reason: str, headers: dict | None = None):
        super().__init__(reason)
        self.status = status
        self.headers = headers or {}


class Gone(Exception):
    """Nobody waits for the answer any more."""


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
        self._queue = Queue(MAX_WAITING)

    def answer(self, body: bytes, client) -> dict:
        """Translate.

        Args:
            body: JSON object: `text`, and optionally `beam_size` and `prefix`.
            client: Who sent it; its `is_here()` says whether it still waits.

        Returns:
            What `payload` makes of the `Translation`.

        Raises:
            Refused: If the body is no such object, if too many wait, or after `stop`.
            Gone: If the client left before its turn.
        """
        text, beam_size, prefix = self._read(body)
        try:
            with self._queue.turn(client):
                result = self._translator(text, beam_size=beam_size, prefix=prefix)
        except UserError as error:
            raise Refused(400, str(error)) from None
        return self._payload(result)

    def stop(self):
        """Begin no other translation; one under way goes on."""
        self._queue.stop()

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


class Queue:
    """Clients in the order of their arrival; it is the turn of the first.

    Args:
        most_waiting: Int. How many may wait beside the first.
    """

    def __init__(self, most_waiting):
        self._most_waiting = most_waiting
        self._clients = []
        self._changed = threading.Condition()
        self._stopped = False

    @contextlib.contextmanager
    def turn(self, client):
        """Wait for the turn of a client, and keep it.

        Raises:
            Refused: If too many wait, or after `stop`.
            Gone: If the client left before its turn.
        """
        with self._changed:
            self._enter(client)
            self._changed.wait_for(lambda: client not in self._clients[1:])
            if client not in self._clients:
                raise _ending() if self._stopped else Gone
        try:
            yield
        finally:
            with self._changed:
                self._clients.remove(client)
                self._forget_who_left()
                self._changed.notify_all()

    def stop(self):
        """Refuse all who wait, and who come."""
        with self._changed:
            self._stopped = True
            del self._clients[1:]
            self._changed.notify_all()

    def _enter(self, client):
        if self._stopped:
            raise _ending()
        if not client.is_here():
            raise Gone
        if len(self._clients) > self._most_waiting:
            self._forget_who_left(1)
            self._changed.notify_all()
        if len(self._clients) > self._most_waiting:
            raise Refused(
                503,
                f"Busy: {self._most_waiting} others are waiting. Try again in "
                f"{RETRY_AFTER} seconds.",
                {"Retry-After": str(RETRY_AFTER)},
            )
        self._clients.append(client)

    def _forget_who_left(self, first=0):
        kept = [client for client in self._clients[first:] if client.is_here()]
        self._clients[first:] = kept


def _ending():
    return Refused(503, "The program is about to end.")
