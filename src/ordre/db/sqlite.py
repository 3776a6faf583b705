"""SQLite: one writer thread with group commit, a few reader threads, WAL, full durability.

The writer takes whatever waits, runs it as one transaction with one fsync, and answers every caller after the commit.
"""

import asyncio
import contextlib
import queue
import sqlite3
import time
from collections.abc import Callable, Sequence
from contextlib import aclosing
from functools import partial
from pathlib import Path
from typing import Any

from ordre.application.aside import small
from ordre.application.change import Change, Outcome
from ordre.application.directory import SERVICE
from ordre.application.documents import Documents
from ordre.application.lists import ListQuery
from ordre.application.store import Access
from ordre.application.troubles import StoreUnavailable
from ordre.auth.sealing import Sealer
from ordre.db import erasure, queries, sqlite_file
from ordre.db.administration import migrated
from ordre.db.exports import Chunks, exported
from ordre.db.lists import ORDERS
from ordre.db.pending import Pending
from ordre.db.queries import END
from ordre.db.schema import APPLIED, HISTORY, Applied, Engine, applied_from, pending, shortfall
from ordre.db.scripts import Script, T
from ordre.db.sql import Row
from ordre.db.sqlite_batch import run, run_script, told
from ordre.db.sqlite_walk import copied, walking
from ordre.db.sqlite_worker import Jobs, Worker, Writing, read_all
from ordre.db.store import SqlStore
from ordre.db.within import Sized, until

BATCH = 256
READERS = 2
READ_BATCH = 8
PAGE_READERS = 2
"""Threads that read pages alone, which may be large: no other read waits behind one."""

Job = Change | Callable[[sqlite3.Connection], Any]


