"""Writing a backup: one snapshot of the database, row by row."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from dataclasses import asdict, dataclass, replace
from typing import BinaryIO

from ordre import __version__, bootstrap
from ordre.application.directory import SigningKey
from ordre.application.troubles import StoreUnavailable
from ordre.auth.roots import sign, signed_root
from ordre.auth.sealing import SALT_BYTES
from ordre.auth.tokens import new_signing_key
from ordre.backup.file import FORMAT, End, Header, Root, Section, Step, Values, Writer, end_content
from ordre.backup.keys import Lock, is_private, locked, locked_secret
from ordre.db.layout import Table, layout
from ordre.db.sql import Row
from ordre.db.transaction import Transaction, known
from ordre.domain.merkle import GrowingRoot, Head, leaf
from ordre.settings import Settings

Told = Callable[[int, int], None]
"""Is told how much is done, of how much."""
TOLD_EVERY = 500
"""Rows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """The contents of a backup."""

    header: Header
    rows: dict[str, int]
    roots: list[Root]


async def back_up(settings: Settings, file: BinaryIO, at: int, passphrase: str | None, told: Told) -> Written:
    """Write everything that the database holds at one instant to a file; writers go on meanwhile.

    ``at`` is now, in milliseconds since 1970. Without a passphrase the private halves of keys that sign tokens are left out,
    and the secrets of webhooks.

    Raises:
        StoreUnavailable: The database cannot be read, is not there, or has no schema that this version knows.
        KeysUnreadable: The keys that sign tokens are encrypted under another secret.
    """
    salt = None if passphrase is None else os.urandom(SALT_BYTES).hex()
    lock = None if passphrase is None or salt is None else Lock(passphrase, salt)
    async with bootstrap.transaction(settings, read_only=True) as database:
        applied = await database.applied()
        number = known(applied, "the database")
        if not number:
            raise StoreUnavailable("the database holds nothing of Ordre's: there is nothing to back up")
        tables = layout(number)
        header = Header(
            format=FORMAT,
            ordre=__version__,
            engine=database.engine,
            made_at=at,
            schema=tuple(Step(number=one.number, name=one.name, digest=one.digest) for one in applied),
            rows={table.name: await database.count(table) for table in tables},
            salt=salt,
        )
        return await _Writing(database, header, lock, Writer(file), told).run(tables)


class _Writing:
    """One backup that is being written."""

    def __init__(self, database: Transaction, header: Header, lock: Lock | None, writer: Writer, told: Told) -> None:
        self._database, self._header, self._lock, self._writer, self._told = database, header, lock, writer, told
        self._total, self._done = sum(header.rows.values()), 0
        self._key = new_signing_key(header.made_at)
        """Signs the backup: the key that signs tokens, once it is read. Where there is none, the backup holds this one, too."""
        self._roots: dict[str, GrowingRoot] = {}

    async def run(self, tables: tuple[Table, ...]) -> Written:
        self._writer.write(self._header)
        rows = {table.name: await self._write(table) for table in tables}
        roots = [
            Root(**signed_root(self._key, account, growing.leaves, growing.root(), self._header.made_at))
            for account, growing in self._roots.items()
        ]
        for root in roots:
            self._writer.write(root)
        digest = self._writer.digest()
        self._writer.write(End(rows=rows, sha256=digest, signature=sign(self._key, end_content(rows, digest))))
        self._writer.close()
        self._told(self._total, self._total)
        return Written(header=self._header, rows=rows, roots=roots)

    async def _write(self, table: Table) -> int:
        """Write a table; return how many rows it has."""
        self._writer.write(Section(name=table.name, columns=tuple(table.columns)))
        count = 0
        async for row in self._rows(table):
            self._writer.write(row)
            count += 1
            if count % TOLD_EVERY == 0:
                self._told(self._done + count, self._total)
                await asyncio.sleep(0)  # so that it can be interrupted
        self._done += count
        return count

    async def _rows(self, table: Table) -> AsyncIterator[Values]:
        place = {name: number for number, name in enumerate(table.columns)}
        match table.name:
            case "signing_keys":
                async for values in self._signing_keys(table, place):
                    yield values
            case "accounts":
                async for row in self._database.table(table):
                    self._roots[row[place["account_id"]]] = GrowingRoot()
                    yield list(row)
            case "orders":
                async for row in self._database.table(table):
                    account = row[place["account_id"]]
                    head = Head(order=row[place["id"]], version=row[place["version"]], hash=row[place["hash"]])
                    self._roots[account].add(leaf(account, head))
                    yield list(row)
            case "subscriptions":
                async for row in self._database.table(table):
                    yield self._subscription(row, place)
            case _:
                async for row in self._database.table(table):
                    yield list(row)

    def _subscription(self, row: Row, place: dict[str, int]) -> Values:
        """Return a subscription as a file holds it."""
        hook_id, secret = row[place["id"]], row[place["secret"]]
        held = None if secret is None else locked_secret(self._database.opened_secret(hook_id, secret), hook_id, self._lock)
        return [held if name == "secret" else row[place[name]] for name in place]

    async def _signing_keys(self, table: Table, place: dict[str, int]) -> AsyncIterator[Values]:
        """Yield the keys as a file holds them, among them one that signs."""
        keys = []
        async for row in self._database.table(table):
            stored = SigningKey(**{name: row[place[name]] for name in ("kid", "jwk", "created_at", "retired_at")})
            keys.append(replace(stored, jwk=self._database.opened_key(stored.kid, stored.jwk)))
            yield [locked(keys[-1].jwk, stored.kid, self._lock) if name == "jwk" else row[place[name]] for name in place]
        signing = [key for key in keys if key.retired_at is None and is_private(key.jwk)]
        if signing:
            self._key = max(signing, key=lambda key: key.created_at)
            return
        fields = {**asdict(self._key), "jwk": locked(self._key.jwk, self._key.kid, self._lock)}
        yield [fields.get(name) for name in place]
