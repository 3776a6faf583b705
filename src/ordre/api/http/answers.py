"""Answers of JSON, which end with a newline, so that no prompt stands behind them."""

import asyncio
from collections.abc import Mapping, Sequence

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

PIECE = 64 * 1024
"""About so many bytes are sent at once. A large text in one piece is copied, and sent, while everybody else waits."""


class JsonAnswer(Response):
    """JSON, as a text or as the ``pieces`` of one."""

    media_type = "application/json; charset=utf-8"

    def __init__(
        self, content: str | bytes | Sequence[bytes], status_code: int = 200, headers: Mapping[str, str] | None = None
    ) -> None:
        self._further: list[bytes] = []
        super().__init__(content, status_code, headers)
        if self._further:
            self.headers["content-length"] = str(len(self.body) + sum(map(len, self._further)))

    def render(self, content: str | bytes | Sequence[bytes]) -> bytes:
        """Return the first bytes to send, and keep the others."""
        if isinstance(content, bytes):
            return content + b"\n"
        if isinstance(content, str):
            return f"{content}\n".encode()
        first, *self._further = content
        return first

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it, letting others in between its pieces."""
        if not self._further:
            return await super().__call__(scope, receive, send)
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        await send({"type": "http.response.body", "body": self.body, "more_body": True})
        *further, last = self._further
        for piece in further:
            await asyncio.sleep(0)
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": last})
        return None


def pieces(texts: Sequence[str]) -> list[bytes]:
    """Return the pieces of an answer whose JSON is these texts one after another; short ones are sent together."""
    found, together, size = list[bytes](), list[str](), 0
    for text in texts:
        together.append(text)
        size += len(text)
        if size >= PIECE:
            found.append("".join(together).encode())
            together, size = [], 0
    return [*found, "".join([*together, "\n"]).encode()]
