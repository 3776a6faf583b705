"""A walk over one snapshot of SQLite: a read transaction on a connection and in a thread of its own."""

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import partial
from typing import TypeVar

from ordre.application.aside import small
from ordre.db.queries import VIEW_SIZE, for_sqlite
from ordre.db.sql import Row
from ordre.db.sqlite_batch import run, told
from ordre.db.within import until

T = TypeVar("T")


class SqliteWalk:
    """A walk that has begun."""

    def __init__(self, thread: ThreadPoolExecutor, connection: sqlite3.Connection) -> None:
        self._thread, self._connection = thread, connection
        self._cursor: sqlite3.Cursor | None = None

    async def rows(self, sql: str, *parameters: object) -> Sequence[Row]:
        """Read rows."""
        return await in_thread(self._thread, lambda: run(self._connection, for_sqlite(sql), parameters).fetchall())

    async def begin(self, sql: str, *parameters: object, sorts: bool) -> None:  # noqa: ARG002 - SQLite sorts where it has to
        """Begin a statement."""
        self._cursor = await in_thread(self._thread, lambda: run(self._connection, for_sqlite(sql), parameters))

    async def following(self, most_bytes: int) -> Sequence[Row]:
        """Return the next rows."""
        return await in_thread(self._thread, partial(until, self._cursor or (), most_bytes, VIEW_SIZE))


async def in_thread(thread: ThreadPoolExecutor, work: Callable[[], T]) -> T:
    """Do something in the thread of a walk; it gives way to requests for little, and is no such request itself."""
    with small.but_for_this():
        try:
            return await asyncio.get_running_loop().run_in_executor(thread, work)
        except sqlite3.Error as error:
            raise told(error) from error


@asynccontextmanager
async def walking(connect: Callable[[], sqlite3.Connection]) -> AsyncIterator[SqliteWalk]:
    """Connect, and see one instant of the file until the end.

    Raises:
        StoreUnavailable: The file cannot be read.
    """
    thread = ThreadPoolExecutor(1, "ordre-walk")
    try:
        connection = await in_thread(thread, partial(_begun, connect))
        try:
            yield SqliteWalk(thread, connection)
        finally:
            connection.interrupt()
            thread.submit(connection.close)
    finally:
        thread.shutdown(wait=False)


def copied(connection: sqlite3.Connection) -> sqlite3.Connection:
    """Return a copy of a database in memory: it has one connection, which writes."""
    copy = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    copy.deserialize(connection.serialize())
    return copy


def _begun(connect: Callable[[], sqlite3.Connection]) -> sqlite3.Connection:
    connection = connect()
    with contextlib.ExitStack() as opened:
        opened.callback(connection.close)
        connection.execute("begin")
        connection.execute("select count(*) from sqlite_master").fetchone()  # from here on it is a snapshot
        opened.pop_all()
    return connection
