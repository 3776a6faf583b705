"""SQLite: one writer thread with group commit, a few reader threads, WAL, full durability.

The writer takes whatever waits, runs it as one transaction with one fsync, and answers every caller after the commit.
"""

import asyncio
import contextlib
import queue
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from ordre.application.lists import RECORDED_KINDS, Terms
from ordre.application.ports import (
    SERVICE,
    Access,
    Answered,
    Change,
    EarlierFact,
    HeldOrder,
    Outcome,
    StoreUnavailable,
    Trouble,
    Wanted,
)
from ordre.auth.sealing import Sealer
from ordre.db import codec, erasure, queries, sqlite_file, tables
from ordre.db.administration import migrated
from ordre.db.batch import Batch, Erasure, Ran, Read, Rows, Subject
from ordre.db.indexing import index_terms
from ordre.db.lists import Statement
from ordre.db.schema import APPLIED, HISTORY, Applied, Engine, applied_from, pending, shortfall
from ordre.db.scripts import Script, T
from ordre.db.store import END, Row, SqlStore

BATCH = 256
READERS = 4
READ_BATCH = 8
ATTEMPTS = 5

Job = Change | Callable[[sqlite3.Connection], Any]

_HEAD = """
select o.id, o.head, o.hash from (
    select id, 0 as place from orders where account_id = $1 and order_id = $2
    union all select id, 1 from orders where account_id = $1 and id = $2
    order by place limit 1) named
join orders o on o.account_id = $1 and o.id = named.id
"""
_BODY = "select fields, items from order_bodies where account_id = $1 and id = $2"
_EARLIER = "select ref, type, data, document from facts where account_id = $1 and id = $2 and ref in ($3, $4)"
_ANSWERED = "select digest, answer from idempotency where account_id = $1 and key = $2"


def _insert(table: str, columns: Sequence[tuple[str, str]], conflict: str = "") -> str:
    names = ", ".join(name for name, _ in columns)
    return f"insert into {table} ({names}) values ({', '.join('?' * len(columns))}) {conflict}"


_INSERT_HEAD = _insert("orders", tables.HEAD_COLUMNS, "on conflict do nothing")
_UPDATE_HEAD = (
    f"update orders set {', '.join(f'{name} = ?' for name in tables.CHANGING_COLUMNS)}"
    " where account_id = ? and id = ? and version = ?"
)
_INSERT_FACT = _insert("facts", tables.FACT_COLUMNS)
_PUT_BODY = _insert(
    "order_bodies", tables.BODY_COLUMNS, "on conflict do update set fields = excluded.fields, items = excluded.items"
)
_CLEAR_TERMS = f"delete from order_terms where account_id = ? and id = ? and kind not in {RECORDED_KINDS}"
_DROP_TERM = "delete from order_terms where account_id = ? and id = ? and kind = ? and term = ?"
_INSERT_TERM = _insert("order_terms", tables.TERM_COLUMNS, "on conflict do nothing")
_CLEAR_DRAFT_TERMS = "delete from draft_terms where account_id = ? and id = ?"
_INSERT_DRAFT_TERM = _insert("draft_terms", tables.TERM_COLUMNS)
_INSERT_DRAFT = _insert("drafts", tables.DRAFT_COLUMNS, "on conflict do nothing")
_UPDATE_DRAFT = (
    f"update drafts set {', '.join(f'{name} = ?' for name in tables.CHANGING_DRAFT_COLUMNS)}"
    " where account_id = ? and id = ? and version = ?"
)
_INSERT_DRAFT_EVENT = _insert("draft_events", tables.DRAFT_EVENT_COLUMNS)
_INSERT_ANSWER = _insert("idempotency", tables.ANSWER_COLUMNS)


