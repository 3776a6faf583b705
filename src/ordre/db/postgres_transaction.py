"""The whole of a PostgreSQL database in one transaction, on a connection of its own."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import asyncpg

from ordre.application.directory import SERVICE
from ordre.application.documents import Documents
from ordre.application.troubles import StoreUnavailable
from ordre.auth.sealing import Sealer
from ordre.db.admission import ADMIT, admitted
from ordre.db.layout import Table
from ordre.db.postgres import MIGRATION_LOCK, make_durable
from ordre.db.postgres_batch import run_script
from ordre.db.postgres_faults import UNREACHABLE, explained
from ordre.db.schema import Engine
from ordre.db.scripts import Script, T
from ordre.db.sql import Row
from ordre.db.transaction import RowsRefused, Transaction

_ROWS_AT_ONCE = 100
_TYPES = {"blob": "bytea"}


class PostgresTransaction(Transaction):
    """To be read, the transaction is read-only and sees one instant throughout (repeatable read)."""

    engine: Engine = "postgres"

    def __init__(self, url: str, documents: Documents, sealer: Sealer, by: str = SERVICE) -> None:
        super().__init__(documents, sealer, by)
        self._url = url
        self._connected: asyncpg.Connection[asyncpg.Record] | None = None

    @asynccontextmanager
    async def begun(self, *, read_only: bool) -> AsyncIterator[None]:
        """Connect and begin. A writer takes the lock that migrations take."""
        try:
            connection = await asyncpg.connect(self._url, server_settings={"application_name": "ordre"})
        except UNREACHABLE as error:
            raise StoreUnavailable(f"cannot reach the database: {error}") from error
        try:
            with explained():
                await make_durable(connection)
                snapshot = connection.transaction(isolation="repeatable_read", readonly=True)
                async with snapshot if read_only else connection.transaction():
                    if not read_only:
                        await connection.execute("select pg_advisory_xact_lock($1)", MIGRATION_LOCK)
                    self._connected = connection
                    yield
        finally:
            self._connected = None
            await connection.close()

    async def rows(self, sql: str, *parameters: object) -> Sequence[Row]:
        """Read rows of the account that is the first parameter."""
        return await self.shared(admitted(sql), *parameters)

    async def shared(self, sql: str, *parameters: object) -> Sequence[Row]:
        """Read rows."""
        return [tuple(row) for row in await self._connection.fetch(sql, *parameters)]

    async def write(self, sql: str, *parameters: object) -> Sequence[Row]:
        """Run one statement on the account that is the first parameter."""
        await self._connection.execute(ADMIT, parameters[0])
        return await self.shared(sql, *parameters)

    async def write_shared(self, sql: str, *parameters: object) -> Sequence[Row]:
        """Run one statement."""
        return await self.shared(sql, *parameters)

    async def run(self, script: Script[T], account_id: str = "") -> T:
        """Run a script."""
        await self._connection.execute(ADMIT, account_id)
        return await run_script(self._connection, script)

    async def stream(self, sql: str, *parameters: object) -> AsyncIterator[Row]:
        """Yield rows, some a round trip. Of rows of accounts, the account is the first parameter."""
        if parameters:
            await self._connection.execute(ADMIT, parameters[0])
        async for row in self._connection.cursor(sql, *parameters, prefetch=_ROWS_AT_ONCE):
            yield tuple(row)

    async def insert(self, table: Table, rows: Sequence[Row]) -> None:
        """Insert rows. They cannot be copied into a table whose rows a policy guards."""
        if table.of_accounts:
            place = tuple(table.columns).index("account_id")
            await self._connection.execute(ADMIT, ",".join(sorted({row[place] for row in rows})))
        arrays = ", ".join(f"${number}::{_TYPES.get(type_, type_)}[]" for number, type_ in enumerate(table.columns.values(), 1))
        sql = f"insert into {table.name} ({', '.join(table.columns)}) select * from unnest({arrays})"
        try:
            await self._connection.execute(sql, *map(list, zip(*rows, strict=True)))
        except (asyncpg.IntegrityConstraintViolationError, asyncpg.DataError) as error:
            raise RowsRefused(str(error)) from error

    async def execute(self, statement: str) -> None:
        """Run a statement."""
        await self._connection.execute(statement)

    async def has_history(self) -> bool:
        """Look for the table of migrations."""
        return bool((await self.shared("select to_regclass('schema_migrations') is not null"))[0][0])

    @property
    def _connection(self) -> "asyncpg.Connection[asyncpg.Record]":
        if self._connected is None:
            raise StoreUnavailable("the transaction is over")
        return self._connected
