"""The connection, guarded: a request's head comes whole, soon, and in few bytes, or the connection ends.

uvicorn waits for a head without end and keeps what it has of it, however much; so a handful of clients could hold every file
descriptor, or the memory. Bodies are bounded where they are read: `requests.py`.
"""

import asyncio
from http import HTTPStatus

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from ordre.api.errors import Failure, failure_body

HEAD_SECONDS = 10.0
HEAD_BYTES = 32 * 1024
_SLOW = Failure(HTTPStatus.REQUEST_TIMEOUT, "too_slow", f"The head of the request did not come within {HEAD_SECONDS:.0f} s")
_LARGE = Failure(
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "head_too_large", f"The head of a request is limited to {HEAD_BYTES:,} bytes"
)


class Guarded(HttpToolsProtocol):
    """uvicorn's protocol with these bounds. The first head is awaited from the connection on, a later one from its first byte."""

    _deadline: asyncio.TimerHandle | None = None
    _in_head = True
    _bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Await the first head."""
        super().connection_made(transport)
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Await nothing more."""
        self._await_nothing()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Count the bytes of a head that is not whole yet. A chunk is at most what the socket's buffer gives at once."""
        self._bytes += len(data)
        super().data_received(data)
        if self._in_head and self._bytes > HEAD_BYTES:
            self._end(_LARGE)

    def on_message_begin(self) -> None:
        """Await a head."""
        if not self._in_head:
            self._await_head()
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """The head is whole."""
        self._in_head = False
        self._await_nothing()
        super().on_headers_complete()

    def _await_head(self) -> None:
        self._in_head, self._bytes = True, 0
        self._deadline = self.loop.call_later(HEAD_SECONDS, self._end, _SLOW)

    def _await_nothing(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _end(self, failure: Failure) -> None:
        """Say why, where no other answer is on its way, and close."""
        self._await_nothing()
        if self.transport.is_closing():
            return
        if getattr(self.cycle, "response_complete", True):
            body = failure_body(failure) + b"\n"
            head = f"content-type: application/json; charset=utf-8\r\ncontent-length: {len(body)}\r\nconnection: close\r\n\r\n"
            self.transport.write(STATUS_LINE[failure.status] + head.encode() + body)
        self.transport.close()