class SqliteStore(SqlStore):
    """The store on one SQLite file, made and migrated as ``access`` says. Without a path it is in memory, and gone at the end."""

    engine: Engine = "sqlite"

    def __init__(
        self, path: Path | None, terms: Terms, sealer: Sealer, access: Access = Access.MAKE, *, by: str = SERVICE
    ) -> None:
        super().__init__(terms, sealer, by)
        self._path = path
        self._access = access
        self._reading: sqlite_file.Reading | None = None
        self._writer: _Worker | None = None
        self._readers: list[_Worker] = []
        self._reads: _Queue = queue.SimpleQueue()

    async def open(self) -> None:
        """Open the file, migrate it, and start the threads; or only those that read."""
        if self._access is Access.READ and self._path is not None:
            self._start_reading(self._path)
        else:
            await self.migrate()

    def _start_reading(self, path: Path) -> None:
        self._reading = reading = sqlite_file.Reading(path)
        try:
            with contextlib.closing(reading.connect()) as connection:
                lacking = shortfall(_applied(connection), self.engine)
            if lacking is not None:
                raise StoreUnavailable(f"{path}: {lacking}")
            self._readers = [_Worker("read", self._reads, reading.connect(), _read_all, READ_BATCH) for _ in range(READERS)]
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
            self._writer = _Worker("write", queue.SimpleQueue(), self._connect(), partial(_work, self.terms), BATCH)
            if self._path is None:
                return
            self._readers = [_Worker("read", self._reads, self._connect(), _read_all, READ_BATCH) for _ in range(READERS)]
        except (OSError, sqlite3.Error) as error:
            raise StoreUnavailable(f"cannot open {self._path}: {error}") from error

    async def close(self) -> None:
        """Finish what waits, then close every connection."""
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

    async def migrate(self) -> Sequence[str]:
        """Bring the file's schema up to this version."""
        self._start()
        names: Sequence[str] = await self._submit(lambda connection: _migrate(connection, self.by))
        await index_terms(self)
        return names

    async def rows(self, sql: str, *parameters: object) -> Sequence[Row]:
        """Read on a reader thread."""
        if not self._readers:
            return await self.write(queries.for_sqlite(sql), *parameters)
        future = asyncio.get_running_loop().create_future()
        self._reads.put(((queries.for_sqlite(sql), parameters), future))
        found: Sequence[Row] = await future
        return found

    async def shared(self, sql: str, *parameters: object) -> Sequence[Row]:
        """Read on a reader thread."""
        return await self.rows(sql, *parameters)

    async def write_shared(self, sql: str, *parameters: object) -> Sequence[Row]:
        """Run one statement on the writer thread."""
        return await self.write(sql, *parameters)

    async def write(self, sql: str, *parameters: object) -> Sequence[Row]:
        """Run one statement on the writer thread."""
        ours = queries.for_sqlite(sql)
        found: Sequence[Row] = await self._submit(lambda connection: _run(connection, ours, parameters).fetchall())
        return found

    async def run(self, script: Script[T], account_id: str = "") -> T:  # noqa: ARG002 - every row is seen here
        """Run a script on the writer thread."""
        result: T = await self._submit(lambda connection: run_script(connection, script))
        return result

    async def erase_drafts(self, account_id: str, drafts: Sequence[str], expired_by: int | None = None) -> None:
        """Drop drafts on the writer thread, in one transaction."""

        def erased(connection: sqlite3.Connection) -> None:
            for draft in drafts:
                if _run(connection, erasure.DUE, (account_id, draft, END if expired_by is None else expired_by)).fetchone():
                    _run_all(connection, erasure.of_draft(account_id, draft))
                    sqlite_file.count_erasure(connection)

        await self._submit(erased)

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
                await asyncio.to_thread(sqlite_file.settle, self._path, most_bytes)
            except sqlite3.Error as error:
                raise told(error) from error

    async def changed(self, change: Change) -> Outcome:
        """Run a change on the writer thread, together with whatever waits there."""
        outcome: Outcome = await self._submit(change)
        return outcome

    async def _submit(self, job: Job) -> Any:
        if self._writer is None:
            raise StoreUnavailable("the database is open for reading alone" if self._readers else "the store is closed")
        future = asyncio.get_running_loop().create_future()
        self._writer.queue.put((job, future))
        return await future

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self._path or ":memory:", timeout=sqlite_file.BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        for pragma in ("journal_mode = wal", "synchronous = full", "foreign_keys = on", "secure_delete = on"):
            connection.execute(f"pragma {pragma}").close()
        return connection


_Taken = tuple[Any, asyncio.Future[Any]]
_Queue = queue.SimpleQueue[_Taken | None]


class _Worker:
    """A thread with its own connection. It takes whatever waits in its queue, up to ``most``, and answers all of it at once."""

    def __init__(
        self,
        name: str,
        jobs: _Queue,
        connection: sqlite3.Connection,
        work: Callable[[sqlite3.Connection, Sequence[Any]], list[Any]],
        most: int,
    ) -> None:
        self.queue, self.connection = jobs, connection
        self._work, self._most = work, most
        self.thread = threading.Thread(target=self._loop, name=f"ordre-{name}", daemon=True)
        self.thread.start()

    def _loop(self) -> None:
        while (first := self.queue.get()) is not None:
            taken, last = [first], False
            while len(taken) < self._most and not last:
                try:
                    following = self.queue.get_nowait()
                except queue.Empty:
                    break
                last = following is None
                if following is not None:
                    taken.append(following)
            _answer(taken, self._work(self.connection, [job for job, _ in taken]))
            if last:
                return