class SqliteStore(SqlStore):
    """The store on one SQLite file, made and migrated as ``access`` says. Without a path it is in memory, and gone at the end."""

    engine: Engine = "sqlite"
    watch_seconds = 0.02

    def __init__(
        self, path: Path | None, documents: Documents, sealer: Sealer, access: Access = Access.MAKE, *, by: str = SERVICE
    ) -> None:
        super().__init__(documents, sealer, by)
        self._path = path
        self._access = access
        self._reading: sqlite_file.Reading | None = None
        self._held: sqlite_file.Held | None = None
        self._writer: Worker | None = None
        self._readers: list[Worker] = []
        self._reads: Jobs = queue.SimpleQueue()
        self._pages: Jobs = queue.SimpleQueue()

    async def open(self) -> None:
        """Open the file, migrate it, and start the threads; or only those that read."""
        if self._access is Access.READ and self._path is not None:
            self._start_reading(self._path)
        else:
            await self._migrate_schema()
        await self.look_for_earlier()

    def _start_reading(self, path: Path) -> None:
        self._reading = reading = sqlite_file.Reading(path)
        try:
            with contextlib.closing(reading.connect()) as connection:
                lacking = shortfall(_applied(connection), self.engine)
            if lacking is not None:
                raise StoreUnavailable(f"{path}: {lacking}")
            self._readers = self._start_readers(reading.connect)
        except sqlite3.Error as error:
            raise StoreUnavailable(f"cannot open {path}: {error}") from error

    def _start(self) -> None:
        if self._writer is not None:
            return
        try:
            if self._path is not None:
                if self._access is Access.CHANGE and not self._path.is_file():
                    raise StoreUnavailable(f"there is no database at {self._path}")
                sqlite_file.make_private(self._path)
            connection = self._connect()
            if self._path is not None:
                connection.execute("select count(*) from sqlite_master").fetchone()  # from here on the log is there
                self._held = sqlite_file.Held(self._path)
            writing = Writing(self.terms, self._held)
            self._writer = Worker("write", queue.SimpleQueue(), connection, writing.work, BATCH)
            if self._path is None:
                return
            self._readers = self._start_readers(self._connect)
        except (OSError, sqlite3.Error) as error:
            raise StoreUnavailable(f"cannot open {self._path}: {error}") from error

    def _start_readers(self, connect: Callable[[], sqlite3.Connection]) -> list[Worker]:
        return [
            *(Worker("read", self._reads, connect(), read_all, READ_BATCH) for _ in range(READERS)),
            *(Worker("pages", self._pages, connect(), read_all, 1) for _ in range(PAGE_READERS)),
        ]

    async def close(self) -> None:
        """Finish what waits, then close every connection."""
        self.stop_waiting()
        workers = [*([] if self._writer is None else [self._writer]), *self._readers]
        self._writer, self._readers = None, []
        for worker in workers:
            worker.queue.put(None)
        for worker in workers:
            await asyncio.to_thread(worker.thread.join)
            worker.connection.close()
        if self._reading is not None:
            self._reading.check()

    async def grant(self, role: str) -> None:
        """Refuse: whoever can read the file can read it all."""
        raise StoreUnavailable(f"an SQLite file has no roles; {role} needs the permissions of the file")

    async def grant_backup(self, role: str) -> None:
        """Refuse: whoever can read the file can read it all."""
        raise StoreUnavailable(f"an SQLite file has no roles; {role} needs the permissions of the file, and `ordre backup`")

    async def unbound(self) -> str | None:
        """Return None: there are no roles."""
        return None

    async def unsafe(self) -> Sequence[str]:
        """Return nothing: every connection is told to be safe."""
        return ()

    async def migrate(self) -> Sequence[str]:
        """Bring the file's schema up to this version."""
        names = await self._migrate_schema()
        await self.renew()
        return names

    async def _migrate_schema(self) -> Sequence[str]:
        self._start()
        names: Sequence[str] = await self._submit(lambda connection: _migrate(connection, self.by))
        return names

    async def rows(self, sql: str, *parameters: object) -> Sequence[Row]:
        """Read on a reader thread."""
        return await self._read(self._reads, sql, parameters, list)

    async def walk(self, sql: str, *parameters: object) -> Sequence[Row]:
        """Read on a thread that reads pages."""
        return await self._read(self._pages, sql, parameters, list)

    async def rows_within(self, query: Sized, most_bytes: int) -> Sequence[Row]:
        """Read on a thread that reads pages, a row at a time."""
        with small.but_for_this():
            return await self._read(
                self._pages, query.of_sqlite, query.parameters, partial(until, most_bytes=most_bytes, beside=query.size)
            )

    async def _read(
        self, readers: Jobs, sql: str, parameters: Sequence[object], take: Callable[[sqlite3.Cursor], list[Row]]
    ) -> Sequence[Row]:
        ours = queries.for_sqlite(sql)
        found: Sequence[Row]
        if not self._readers:
            found = await self._submit(lambda connection: take(run(connection, ours, parameters)))
            return found
        reading = Pending((ours, parameters, take))
        readers.put(reading)
        found = await reading.result()
        return found

    async def shared(self, sql: str, *parameters: object) -> Sequence[Row]:
        """Read on a reader thread."""
        return await self.rows(sql, *parameters)

    async def write_shared(self, sql: str, *parameters: object) -> Sequence[Row]:
        """Run one statement on the writer thread."""
        return await self.write(sql, *parameters)

    async def export(self, account_id: str, query: ListQuery, *, events: bool, most_bytes: int) -> Chunks:
        """Yield what one transaction sees, on a connection and in a thread of its own; of a database in memory, a copy's."""
        query = await self.resolved(account_id, query)
        async with (
            walking(await self._one_more()) as walk,
            aclosing(
                exported(walk, self.listed(ORDERS, account_id), account_id, query, events=events, most_bytes=most_bytes)
            ) as chunks,
        ):
            async for chunk in chunks:
                yield chunk
        if self._reading is not None:
            self._reading.check()

    async def _one_more(self) -> Callable[[], sqlite3.Connection]:
        """Return a function that opens one more connection to read."""
        if self._reading is not None:
            return self._reading.connect
        if self._path is not None:
            return self._connect
        copy: sqlite3.Connection = await self._submit(copied)
        return lambda: copy

    async def write(self, sql: str, *parameters: object) -> Sequence[Row]:
        """Run one statement on the writer thread."""
        ours = queries.for_sqlite(sql)
        found: Sequence[Row] = await self._submit(lambda connection: run(connection, ours, parameters).fetchall())
        return found

    async def run(self, script: Script[T], account_id: str = "") -> T:  # noqa: ARG002 - every row is seen here
        """Run a script on the writer thread."""
        result: T = await self._submit(lambda connection: run_script(connection, script))
        return result

    async def erase_drafts(self, account_id: str, drafts: Sequence[str], by: str, at: int, expired_by: int | None = None) -> None:
        """Drop drafts on the writer thread, in one transaction."""

        def erased(connection: sqlite3.Connection) -> None:
            until = END if expired_by is None else expired_by
            due = [draft for draft in drafts if run(connection, erasure.DUE, (account_id, draft, until)).fetchone()]
            run_script(connection, erasure.of_drafts(account_id, due, by, at))
            for _ in due:
                sqlite_file.count_erasure(connection)

        await self._submit(erased)
        self.ring(account_id)

    async def count_overwritten(self) -> None:
        """Count it as an erasure, after which the file is written anew."""
        await self._submit(sqlite_file.count_erasure)

    async def settle(self, most_bytes: int | None = None) -> None:
        """Write the log into the file, and cut the log off: it may still hold what was erased.

        So may the file: SQLite overwrites what is deleted, but not the copies that a page keeps of what was moved to another. So
        after an erasure the file is written anew, if it is no larger than ``most_bytes``: writers wait for that.
        """
        if self._path is not None:
            try:
                if self._held is not None:
                    self._held.check()
                await asyncio.to_thread(sqlite_file.settle, self._path, most_bytes)
            except sqlite3.Error as error:
                raise told(error) from error

    async def ping(self) -> None:
        """Ask the database for a row, and whether its file is where it was and has room left."""
        if self._held is not None:
            self._held.check()
            self._held.check_room()
        await super().ping()

    async def changed(self, change: Change) -> Outcome:
        """Run a change on the writer thread, together with whatever waits there."""
        outcome: Outcome = await self._submit(change)
        return outcome

    async def _submit(self, job: Job) -> Any:
        if self._writer is None:
            raise StoreUnavailable("the database is open for reading alone" if self._readers else "the store is closed")
        waiting = Pending(job)
        self._writer.queue.put(waiting)
        return await waiting.outcome()

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self._path or ":memory:", timeout=sqlite_file.BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        for pragma in ("journal_mode = wal", "synchronous = full", "foreign_keys = on", "secure_delete = on"):
            connection.execute(f"pragma {pragma}").close()
        return connection


def _applied(connection: sqlite3.Connection) -> list[Applied]:
    """Return the migrations that the file has."""
    if connection.execute("select 1 from sqlite_master where name = 'schema_migrations'").fetchone() is None:
        return []
    return applied_from(connection.execute(APPLIED).fetchall())


def _migrate(connection: sqlite3.Connection, by: str) -> list[str]:
    connection.execute(HISTORY)
    try:
        steps = pending(_applied(connection), "sqlite")
    except ValueError as error:
        raise StoreUnavailable(str(error)) from error
    for step in steps:
        for statement in step.statements:
            connection.execute(statement)
    if steps:
        ran = {step.number for step in steps}
        run_script(connection, migrated(steps, ran, by, time.time_ns() // 1_000_000, "sqlite"))
    return [step.name for step in steps]
