"""`ordre worker`."""

import asyncio
import signal

from ordre import bootstrap, delivering, logs, tidying
from ordre.application.store import Access
from ordre.application.troubles import StoreUnavailable
from ordre.application.views import Found
from ordre.cli.options import Database, Json, Switch, stored_settings
from ordre.cli.output import print_fields
from ordre.cli.running import begin_log, fail
from ordre.settings import Settings


def worker(*, once: Switch = False, database: Database = None, json: Json = False) -> None:
    """Send webhooks, erase orders and drafts whose time to live has ended, and drop old idempotency keys, until interrupted.

    `ordre serve` does this by itself: it looks for webhooks every ORDRE_HOOK_POLL_SECONDS, and erases every ORDRE_TIDY_SECONDS.
    Where one of them is 0, run this beside it, any number of them on PostgreSQL; or, to erase, with --once by a timer.

    Args:
        once: Erase once, print how many were erased, and end. No webhooks are sent.
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
            async with asyncio.TaskGroup() as together:
                together.create_task(tidying.tidy_for_ever(store, settings))
                together.create_task(delivering.deliver_for_ever(store, settings))
        return await tidying.tidy_once(store, settings)