def _read_all(connection: sqlite3.Connection, reads: Sequence[tuple[str, Sequence[object]]]) -> list[Any]:
    return [_read(connection, sql, parameters) for sql, parameters in reads]


def _read(connection: sqlite3.Connection, sql: str, parameters: Sequence[object]) -> Any:
    try:
        return _run(connection, sql, parameters).fetchall()
    except Exception as error:  # noqa: BLE001 - it is raised again, to its caller
        return told(error)


def _answer(taken: Sequence[_Taken], results: Sequence[Any]) -> None:
    """Hand each caller its result, waking every event loop once."""
    by_loop: dict[asyncio.AbstractEventLoop, list[tuple[asyncio.Future[Any], Any]]] = {}
    for (_, future), result in zip(taken, results, strict=True):
        by_loop.setdefault(future.get_loop(), []).append((future, result))
    for loop, resolved in by_loop.items():
        loop.call_soon_threadsafe(_resolve, resolved)


def _resolve(resolved: list[tuple[asyncio.Future[Any], Any]]) -> None:
    for future, result in resolved:
        if future.cancelled():
            continue
        if isinstance(result, BaseException):
            future.set_exception(result)
        else:
            future.set_result(result)


def _work(terms: Terms, connection: sqlite3.Connection, jobs: Sequence[Job]) -> list[Any]:
    """Run the jobs: neighbouring changes as one batch, what erases or is no change by itself. Return results and exceptions."""
    results: list[Any] = []
    waiting: list[Change] = []
    for job in jobs:
        if isinstance(job, Change) and not job.erases:
            waiting.append(job)
            continue
        results.extend(_batch(terms, connection, waiting))
        waiting = []
        results.extend(_batch(terms, connection, [job]) if isinstance(job, Change) else [_alone(connection, job)])
    return results + _batch(terms, connection, waiting)


def _alone(connection: sqlite3.Connection, job: Callable[[sqlite3.Connection], Any]) -> Any:
    try:
        connection.execute("begin immediate")
        result = job(connection)
        connection.execute("commit")
    except Exception as error:  # noqa: BLE001 - it is raised again, to its caller
        _roll_back(connection)
        return told(error)
    else:
        return result


def _batch(terms: Terms, connection: sqlite3.Connection, changes: Sequence[Change], attempt: int = 1) -> list[Any]:
    """Run changes as one transaction; where one of them spoils it, each by itself, so that none fails for another."""
    if not changes:
        return []
    try:
        connection.execute("begin immediate")
        ran, lost = _tried(terms, connection, changes)
        if not lost:
            connection.execute("commit")
            return [one.outcome or one.refused for one in ran]
        _roll_back(connection)
    except Exception as error:  # noqa: BLE001 - it is raised again, to its own caller
        _roll_back(connection)
        of_all = isinstance(error, sqlite3.Error) and not isinstance(error, sqlite3.IntegrityError)
        if len(changes) == 1 or of_all:
            return [told(error)] * len(changes)
    if len(changes) == 1 and attempt >= ATTEMPTS:
        return [StoreUnavailable("the change lost its race too often")]
    return [result for change in changes for result in _batch(terms, connection, [change], attempt + (len(changes) == 1))]


