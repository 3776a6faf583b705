"""A connection: HTTP/1.1 with a client who may be slow, silent or hostile.

uvicorn listens, starts and stops; httptools parses; what is between a socket and the application is here. Nothing that a client
does or leaves undone holds a connection, or memory, beyond these bounds; `docs/operate.md` has them as a table. How large a body
may be, and how long it may take, is bounded where it is read: `requests.py`.
"""

import asyncio
from collections import deque
from functools import lru_cache
from http import HTTPStatus
from typing import Any, cast

import uvicorn
from starlette.types import ASGIApp, Scope
from uvicorn.server import ServerState

from ordre import logs
from ordre.api.http.errors import Failure, failure_body
from ordre.api.http.exchange import Exchange, head_of
from ordre.api.http.middleware import ALWAYS
from ordre.api.http.parser import Head, Parser
from ordre.api.http.watch import watch_of

HEAD_SECONDS = 10.0
"""From the connection on, or from the first byte of a later head, until the head is whole."""
IDLE_SECONDS = 75.0
"""Between requests: longer than proxies usually keep a connection, so that they end it, and never while they send."""
STOP_SECONDS = 2.0
"""For what is under way in a client that has sent no request yet, once the server is told to stop."""
DROP_SILENCE, DROP_SECONDS, DROP_BYTES = 2.0, 30.0, 64 * 1024 * 1024
"""What is left of a request after its answer is read and dropped: with no longer silence, for no longer, and no more."""
WRITE_SECONDS, WRITE_BYTES = 10.0, 160 * 1024
"""A client goes on to take an answer if in so many seconds it takes so much of it, or the rest."""
MOST_PIPELINED = 16
"""Requests that may wait for the answer to the one before."""
_NEVER = float("inf")
_SLOW = Failure(HTTPStatus.REQUEST_TIMEOUT, "too_slow", f"The head of the request did not come within {HEAD_SECONDS:.0f} s")
_FULL = Failure(HTTPStatus.SERVICE_UNAVAILABLE, "too_many_connections", "The server has too many connections; try again")
_STOPPING = Failure(HTTPStatus.SERVICE_UNAVAILABLE, "stopping", "The server is about to stop; send requests to another one")
_FAILED = Failure(
    HTTPStatus.INTERNAL_SERVER_ERROR,
    "failure",
    "The request ended without an answer and may have been carried out. With an Idempotency-Key it is safe to send again",
)
_CONTENT_TYPE = b"content-type: application/json; charset=utf-8\r\n"


