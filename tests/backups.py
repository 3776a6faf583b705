"""Backups in the process of a test, and everything that a database holds."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from database import sql
from ordre.backup.restore import Restored, Wishes, restore
from ordre.backup.write import Told, Written, back_up
from ordre.db.layout import layout
from ordre.db.schema import migrations
from ordre.settings import Settings

PASSPHRASE = "correct horse battery"
NEWEST = migrations("sqlite")[-1].number


def backed_up(database: str, file: Path, *, passphrase: str | None = PASSPHRASE, told: Told = lambda *_: None) -> Written:
    with file.open("wb") as output:
        return asyncio.run(back_up(Settings(database=database), output, time.time_ns() // 1_000_000, passphrase, told))


def restored(
    database: str,
    file: Path,
    *,
    passphrase: str | None = PASSPHRASE,
    differences: bool = False,
    told: Callable[[str, int, int], None] = lambda *_: None,
) -> Restored:
    wishes = Wishes(passphrase=None if passphrase is None else lambda: passphrase, differences=differences)
    with file.open("rb") as content:
        return asyncio.run(restore(Settings(database=database), content, wishes, told))


def contents(database: str) -> dict[str, list[Any]]:
    """Every row of every table of the newest schema, whoever it belongs to."""
    return {
        table.name: sql(database, f"select {', '.join(table.columns)} from {table.name} order by {', '.join(table.key)}")
        for table in layout(NEWEST)
    }
