"""Restoring a backup: into an empty database, in one transaction, kept only if the database proves to hold the same."""

import asyncio
import base64
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import BinaryIO

from ordre import bootstrap
from ordre.api.wire.search import TERMS
from ordre.application.directory import SERVICE, SigningKey
from ordre.auth.roots import is_signed
from ordre.backup.file import FORMAT, BadBackup, End, Header, Line, Reader, Root, Section, Values
from ordre.backup.keys import Lock, unlocked, unlocked_secret
from ordre.db.administration import ACTED
from ordre.db.administration import restored as log_restored
from ordre.db.indexing import index_terms, pack
from ordre.db.layout import Table, layout
from ordre.db.schema import migrations
from ordre.db.tally import Tally
from ordre.db.transaction import RowsRefused, Transaction, known
from ordre.db.verify import Difference, differences
from ordre.db.verify_all import beside_orders, tallies_of
from ordre.domain.merkle import GrowingRoot, Head, leaf
from ordre.settings import Settings

Told = Callable[[str, int, int], None]
"""Is told what is being done, how much of it is done, and of how much."""
_ROWS_AT_ONCE = 500
_BYTES_AT_ONCE = 1024 * 1024
_VERIFIED_AT_ONCE = 50
_HEADS = "select id, version, hash from orders where account_id = $1 order by id"
_RESTORED = "the database was restored from a backup"
"""Why nothing is sent: it may be a copy beside the one that goes on sending."""
_TYPES = {"text": str, "bigint": int, "blob": str}
"""Of the values of a file, in which bytes stand as base64."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Differing:
    """In how many places what is stored is not what was written, and the first of them."""

    places: int = 0
    first: Difference | None = None

    def __str__(self) -> str:
        if self.first is None:
            return "What is stored is what was written."
        noun = "difference" if self.places == 1 else "differences"
        return f"{self.places:,} {noun} between what is stored and what was written, the first of them {self.first}."

    def and_(self, found: Difference) -> "Differing":
        """Return this and one more."""
        return Differing(places=self.places + 1, first=self.first or found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """The contents of a database after a restore. ``migrated`` are the migrations that the backup did not have."""

    header: Header
    rows: Mapping[str, int]
    roots: Sequence[Root]
    migrated: Sequence[str]
    differing: Differing


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """Options of a restore. ``passphrase`` is asked only where the file holds encrypted keys; None leaves those out.

    ``differences``: keep what is not as it was written, as it was not in the database that the backup is of.
    """

    passphrase: Callable[[], str] | None
    differences: bool = False


async def restore(settings: Settings, file: BinaryIO, wishes: Wishes, told: Told, by: str = SERVICE) -> Restored:
    """Write a backup into an empty database, compare, and verify; return what it holds now. Else the database stays as it was.

    What becomes of keys and of the schema is logged as done ``by`` somebody.

    Raises:
        BadBackup: The file is torn or was changed, or what was written is not what it should be.
        StoreUnavailable: The database cannot be reached or written, or the backup is of another version of Ordre.
    """
    lines = iter(Reader(file))
    header = _header(next(lines)[0])
    number = known(header.schema, "the backup")
    lock = None
    if header.salt is not None and wishes.passphrase is not None:
        lock = Lock(wishes.passphrase(), header.salt)
    async with bootstrap.transaction(settings, read_only=False, by=by) as database:
        newest = migrations(database.engine)[-1].number
        before = await _empty(database, number)
        steps = await database.migrate(before, number)
        restoring = _Restoring(database, header, lock, told)
        end = await restoring.read(lines)
        await _compare(database, restoring, end)
        later = await database.migrate(number, newest)
        await database.record([*steps, *later], later)
        for key in restoring.keys:
            await database.run(log_restored(key.kid, database.by, time.time_ns() // 1_000_000))
        await index_terms(database)
        await pack(database)
        found = await _verified(database, end.rows["orders"], told)
        if found.first is not None and not wishes.differences:
            raise BadBackup(
                f"nothing is restored: {found} So it was in the database that was backed up; to restore it as it was, say"
                " --allow-differences"
            )
    return Restored(
        header=header,
        rows=end.rows,
        roots=list(restoring.roots.values()),
        migrated=[step.name for step in later],
        differing=found,
    )


def _header(line: Line | Values) -> Header:
    if not isinstance(line, Header):
        raise BadBackup("the file does not begin as a backup does")
    if line.format != FORMAT:
        raise BadBackup(
            f"the backup has format {line.format}, and this version of Ordre reads format {FORMAT}: use Ordre {line.ordre}"
        )
    return line


async def _empty(database: Transaction, number: int) -> int:
    """Return the number of the newest migration of a database that is empty, and that the backup's schema does not lag behind."""
    there = known(await database.applied(), "the database")
    for table in layout(there):
        if table.name == "acts" and not await database.shared(f"{ACTED} limit 1"):
            await database.write_shared("delete from acts")  # those on migrations are in the backup, too
        elif await database.count(table):
            raise BadBackup(f"the database is not empty: it has rows in the table {table.name}. Restore into a new one")
    if there > number:
        raise BadBackup(
            "the database was migrated already, and the backup is of an older schema: restore into a new database, which this"
            " command then migrates"
        )
    return there


