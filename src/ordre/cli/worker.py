"""`ordre worker`."""

import asyncio
import signal

from ordre import bootstrap, logs, tidying
from ordre.application.store import Access
from ordre.application.troubles import StoreUnavailable
from ordre.application.views import Found
from ordre.cli.options import Database, Json, Switch, stored_settings
from ordre.cli.output import print_fields
from ordre.cli.running import begin_log, fail
from ordre.settings import Settings


def worker(*, once: Switch = False, database: Database = None, json: Json = False) -> None:
    """Erase orders and drafts whose time to live has ended, and drop old idempotency keys, until interrupted.

    `ordre serve` does this by itself, every ORDRE_TIDY_SECONDS. Where that is 0, run this beside it, or with --once by a timer.

    Args:
        once: Do one round, print how many were erased, and end.
    """
    settings = stored_settings(database=database)
    begin_log(settings)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        gone = asyncio.run(_tidied(settings, once=once))
    except StoreUnavailable as error:
        fail(error, settings.log_format)
    except KeyboardInterrupt:
        logs.info("stopped")
        return
    print_fields({"orders": len(gone.orders), "drafts": len(gone.drafts)}, json=json)


async def _tidied(settings: Settings, *, once: bool) -> Found:
    """Do one round, or round after round until interrupted."""
    async with bootstrap.opened(settings, Access.CHANGE) as store:
        if not once:
            logs.info("tidying", every_seconds=tidying.tidy_pause(settings))
            await tidying.tidy_for_ever(store, settings)
        return await tidying.tidy_once(store, settings)
