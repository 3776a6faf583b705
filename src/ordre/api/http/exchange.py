"""One request and its answer: what ASGI calls ``receive`` and ``send``, over a connection."""

import asyncio
from http import HTTPStatus
from typing import Protocol

from starlette.types import ASGIApp, Message, Scope

from ordre import logs

MOST_UNREAD = 64 * 1024
"""So many bytes of a body wait for the application; then no more are read until it takes them."""
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_TOGETHER = 16 * 1024
"""A body up to this is sent in one piece with the head."""
_STATUS_LINES = {one.value: f"HTTP/1.1 {one.value} {one.phrase}\r\n".encode() for one in HTTPStatus}
_WITHOUT_BODY = (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED)


class Line(Protocol):
    """The connection, as an exchange sees it."""

    @property
    def always(self) -> bytes:
        """The lines of every head."""

    def write(self, text: bytes) -> None:
        """Send bytes, soon."""

    async def drained(self) -> None:
        """Wait while the client takes no more."""

    def hold(self) -> None:
        """Read no more for now."""

    def read_on(self) -> None:
        """Read more of the body."""

    def can_drop(self, exchange: "Exchange") -> bool:
        """Whether the rest of the request is small enough to be read and dropped."""

    def answered(self, exchange: "Exchange") -> None:
        """Go on after an answer that is whole."""

    def broken_off(self, exchange: "Exchange") -> None:
        """End, as an answer ended before it was whole."""


def head_of(status: int, always: bytes, lines: list[bytes]) -> bytes:
    """Return the head of an answer: the lines of every answer, and its own. Each ends as lines of a head do.

    Raises:
        RuntimeError: One of its own holds the end of another, or a NUL.
    """
    own, ends = b"".join(lines), len(lines)
    if own.count(b"\n") != ends or own.count(b"\r") != ends or b"\x00" in own:
        raise RuntimeError("A header of the answer holds the end of a line, or a NUL")
    return b"".join([_STATUS_LINES[status], always, own, b"\r\n"])


class Exchange:
    """``keep`` tells whether the connection goes on after it, ``complete`` whether the request has been read to its end.

    ``sent`` tells whether anything of the answer is on its way, ``answered`` whether all of it is.
    """

    def __init__(self, line: Line, scope: Scope, length: int, *, keep: bool, expects_continue: bool) -> None:
        self.scope, self.length, self.keep = scope, length, keep
        self.asked_to_close = not keep
        self.complete = self.sent = self.answered = False
        self._line = line
        self._body = bytearray()
        self._end_told = self._gone = self._chunked = self._without_body = False
        self._expects_continue = expects_continue
        self._waiter: asyncio.Future[None] | None = None
        self._start: Message | None = None
        self._left = 0

    async def run(self, app: ASGIApp) -> None:
        """Let the application answer; where it does not, end the connection."""
        try:
            await app(self.scope, self.receive, self.send)
        except Exception as error:  # noqa: BLE001 - whatever it was, the connection ends, and the log says why
            logs.error("failure_in_answer", exc_info=error)
        finally:
            if not self.answered and not self._gone:
                self._line.broken_off(self)

    def take(self, part: bytes) -> None:
        """Take a part of the body. After the answer nobody reads it."""
        if self.answered or self._gone:
            return
        self._body += part
        if len(self._body) > MOST_UNREAD:
            self._line.hold()
        self._wake()

    def end(self) -> None:
        """Note that the request has been read to its end."""
        self.complete = True
        self._wake()

    def leave(self) -> None:
        """Note that nobody listens to the application any more: the client is gone, or was answered in its place."""
        self._gone = True
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    @property
    def _over(self) -> bool:
        return self._gone or self.answered

    async def receive(self) -> Message:
        """Return the next part of the body; after the last one, wait for the end of the exchange."""
        if self._expects_continue and not self._over:
            self._expects_continue = False
            self._line.write(_CONTINUE)
        while not (self._over or self._body or (self.complete and not self._end_told)):
            self._line.read_on()
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter
        if self._over:
            return {"type": "http.disconnect"}
        part = bytes(self._body)
        self._body.clear()
        self._end_told = self.complete
        return {"type": "http.request", "body": part, "more_body": not self.complete}

    async def send(self, message: Message) -> None:
        """Send the start of the answer, which waits for its first part, or a part."""
        await self._line.drained()
        if self._gone:
            return
        if message["type"] == "http.response.start":
            if self._start is not None:
                raise RuntimeError("An answer starts once")
            self._start = message
            return
        if self._start is None or self.answered:
            raise RuntimeError("A part of an answer comes after its start and before its end")
        part, more = message.get("body", b""), message.get("more_body", False)
        head = b"" if self.sent else self._head(self._start, None if more else len(part))
        self._write(head, self._framed(part, more=more))
        if not more:
            self.answered = True
            self._wake()
            self._line.answered(self)

    def _write(self, head: bytes, part: bytes) -> None:
        self.sent = True
        if len(part) <= _TOGETHER:
            self._line.write(head + part)
        else:
            self._line.write(head)
            self._line.write(part)

    def _head(self, start: Message, whole: int | None) -> bytes:
        """Return the head of the answer, whose body has this length, where that is known by now."""
        status, length = start["status"], None
        lines: list[bytes] = []
        for name, value in start["headers"]:
            if name == b"content-length":
                length = int(value)
            elif name == b"connection":
                self.keep = self.keep and b"close" not in value.lower()
                continue
            lines.append(b"%b: %b\r\n" % (name, value))
        self._without_body = status in _WITHOUT_BODY or self.scope["method"] == "HEAD"
        if length is None and not self._without_body:
            lines += self._length_lines(whole)
        self._left = (length if length is not None else whole) or 0
        if not self.complete and (self._expects_continue or not self._line.can_drop(self)):
            self.keep = False
        if not self.keep:
            lines.append(b"connection: close\r\n")
        return head_of(status, self._line.always, lines)

    def _length_lines(self, whole: int | None) -> list[bytes]:
        """Return the headers that say where the body ends. In HTTP/1.0 one of unknown length ends with the connection."""
        if whole is not None:
            return [b"content-length: %d\r\n" % whole]
        self._chunked = True
        if self.scope["http_version"] == "1.0":
            self.keep = False
            return []
        return [b"transfer-encoding: chunked\r\n"]

    def _framed(self, part: bytes, *, more: bool) -> bytes:
        if self._without_body:
            return b""
        if self._chunked:
            if self.scope["http_version"] == "1.0":
                return part
            chunk = b"%x\r\n%b\r\n" % (len(part), part) if part else b""
            return chunk if more else chunk + b"0\r\n\r\n"
        self._left -= len(part)
        if self._left < 0 or (self._left and not more):
            raise RuntimeError("An answer is not as long as it says")
        return part
