"""A walk over one snapshot of PostgreSQL, on a connection that is made for it and that nobody else waits for."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from ordre.db.admission import ADMIT
from ordre.db.postgres_faults import explained
from ordre.db.postgres_plans import PLANNED_EACH_TIME
from ordre.db.postgres_pool import Connection
from ordre.db.queries import VIEW_SIZE
from ordre.db.sql import Row
from ordre.db.within import size_of

IDLE_SECONDS = 600.0
"""How long a walk may stand still, while its reader takes what it was given."""
STEP_SECONDS = 300.0
"""How long the next rows may take to be found: of a filter that few orders meet, all may have to be looked at."""
_WALKED = {
    **PLANNED_EACH_TIME,
    "idle_in_transaction_session_timeout": f"{IDLE_SECONDS * 1000:.0f}",
    "max_parallel_workers_per_gather": "0",
}
_IN_ORDER = "set local enable_sort = {0}; set local enable_seqscan = {0}; set local enable_hashjoin = {0}"
"""Where they are off an index has the rows in their order: the first ones come at once, and none are kept to be sorted."""
_FIRST_ROWS, _MOST_ROWS = 32, 2_000


class PostgresWalk:
    """A walk that has begun. How many rows are asked for follows from how large they were so far."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._cursor: Any = None
        self._rows = self._bytes = 0

    async def rows(self, sql: str, *parameters: object) -> Sequence[Row]:
        """Read rows."""
        with explained():
            return [tuple(row) for row in await self._connection.fetch(sql, *parameters)]

    async def begin(self, sql: str, *parameters: object, sorts: bool) -> None:
        """Begin a statement."""
        with explained():
            await self._connection.execute(_IN_ORDER.format("on" if sorts else "off"))
            self._cursor = await self._connection.cursor(sql, *parameters, timeout=STEP_SECONDS)
            await self._connection.execute(_IN_ORDER.format("on"))

    async def following(self, most_bytes: int) -> Sequence[Row]:
        """Return the next rows."""
        wanted = most_bytes * self._rows // self._bytes if self._bytes else _FIRST_ROWS
        with explained():
            found = await self._cursor.fetch(min(max(wanted, 1), _MOST_ROWS), timeout=STEP_SECONDS)
        self._rows += len(found)
        self._bytes += sum(size_of(row, VIEW_SIZE) for row in found)
        return [tuple(row) for row in found]


@asynccontextmanager
async def walking(made: Callable[[Mapping[str, str]], Awaitable[Connection]], account_id: str) -> AsyncIterator[PostgresWalk]:
    """Connect, and see one instant of an account until the end.

    Raises:
        StoreUnavailable: The database cannot be reached, or gives up.
    """
    with explained():
        connection = await made(_WALKED)
    try:
        with explained():
            await connection.transaction(isolation="repeatable_read", readonly=True).start()
            await connection.execute(ADMIT, account_id)
        yield PostgresWalk(connection)
    finally:
        connection.terminate()
