"""A receiver of webhooks for developers: takes what comes, verifies it, and hands it on."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import msgspec

from ordre.webhooks.signing import SharedSecret, Signed, signatures

_MOST_BYTES = 64 * 1024 * 1024
_BAD_REQUEST = 500
"""What is not signed as it should be, is to be sent again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """A delivery: its headers, with names in small letters, its body, and whether it is signed with the secret."""

    headers: Mapping[str, str]
    body: bytes
    signed: bool

    @property
    def content(self) -> dict[str, Any]:
        """The body, as JSON has it."""
        found: dict[str, Any] = msgspec.json.decode(self.body)
        return found


Answer = Callable[[Received], int]
"""What a delivery is answered with: a status."""


def is_signed(headers: Mapping[str, str], body: bytes, secret: str) -> bool:
    """Whether a delivery has both signatures that follow from a secret; names of headers are in small letters."""
    try:
        at = int(headers.get("webhook-timestamp", ""))
    except ValueError:
        return False
    request = Signed(url="", body=body, id=headers.get("webhook-id", ""), at=at)
    return signatures(SharedSecret(value=secret), request).items() <= headers.items()


class Listener:
    """Listens on a port, 0 for a free one, until it is closed."""

    def __init__(self, host: str, port: int, secret: str, answer: Answer) -> None:
        self._one = threading.Lock()
        listener = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self) -> None:
                """Take a delivery; one is handled at a time, in the order in which they come."""
                length = self.headers.get("content-length", "")
                if not length.isdecimal() or int(length) > _MOST_BYTES:
                    self.send_error(400)
                    return
                body = self.rfile.read(int(length))
                headers = {name.lower(): value for name, value in self.headers.items()}
                received = Received(headers=headers, body=body, signed=is_signed(headers, body, secret))
                with listener._one:
                    status = answer(received) if received.signed else _BAD_REQUEST
                self.send_response(status)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Say nothing: what came is told elsewhere."""

        self._server = ThreadingHTTPServer((host, port), Handler)
        self._server.daemon_threads = True
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, name="ordre-listening", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Listen no more."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
