"""Tidying: round after round, a server or a worker beside it erases what has expired."""

import asyncio
import time

from ordre import logs
from ordre.application.erasure import tidy
from ordre.application.store import Store
from ordre.application.troubles import StoreUnavailable
from ordre.application.views import Found
from ordre.settings import Settings

_TIDY_SECONDS = 60.0
"""Between rounds of a worker where servers leave the tidying to it."""


def tidy_pause(settings: Settings) -> float:
    """Return the seconds between rounds, of a worker also where servers leave the tidying to it."""
    return settings.tidy_seconds or _TIDY_SECONDS


async def tidy_for_ever(store: Store, settings: Settings, vacuum_bytes: int | None = None) -> None:
    """Tidy round after round; where the database is away, wait for it."""
    while True:
        try:
            await tidy_once(store, settings, vacuum_bytes)
        except StoreUnavailable as error:
            logs.warning("tidying_failed", reason=str(error))
        await asyncio.sleep(tidy_pause(settings))


async def tidy_once(store: Store, settings: Settings, vacuum_bytes: int | None = None) -> Found:
    """Erase what has expired by now, and log how much."""
    at = time.time_ns() // 1_000_000
    for account_id in await store.accounts_with_hooks():
        await store.forget_deliveries(account_id, at - settings.hook_log_seconds * 1000)
    gone = await tidy(store, at, settings.idempotency_seconds, vacuum_bytes)
    if gone.orders or gone.drafts:
        logs.info("erased", orders=len(gone.orders), drafts=len(gone.drafts))
    return gone
