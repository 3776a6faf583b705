"""PostgreSQL: one batch at a time a process, two round trips a batch: one read, one compare-and-set write.

Between processes the version in the compare-and-set decides. A change whose order was lost is read again and run again; after a
few times it takes the row's lock. A change of several orders or drafts has a transaction of its own, with locks.
"""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeAlias

import asyncpg

from ordre.application.lists import Terms
from ordre.application.ports import Access, Answered, Change, EarlierFact, HeldOrder, Outcome, StoreUnavailable, Trouble
from ordre.auth.sealing import Sealer
from ordre.db import codec, erasure, queries, tables
from ordre.db.batch import Batch, Erasure, Ran, Read, Rows, Subject
from ordre.db.indexing import index_terms
from ordre.db.lists import Statement
from ordre.db.schema import ADD_APPLIED, APPLIED, HISTORY, Applied, Engine, applied_from, pending, shortfall
from ordre.db.store import END, Row, SqlStore
from ordre.db.writing import statement

BATCH = 64
LOST_BEFORE_LOCK = 3
ATTEMPTS = 8
COMMAND_SECONDS = 20.0
MIGRATION_LOCK = 0x6F72647265

Connection: TypeAlias = "asyncpg.pool.PoolConnectionProxy[asyncpg.Record]"

_READ = f"""
select w.n, o.head, o.hash, b.fields, b.items, d.draft, {queries.DRAFT_EVENTS},
    i.digest, i.answer, f.ref, f.type, f.data, f.document
from unnest($1::bigint[], $2::text[], $3::text[], $4::boolean[], $5::text[], $6::text[], $7::text[])
    as w(n, account_id, name, content, ref, draft, key)
left join lateral (
    select * from (
        select 0 as place, x.* from orders x where x.account_id = w.account_id and x.order_id = w.name
        union all select 1, x.* from orders x where x.account_id = w.account_id and x.id = w.name) named
    order by place limit 1) o on true
left join order_bodies b on w.content and b.account_id = o.account_id and b.id = o.id
left join facts f on f.account_id = o.account_id and f.id = o.id and f.ref in (w.ref, w.ref || '/deleted')
left join drafts d on d.account_id = w.account_id and d.id = w.draft
left join idempotency i on i.account_id = w.account_id and i.key = w.key
where (select set_config('ordre.accounts', $8, true)) is not null
"""
_READ_ONLY = {"default_transaction_read_only": "on"}
ADMIT = "select set_config('ordre.accounts', $1, true)"
"""Admits the accounts, with commas between, to the policy on rows, until the transaction ends.

Where a statement has no transaction around it, it admits them itself, by a condition that comes before everything else: no column
stands in it, so it is asked once, before any row is looked for. If it were asked later, no row would be found.
"""
_GRANTS = (
    "grant usage on schema public to {name}",
    "grant select, insert, update, delete on all tables in schema public to {name}",
    "revoke insert, delete on schema_migrations from {name}",
)
_BACKUP_GRANTS = ("grant usage on schema public to {name}", "grant select on all tables in schema public to {name}")
_BOUND_TABLES = """
select c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
where n.nspname = 'public' and c.relkind = 'r' and c.relrowsecurity order by c.relname
"""
_BACKUP_POLICY = "backup of "
"""Begins the name of the policy that admits every row to a role, which is named behind it."""
_BACKUP_ROLES = """
select distinct r.rolname from pg_policy p join pg_roles r on r.oid = any (p.polroles) where starts_with(p.polname, $1)
"""
_LOCK_ORDER = "select 1 from orders where account_id = $1 and (order_id = $2 or id = $2) order by id for update"
_LOCK_DRAFT = "select 1 from drafts where account_id = $1 and id = $2 for update"


_TROUBLES: dict[type[asyncpg.PostgresError], Trouble] = {
    asyncpg.DiskFullError: Trouble.FULL,
    asyncpg.PostgresIOError: Trouble.FULL,
    asyncpg.ReadOnlySQLTransactionError: Trouble.READ_ONLY,
    asyncpg.CannotConnectNowError: Trouble.AWAY,
    asyncpg.AdminShutdownError: Trouble.AWAY,
    asyncpg.CrashShutdownError: Trouble.AWAY,
    asyncpg.PostgresConnectionError: Trouble.AWAY,
    asyncpg.TooManyConnectionsError: Trouble.BUSY,
    asyncpg.LockNotAvailableError: Trouble.BUSY,
}
"""What PostgreSQL says -> what is told of it."""


