"""What the local page's server has for those who handle its requests."""

from http.server import ThreadingHTTPServer

from nmt.app.service import Service

ADDRESS = "127.0.0.1"


class Site(ThreadingHTTPServer):
    """A server of one page on this machine.

    Attributes:
        page: The page, HTML.
        policy: Its Content-Security-Policy.
        service: `Service`, which translates.
    """

    page: bytes
    policy: str
    service: Service

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
