"""A pool of connections to PostgreSQL that serves whoever waits in the order in which they came."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from time import monotonic
from typing import TypeAlias

import asyncpg

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

IDLE_SECONDS = 300.0
"""A connection that nobody wanted for so long is made anew: what lies between it and the server may have dropped it."""


class Pool:
    """Lends connections, ``size`` at most at a time. asyncpg's own lets whoever comes just then go before those that wait."""

    def __init__(self, connect: Callable[[], Awaitable[Connection]], size: int, seconds: float) -> None:
        self._connect, self._size, self._seconds = connect, size, seconds
        self._idle: list[tuple[Connection, float]] = []
        self._lent: set[Connection] = set()
        self._places = 0
        self._waiting: deque[asyncio.Future[Connection | None]] = deque()
        self._closed = False

    @asynccontextmanager
    async def lent(self) -> AsyncIterator[Connection]:
        """Lend a connection.

        Raises:
            TimeoutError: None was free in time.
            asyncpg.InterfaceError: They are closed.
            OSError, asyncpg.PostgresError: None could be made.
        """
        connection = await self._taken()
        self._lent.add(connection)
        try:
            yield connection
        finally:
            self._lent.discard(connection)
            self._give_back(connection)

    async def close(self) -> None:
        """Close every connection, those that are lent too."""
        self._closed = True
        for connection in [*self._lent, *(connection for connection, _ in self._idle)]:
            await connection.close()

    async def _taken(self) -> Connection:
        if self._closed:
            raise asyncpg.InterfaceError("the connections are closed")
        found = self._free() if self._places < self._size or self._idle else await self._next()
        if found is not None:
            return found
        try:
            return await self._connect()
        except BaseException:
            self._pass_on(None)
            raise

    def _free(self) -> "Connection | None":
        """Return an idle connection; None is the place of one that is to be made."""
        while self._idle:
            connection, since = self._idle.pop()
            if not connection.is_closed() and monotonic() - since < IDLE_SECONDS:
                return connection
            connection.terminate()
            self._places -= 1
        self._places += 1
        return None

    async def _next(self) -> "Connection | None":
        """Wait until a connection is given back, or the place of one."""
        place: asyncio.Future[Connection | None] = asyncio.get_running_loop().create_future()
        self._waiting.append(place)
        try:
            await asyncio.wait([place], timeout=self._seconds)
        except asyncio.CancelledError:
            if place.done():
                self._pass_on(place.result())
            place.cancel()
            raise
        if not place.done():
            place.cancel()
            raise TimeoutError
        return place.result()

    def _give_back(self, connection: Connection) -> None:
        """Hand a connection on; one in which a transaction was left open is of no use to anybody."""
        if self._closed or connection.is_closed() or connection.is_in_transaction():
            connection.terminate()
            self._pass_on(None)
        else:
            self._pass_on(connection)

    def _pass_on(self, connection: "Connection | None") -> None:
        while self._waiting:
            place = self._waiting.popleft()
            if not place.done():
                place.set_result(connection)
                return
        if connection is None:
            self._places -= 1
        else:
            self._idle.append((connection, monotonic()))