class Connection(asyncio.Protocol):
    """The protocol that uvicorn makes for each connection. Requests are answered one at a time, in their order."""

    def __init__(
        self,
        config: uvicorn.Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        self.idle_until = _NEVER
        """When it ends, unless something comes; never while a request is answered."""
        self._app, self._app_state, self._server = cast(ASGIApp, config.loaded_app), app_state, server_state
        self._loop = _loop or asyncio.get_running_loop()
        self._watch = watch_of(server_state, self._loop)
        self._parser = Parser(self)
        self._exchange: Exchange | None = None
        """What is being answered, or was answered while its body still comes."""
        self._waiting: deque[Exchange] = deque()
        self._reading: Exchange | None = None
        """Whose body comes."""
        self._is_new = True
        """Whether no head was whole yet."""
        self._deaf = False
        """Whether what still comes is dropped."""
        self._stopping = self._held = False
        self._dropped, self._drop_until = 0, _NEVER
        self._can_write = asyncio.Event()
        self._can_write.set()
        self._unsent, self._unsent_at = 0, _NEVER
        """What the client had not taken yet at an instant from which it is watched."""

    # Called by the event loop

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Await the first head. Where there are too many connections, end others, or this one."""
        self._transport = cast(asyncio.Transport, transport)
        self._addresses = (_address(transport, "sockname"), _address(transport, "peername"))
        room = len(self._server.connections) < self._watch.most or self._watch.make_room()
        self._server.connections.add(self)  # type: ignore[arg-type]  # it is none of uvicorn's own
        self.idle_until = self._loop.time() + HEAD_SECONDS
        if not room:
            self._say(_FULL)
            self._close()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - whatever the reason
        """Tell the running exchange that the client is gone."""
        self._server.connections.discard(self)
        self._deaf, self.idle_until, self._unsent_at = True, _NEVER, _NEVER
        for one in (self._exchange, *self._waiting):
            if one is not None:
                one.leave()
        self._can_write.set()

    def data_received(self, data: bytes) -> None:
        """Read requests, or drop what comes after them."""
        if self._drop_until != _NEVER:
            self._drop(len(data))
        if self._deaf:
            return
        if self._exchange is None and not self._parser.in_head:
            self.idle_until = min(self.idle_until, self._loop.time() + HEAD_SECONDS)
        try:
            self._parser.feed(data)
        except Failure as failure:
            if not self._deaf:
                self._refuse(failure)

    def pause_writing(self) -> None:
        """Let the running exchange wait: the client reads more slowly than the answer is made."""
        self._can_write.clear()
        self._await_taking()

    def resume_writing(self) -> None:
        """Let the running exchange go on."""
        self._can_write.set()
        if not self._deaf:
            self._unsent_at = _NEVER

    # Called by uvicorn and by the watch

    def shutdown(self) -> None:
        """Take no more requests. One that may be on its way is answered, so that nobody who sends one just now is reset."""
        self._stopping = True
        if self._exchange is not None and not self._deaf:
            (self._waiting[-1] if self._waiting else self._exchange).keep = False
            if self._exchange.answered:
                self._linger()
        elif not self._deaf and not self._is_new and not self._parser.in_head:
            self._linger()
        else:
            self.idle_until = min(self.idle_until, self._loop.time() + STOP_SECONDS)

    def look(self, now: float) -> None:
        """End the connection if its client is late."""
        if now >= self.idle_until:
            self._late(now)
        elif now - self._unsent_at >= WRITE_SECONDS:
            if self._transport.get_write_buffer_size() > max(self._unsent - WRITE_BYTES, 0):
                self._transport.abort()
            else:
                self._await_taking()

    def _late(self, now: float) -> None:
        if self._deaf and self._transport.get_write_buffer_size():
            self.idle_until = now + DROP_SILENCE  # the client still reads; whether it does is watched
        elif not self._deaf and self._exchange is None and (self._is_new or self._parser.in_head):
            self._refuse(_STOPPING if self._stopping else _SLOW)
        else:
            self._close()

    def give_way(self) -> None:
        """End at once, to make room for other connections."""
        self._server.connections.discard(self)
        self._transport.abort()

    # Called by the parser

    def on_head(self, head: Head) -> None:
        """Answer a request, or let it wait for its turn."""
        self._is_new = False
        if self._deaf:
            self._reading = None
            return
        made = Exchange(self, self._scope(head), head.length, keep=head.keep, expects_continue=head.expects_continue)
        self._reading = made
        if self._stopping or len(self._waiting) == MOST_PIPELINED:
            made.keep = False
        if self._exchange is None:
            self._begin(made)
        else:
            self._waiting.append(made)
            self.hold()

    def on_part(self, part: bytes) -> None:
        """Hand on a part of a body."""
        if self._reading is not None:
            self._reading.take(part)

    def on_end(self) -> None:
        """Note that a request is whole. One that was answered before is over now."""
        ended, self._reading = self._reading, None
        if ended is not None:
            ended.end()
            self._deaf = self._deaf or not ended.keep
            if ended.answered and not self._deaf:
                self._go_on()

    def _scope(self, head: Head) -> Scope:
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": head.version,
            "method": head.method,
            "scheme": "http",
            "server": self._addresses[0],
            "client": self._addresses[1],
            "root_path": "",
            "path": head.path.decode("ascii"),  # still quoted, as in `raw_path`: see edge.py
            "raw_path": head.path,
            "query_string": head.query,
            "headers": head.headers,
            "state": self._app_state.copy(),
        }

    # Called by the exchange

    @property
    def always(self) -> bytes:
        """The lines of every head."""
        return _lines_of(tuple(self._server.default_headers))

    def write(self, text: bytes) -> None:
        """Send bytes, soon."""
        if not self._transport.is_closing():
            self._transport.write(text)

    async def drained(self) -> None:
        """Wait while the client takes no more."""
        if not self._can_write.is_set():
            await self._can_write.wait()

    def hold(self) -> None:
        """Read no more for now."""
        if not self._held and not self._transport.is_closing():
            self._held = True
            self._transport.pause_reading()

    def read_on(self) -> None:
        """Read more."""
        if self._held and not self._transport.is_closing():
            self._held = False
            self._transport.resume_reading()

    def can_drop(self, exchange: Exchange) -> bool:
        """Whether the rest of the request is small enough to be read and dropped."""
        return exchange.length <= DROP_BYTES

    def answered(self, exchange: Exchange) -> None:
        """Go on after an answer."""
        self._server.total_requests += 1
        if not exchange.keep:
            if exchange.complete and exchange.asked_to_close:
                self._close()
            else:
                self._linger()
        elif exchange.complete:
            self._go_on()
        else:
            self._drop_rest()

    def broken_off(self, exchange: Exchange) -> None:
        """End, as the answer ended before it was whole. Where nothing of it was sent, say so."""
        if not exchange.sent:
            self._say(_FAILED)
        self._linger()

    # What comes next

    def _begin(self, exchange: Exchange) -> None:
        self._exchange, self.idle_until = exchange, _NEVER
        task = self._loop.create_task(exchange.run(self._app))
        self._server.tasks.add(task)
        task.add_done_callback(self._server.tasks.discard)

    def _go_on(self) -> None:
        """Answer the next request, or await one."""
        self._drop_until = _NEVER
        if self._waiting:
            self._begin(self._waiting.popleft())
            return
        self._exchange = None
        self.idle_until = self._loop.time() + (HEAD_SECONDS if self._parser.in_head else IDLE_SECONDS)
        self.read_on()

    def _refuse(self, failure: Failure) -> None:
        """Read no more, as the client sent something wrong. Say why, unless an earlier request still waits for its answer."""
        broken, self._reading, self._deaf = self._reading, None, True
        current = self._exchange
        if current is not None and current is not broken:
            if self._waiting and self._waiting[-1] is broken:
                self._waiting.pop()
            (self._waiting[-1] if self._waiting else current).keep = False
            return
        if current is not None:
            current.leave()
        if current is None or not current.sent:
            self._say(failure)
        self._linger()

    def _say(self, failure: Failure) -> None:
        """Answer without the application."""
        logs.info("refused", code=failure.code, status=failure.status)
        body = failure_body(failure) + b"\n"
        lines = [_CONTENT_TYPE, b"content-length: %d\r\n" % len(body), b"connection: close\r\n"]
        self.write(head_of(failure.status, self.always, lines) + body)

    def _drop_rest(self) -> None:
        """Read what is left of the request that was answered, and drop it, within bounds."""
        self._dropped, self._drop_until = 0, self._loop.time() + DROP_SECONDS
        self._drop(0)
        self.read_on()

    def _drop(self, size: int) -> None:
        self._dropped += size
        self.idle_until = min(self._loop.time() + DROP_SILENCE, self._drop_until)
        if self._dropped > DROP_BYTES:
            self._close()

    def _linger(self) -> None:
        """Send no more, and drop what comes until the client ends. Closed at once, who still sends would not get the answer."""
        self._deaf = True
        self._await_taking()
        self._drop_rest()
        if self._transport.can_write_eof() and not self._transport.is_closing():
            self._transport.write_eof()

    def _close(self) -> None:
        self._deaf, self.idle_until, self._drop_until = True, _NEVER, _NEVER
        self._await_taking()
        self._transport.close()

    def _await_taking(self) -> None:
        self._unsent, self._unsent_at = self._transport.get_write_buffer_size(), self._loop.time()


@lru_cache(maxsize=2)
def _lines_of(default: tuple[tuple[bytes, bytes], ...]) -> bytes:
    """Return the lines of every head: those that the server has for it, with the date, anew each second, and ours."""
    return b"".join([b"%b: %b\r\n" % one for one in (*default, *ALWAYS)])


def _address(transport: asyncio.BaseTransport, which: str) -> tuple[str, int] | None:
    """Return address and port of an end of a connection."""
    found = transport.get_extra_info(which)
    return (str(found[0]), int(found[1])) if isinstance(found, tuple) else None
