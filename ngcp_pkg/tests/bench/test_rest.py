"""The clerk of benchmark `rest`: what is refused ends the measurement."""

import threading
from collections.abc import Iterator
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from bench.rest import Clerk


class _Desk(BaseHTTPRequestHandler):
    """Takes customers only."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        is_taken = self.path == "/api/customers/"
        self.send_response(201 if is_taken else 422)
        self.send_header("Location", f"{self.path}7")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def clerk() -> Iterator[Clerk]:
    with HTTPServer(("127.0.0.1", 0), _Desk) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        connection = HTTPConnection("127.0.0.1", server.server_port)
        yield Clerk(connection)
        connection.close()
        server.shutdown()
        thread.join()


def test_what_is_made_has_a_number(clerk: Clerk) -> None:
    assert clerk.make("customers", contact_id=1) == 7


def test_what_is_refused_ends_the_measurement(clerk: Clerk) -> None:
    with pytest.raises(RuntimeError, match="subscribers: 422"):
        clerk.make_subscriber(7)
