"""Answers of JSON, which end with a newline, so that no prompt stands behind them."""

import asyncio
from collections.abc import Mapping, Sequence

from starlette.types import Receive, Scope, Send

PIECE = 64 * 1024
"""About so many bytes are sent at once. A large text in one piece is copied, and sent, while everybody else waits."""
_CONTENT_TYPE = (b"content-type", b"application/json; charset=utf-8")


class JsonAnswer:
    """JSON, as a text or as the ``pieces`` of one; or, of None, an answer without any. An ASGI application.

    It has what an answer needs, and no more: starlette's own takes 4 % of a request to be made and added to.
    """

    def __init__(
        self, content: str | bytes | Sequence[bytes] | None, status: int = 200, headers: Mapping[str, str] | None = None
    ) -> None:
        self._status, self._pieces = status, _ended(content)
        self.length = sum(map(len, self._pieces))
        self._headers: list[tuple[bytes, bytes]] = []
        if content is not None:
            self._headers = [(b"content-length", b"%d" % self.length), _CONTENT_TYPE]
        self.add(headers or {})

    def add(self, headers: Mapping[str, str]) -> None:
        """Add headers; their names are in small letters."""
        self._headers += [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - as ASGI has it
        """Send it, letting others in between its pieces."""
        await send({"type": "http.response.start", "status": self._status, "headers": self._headers})
        *earlier, last = self._pieces
        for piece in earlier:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
            await asyncio.sleep(0)
        await send({"type": "http.response.body", "body": last})


def _ended(content: str | bytes | Sequence[bytes] | None) -> Sequence[bytes]:
    match content:
        case None:
            return (b"",)
        case bytes():
            return (content + b"\n",)
        case str():
            return (f"{content}\n".encode(),)
        case _:
            return content


def pieces(parts: Sequence[bytes]) -> list[bytes]:
    """Return the pieces of an answer whose JSON is these parts one after another; short ones are sent together."""
    found, together, size = list[bytes](), list[bytes](), 0
    for part in parts:
        together.append(part)
        size += len(part)
        if size >= PIECE:
            found.append(b"".join(together))
            together, size = [], 0
    return [*found, b"".join([*together, b"\n"])]