def _tried(terms: Terms, connection: sqlite3.Connection, changes: Sequence[Change]) -> tuple[list[Ran], bool]:
    batch = Batch(time.time_ns() // 1_000_000, terms, held=True)
    for change in changes:
        batch.add(change.wanted, _read_for(connection, change.wanted))
    ran = [batch.run(change) for change in changes]
    return ran, _write_rows(connection, batch.rows)


def _read_for(connection: sqlite3.Connection, wanted: Wanted) -> Read:
    account = wanted.account_id
    order, earlier, draft, answered = None, {}, None, None
    if wanted.order is not None and (row := _run(connection, _HEAD, (account, wanted.order)).fetchone()):
        body = _run(connection, _BODY, (account, row[0])).fetchone() if wanted.content else None
        content = codec.content_from(*body) if body else None
        order = HeldOrder(order=codec.order_from(row[1]), hash=row[2], content=content)
        if wanted.ref is not None:
            found = _run(connection, _EARLIER, (account, row[0], wanted.ref, f"{wanted.ref}/deleted")).fetchall()
            earlier = {ref: EarlierFact(fact=codec.fact_from(type_, data), document=text) for ref, type_, data, text in found}
    if wanted.draft is not None and (
        row := _run(connection, queries.for_sqlite(queries.DRAFT_ONE), (account, wanted.draft)).fetchone()
    ):
        draft = codec.held_draft(*row)
    if wanted.key is not None and (row := _run(connection, _ANSWERED, (account, wanted.key)).fetchone()):
        answered = Answered(digest=row[0], answer=codec.answer_from(row[1]))
    return Read(order=order, earlier=earlier, draft=draft, answered=answered)


def _write_rows(connection: sqlite3.Connection, rows: Rows) -> bool:
    """Write a batch; return whether a head or draft was lost, in which case the transaction is to be rolled back."""
    for one in rows.erasures:
        _erase(connection, one)
    for subject, emptied in rows.emptied:
        _run_all(connection, erasure.of_text(subject, emptied))
        sqlite_file.count_erasure(connection)
    for subject, (before, held) in rows.heads.items():
        if not _put_head(connection, subject, before, tables.head_row(subject, held)):
            return True
    for subject, (before, draft) in rows.drafts.items():
        row = tables.draft_row(subject, draft)
        if before == 0:
            cursor = connection.execute(_INSERT_DRAFT, row)
        else:
            named = dict(zip((name for name, _ in tables.DRAFT_COLUMNS), row, strict=True))
            values = [named[name] for name in tables.CHANGING_DRAFT_COLUMNS]
            cursor = connection.execute(_UPDATE_DRAFT, (*values, *subject, before))
        if cursor.rowcount != 1:
            return True
    connection.executemany(_PUT_BODY, [(*subject, *body) for subject, body in rows.bodies.items()])
    connection.executemany(_CLEAR_TERMS, rows.bodies)
    connection.executemany(_DROP_TERM, tables.term_rows(rows.terms_gone))
    connection.executemany(_INSERT_TERM, tables.term_rows(rows.terms))
    connection.executemany(_CLEAR_DRAFT_TERMS, rows.drafts)
    connection.executemany(_INSERT_DRAFT_TERM, tables.term_rows(rows.draft_terms))
    connection.executemany(_INSERT_FACT, rows.facts)
    connection.executemany(_INSERT_DRAFT_EVENT, rows.draft_events)
    connection.executemany(_INSERT_ANSWER, [answer[:-1] for answer in rows.answers])
    return False


def _erase(connection: sqlite3.Connection, one: Erasure) -> None:
    account, id_ = one.subject
    amending = [row[0] for row in _run(connection, erasure.AMENDING, (account, id_, one.order_id)).fetchall()]
    _run_all(connection, erasure.of_order(one))
    for draft in (*one.drafts, *amending):
        _run_all(connection, erasure.of_draft(account, draft))
    sqlite_file.count_erasure(connection)


def _put_head(connection: sqlite3.Connection, subject: Subject, before: int, row: Sequence[object]) -> bool:
    if before == 0:
        return connection.execute(_INSERT_HEAD, row).rowcount == 1
    named = dict(zip((name for name, _ in tables.HEAD_COLUMNS), row, strict=True))
    values = [named[name] for name in tables.CHANGING_COLUMNS]
    return connection.execute(_UPDATE_HEAD, (*values, *subject, before)).rowcount == 1


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
        run_script(connection, migrated(steps, by, time.time_ns() // 1_000_000, "sqlite"))
    return [step.name for step in steps]


def _run(connection: sqlite3.Connection, sql: str, parameters: Sequence[object]) -> sqlite3.Cursor:
    """Run a statement whose parameters are numbered, as PostgreSQL has them."""
    return connection.execute(sql, {str(number): value for number, value in enumerate(parameters, 1)})


def run_script(connection: sqlite3.Connection, script: Script[T]) -> T:
    """Run a script in the transaction that has begun."""
    try:
        sql, parameters = next(script)
        while True:
            found = _run(connection, queries.for_sqlite(sql), parameters).fetchall()
            sql, parameters = script.send(found)
    except StopIteration as end:
        result: T = end.value
        return result


def _run_all(connection: sqlite3.Connection, statements: Iterable[Statement]) -> None:
    for sql, parameters in statements:
        _run(connection, sql, parameters)


def told(error: Exception) -> Exception:
    """Return what a caller is told of an error: a fault of the database is one of the store."""
    if not isinstance(error, sqlite3.Error):
        return error
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    return StoreUnavailable(str(error), _TROUBLES.get(code, Trouble.OTHER))


_TROUBLES = {
    sqlite3.SQLITE_FULL: Trouble.FULL,
    sqlite3.SQLITE_IOERR: Trouble.FULL,
    sqlite3.SQLITE_READONLY: Trouble.READ_ONLY,
    sqlite3.SQLITE_CANTOPEN: Trouble.AWAY,
    sqlite3.SQLITE_BUSY: Trouble.BUSY,
    sqlite3.SQLITE_LOCKED: Trouble.BUSY,
}
"""Primary result code of SQLite -> what is told of it."""


def _roll_back(connection: sqlite3.Connection) -> None:
    if connection.in_transaction:
        connection.execute("rollback")
