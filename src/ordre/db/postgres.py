"""The store on PostgreSQL: its connections, its schema and roles, and what is written beside the changes of orders and drafts."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager, suppress
from functools import partial
from typing import Any

import asyncpg

from ordre.application.change import Change, Outcome
from ordre.application.directory import SERVICE
from ordre.application.documents import Documents
from ordre.application.lists import ListQuery
from ordre.application.store import Access
from ordre.application.troubles import StoreUnavailable, Trouble
from ordre.auth.sealing import Sealer
from ordre.db import erasure, locks, postgres_roles
from ordre.db.administration import migrated
from ordre.db.admission import ADMIT, admitted
from ordre.db.exports import Chunks, exported
from ordre.db.lists import ORDERS
from ordre.db.postgres_batch import now, run_script
from ordre.db.postgres_bell import Telling
from ordre.db.postgres_changes import Changes
from ordre.db.postgres_faults import UNREACHABLE, StatementRefused, explained
from ordre.db.postgres_plans import PLANNED_EACH_TIME, PLANNED_ONCE, Plans
from ordre.db.postgres_pool import Connection, Pool
from ordre.db.postgres_walk import walking
from ordre.db.schema import APPLIED, HISTORY, Applied, Engine, applied_from, pending, shortfall
from ordre.db.scripts import Script, T
from ordre.db.sql import Row
from ordre.db.store import SqlStore
from ordre.db.within import Sized

COMMAND_SECONDS = 20.0
MIGRATION_SECONDS = 3600.0
"""How long one step of a migration may take: an index of a large table is made anew, or the like."""
MIGRATION_LOCK = 0x6F72647265
_READ_ONLY = {"default_transaction_read_only": "on"}
_ROOM = """
create temporary table room on commit drop as select string_agg(md5(random()::text), '') from generate_series(1, 8000)
"""
"""A quarter of a megabyte on the disk of the database."""
_SAFETY = ["fsync", "full_page_writes"]
_DURABLE = """
select set_config('synchronous_commit',
    case current_setting('synchronous_commit') when 'off' then 'on' else current_setting('synchronous_commit') end, false)
"""
"""Sees to it that a commit is on disk before it is answered, whatever the database or the role says of it now or later.

