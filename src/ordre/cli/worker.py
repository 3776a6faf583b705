"""`ordre worker`."""

import contextlib

from ordre import bootstrap, logs
from ordre.cli.options import Database, Json, Switch, settings_with, with_store
from ordre.cli.output import print_fields


def worker(*, once: Switch = False, database: Database = None, json: Json = False) -> None:
    """Erase orders and drafts whose time to live has ended, and drop old idempotency keys, until interrupted.

    `ordre serve` does this by itself, every ORDRE_TIDY_SECONDS. Where that is 0, run this beside it, or with --once by a timer.

    Args:
        once: Do one round, print how many were erased, and end.
    """
    settings = settings_with(database=database)
    logs.configure(settings.log_level, settings.log_format)
    if once:
        gone = with_store(database, lambda store: bootstrap.tidy_once(store, settings))
        print_fields({"orders": len(gone.orders), "drafts": len(gone.drafts)}, json=json)
        return
    with contextlib.suppress(KeyboardInterrupt):
        with_store(database, lambda store: bootstrap.tidy_for_ever(store, settings))