@dataclass(slots=True)
class _Batch:
    """Rows of one table that are to be written together."""

    table: Table
    rows: list[Values] = field(default_factory=list)
    bytes: int = 0


class _Restoring:
    """Writes what the lines of a file say."""

    def __init__(self, database: Transaction, header: Header, lock: Lock | None, told: Told) -> None:
        self._database, self._header, self._lock, self._told = database, header, lock, told
        self._tables = list(layout(max(step.number for step in header.schema)))
        self._total, self._done = sum(header.rows.values()), 0
        self._batch: _Batch | None = None
        self.tables = tuple(self._tables)
        self.rows: dict[str, int] = {}
        self.roots: dict[str, Root] = {}
        self.keys: list[SigningKey] = []

    async def read(self, lines: Iterator[tuple[Line | Values, int]]) -> End:
        """Write every table; return the end of the file."""
        for line, size in lines:
            match line:
                case list():
                    await self._add(line, size)
                case Section():
                    await self._write()
                    self._batch = _Batch(self._next_table(line))
                    self.rows[line.name] = 0
                case Root():
                    self.roots[line.account_id] = line
                case End():
                    await self._write()
                    return line
                case _:
                    raise BadBackup("the file was changed since it was written: it has two beginnings")
        raise BadBackup("the file is incomplete: its end is missing")

    def _next_table(self, section: Section) -> Table:
        """Return the table that is to come now: they come in the order of the schema, with all of their columns."""
        expected = self._tables.pop(0) if self._tables else None
        if expected is None or (expected.name, tuple(expected.columns)) != (section.name, section.columns):
            raise BadBackup(f"the file was changed since it was written: the table {section.name} is not what its schema says")
        return expected

    async def _add(self, row: Values, size: int) -> None:
        batch = self._batch
        if batch is None or len(row) != len(batch.table.columns):
            raise BadBackup("the file was changed since it was written: it holds a row that no table has")
        if batch.table.name == "signing_keys":
            row = self._key(batch.table, row)
        elif batch.table.name == "subscriptions":
            row = self._subscription(batch.table, row)
        batch.rows.append(row)
        batch.bytes += size
        if len(batch.rows) == _ROWS_AT_ONCE or batch.bytes >= _BYTES_AT_ONCE:
            await self._write()

    async def _write(self) -> None:
        batch = self._batch
        if batch is None or not batch.rows:
            return
        for (name, type_), values in zip(batch.table.columns.items(), zip(*batch.rows, strict=True), strict=True):
            if any(value is not None and type(value) is not _TYPES[type_] for value in values):
                raise BadBackup(f"the file was changed since it was written: {batch.table.name}.{name} is not {type_}")
        try:
            await self._database.insert(batch.table, _with_bytes(batch))
        except RowsRefused as error:
            raise BadBackup(f"the table {batch.table.name} does not take the rows of the file: {error}") from error
        self.rows[batch.table.name] += len(batch.rows)
        self._done += len(batch.rows)
        self._batch = _Batch(batch.table)
        self._told("Restoring", self._done, max(self._total, self._done))
        await asyncio.sleep(0)  # so that it can be interrupted

    def _subscription(self, table: Table, row: Values) -> Values:
        """Return a subscription as this database stores it: nothing is sent to it until somebody resumes it."""
        fields = dict(zip(table.columns, row, strict=True))
        hook_id, sealed = fields["id"], fields["secret"]
        secret = unlocked_secret(sealed, hook_id, self._lock) if isinstance(hook_id, str) and isinstance(sealed, str) else None
        stored = None if secret is None else self._database.sealed_secret(str(hook_id), secret)
        fields |= {"secret": stored, "held_by": None, "held_until": None}
        if fields["deleted_at"] is None:
            fields |= {"suspended_at": self._header.made_at, "suspended_reason": _RESTORED}
        return list(fields.values())

    def _key(self, table: Table, row: Values) -> Values:
        """Return a key as this database stores it."""
        fields = dict(zip(table.columns, row, strict=True))
        kid, jwk, created_at, retired_at = (fields[name] for name in ("kid", "jwk", "created_at", "retired_at"))
        if (
            not isinstance(kid, str)
            or not isinstance(jwk, str)
            or not isinstance(created_at, int)
            or not isinstance(retired_at, int | None)
        ):
            raise BadBackup("the file was changed since it was written: it holds a key that is none")
        held = SigningKey(kid=kid, jwk=jwk, created_at=created_at, retired_at=retired_at)
        key = unlocked(held, self._lock, self._header.made_at)
        self.keys.append(key)
        stored = {**fields, "jwk": self._database.sealed_key(kid, key.jwk), "retired_at": key.retired_at}
        return list(stored.values())


