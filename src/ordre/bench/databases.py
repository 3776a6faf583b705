"""The databases that a benchmark fills: a throwaway SQLite file, or one that is named and holds nothing else."""

import asyncio
import os
import secrets
import sqlite3
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from ordre.application import accounts
from ordre.application.store import Access, Store
from ordre.auth.secrets import digest_of, new_secret
from ordre.bench.asking import new_shop
from ordre.bench.failures import BenchFailed
from ordre.bench.options import THROWAWAY
from ordre.bench.processes import parent_named
from ordre.bench.requests import Shop
from ordre.bootstrap import make_store, opened
from ordre.settings import BadSetting, Settings, settings_from

ACCOUNT_NAME = "ordre bench"
"""Of every account that a benchmark makes: a database in which all are named so is a bench database."""
_SHOWN = 3
_FIRST = 90_000_001


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is to be known of a database. ``lead`` is the process that leads those of a PostgreSQL on this machine."""

    version: str
    durable: bool
    lead: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Database:
    """A database, by the name that the report has for it."""

    label: str
    settings: Settings

    @property
    def file(self) -> Path | None:
        """The file of an SQLite database."""
        return self.settings.sqlite_path

    def prepare(self, *, among_others: bool) -> Facts:
        """Bring its schema up to this version; return what is to be known of it.

        Raises:
            BenchFailed: It holds accounts that no benchmark made.
            StoreUnavailable: It cannot be reached.
        """
        return asyncio.run(self._prepare(among_others))

    async def _prepare(self, among_others: bool) -> Facts:
        store = make_store(self.settings, Access.MAKE, "ordre bench")
        try:
            await store.migrate()
            await store.open()
            names = {one.account_id: one.name for one in await store.accounts()}
            others = [account_id for account_id, name in names.items() if name != ACCOUNT_NAME]
            if others and not among_others:
                raise BenchFailed(_refusal(self.label, others))
            durable = not await store.unsafe()
        finally:
            await store.close()
        if self.file is not None:
            return Facts(version=f"SQLite {sqlite3.sqlite_version}", durable=durable)
        return await _of_postgres(self.settings.database, durable)

    def size(self) -> int:
        """Return its bytes on disk."""
        if self.file is None:
            return asyncio.run(_size(self.settings.database))
        with closing(sqlite3.connect(self.file)) as connection:
            connection.execute("pragma wal_checkpoint(passive)").fetchall()
        return self.file.stat().st_size

    def new_shops(self, number: int, port: int) -> list[Shop]:
        """Make accounts, and ask the server on a port of this machine for a token for each."""
        return [new_shop(port, *one) for one in asyncio.run(self._new_accounts(number))]

    async def _new_accounts(self, number: int) -> list[tuple[str, str, str]]:
        async with opened(self.settings, Access.CHANGE, "ordre bench") as store:
            return [await new_account(store) for _ in range(number)]


async def new_account(store: Store) -> tuple[str, str, str]:
    """Make the next free account with a client; return the account's id, the client's, and its secret."""
    taken = {one.account_id for one in await store.accounts()}
    account_id = next(id_ for id_ in (f"P{number:08d}" for number in count(_FIRST)) if id_ not in taken)
    now, secret = time.time_ns() // 1_000_000, new_secret()
    await accounts.create_account(store, account_id, ACCOUNT_NAME, now)
    client = await accounts.create_client(store, account_id, "bench", ["admin:shopping"], digest_of(secret), now)
    return account_id, client.client_id, secret


def _refusal(label: str, others: Sequence[str]) -> str:
    more = f" and {len(others) - _SHOWN} more" if len(others) > _SHOWN else ""
    return (
        f"{label} holds accounts that no benchmark made ({', '.join(others[:_SHOWN])}{more}), and the orders of a benchmark stay:"
        " name an empty database, or add --among-others"
    )


async def _of_postgres(url: str, durable: bool) -> Facts:
    import asyncpg  # noqa: PLC0415 - where the database is SQLite, its driver is not loaded

    connection = await asyncpg.connect(url)
    try:
        version = await connection.fetchval("select current_setting('server_version')")
        local = await connection.fetchval("select coalesce(host(inet_server_addr()), '127.0.0.1') in ('127.0.0.1', '::1')")
        lead = parent_named(await connection.fetchval("select pg_backend_pid()"), "postgres") if local else None
    finally:
        await connection.close()
    return Facts(version=f"PostgreSQL {str(version).split()[0]}", durable=durable, lead=lead)


async def _size(url: str) -> int:
    import asyncpg  # noqa: PLC0415 - as above

    connection = await asyncpg.connect(url)
    try:
        return int(await connection.fetchval("select pg_database_size(current_database())"))
    finally:
        await connection.close()


def named(urls: Sequence[str], folder: Path, workers: int) -> list[Database]:
    """Return the databases of URLs, by their engines; ``THROWAWAY`` is a new file in a folder. ``workers`` serve each.

    Raises:
        BadSetting: One of them is no URL of a stored database.
    """
    found: list[Database] = []
    for number, url in enumerate(urls):
        own = f"sqlite:///{folder / f'bench-{number}.sqlite'}" if url == THROWAWAY else url
        settings = settings_from(os.environ, database=own, workers=workers)
        if settings.ephemeral:
            raise BadSetting("memory: keeps nothing that could be measured: leave --database out for a throwaway file")
        engine = "PostgreSQL" if settings.sqlite_path is None else "SQLite"
        alike = sum(one.label.startswith(engine) for one in found)
        found.append(Database(label=f"{engine} ({alike + 1})" if alike else engine, settings=settings))
    return found


def nonce() -> str:
    """Return the beginning of the names of orders that no earlier run has made."""
    return f"b{secrets.token_hex(4)}"