What waits for other servers, too, stays so.
"""


class PostgresStore(SqlStore):
    """The store on a PostgreSQL database. ``ordre migrate`` prepares the schema; opening checks it."""

    engine: Engine = "postgres"
    watch_seconds = 1.0

    def __init__(
        self,
        url: str,
        documents: Documents,
        sealer: Sealer,
        access: Access = Access.CHANGE,
        *,
        pool_size: int = 10,
        by: str = SERVICE,
    ) -> None:
        super().__init__(documents, sealer, by)
        self._access = access
        self._url = url
        self._pool_size = pool_size
        self._pool: Pool | None = None
        self._writing: Pool | None = None
        self._pages: Pool | None = None
        self._changes: Changes | None = None
        self._telling = Telling(self._bell, self.shared, lambda: self._made({}))

    async def open(self) -> None:
        """Connect, check the schema, and start to take batches."""
        await self._connect()
        async with self._connection() as connection:
            lacking = shortfall(await _applied(connection), self.engine)
        if lacking is not None:
            raise StoreUnavailable(lacking)
        await self.look_for_earlier()
        if self._access is not Access.READ:
            lanes = max(1, self._pool_size // 2 - 1)
            self._writing = Pool(lambda: self._made(PLANNED_ONCE), lanes + 1, COMMAND_SECONDS)
            self._changes = Changes(self.terms, partial(_to_write, self._writing, Plans()), lanes)

    async def _connect(self) -> None:
        if self._pool is not None:
            return
        others = self._pool_size if self._access is Access.READ else self._pool_size - max(2, self._pool_size // 2)
        pages = others // 2
        pool = Pool(lambda: self._made({}), others - pages, COMMAND_SECONDS)
        self._pages = Pool(lambda: self._made(PLANNED_EACH_TIME), pages, COMMAND_SECONDS)
        try:
            async with pool.lent():
                self._pool = pool
        except UNREACHABLE as error:
            raise StoreUnavailable(f"cannot reach the database: {error}", Trouble.AWAY) from error

    async def _made(self, settings: Mapping[str, str]) -> Connection:
        connection: Connection = await asyncpg.connect(
            self._url,
            command_timeout=COMMAND_SECONDS,
            max_cached_statement_lifetime=0,
            server_settings={
                "application_name": "ordre",
                "lock_timeout": _milliseconds(locks.WAIT_SECONDS),
                "idle_in_transaction_session_timeout": _milliseconds(locks.IDLE_SECONDS),
                **settings,
                **(_READ_ONLY if self._access is Access.READ else {}),
            },
        )
        await make_durable(connection)
        return connection

    async def close(self) -> None:
        """Finish what waits, then disconnect."""
        self.stop_waiting()
        if self._changes is not None:
            await self._changes.close()
        await self._telling.close()
        for pool in (self._writing, self._pages, self._pool):
            if pool is not None:
                await pool.close()

    async def grant(self, role: str) -> None:
        """Let a role read and write every row that the policy admits, and nothing more."""
        await self._connect()
        async with self._connection() as connection, connection.transaction():
            await postgres_roles.admit(connection, role)

    async def grant_backup(self, role: str) -> None:
        """Let a role read every row of every table, and write none."""
        await self._connect()
        async with self._connection() as connection, connection.transaction():
            await postgres_roles.admit_backup(connection, role)

    async def unbound(self) -> str | None:
        """Return the role that the store connects as, if it is one that the policy does not bind."""
        found = await self.shared("select rolname from pg_roles where rolname = current_user and (rolsuper or rolbypassrls)")
        return found[0][0] if found else None

    async def unsafe(self) -> Sequence[str]:
        """Return those parameters with which PostgreSQL may lose what it has committed, or the whole database."""
        found = await self.shared("select name from pg_settings where name = any($1::text[]) and setting = 'off'", _SAFETY)
        return [f"{row[0]}=off" for row in found]

    async def migrate(self) -> Sequence[str]:
        """Bring the schema up to this version, one process at a time."""
        await self._connect()
        async with self._connection() as connection, connection.transaction():
            await connection.execute(locks.timeout(0))  # whoever migrates waits for whoever does so, too
            await connection.execute("select pg_advisory_xact_lock($1)", MIGRATION_LOCK)
            applied = await _applied(connection)
            if not applied:
                await connection.execute(HISTORY)
            try:
                steps = pending(applied, self.engine)
            except ValueError as error:
                raise StoreUnavailable(str(error)) from error
            for step in steps:
                for statement in step.statements:
                    await connection.execute(statement, timeout=MIGRATION_SECONDS)
            if steps:
                ran = {step.number for step in steps}
                await run_script(connection, migrated(steps, ran, self.by, now(), self.engine))
                await postgres_roles.admit_again(connection)
                await postgres_roles.admit_backups_again(connection)
        await self.renew()
        return [step.name for step in steps]

    async def rows(self, sql: str, *parameters: object) -> Sequence[Row]:
        """Read rows of the account that is the first parameter."""
        return await self.shared(admitted(sql), *parameters)

    async def rows_within(self, query: Sized, most_bytes: int) -> Sequence[Row]:
        """Let the server add up the sizes of the rows."""
        return await self.walk(query.of_postgres(most_bytes), *query.parameters)

    async def walk(self, sql: str, *parameters: object) -> Sequence[Row]:
        """Read on a connection for pages: no other read waits behind one, and each is planned for what it asks for."""
        async with self._lent(self._pages) as connection:
            return [tuple(row) for row in await connection.fetch(admitted(sql), *parameters)]

    async def export(self, account_id: str, query: ListQuery, *, events: bool, most_bytes: int) -> Chunks:
        """Yield what one transaction sees, on a connection of its own."""
        query = await self.resolved(account_id, query)
        async with (
            walking(self._made, account_id) as walk,
            aclosing(
                exported(walk, self.listed(ORDERS, account_id), account_id, query, events=events, most_bytes=most_bytes)
            ) as chunks,
        ):
            async for chunk in chunks:
                yield chunk

    async def write(self, sql: str, *parameters: object) -> Sequence[Row]:
        """Run one statement on the account that is the first parameter."""
        async with self._connection() as connection, connection.transaction():
            await connection.execute(ADMIT, parameters[0])
            return [tuple(row) for row in await connection.fetch(sql, *parameters)]

    async def shared(self, sql: str, *parameters: object) -> Sequence[Row]:
        """Run one statement, as a transaction of its own."""
        async with self._connection() as connection:
            return [tuple(row) for row in await connection.fetch(sql, *parameters)]

    async def write_shared(self, sql: str, *parameters: object) -> Sequence[Row]:
        """Run one statement, as a transaction of its own."""
        return await self.shared(sql, *parameters)

    async def run(self, script: Script[T], account_id: str = "") -> T:
        """Run a script in one transaction."""
        async with self._connection() as connection, connection.transaction():
            await connection.execute(ADMIT, account_id)
            return await run_script(connection, script)

    async def erase_drafts(self, account_id: str, drafts: Sequence[str], by: str, at: int, expired_by: int | None = None) -> None:
        """Drop drafts in one transaction, in which all are locked first. Expired ones in use are left for later."""
        async with self._connection() as connection, connection.transaction():
            await connection.execute(ADMIT, account_id)
            if expired_by is None:
                found = await connection.fetch(locks.DRAFTS, account_id, drafts)
            else:
                found = await connection.fetch(locks.DUE_DRAFTS, account_id, drafts, expired_by)
            there = [row[0] for row in found]
            await connection.execute(locks.ANSWERS, account_id, there)
            await run_script(connection, erasure.of_drafts(account_id, there, by, at))
        self.ring(account_id)

    async def forget_answers(self, account_id: str, before: int) -> int:
        """Drop the account's idempotency rows made before this instant, but for those that are in use; return how many."""
        return await self.run(erasure.forgotten(account_id, before, locks.OLD_ANSWERS), account_id)

    async def take_room(self) -> None:
        """Write a table and drop it; a role that may create none skips this."""
        with suppress(StatementRefused):
            await self.shared(_ROOM)

    async def count_overwritten(self) -> None:
        """Leave it to the server, as ``settle`` does."""

    async def settle(self, most_bytes: int | None = None) -> None:
        """Leave the files to the server: what was erased is out of every query's sight, and goes from the files by its vacuum."""

    async def changed(self, change: Change) -> Outcome:
        """Run a change in the next batch, or in a lane."""
        if self._changes is None:
            raise StoreUnavailable("the store is closed")
        return await self._changes.run(change)

    def ring(self, account_id: str) -> None:
        """Wake those who wait for the feed of an account, here and in other processes."""
        super().ring(account_id)
        self._telling.tell(account_id)

    async def listen(self) -> None:
        """Hear of other processes, and look by oneself now and then."""
        await self._telling.listen()
        await super().listen()  # last: who looks ends where nobody waits yet

    def _connection(self) -> AbstractAsyncContextManager[Connection]:
        return self._lent(self._pool)

    def _lent(self, pool: Pool | None) -> AbstractAsyncContextManager[Connection]:
        if pool is None:
            raise StoreUnavailable("the store is closed")
        return _borrowed(pool)


@asynccontextmanager
async def _borrowed(pool: Pool) -> AsyncIterator[Connection]:
    with explained():
        async with pool.lent() as connection:
            yield connection


@asynccontextmanager
async def _to_write(pool: Pool, plans: Plans) -> AsyncIterator[Connection]:
    async with _borrowed(pool) as connection:
        await plans.renew(connection)
        yield connection


async def _applied(connection: Connection) -> list[Applied]:
    if await connection.fetchval("select to_regclass('schema_migrations')") is None:
        return []
    return applied_from(await connection.fetch(APPLIED))


async def make_durable(connection: Any) -> None:
    """See to it that what is committed on a new connection is durable."""
    await connection.execute(_DURABLE)


def _milliseconds(seconds: float) -> str:
    return str(round(seconds * 1000))
