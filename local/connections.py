"""Connections of the HTTP server that stay open between a client's calls, as AWS keeps them: werkzeug closes each one,
and a new one for every call, with a thread of its own, cost more than many calls do.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import traceback
from collections.abc import Callable
from typing import IO, Any, cast
from weakref import WeakSet

from moto.moto_server.werkzeug_app import MotoRequestHandler
from werkzeug.exceptions import ClientDisconnected, InternalServerError
from werkzeug.serving import ThreadedWSGIServer
from werkzeug.wsgi import LimitedStream

LARGEST_REST = 10_000_000  # of a body that nobody read; a client with more to send gets a new connection
BODILESS = ("1", "204", "304")


class Handler(MotoRequestHandler):
    """One connection: request after request, each answered whole before the next is read."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # the head and the body of a small answer leave in one packet

    def run_wsgi(self) -> None:
        environ = self.make_environ()
        body = environ["wsgi.input"]
        if not environ.get("wsgi.input_terminated"):
            body = environ["wsgi.input"] = LimitedStream(
                cast(IO[bytes], self.rfile), int(environ.get("CONTENT_LENGTH") or 0)
            )
        started: list[Any] = []

        def start(line: str, headers: list[tuple[str, str]], fault: Any = None, /) -> Callable[[bytes], object]:
            started[:] = line, headers
            return lambda _: None

        try:
            answer = b"".join(self.server.app(environ, start))
        except Exception:  # a fault of ours must not look like a lost connection
            traceback.print_exc()
            answer = b"".join(InternalServerError()(environ, start))
        self._drain(body)
        self._send(started[0], started[1], answer)

    def _drain(self, body: Any) -> None:
        """Read what is left of the request, where the next one would begin."""
        left = LARGEST_REST
        try:
            while left > 0 and (read := len(body.read(65536))):
                left -= read
        except ClientDisconnected:
            left = 0
        self.close_connection = self.close_connection or left <= 0

    def _send(self, line: str, headers: list[tuple[str, str]], answer: bytes) -> None:
        status, _, reason = line.partition(" ")
        self.send_response(int(status), reason)
        for name, value in headers:
            self.send_header(name, value)
        empty = self.command == "HEAD" or status.startswith(BODILESS)
        if not empty and not any(name.lower() == "content-length" for name, _ in headers):
            self.send_header("Content-Length", str(len(answer)))
        self.send_header("Connection", "close" if self.close_connection else "keep-alive")
        self.end_headers()
        if not empty:
            self.wfile.write(answer)
        self.wfile.flush()

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """The endpoint records its calls itself."""

    def handle_expect_100(self) -> bool:
        super().handle_expect_100()
        self.wfile.flush()
        return True


class Server(ThreadedWSGIServer):
    """A thread for each connection; those that are open end with the server."""

    def __init__(self, listener: socket.socket, application: Any) -> None:
        self._open: WeakSet[socket.socket] = WeakSet()
        self._lock = threading.Lock()
        port = listener.getsockname()[1]
        super().__init__("127.0.0.1", port, application, handler=Handler, fd=listener.fileno())

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._lock:
            self._open.add(request)
        super().process_request(request, client_address)

    def server_close(self) -> None:
        super().server_close()
        with self._lock:
            still = list(self._open)
        for connection in still:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RD)  # an answer on its way still leaves
