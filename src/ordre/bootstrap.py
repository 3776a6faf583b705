"""Puts the parts together: settings to a store, a store to an application, an application to a server."""

import asyncio
import contextlib
import signal
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from multiprocessing import resource_tracker
from pathlib import Path
from types import FrameType

import structlog
from starlette.types import ASGIApp, Receive, Scope, Send

from ordre.api.app import make_app
from ordre.api.clock import clock_from
from ordre.api.health import Lifecycle
from ordre.api.sandbox import new_account
from ordre.api.wire.search import TERMS
from ordre.application.erasure import tidy
from ordre.application.ports import Access, Found, Store, StoreUnavailable, Trouble
from ordre.auth.sealing import Sealer
from ordre.db import sqlite_file
from ordre.db.postgres import PostgresStore
from ordre.db.postgres_transaction import PostgresTransaction
from ordre.db.schema import shortfall
from ordre.db.sqlite import SqliteStore
from ordre.db.sqlite_transaction import SqliteTransaction
from ordre.db.transaction import Transaction
from ordre.demo import fill
from ordre.domain.refusals import Refused
from ordre.settings import BadSetting, Settings, current

_TIDY_SECONDS = 60.0
"""Between rounds of a worker where servers leave the tidying to it."""
_AWAY_SECONDS = 1.0
"""Between attempts to reach a database that is away."""
_log = structlog.get_logger("ordre")


def make_store(settings: Settings, access: Access = Access.MAKE) -> Store:
    """Return the store that the setting ``database`` names, not yet open."""
    path, sealer = settings.sqlite_path, Sealer(settings.secret_keys())
    if path is not None or settings.ephemeral:
        return SqliteStore(path, TERMS, sealer, access)
    return PostgresStore(settings.database, TERMS, sealer, access, pool_size=settings.pool_size)


@contextlib.asynccontextmanager
async def opened(settings: Settings, access: Access = Access.MAKE) -> AsyncIterator[Store]:
    """Open the store, and close it at the end."""
    store = make_store(settings, access)
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
async def transaction(settings: Settings, *, read_only: bool) -> AsyncIterator[Transaction]:
    """Begin a transaction over the whole database; commit at the end, or take it back where an exception leaves.

    Raises:
        BadSetting: The database is one in memory.
        StoreUnavailable: It cannot be reached or, to be read, is not there.
    """
    path, sealer = settings.sqlite_path, Sealer(settings.secret_keys())
    if settings.ephemeral:
        raise BadSetting("a database in memory ends with the server that it is of: name another with --database")
    made = PostgresTransaction(settings.database, TERMS, sealer) if path is None else SqliteTransaction(path, TERMS, sealer)
    async with made.begun(read_only=read_only):
        yield made


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Guest:
    """The account and the client that a server in memory begins with. What is empty is made up."""

    account_id: str = "T00000001"
    client_id: str = ""
    client_secret: str = ""
    demo: bool = False
    """Whether the account is filled with the orders of the demo."""