@dataclass(slots=True)
class _Waiting:
    change: Change
    answer: asyncio.Future[Outcome]
    lost: int = 0


class PostgresStore(SqlStore):
    """The store on a PostgreSQL database. ``ordre migrate`` prepares the schema; opening checks it."""

    engine: Engine = "postgres"

    def __init__(self, url: str, terms: Terms, sealer: Sealer, access: Access = Access.CHANGE, *, pool_size: int = 10) -> None:
        super().__init__(terms, sealer)
        self._access = access
        self._url = url
        self._pool_size = pool_size
        self._pool: asyncpg.Pool[asyncpg.Record] | None = None
        self._waiting: deque[_Waiting] = deque()
        self._arrived = asyncio.Event()
        self._loop: asyncio.Task[None] | None = None
        self._closing = False

    async def open(self) -> None:
        """Connect, check the schema, and start to take batches."""
        await self._connect()
        async with self._connection() as connection:
            lacking = shortfall(await _applied(connection), self.engine)
        if lacking is not None:
            raise StoreUnavailable(lacking)
        if self._access is not Access.READ:
            self._loop = asyncio.create_task(self._batches())

    async def _connect(self) -> None:
        if self._pool is not None:
            return
        try:
            self._pool = await asyncpg.create_pool(
                self._url,
                min_size=1,
                max_size=self._pool_size,
                command_timeout=COMMAND_SECONDS,
                reset=_leave_as_it_is,
                server_settings={"application_name": "ordre", **(_READ_ONLY if self._access is Access.READ else {})},
            )
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError) as error:
            raise StoreUnavailable(f"cannot reach the database: {error}", Trouble.AWAY) from error

    async def close(self) -> None:
        """Finish what waits, then disconnect."""
        self._closing = True
        self._arrived.set()
        if self._loop is not None:
            await self._loop
        if self._pool is not None:
            await self._pool.close()

    async def grant(self, role: str) -> None:
        """Let a role read and write every row that the policy admits, and nothing more."""
        await self._connect()
        async with self._connection() as connection, connection.transaction():
            for sql in _GRANTS:
                await connection.execute(sql.format(name=_quoted(role)))

    async def grant_backup(self, role: str) -> None:
        """Let a role read every row of every table, and write none."""
        await self._connect()
        async with self._connection() as connection, connection.transaction():
            await _admit_backup(connection, role)

    async def unbound(self) -> str | None:
        """Return the role that the store connects as, if it is one that the policy does not bind."""
        found = await self.shared("select rolname from pg_roles where rolname = current_user and (rolsuper or rolbypassrls)")
        return found[0][0] if found else None

    async def migrate(self) -> Sequence[str]:
        """Bring the schema up to this version, one process at a time."""
        await self._connect()
        async with self._connection() as connection, connection.transaction():
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
                    await connection.execute(statement)
            for step in steps:
                await connection.execute(ADD_APPLIED, *step.row(_now()))
            if steps:
                await _admit_backups_again(connection)
        await index_terms(self)
        return [step.name for step in steps]

    async def rows(self, sql: str, *parameters: object) -> Sequence[Row]:
        """Read rows of the account that is the first parameter."""
        return await self.shared(admitted(sql), *parameters)

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

    async def erase_drafts(self, account_id: str, drafts: Sequence[str], expired_by: int | None = None) -> None:
        """Drop drafts in one transaction, each under its lock."""
        until = END if expired_by is None else expired_by
        async with self._connection() as connection, connection.transaction():
            await connection.execute(ADMIT, account_id)
            for draft in sorted(drafts):
                if await connection.fetchval(f"{erasure.DUE} for update", account_id, draft, until):
                    await _run_all(connection, erasure.of_draft(account_id, draft))

    async def count_overwritten(self) -> None:
        """Leave it to the server, as ``settle`` does."""

    async def settle(self, most_bytes: int | None = None) -> None:
        """Leave the files to the server: what was erased is out of every query's sight, and goes from the files by its vacuum."""

    async def changed(self, change: Change) -> Outcome:
        """Run a change in the next batch, or by itself where it has several subjects or erases."""
        if change.several or change.erases:
            return await self._alone(change)
        if self._loop is None or self._closing:
            raise StoreUnavailable("the store is closed")
        waiting = _Waiting(change, asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        self._arrived.set()
        return await waiting.answer

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[Connection]:
        if self._pool is None:
            raise StoreUnavailable("the store is closed")
        with explained():
            async with self._pool.acquire(timeout=COMMAND_SECONDS) as connection:
                yield connection

    async def _batches(self) -> None:
        while not self._closing or self._waiting:
            if not self._waiting:
                self._arrived.clear()
                await self._arrived.wait()
                continue
            taken = [self._waiting.popleft() for _ in range(min(BATCH, len(self._waiting)))]
            await self._run([one for one in taken if not one.answer.cancelled()])

    async def _run(self, taken: list[_Waiting]) -> None:
        """Run one batch. One that spoils its batch is run by itself, so that nobody fails for another."""
        try:
            async with self._connection() as connection:
                ran, lost = await _tried(self.terms, connection, [one.change for one in taken], held=False)
        except StoreUnavailable as error:
            for one in taken:
                _tell(one, error)
            return
        except Exception:  # noqa: BLE001 - it comes again, to its own caller alone
            await asyncio.gather(*(self._answer_alone(one) for one in taken))
            return
        again = []
        unheld = []
        for one, result in zip(taken, ran, strict=True):
            if result.unheld:
                unheld.append(one)
            elif result.saw.isdisjoint(lost):
                _tell(one, result.outcome or result.refused)
            else:
                one.lost += 1
                again.append(one)
        locked = [*unheld, *(one for one in again if one.lost > LOST_BEFORE_LOCK)]
        self._waiting.extendleft(one for one in reversed(again) if one.lost <= LOST_BEFORE_LOCK)
        await asyncio.gather(*(self._answer_alone(one) for one in locked))

    async def _answer_alone(self, one: _Waiting) -> None:
        try:
            _tell(one, await self._alone(one.change))
        except Exception as error:  # noqa: BLE001 - its caller is told
            _tell(one, error)

    async def _alone(self, change: Change) -> Outcome:
        """Run a change in a transaction that locks what it wants."""
        for _ in range(ATTEMPTS):
            try:
                async with self._connection() as connection:
                    transaction = connection.transaction()
                    await transaction.start()
                    try:
                        await _lock(connection, change)
                        (ran,), lost = await _tried(self.terms, connection, [change], held=True)
                    except BaseException:
                        await transaction.rollback()
                        raise
                    await (transaction.rollback() if lost or ran.outcome is None else transaction.commit())
            except (asyncpg.IntegrityConstraintViolationError, asyncpg.DeadlockDetectedError):
                continue
            if lost:
                continue
            if ran.outcome is None:
                raise ran.refused or AssertionError("a change has an outcome or a refusal")
            return ran.outcome
        raise StoreUnavailable("the change lost its race too often")


@contextmanager
def explained() -> Iterator[None]:
    """Raise a fault of the database as one of the store; those of a lost race as they are."""
    try:
        yield
    except TimeoutError as error:
        raise StoreUnavailable("no connection was free, or the database did not answer, in time", Trouble.BUSY) from error
    except (OSError, asyncpg.InterfaceError) as error:
        raise StoreUnavailable(f"the database does not answer: {error}", Trouble.AWAY) from error
    except asyncpg.PostgresError as error:
        if isinstance(error, asyncpg.IntegrityConstraintViolationError | asyncpg.DeadlockDetectedError):
            raise
        trouble = next((one for kind, one in _TROUBLES.items() if isinstance(error, kind)), Trouble.OTHER)
        raise StoreUnavailable(f"the database refuses: {error}", trouble) from error


@lru_cache(maxsize=512)
def admitted(sql: str) -> str:
    """Return a query that admits the account that is its first parameter."""
    return f"select found.* from ({sql}) found where (select set_config('ordre.accounts', $1::text, true)) is not null"


def _tell(one: _Waiting, result: Outcome | Exception | None) -> None:
    if one.answer.done():
        return
    if isinstance(result, Outcome):
        one.answer.set_result(result)
    else:
        one.answer.set_exception(result or AssertionError("a change has an outcome or a refusal"))


async def _lock(connection: Connection, change: Change) -> None:
    wanted = change.wanted
    await connection.execute(ADMIT, wanted.account_id)
    if wanted.draft is not None:
        await connection.execute(_LOCK_DRAFT, wanted.account_id, wanted.draft)
    if wanted.order is not None:
        await connection.execute(_LOCK_ORDER, wanted.account_id, wanted.order)


async def _tried(
    terms: Terms, connection: Connection, changes: Sequence[Change], *, held: bool
) -> tuple[list[Ran], set[Subject]]:
    """Read, decide and write a batch; return what became of each change, and the subjects that were lost."""
    batch = Batch(_now(), terms, held=held)
    for change, read in zip(changes, await _read(connection, changes), strict=True):
        batch.add(change.wanted, read)
    ran = [batch.run(change) for change in changes]
    for one in batch.rows.erasures:
        await _erase(connection, one)
    for subject, emptied in batch.rows.emptied:
        await _run_all(connection, erasure.of_text(subject, emptied))
    return ran, await _write(connection, batch.rows)


async def _erase(connection: Connection, one: Erasure) -> None:
    account, id_ = one.subject
    amending = [row[0] for row in await connection.fetch(erasure.AMENDING, account, id_, one.order_id)]
    drafts = (*one.drafts, *amending)
    await _run_all(connection, erasure.of_order(one))
    for draft in sorted(drafts):
        await connection.execute(_LOCK_DRAFT, account, draft)
        await _run_all(connection, erasure.of_draft(account, draft))


async def _run_all(connection: Connection, statements: Iterable[Statement]) -> None:
    for sql, parameters in statements:
        await connection.execute(sql, *parameters)


async def _read(connection: Connection, changes: Sequence[Change]) -> list[Read]:
    wanted = [change.wanted for change in changes]
    found = await connection.fetch(
        _READ,
        range(len(wanted)),
        [one.account_id for one in wanted],
        [one.order for one in wanted],
        [one.content for one in wanted],
        [one.ref for one in wanted],
        [one.draft for one in wanted],
        [one.key for one in wanted],
        ",".join(sorted({one.account_id for one in wanted})),
    )
    rows: list[list[Row]] = [[] for _ in wanted]
    for row in found:
        rows[row[0]].append(row)
    return [_read_of(mine) for mine in rows]


def _read_of(rows: Sequence[Row]) -> Read:
    _, head, hash_, fields, items, draft, events, digest, answer, *_ = rows[0]
    content = None if fields is None else codec.content_from(fields, items)
    earlier = {
        ref: EarlierFact(fact=codec.fact_from(type_, data), document=document)
        for *_, ref, type_, data, document in rows
        if ref is not None
    }
    return Read(
        order=None if head is None else HeldOrder(order=codec.order_from(head), hash=hash_, content=content),
        earlier=earlier,
        draft=None if draft is None else codec.held_draft(draft, events),
        answered=None if digest is None else Answered(digest=digest, answer=codec.answer_from(answer)),
    )


async def _write(connection: Connection, rows: Rows) -> set[Subject]:
    """Write a batch in one statement; return the subjects whose row was not as it was read, of which nothing is written."""
    parts: dict[str, Iterable[Sequence[object]]] = {
        "head": [(*tables.head_row(subject, held), before) for subject, (before, held) in rows.heads.items()],
        "draft": [(*tables.draft_row(subject, draft), before) for subject, (before, draft) in rows.drafts.items()],
        "body": [(*subject, *body) for subject, body in rows.bodies.items()],
        "term": tables.term_rows(rows.terms),
        "term_gone": tables.term_rows(rows.terms_gone),
        "draft_term": tables.term_rows(rows.draft_terms),
        "fact": rows.facts,
        "draft_event": rows.draft_events,
        "answer": rows.answers,
    }
    used = tuple(name for name, values in parts.items() if values)
    if not used:
        return set()
    arrays = [column for name in used for column in zip(*parts[name], strict=True)]
    accounts = ",".join(sorted({str(values[0]) for name in used for values in parts[name]}))
    written = await connection.fetch(statement(used), *arrays, accounts)
    return (rows.heads.keys() | rows.drafts.keys()) - {(row[0], row[1]) for row in written}


async def _admit_backup(connection: Connection, role: str) -> None:
    for sql in _BACKUP_GRANTS:
        await connection.execute(sql.format(name=_quoted(role)))
    policy = _quoted(_BACKUP_POLICY + role)
    for (table,) in await connection.fetch(_BOUND_TABLES):
        await connection.execute(f"drop policy if exists {policy} on {_quoted(table)}")
        await connection.execute(f"create policy {policy} on {_quoted(table)} for select to {_quoted(role)} using (true)")


async def _admit_backups_again(connection: Connection) -> None:
    """Admit those roles to new tables that were admitted to the others: a dump without a table would look as good as any."""
    for (role,) in await connection.fetch(_BACKUP_ROLES, _BACKUP_POLICY):
        await _admit_backup(connection, role)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


async def _applied(connection: Connection) -> list[Applied]:
    if await connection.fetchval("select to_regclass('schema_migrations')") is None:
        return []
    return applied_from(await connection.fetch(APPLIED))


async def _leave_as_it_is(connection: Any) -> None:
    """Skip the pool's reset: Ordre leaves no state on a connection."""


def _now() -> int:
    return time.time_ns() // 1_000_000
