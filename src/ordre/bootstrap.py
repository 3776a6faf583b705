"""Puts the parts together: settings to a store, a store to an application, an application to a server."""

import asyncio
import contextlib
import logging
import os
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import structlog
import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from ordre.api.app import make_app
from ordre.api.clock import clock_from
from ordre.api.wire.search import TERMS
from ordre.application import accounts
from ordre.application.erasure import tidy
from ordre.application.ports import Access, Found, Store, StoreUnavailable
from ordre.auth.sealing import Sealer
from ordre.auth.secrets import digest_of, new_secret
from ordre.db import sqlite_file
from ordre.db.postgres import PostgresStore
from ordre.db.sqlite import SqliteStore
from ordre.settings import Settings, current, environment_of

EPHEMERAL_ACCOUNT = "T00000001"
_TIDY_SECONDS = 60.0
"""Between rounds of a worker where servers leave the tidying to it."""
_GRACE_SECONDS = 30
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


def configure_logs(level: str) -> None:
    """Write one line of JSON an event to standard error."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(serializer=lambda value, **_: msgspec.json.encode(value, enc_hook=repr)),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.BytesLoggerFactory(sys.stderr.buffer),
        cache_logger_on_first_use=True,
    )


class Server:
    """The application with its lifespan: opens the store at start, keeps it tidy, closes it at the end."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._store = make_store(settings)
        self._clock = clock_from(settings.clock)
        self._app: ASGIApp = make_app(self._store, settings, self._clock, self._tidied)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            await self._app(scope, receive, send)
            return
        await receive()
        try:
            await self._store.open()
            await self._store.signing_keys()  # so that a worker without the secret does not start
        except StoreUnavailable as error:
            await send({"type": "lifespan.startup.failed", "message": str(error)})
            return
        if self._settings.ephemeral:
            await self._greet()
        tidying = asyncio.create_task(self._tidy()) if self._tidies else None
        await send({"type": "lifespan.startup.complete"})
        await receive()
        if tidying is not None:
            tidying.cancel()
        await self._store.close()
        await send({"type": "lifespan.shutdown.complete"})

    async def _greet(self) -> None:
        """Make an account and a client in a store that has none, and say how to use them, as one line of JSON."""
        now, secret = time.time_ns() // 1_000_000, new_secret()
        account = await accounts.create_account(self._store, EPHEMERAL_ACCOUNT, "Test", now)
        client = await accounts.create_client(self._store, account.account_id, "Test", ["admin:shopping"], digest_of(secret), now)
        url = f"http://{self._settings.host}:{self._settings.port}"
        greeting = {"url": url, "account_id": account.account_id, "client_id": client.client_id, "client_secret": secret}
        print(msgspec.json.encode(greeting).decode(), flush=True)  # noqa: T201 - whoever started it reads this

    @property
    def _tidies(self) -> bool:
        """Whether time passes here, and no worker looks after what it brings."""
        return self._settings.tidy_seconds > 0 and not self._settings.clock

    async def _tidy(self) -> None:
        await tidy_for_ever(self._store, self._settings, self._settings.vacuum_bytes)

    async def _tidied(self, at: int) -> None:
        await tidy(self._store, at, self._settings.idempotency_seconds)


async def tidy_for_ever(store: Store, settings: Settings, vacuum_bytes: int | None = None) -> None:
    """Do what the passing of time asks for, again and again; a database that is away is waited for."""
    while True:
        try:
            await tidy_once(store, settings, vacuum_bytes)
        except StoreUnavailable as error:
            _log.warning("tidying_failed", reason=str(error))
        await asyncio.sleep(settings.tidy_seconds or _TIDY_SECONDS)


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
    settings = current()
    configure_logs(settings.log_level)
    return Server(settings)


def serve(settings: Settings) -> None:
    """Serve until interrupted; requests in flight finish."""
    os.environ.update(environment_of(settings))
    uvicorn.run(
        "ordre.bootstrap:app",
        factory=True,
        host=settings.host,
        port=settings.port,
        http="ordre.api.guard:Guarded",
        workers=settings.workers,
        log_level="warning",
        access_log=False,
        server_header=False,
        date_header=True,
        timeout_graceful_shutdown=_GRACE_SECONDS,
        lifespan="on",
    )
