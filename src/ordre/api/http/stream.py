"""An answer whose parts are made while it is sent. It ends when the client goes away, or is given up as too slow."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing, suppress

from starlette.types import Receive, Scope, Send

from ordre.api.http.answers import PIECE

LEFT = "ordre.left"
"""Says in the scope that the client went away before the end of its answer."""


class StreamAnswer:
    """The parts of an answer, whose length nobody knows yet: an ASGI application. ``spent`` is told of each piece's bytes."""

    length = 0
    """Of what is known before it begins."""

    def __init__(self, first: bytes, parts: AsyncGenerator[bytes, None], media: str, headers: Mapping[str, str]) -> None:
        self._first, self._parts = first, parts
        self.spent: Callable[[int], object] = int
        self._headers = [(b"content-type", media.encode("latin-1"))]
        self.add(headers)

    def add(self, headers: Mapping[str, str]) -> None:
        """Add headers; their names are in small letters."""
        self._headers += [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it, letting others in between its pieces."""
        left = asyncio.create_task(gone(receive))
        try:
            async with aclosing(self._parts):
                await send({"type": "http.response.start", "status": 200, "headers": self._headers})
                if scope["method"] != "HEAD":
                    await self._send(send, left)
            if left.done():
                scope[LEFT] = True
            else:
                await send({"type": "http.response.body", "body": b""})
        finally:
            left.cancel()

    async def _send(self, send: Send, left: "asyncio.Task[None]") -> None:
        """Send the parts, as long as there is somebody to take them."""
        part: bytes | None = self._first
        while part is not None:
            for start in range(0, len(part), PIECE):
                piece = part[start : start + PIECE]
                await send({"type": "http.response.body", "body": piece, "more_body": True})
                await asyncio.sleep(0)
                if left.done():
                    return
                self.spent(len(piece))
            part = await self._next(left)

    async def _next(self, left: "asyncio.Task[None]") -> bytes | None:
        """Return the next part; None at the end, or where the client goes away while it is made."""
        made = asyncio.create_task(self._made())
        try:
            await asyncio.wait([made, left], return_when=asyncio.FIRST_COMPLETED)
        finally:
            if not made.done():
                made.cancel()
                with suppress(asyncio.CancelledError):
                    await made
        return None if left.done() else made.result()

    async def _made(self) -> bytes | None:
        return await anext(self._parts, None)


async def gone(receive: Receive) -> None:
    """Wait until the client has gone away, or is answered."""
    while (await receive())["type"] != "http.disconnect":
        pass
