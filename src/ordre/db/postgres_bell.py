"""Rings the bells of other processes on the same PostgreSQL database, and is rung by them: `NOTIFY` and `LISTEN`.

A batch does not notify by itself: PostgreSQL lets transactions that do commit one at a time. Processes are told soon after, of
many batches at once; whoever is not told, as the one that commits is killed before, looks by itself (``SqlStore``).
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

import asyncpg

from ordre.application.troubles import StoreUnavailable
from ordre.db.bell import Bell
from ordre.db.postgres_pool import Connection

CHANNEL = "ordre_feed"
TELL = "select pg_notify($1, $2)"
TOLD_SECONDS = 0.02
"""Between two times that others are told."""
LISTEN_SECONDS, AGAIN_SECONDS = 2.0, 5.0
"""For how long somebody waits for a connection to listen on, and after how long one is tried again where there was none."""
_AT_ONCE = 500
"""Accounts that are named in one message, of 8,000 bytes at most."""


class Telling:
    """Tells others which accounts went on, and hears it of them. ``run`` runs a statement, ``connect`` makes a connection."""

    def __init__(
        self, bell: Bell, run: Callable[[str, str, str], Awaitable[object]], connect: Callable[[], Awaitable[Connection]]
    ) -> None:
        self._bell, self._run, self._connect = bell, run, connect
        self._untold: set[str] = set()
        self._telling: asyncio.Task[None] | None = None
        self._listening: Connection | None = None
        self._begun, self._tried_again = asyncio.Lock(), 0.0

    def tell(self, account_id: str) -> None:
        """Tell the others of an account, soon."""
        self._untold.add(account_id)
        if self._telling is None:
            self._telling = asyncio.create_task(self._tell())

    async def _tell(self) -> None:
        while self._untold:
            told = [self._untold.pop() for _ in range(min(len(self._untold), _AT_ONCE))]
            with suppress(StoreUnavailable):
                await self._run(TELL, CHANNEL, ",".join(told))
            await asyncio.sleep(TOLD_SECONDS)
        self._telling = None

    async def listen(self) -> None:
        """Hear the others from now on; where the database does not let us, as behind some poolers, nobody tells."""
        loop = asyncio.get_running_loop()
        async with self._begun:
            if (self._listening is None or self._listening.is_closed()) and loop.time() >= self._tried_again:
                self._tried_again = loop.time() + AGAIN_SECONDS
                with suppress(OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
                    async with asyncio.timeout(LISTEN_SECONDS):
                        self._listening = await self._made()

    async def _made(self) -> Connection:
        connection = await self._connect()
        try:
            await connection.add_listener(CHANNEL, self._heard)
        except BaseException:
            connection.terminate()
            raise
        return connection

    def _heard(self, _connection: object, _process: int, _channel: str, accounts: object) -> None:
        for account_id in str(accounts).split(","):
            self._bell.ring(account_id)

    async def close(self) -> None:
        """Tell what is untold, and hear no more."""
        if self._telling is not None:
            await self._telling
        if self._listening is not None:
            await self._listening.close()
