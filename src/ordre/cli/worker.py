"""`ordre worker`."""

import contextlib
from typing import Annotated

from cyclopts import Parameter

from ordre import bootstrap
from ordre.cli.options import Database, Json, settings_with, with_store
from ordre.cli.output import print_fields


def worker(*, once: Annotated[bool, Parameter(negative="")] = False, database: Database = None, json: Json = False) -> None:
    """Erase orders and drafts whose time to live has ended, and drop old idempotency keys, until interrupted.

    `ordre serve` does this by itself, every ORDRE_TIDY_SECONDS. Where that is 0, run this beside it, or with --once by a timer.

    Args:
        once: Do one round, and say what was erased.
        database: Where.
        json: Print JSON.
    """
    settings = settings_with(database=database)
    bootstrap.configure_logs(settings.log_level)
    if once:
        gone = with_store(database, lambda store: bootstrap.tidy_once(store, settings))
        print_fields({"orders": len(gone.orders), "drafts": len(gone.drafts)}, json=json)
        return
    with contextlib.suppress(KeyboardInterrupt):
        with_store(database, lambda store: bootstrap.tidy_for_ever(store, settings))
