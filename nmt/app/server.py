"""A page on this machine: type a sentence, see its translation and its attention.

A demonstration for one person at a time, not a service: translations are made one after
another, and only for programs on this machine.
"""

import errno
import socket
import socketserver
import sys
import threading

from nmt.app.handler import Handler, tell_failure
from nmt.app.service import Service
from nmt.app.site import ADDRESS, Site
from nmt.errors import UserError


class Server(Site):
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
        self._connections: set[socket.socket] = set()
        try:
            super().__init__((ADDRESS, port), Handler)
        except OSError as error:
            known = {
                errno.EADDRINUSE: "is taken",
                errno.EACCES: "needs the rights of an administrator",
            }
            reason = known.get(error.errno or 0, f"cannot be had ({error.strerror})")
            raise UserError(
                f"port {port} {reason}. Choose another by --port."
            ) from None

    def server_bind(self):
        # Not the parent's: it looks up this machine's name in the network.
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = ADDRESS, self.server_address[1]

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
            tell_failure(error)

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
            # A signal that comes just before a wait does not end it: wait in parts.
            while loop.is_alive():
                loop.join(timeout=1)
        finally:
            self.shutdown()
            loop.join()