class Application:
    """The API with its lifespan: opens the store at start, keeps it tidy, closes it at the end."""

    def __init__(self, settings: Settings, guest: Guest | None = None) -> None:
        self._settings, self._guest = settings, guest
        self._store = make_store(settings)
        self._clock = clock_from(settings.clock)
        self._app: ASGIApp = make_app(self._store, settings, self._clock, self._tidied)
        self.greeting: dict[str, str] = {}
        """For a guest: how to use the server, but for its address."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            await self._app(scope, receive, send)
            return
        await receive()
        lifecycle = scope.setdefault("state", {})["lifecycle"] = Lifecycle()
        try:
            await self._open()
            await self._store.signing_keys()  # so that a worker without the secret does not start
            if self._guest is not None:
                self.greeting = await _welcome(self._store, self._guest, self._clock.now()[0])
        except (StoreUnavailable, Refused) as error:
            await send({"type": "lifespan.startup.failed", "message": _reason(error)})
            return
        tidying = asyncio.create_task(self._tidy()) if self._tidies else None
        if self._settings.drain_seconds > 0:
            _drain(lifecycle, self._settings.drain_seconds)
        await send({"type": "lifespan.startup.complete"})
        await receive()
        if tidying is not None:
            tidying.cancel()
        await self._store.close()
        await send({"type": "lifespan.shutdown.complete"})

    async def _open(self) -> None:
        """Open the store. One of several processes waits for a database that is away: it takes the place of one that died."""
        while True:
            try:
                return await self._store.open()
            except StoreUnavailable as error:
                if error.trouble is not Trouble.AWAY or self._settings.workers == 1:
                    raise
                _log.warning("waiting", reason=str(error))
                await asyncio.sleep(_AWAY_SECONDS)

    @property
    def _tidies(self) -> bool:
        """Whether time passes here, and no worker looks after what it brings."""
        return self._settings.tidy_seconds > 0 and not self._settings.clock

    async def _tidy(self) -> None:
        await tidy_for_ever(self._store, self._settings, self._settings.vacuum_bytes)

    async def _tidied(self, at: int) -> None:
        await tidy(self._store, at, self._settings.idempotency_seconds)


def _reason(error: StoreUnavailable | Refused) -> str:
    return "; ".join(one.message for one in error.refusals) if isinstance(error, Refused) else str(error)


def _drain(lifecycle: Lifecycle, seconds: float) -> None:
    """On SIGTERM, first serve on for a while, saying that the end is near; a second one ends it at once."""
    loop, stop = asyncio.get_running_loop(), signal.getsignal(signal.SIGTERM)
    if not callable(stop):
        return

    def told(number: int, frame: FrameType | None) -> None:
        if lifecycle.stopping:
            stop(number, frame)
            return
        lifecycle.stopping = True
        _log.info("draining", seconds=seconds)
        loop.call_soon_threadsafe(loop.call_later, seconds, stop, number, None)

    signal.signal(signal.SIGTERM, told)


async def _welcome(store: Store, guest: Guest, now: int) -> dict[str, str]:
    """Make an account and a client in a store that has none; return how to use them."""
    made = await new_account(store, guest.account_id, now, guest.client_id, guest.client_secret)
    if guest.demo:
        await fill(store, made["account_id"], made["client_id"], now)
    return made


def tidy_pause(settings: Settings) -> float:
    """Return the seconds between rounds, of a worker also where servers leave the tidying to it."""
    return settings.tidy_seconds or _TIDY_SECONDS


async def tidy_for_ever(store: Store, settings: Settings, vacuum_bytes: int | None = None) -> None:
    """Do what the passing of time asks for, again and again; a database that is away is waited for."""
    while True:
        try:
            await tidy_once(store, settings, vacuum_bytes)
        except StoreUnavailable as error:
            _log.warning("tidying_failed", reason=str(error))
        await asyncio.sleep(tidy_pause(settings))


async def tidy_once(store: Store, settings: Settings, vacuum_bytes: int | None = None) -> Found:
    """Do what the passing of time asks for by now; log what was erased."""
    gone = await tidy(store, time.time_ns() // 1_000_000, settings.idempotency_seconds, vacuum_bytes)
    if gone.orders or gone.drafts:
        _log.info("erased", orders=len(gone.orders), drafts=len(gone.drafts))
    return gone


def readable_by_others(settings: Settings) -> list[Path]:
    """Return those files of an SQLite database that somebody else on this machine may read or write."""
    return [] if settings.sqlite_path is None else sqlite_file.readable_by_others(settings.sqlite_path)


async def seal_keys(store: Store, settings: Settings) -> int:
    """Encrypt the keys that sign tokens, where there is a secret to do it with; return how many were not, or by an older one.

    Raises:
        KeysUnreadable: They are encrypted under another secret, or there is none.
    """
    await store.signing_keys()
    if not settings.secret_keys():
        return 0
    changed = await store.seal_signing_keys()
    if changed:
        await store.settle(settings.vacuum_bytes)
    return changed


def app() -> ASGIApp:
    """Return the application of this process's environment: what a worker process is started with."""
    return Application(current())