def _with_bytes(batch: _Batch) -> Sequence[Values]:
    """Return rows with the bytes that stand in the file as base64.

    Raises:
        RowsRefused: It is none.
    """
    places = [place for place, type_ in enumerate(batch.table.columns.values()) if type_ == "blob"]
    for row in batch.rows if places else ():
        for place in places:
            if isinstance(text := row[place], str):
                try:
                    row[place] = base64.b64decode(text, validate=True)
                except ValueError as error:
                    raise RowsRefused(f"what should be bytes is not base64: {error}") from error
    return batch.rows


async def _compare(database: Transaction, restored: _Restoring, end: End) -> None:
    """Compare what the database holds with what the end of the file says."""
    if not is_signed(end.signature, end.content(), restored.keys):
        raise BadBackup("the file was changed since it was written: its end is not signed by a key that it holds")
    for table in restored.tables:
        there, said = await database.count(table), end.rows.get(table.name)
        if there != said:
            raise BadBackup(
                f"the database holds {there:,} rows in the table {table.name}, and the backup should hold {said or 0:,}"
            )
    accounts = await database.account_ids()
    if list(restored.roots) != list(accounts):
        raise BadBackup("the file was changed since it was written: it does not hold the root of each of its accounts")
    for account in accounts:
        said_root, growing = restored.roots[account], GrowingRoot()
        async for id_, version, hash_ in database.stream(_HEADS, account):
            growing.add(leaf(account, Head(order=id_, version=version, hash=hash_)))
        if (growing.leaves, growing.root()) != (said_root.orders, said_root.root):
            raise BadBackup(f"the orders of the account {account} are not those that the backup was made of: their root differs")
        if not is_signed(said_root.signature, said_root.content(), restored.keys):
            raise BadBackup(f"the root of the account {account} is not signed by a key that the backup holds")


async def _verified(database: Transaction, orders: int, told: Told) -> Differing:
    """Verify everything."""
    found, tallies, done = Differing(), dict[str, Tally](), 0
    async for stored in database.stored_orders(None):
        differs = next(differences(stored, TERMS), None)
        if differs is not None:
            found = found.and_(differs)
        for account_id, tally in tallies_of([stored]).items():
            tallies.setdefault(account_id, Tally()).add(tally)
        done += 1
        if done % _VERIFIED_AT_ONCE == 0 or done == orders:
            told("Verifying", done, orders)
            await asyncio.sleep(0)  # so that it can be interrupted
    async for one in beside_orders(database, await database.acts(), await database.account_ids(), tallies):
        found = found.and_(one)
    return found
