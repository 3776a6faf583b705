"""Opens what the settings name: a store, or a transaction over a whole database. What serves it is put together in `served`."""

import contextlib
import signal
from collections.abc import AsyncIterator, Iterator
from multiprocessing import resource_tracker
from pathlib import Path

from ordre.api.wire.facts import DOCUMENTS
from ordre.application.directory import SERVICE
from ordre.application.store import Access, Store
from ordre.application.troubles import StoreUnavailable
from ordre.auth.sealing import Sealer
from ordre.db import sqlite_file
from ordre.db.schema import shortfall
from ordre.db.sqlite import SqliteStore
from ordre.db.sqlite_transaction import SqliteTransaction
from ordre.db.transaction import Transaction
from ordre.settings import BadSetting, Settings


def make_store(settings: Settings, access: Access = Access.MAKE, by: str = SERVICE) -> Store:
    """Return the store that the setting ``database`` names, not yet open. Acts are logged as done ``by`` somebody."""
    path, sealer = settings.sqlite_path, Sealer(settings.secret_keys())
    if path is not None or settings.ephemeral:
        return SqliteStore(path, DOCUMENTS, sealer, access, by=by)
    from ordre.db.postgres import PostgresStore  # noqa: PLC0415 - where the database is SQLite, its driver is not loaded

    return PostgresStore(settings.database, DOCUMENTS, sealer, access, pool_size=settings.pool_size, by=by)


@contextlib.asynccontextmanager
async def opened(settings: Settings, access: Access = Access.MAKE, by: str = SERVICE) -> AsyncIterator[Store]:
    """Open the store, and close it at the end."""
    store = make_store(settings, access, by)
    try:
        await store.open()
        yield store
    finally:
        await store.close()


@contextlib.contextmanager
def without_ctrl_c() -> Iterator[None]:
    """Start processes that Ctrl-C does not reach: this one tells them to stop. Here, it arrives at the end of the block."""
    resource_tracker.ensure_running()  # before, since starting it lets the signal through again
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})


def end_at_ctrl_c() -> None:
    """Let Ctrl-C end this process at once and in silence, once it has been started without."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})


@contextlib.asynccontextmanager
async def transaction(settings: Settings, *, read_only: bool, by: str = SERVICE) -> AsyncIterator[Transaction]:
    """Begin a transaction over the whole database; commit at the end, or take it back where an exception leaves.

    Raises:
        BadSetting: The database is one in memory.
        StoreUnavailable: It cannot be reached or, to be read, is not there.
    """
    path, sealer = settings.sqlite_path, Sealer(settings.secret_keys())
    if settings.ephemeral:
        raise BadSetting("a database in memory exists only inside its server: name another one with --database")
    made = _postgres_transaction(settings, sealer, by) if path is None else SqliteTransaction(path, DOCUMENTS, sealer, by)
    async with made.begun(read_only=read_only):
        yield made


def _postgres_transaction(settings: Settings, sealer: Sealer, by: str) -> Transaction:
    from ordre.db.postgres_transaction import PostgresTransaction  # noqa: PLC0415 - as above

    return PostgresTransaction(settings.database, DOCUMENTS, sealer, by)


@contextlib.asynccontextmanager
async def snapshot(settings: Settings) -> AsyncIterator[Transaction]:
    """Read the whole database as it is at this instant, without a change, and without holding up whoever writes.

    Raises:
        StoreUnavailable: It is not there, cannot be reached, or its schema is another version's.
    """
    async with transaction(settings, read_only=True) as database:
        lacking = shortfall(await database.applied(), database.engine)
        if lacking is not None:
            raise StoreUnavailable(lacking)
        yield database


def readable_by_others(settings: Settings) -> list[Path]:
    """Return the files of an SQLite database that other users of this machine may read or write."""
    return [] if settings.sqlite_path is None else sqlite_file.readable_by_others(settings.sqlite_path)


async def seal_keys(store: Store, settings: Settings) -> int:
    """Encrypt keys that sign tokens and secrets of webhooks, where there is a secret to do it with.

    Return how many were not, or by an older one.

    Raises:
        KeysUnreadable: They are encrypted under another secret, or there is none.
    """
    await store.signing_keys()
    if not settings.secret_keys():
        return 0
    changed = await store.seal_signing_keys() + await store.seal_hook_secrets()
    if changed:
        await store.settle(settings.vacuum_bytes)
    return changed
